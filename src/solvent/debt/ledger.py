"""What debt did cost in a project that Solvent runs: read from its runs, alerts and decisions. Pure.

Nothing here is assumed. Where a figure cannot be read from what was recorded, it is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final

import msgspec

from solvent.debt.findings import files_of_steps
from solvent.debt.pricing.assumptions import DAYS_A_MONTH
from solvent.debt.pricing.churn import Exposure
from solvent.lineage.entities import Action, Alert, Decision, Run, RunStatus

MOST_RUNS: Final = 20_000  # the newest ones that are read
CAUSES: Final = ("code", "environment", "parameters", "inputs")
_ANSWERS: Final = {Action.RETRAIN, Action.PROMOTE, Action.ROLL_BACK, Action.APPROVE, Action.WAIVE}
_FAILURES: Final = {RunStatus.FAILED, RunStatus.LOST}


class Work(msgspec.Struct, frozen=True):
    """runs: how many; minutes: that they took."""

    runs: int
    minutes: float


class StepCost(msgspec.Struct, frozen=True):
    """Of one step. repeated: runs of a recipe that had finished before; missed: why a run could not use the one
    before, by cause, a run counting for each of its causes; failed: runs that failed or were lost.
    """

    step: str
    runs: int
    minutes: float
    repeated: Work
    missed: dict[str, Work]
    failed: Work


class ModelCost(msgspec.Struct, frozen=True):
    """Of one model. open: alerts that no decision has answered; answered_minutes: median time from an alert to the
    decision that answered it, None where none was answered.
    """

    model: str
    alerts: int
    open: int
    answered_minutes: float | None


class Ledger(msgspec.Struct, frozen=True):
    """since, until: of the runs that were read; None without one."""

    since: datetime | None
    until: datetime | None
    steps: list[StepCost]
    models: list[ModelCost]

    @property
    def months(self) -> float:
        """Length of what was read."""
        if self.since is None or self.until is None:
            return 0.0
        return (self.until - self.since) / timedelta(days=DAYS_A_MONTH)


def runs_by_file(found: Ledger, paths: Iterable[str]) -> dict[str, Exposure]:
    """How often each file's steps ran, for pricing: a step's module names its file. Empty below a day of ledger."""
    if found.months * DAYS_A_MONTH < 1:
        return {}
    counts: dict[str, int] = {}
    files = files_of_steps((step.step for step in found.steps), paths)
    for step in found.steps:
        if step.step in files:
            counts[files[step.step]] = counts.get(files[step.step], 0) + step.runs
    return {path: Exposure(count, found.months) for path, count in counts.items()}


def ledger(runs: Iterable[Run], alerts: Iterable[Alert], decisions: Iterable[Decision]) -> Ledger:
    """From what a store tells, in any order."""
    ordered = sorted(runs, key=lambda run: (run.start.started_at, run.start.key))
    by_step: dict[str, list[Run]] = {}
    for run in ordered:
        if run.start.recipe is not None:
            by_step.setdefault(run.start.step, []).append(run)
    steps = [_step(name, mine) for name, mine in sorted(by_step.items())]
    times = [run.start.started_at for run in ordered]
    models = _models(alerts, decisions)
    return Ledger(times[0] if times else None, times[-1] if times else None, steps, models)


def _step(name: str, runs: Sequence[Run]) -> StepCost:
    repeated: list[Run] = []
    missed: dict[str, list[Run]] = {cause: [] for cause in CAUSES}
    finished: set[str] = set()
    before: Run | None = None
    for run in runs:
        recipe = run.start.recipe
        if recipe is None:
            continue
        if recipe.digest in finished:
            repeated.append(run)
        elif before is not None:
            for cause in _causes(before, run):
                missed[cause].append(run)
        if run.status is RunStatus.DONE:
            finished.add(recipe.digest)
            before = run
    return StepCost(
        name,
        len(runs),
        _work(runs).minutes,
        _work(repeated),
        {cause: _work(mine) for cause, mine in missed.items() if mine},
        _work([run for run in runs if run.status in _FAILURES]),
    )


def _causes(before: Run, run: Run) -> list[str]:
    old, new = before.start.recipe, run.start.recipe
    if old is None or new is None:
        return []
    return [cause for cause in CAUSES if getattr(old, cause) != getattr(new, cause)]


def _work(runs: Sequence[Run]) -> Work:
    return Work(len(runs), sum(_seconds(run) for run in runs) / 60)


def _seconds(run: Run) -> float:
    """Of the work itself where it was measured, else of the run."""
    if run.end is None:
        return 0.0
    measured = run.end.resources.get("seconds")
    return measured if measured is not None else (run.end.ended_at - run.start.started_at).total_seconds()


def _models(alerts: Iterable[Alert], decisions: Iterable[Decision]) -> list[ModelCost]:
    answers: dict[str, list[datetime]] = {}
    for one in decisions:
        model = one.decision.model
        if model is not None and one.decision.action in _ANSWERS:
            answers.setdefault(model, []).append(one.decision.at)
    raised: dict[str, list[Alert]] = {}
    for alert in alerts:
        raised.setdefault(alert.model, []).append(alert)
    return [_model(model, mine, answers) for model, mine in sorted(raised.items())]


def _model(model: str, alerts: Sequence[Alert], answers: Mapping[str, Sequence[datetime]]) -> ModelCost:
    waited = []
    for alert in alerts:
        later = [at for at in answers.get(model, ()) if at >= alert.at]
        if later:
            waited.append((min(later) - alert.at).total_seconds() / 60)
    return ModelCost(model, len(alerts), len(alerts) - len(waited), median(waited) if waited else None)
