"""Batches of invented rows for the log, and a process that logs or seals them until it is killed.

python batches.py append ROOT NAME DURABILITY   print the ids of each batch once it is acknowledged
python batches.py seal ROOT NAME                the same, and seal after each batch
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvent.store import Store


START = datetime(2012, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MODEL = "bike-demand"


def predictions(ids: Sequence[str], *, since: datetime = START, **columns: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """One prediction an hour; `columns` replaces or adds."""
    times = [since + n * HOUR for n in range(len(ids))]
    fixed = {"event_time": times, "answered_at": times, "version": [1] * len(ids), "output": [0.5] * len(ids)}
    return {"prediction_id": list(ids), **fixed, "f_temp": [float(n) for n in range(len(ids))], **columns}


def outcomes(
    ids: Sequence[str], labels: Sequence[float], *, known_at: datetime = START, **columns: Sequence[Any]
) -> dict[str, Sequence[Any]]:
    """Labels that all became known at one time."""
    times = {name: [known_at] * len(ids) for name in ("happened_at", "known_at", "recorded_at")}
    return {"prediction_id": list(ids), "label": list(labels), **times, **columns}


def open_project(root: Path) -> Store:
    """The store in `root`, with the model registered."""
    from solvent.lineage.entities import Actor
    from solvent.store import open_store

    store = open_store(f"sqlite:///{root}/solvent.db", root=root, actor=Actor(kind="person", name="ann"))
    if MODEL not in store.facts.models():
        store.facts.add_model(MODEL, {})
    return store


def _append(log: Any, name: str) -> None:
    ids = [f"{name}-{n}" for n in range(3)]
    log.append_predictions(MODEL, predictions(ids, f_padding=["x" * 500] * 3))
    print(*ids, flush=True)


def _append_without_end(root: Path, name: str, durability: Any) -> None:
    from memory_facts import MemoryFacts

    from solvent.store.log import PredictionLog
    from solvent.store.objects import FolderObjects

    objects = FolderObjects(root / "objects", root / "staging")
    log = PredictionLog(root / "log", MemoryFacts(), objects, durability=durability, rotate_bytes=20_000)
    for number in count():
        _append(log, f"{name}-{number}")


def _seal_without_end(root: Path, name: str) -> None:
    with open_project(root) as store:
        for number in count():
            _append(store.log, f"{name}-{number}")
            store.log.seal(MODEL, "predictions", now=START)


if __name__ == "__main__":
    if sys.argv[1] == "append":
        _append_without_end(Path(sys.argv[2]), *sys.argv[3:])
    else:
        _seal_without_end(Path(sys.argv[2]), sys.argv[3])
