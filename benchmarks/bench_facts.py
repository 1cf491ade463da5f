"""How long the hot writes of the metadata take: a run's start and end, a decision, an alias move.

    python benchmarks/bench_facts.py [--times 300]

On SQLite with and without waiting for the disk (what is left without is our own work), on PostgreSQL
where SOLVENT_POSTGRES_URL names an empty database. Prints times and the machine; writes results/facts.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import event

from solvent.foundation.ids import uuid7
from solvent.lineage.digests import digest_of, digest_value
from solvent.lineage.entities import (
    Action,
    Actor,
    Artifact,
    ArtifactType,
    ModelVersion,
    NewDecision,
    Recipe,
    RunEnd,
    RunStart,
    RunStatus,
)
from solvent.store import Store, open_store
from solvent.store.facts import Facts

RESULT = Path(__file__).parent / "results" / "facts.json"
BAR_MILLISECONDS = 1.5  # a run's start and end together, without waiting for the disk
ME = Actor(kind="person", name="bench")
NOW = datetime(2012, 1, 1, tzinfo=UTC)


def artifact(name: str) -> Artifact:
    digest = digest_of(name.encode())
    return Artifact(digest=digest, content=digest, type=ArtifactType.DATASET, format="parquet", size=1)


def run(facts: Facts, n: int) -> str:
    """A step with one input, one output and a metric, of a recipe never seen before."""
    key, used, made = uuid7(), artifact("input"), artifact(f"output {n}")
    recipe = Recipe(
        digest=digest_value(n), code=used.digest, environment=used.digest, parameters={}, inputs={"x": used.digest}
    )
    facts.start_run(RunStart(key=key, step="fit", started_at=NOW, recipe=recipe, inputs={"x": used.digest}))
    facts.end_run(
        RunEnd(key=key, status=RunStatus.DONE, ended_at=NOW, outputs={"out": made}, metrics={"mae": float(n)})
    )
    return key


def writes(facts: Facts) -> Iterator[tuple[str, Callable[[], object]]]:
    facts.add_artifact(artifact("input"))
    facts.add_model("bikes", {})
    fitted = run(facts, -1)
    made = artifact("output -1").digest
    facts.add_version(ModelVersion(model="bikes", number=0, artifact=made, run=fitted, created_at=NOW, signature={}))
    numbers = count()
    hold = NewDecision(action=Action.HOLD, actor=ME, at=NOW, reason="it does not pay", evidence={"gain": -0.2})
    yield "run started and ended", lambda: run(facts, next(numbers))
    yield "decision", lambda: facts.decide(hold)
    yield "alias moved by a decision", lambda: facts.move_alias("bikes", "champion", 1, hold)


def measure(store: Store, times: int) -> dict[str, float]:
    """Median milliseconds of each write."""
    medians = {}
    for name, write in writes(store.facts):
        taken = []
        for _ in range(times):
            started = time.perf_counter()
            write()
            taken.append(time.perf_counter() - started)
        medians[name] = round(1000 * statistics.median(taken), 3)
    return medians


def do_not_wait_for_the_disk(store: Store) -> None:
    engine = store.facts.database.engine
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF").close())
    engine.dispose()


def machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=300)
    times = parser.parse_args().times
    result: dict[str, Any] = {"machine": machine(), "bar ms": BAR_MILLISECONDS}
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        urls = {
            "sqlite": f"sqlite:///{folder}/synced.db",
            "sqlite, not synced": f"sqlite:///{folder}/unsynced.db",
            "postgresql": os.environ.get("SOLVENT_POSTGRES_URL"),
        }
        for name, url in urls.items():
            if url is None:
                continue
            with open_store(url, root=Path(folder), actor=ME) as store:
                if "not synced" in name:
                    do_not_wait_for_the_disk(store)
                result[name] = measure(store, times)
            for what, milliseconds in result[name].items():
                print(f"{name:20} {what:28} {milliseconds:8.2f} ms")
    share = result["sqlite, not synced"]["run started and ended"] / BAR_MILLISECONDS
    print(f"a run's own work is {share:.2f} × the bar of {BAR_MILLISECONDS} ms")
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
