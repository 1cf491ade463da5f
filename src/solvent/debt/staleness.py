"""Model versions that are in use while the pipeline has newer code or data than they were made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from solvent.debt.makers import Makers
from solvent.lineage.entities import Run, RunStatus

TRIED = "shadow"  # tag of runs by which a tick weighs a retraining
CAUSES = ("code", "environment", "parameters", "inputs")


class InUse(msgspec.Struct, frozen=True):
    """A version that something points at. by: `@champion`, or the endpoint that answers with it; run: that made it."""

    model: str
    number: int
    by: str
    run: str | None


class Behind(msgspec.Struct, frozen=True):
    """A step that has run otherwise since, and came to something else. causes: what of its recipe is another one."""

    step: str
    causes: list[str]
    since: datetime


class StaleUse(msgspec.Struct, frozen=True):
    """A version in use that is behind. since: when the first newer result was there; answered: predictions that were
    sealed into the log after that, None where none is known.
    """

    model: str
    number: int
    by: list[str]
    since: datetime
    behind: list[Behind]
    answered: int | None = None


def stale_in_use(in_use: Sequence[InUse], runs: Sequence[Run], makers: Makers) -> list[StaleUse]:
    """By model and number. A version whose run is not among the runs is left out."""
    by_key = {run.start.key: run for run in runs}
    newest = _newest(runs)
    pointed: dict[tuple[str, int], list[InUse]] = {}
    for one in in_use:
        pointed.setdefault((one.model, one.number), []).append(one)
    found = []
    for (model, number), mine in sorted(pointed.items()):
        run = by_key.get(mine[0].run or "")
        behind = _behind(run, newest, makers) if run is not None else []
        if behind:
            since = min(one.since for one in behind)
            found.append(StaleUse(model, number, sorted({one.by for one in mine}), since, behind))
    return found


def _newest(runs: Sequence[Run]) -> dict[str, Run]:
    """The newest finished run of each step; what a tick merely tried is no result of the pipeline."""
    done = [run for run in runs if run.status is RunStatus.DONE and run.start.recipe and TRIED not in run.start.tags]
    return {run.start.step: run for run in sorted(done, key=lambda run: (run.start.started_at, run.start.key))}


def _behind(made: Run, newest: Mapping[str, Run], makers: Makers) -> list[Behind]:
    """Where the newer results begin: a step that merely took newer inputs is told only where no other step is."""
    steps = []
    for run in makers.above(made).values():
        new = newest.get(run.start.step)
        if new is None or new.end is None or new.start.started_at <= run.start.started_at:
            continue
        causes = differences(run, new)
        if causes and contents(new) != contents(run):
            steps.append(Behind(run.start.step, causes, new.end.ended_at))
    steps.sort(key=lambda one: (one.since, one.step))
    roots = [one for one in steps if one.causes != ["inputs"]]
    return roots or steps[:1]


def differences(before: Run, now: Run) -> list[str]:
    """What of a recipe is another one."""
    old, new = before.start.recipe, now.start.recipe
    if old is None or new is None:
        return []
    return [cause for cause in CAUSES if getattr(old, cause) != getattr(new, cause)]


def contents(run: Run) -> dict[str, str]:
    """What a run came to, by output."""
    return {name: artifact.content for name, artifact in run.end.outputs.items()} if run.end is not None else {}
