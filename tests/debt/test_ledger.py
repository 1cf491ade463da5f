"""The ledger of small histories."""

from datetime import UTC, datetime, timedelta

import pytest

from solvent.debt.ledger import ledger, runs_by_file
from solvent.lineage.entities import (
    Action,
    Actor,
    Alert,
    Decision,
    NewDecision,
    Recipe,
    Run,
    RunEnd,
    RunStart,
    RunStatus,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
BASE = {"code": "c1", "environment": "e1", "parameters": {}, "inputs": {}}


def run(number, status=RunStatus.DONE, step="pipeline.fit", minutes=6, **changes):
    recipe = {**BASE, **changes}
    at = START + timedelta(days=number)
    start = RunStart(
        key=f"{number:032x}", step=step, started_at=at, recipe=Recipe(digest=f"{sorted(recipe.items())}", **recipe)
    )
    return Run(
        start=start,
        end=RunEnd(
            key=start.key, status=status, ended_at=at + timedelta(minutes=minutes), resources={"seconds": minutes * 60}
        ),
    )


def alert(day, model="demand"):
    at = START + timedelta(days=day)
    return Alert(
        key=f"{day}", model=model, number=1, kind="drift", at=at, window_start=at, window_end=at,
        title="", cause={}, evidence={}, effect=f"{day}",
    )  # fmt: skip


def decision(day, action, model="demand"):
    at = START + timedelta(days=day)
    new = NewDecision(
        action=action, actor=Actor(kind="policy", name="p"), at=at, model=model, reason="", effect=f"{day}{action}"
    )
    return Decision(key=f"d{day}", position=day, previous="", hash="", salt="", recorded_at=at, decision=new)


def test_repeated_failed_and_missed_work():
    (step,) = ledger(
        [run(0), run(1), run(2, RunStatus.FAILED, code="c2"), run(3, code="c2"), run(4, code="c2", inputs={"x": "1"})],
        [],
        [],
    ).steps
    assert (step.runs, step.minutes) == (5, 30)
    assert (step.repeated.runs, step.repeated.minutes) == (1, 6)
    assert step.failed.runs == 1
    assert {cause: work.runs for cause, work in step.missed.items()} == {"code": 2, "inputs": 1}


def test_a_repeat_after_a_failure_is_no_waste():
    (step,) = ledger([run(0, RunStatus.FAILED), run(1)], [], []).steps
    assert (step.repeated.runs, step.missed) == (0, {})


def test_alerts_wait_for_the_next_decision_that_answers_them():
    answers = [decision(0, Action.RETRAIN), decision(2, Action.HOLD), decision(6, Action.PROMOTE)]
    found = ledger([], [alert(1), alert(5), alert(9)], answers)
    (model,) = found.models
    assert (model.alerts, model.open) == (3, 1)
    assert model.answered_minutes == pytest.approx((5 + 1) / 2 * 24 * 60)


def test_runs_are_rates_of_the_files_of_their_steps():
    found = ledger([run(day) for day in range(61)], [], [])
    rates = runs_by_file(found, ["pipeline.py", "other.py"])
    assert set(rates) == {"pipeline.py"}
    assert rates["pipeline.py"].events / rates["pipeline.py"].months == pytest.approx(30.9, rel=0.01)
    assert runs_by_file(ledger([run(0)], [], []), ["pipeline.py"]) == {}


def test_nothing_is_nothing():
    found = ledger([], [], [])
    assert (found.months, found.steps, found.models) == (0, [], [])
