"""A process to be killed: records runs, versions, decisions and alias moves, and prints what was acknowledged.

python facts_writer.py URL ROOT LABEL
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from solvent.foundation.clock import wall_clock
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import digest_of
from solvent.lineage.entities import (
    Action,
    Actor,
    Artifact,
    ArtifactType,
    ModelVersion,
    NewDecision,
    RunEnd,
    RunStart,
    RunStatus,
)
from solvent.store import open_store
from solvent.store.facts import Facts

ME = Actor(kind="person", name="writer")


def write(facts: Facts, label: str) -> None:
    facts.add_model("bikes", {})
    say("ready", "")
    for n in count():
        key = uuid7()
        facts.start_run(RunStart(key=key, step="fit", started_at=wall_clock()))
        say("started", key)
        made = {name: artifact(f"{label} {n} {name}") for name in ("model", "report")}
        metrics = {"mae": 1.0, "rows": 2.0}
        facts.end_run(RunEnd(key=key, status=RunStatus.DONE, ended_at=wall_clock(), outputs=made, metrics=metrics))
        say("ended", key)
        new = ModelVersion(
            model="bikes", number=0, artifact=made["model"].digest, run=key, created_at=wall_clock(), signature={}
        )
        number = facts.add_version(new).number
        say("version", str(number))
        promote = NewDecision(action=Action.PROMOTE, actor=ME, at=wall_clock(), reason="newer", number=number)
        moved = facts.move_alias("bikes", "champion", number, promote)
        say("moved", f"{moved.key} {number}")


def artifact(name: str) -> Artifact:
    digest = digest_of(name.encode())
    return Artifact(digest=digest, content=digest, type=ArtifactType.ANY, format="json", size=1)


def say(what: str, key: str) -> None:
    sys.stdout.write(f"{what} {key}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    url, root, label = sys.argv[1:]
    with open_store(url, root=Path(root), actor=ME) as store:
        write(store.facts, label)
