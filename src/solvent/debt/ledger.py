"""What debt did cost in a project that Solvent runs: read from its runs, alerts and decisions. Pure.

Nothing here is assumed. Where a figure cannot be read from what was recorded, it is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final

import msgspec

from solvent.debt.cascades import FAILURES, Cascade, cascades
from solvent.debt.findings import files_of_steps
from solvent.debt.makers import Makers
from solvent.debt.pricing.assumptions import DAYS_A_MONTH
from solvent.debt.pricing.churn import Exposure
from solvent.debt.pricing.toll import Toll
from solvent.debt.staleness import CAUSES, StaleUse, contents, differences
from solvent.debt.thresholds import PastThreshold
from solvent.lineage.entities import Action, Alert, ArtifactType, Decision, Run, RunEnd, RunStatus

MOST_RUNS: Final = 20_000  # the newest ones that are read
_ANSWERS: Final = {Action.RETRAIN, Action.PROMOTE, Action.ROLL_BACK, Action.APPROVE, Action.WAIVE}
_WORKING_DAY: Final = timedelta(hours=8)


class Work(msgspec.Struct, frozen=True):
    """runs: how many; minutes: that they took."""

    runs: int
    minutes: float


class StepCost(msgspec.Struct, frozen=True):
    """Of one step. repeated: runs of a recipe that had finished before; missed: why a run could not use the one
    before, by cause, a run counting for each of its causes; unchanged: those of them that came to the same result, by
    cause; failed: runs that failed or were lost.
    """

    step: str
    runs: int
    minutes: float
    repeated: Work
    missed: dict[str, Work]
    unchanged: dict[str, Work]
    failed: Work


class ModelCost(msgspec.Struct, frozen=True):
    """Of one model. open: alerts that no decision has answered; answered_minutes: median time from an alert to the
    decision that answered it, None where none was answered.
    """

    model: str
    alerts: int
    open: int
    answered_minutes: float | None


class Reader(msgspec.Struct, frozen=True):
    """A place that reads or writes what it does not declare, as an audit found it."""

    rule: str
    path: str
    line: int
    first_seen: datetime


class Ledger(msgspec.Struct, frozen=True):
    """since, until: of the runs that were read; None without one. evaluations: finished runs with metrics that rest on
    each step. tolls: for pricing, by step. undeclared: None where no audit is recorded. left_out: what cannot be
    read here, and why.
    """

    since: datetime | None
    until: datetime | None
    steps: list[StepCost]
    models: list[ModelCost]
    cascades: list[Cascade] = []
    stale: list[StaleUse] = []
    past: list[PastThreshold] = []
    undeclared: list[Reader] | None = None
    evaluations: dict[str, int] = {}
    tolls: dict[str, Toll] = {}
    left_out: list[str] = []

    @property
    def months(self) -> float:
        """Length of what was read."""
        if self.since is None or self.until is None:
            return 0.0
        return (self.until - self.since) / timedelta(days=DAYS_A_MONTH)


class Rates(msgspec.Struct, frozen=True):
    """What a ledger tells of files, for pricing: how often their steps run, how many evaluations rest on them, and
    what their runs did cost. Empty below a day of ledger; evaluations also where none is recorded.
    """

    runs: dict[str, Exposure] = {}
    evaluations: dict[str, Exposure] = {}
    tolls: dict[str, Toll] = {}


def rates_by_file(found: Ledger, paths: Iterable[str]) -> Rates:
    """A step's module names its file."""
    if found.months * DAYS_A_MONTH < 1:
        return Rates()
    runs: Counter[str] = Counter()
    evaluations: Counter[str] = Counter()
    tolls: dict[str, Toll] = {}
    files = files_of_steps((step.step for step in found.steps), paths)
    for step in found.steps:
        if step.step not in files:
            continue
        path = files[step.step]
        runs[path] += step.runs
        evaluations[path] = max(evaluations[path], found.evaluations.get(step.step, 0))
        toll, more = tolls.get(path, Toll(0, 0)), found.tolls.get(step.step, Toll(0, 0))
        tolls[path] = Toll(toll.runs + more.runs, toll.paid + more.paid, toll.minutes + more.minutes)
    any_evaluation = any(found.evaluations.values())
    return Rates(
        {path: Exposure(count, found.months) for path, count in runs.items()},
        {path: Exposure(count, found.months) for path, count in evaluations.items()} if any_evaluation else {},
        tolls,
    )


def ledger(runs: Iterable[Run], alerts: Iterable[Alert], decisions: Iterable[Decision]) -> Ledger:
    """From what a store tells, in any order."""
    ordered = sorted(runs, key=lambda run: (run.start.started_at, run.start.key))
    by_step: dict[str, list[Run]] = {}
    for run in ordered:
        if run.start.recipe is not None:
            by_step.setdefault(run.start.step, []).append(run)
    times = [run.start.started_at for run in ordered]
    makers = Makers(ordered)
    return Ledger(
        times[0] if times else None,
        times[-1] if times else None,
        [_step(name, mine) for name, mine in sorted(by_step.items())],
        _models(alerts, decisions),
        cascades=cascades(ordered, makers),
        evaluations=_evaluations(ordered, makers),
        tolls={name: _toll(mine) for name, mine in by_step.items()},
    )


def _evaluations(runs: Sequence[Run], makers: Makers) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for run in runs:
        if run.end is not None and run.status is RunStatus.DONE and _measures(run.end):
            counts.update({above.start.step for above in makers.above(run).values()})
    return dict(counts)


def _measures(end: RunEnd) -> bool:
    return bool(end.metrics) or any(made.type is ArtifactType.METRICS for made in end.outputs.values())


def _toll(runs: Sequence[Run]) -> Toll:
    """runs: of one step, by time."""
    paid = {run.start.key for run in runs if run.status in FAILURES}
    paid |= {run.start.key for run in _repeated(runs)}
    minutes: list[float] = []
    mended: datetime | None = None
    for run in reversed(runs):
        if run.end is None:
            continue
        if run.status is RunStatus.DONE:
            mended = run.end.ended_at
        elif run.status in FAILURES and mended is not None:
            minutes.append(min(mended - run.end.ended_at, _WORKING_DAY) / timedelta(minutes=1))
    return Toll(len(runs), len(paid), tuple(minutes))


def _repeated(runs: Iterable[Run]) -> list[Run]:
    """Runs of a recipe that had finished before."""
    repeated, finished = [], set()
    for run in runs:
        recipe = run.start.recipe
        if recipe is None:
            continue
        if recipe.digest in finished:
            repeated.append(run)
        if run.status is RunStatus.DONE:
            finished.add(recipe.digest)
    return repeated


def _step(name: str, runs: Sequence[Run]) -> StepCost:
    repeated = _repeated(runs)
    again = {run.start.key for run in repeated}
    missed: dict[str, list[Run]] = {cause: [] for cause in CAUSES}
    unchanged: dict[str, list[Run]] = {cause: [] for cause in CAUSES}
    before: Run | None = None
    for run in runs:
        if before is not None and run.start.key not in again:
            same = run.status is RunStatus.DONE and contents(run) == contents(before) != {}
            for cause in differences(before, run):
                missed[cause].append(run)
                if same:
                    unchanged[cause].append(run)
        if run.status is RunStatus.DONE:
            before = run
    return StepCost(
        name,
        len(runs),
        _work(runs).minutes,
        _work(repeated),
        _by_cause(missed),
        _by_cause(unchanged),
        _work([run for run in runs if run.status in FAILURES]),
    )


def _by_cause(runs: Mapping[str, Sequence[Run]]) -> dict[str, Work]:
    return {cause: _work(mine) for cause, mine in runs.items() if mine}


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
