"""The ledger of small histories."""

from datetime import UTC, datetime, timedelta

import pytest

from solvent.debt.ledger import ledger, rates_by_file
from solvent.debt.makers import Makers
from solvent.debt.pricing.toll import Toll
from solvent.debt.staleness import InUse, stale_in_use
from solvent.debt.thresholds import past_threshold
from solvent.lineage.entities import (
    Action,
    Actor,
    Alert,
    Artifact,
    ArtifactType,
    Decision,
    Measurement,
    NewDecision,
    Recipe,
    Run,
    RunEnd,
    RunStart,
    RunStatus,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = f"{0:032x}"
BASE = {"code": "c1", "environment": "e1", "parameters": {}, "inputs": {}}


def made(name, content=None, type=ArtifactType.DATASET):
    return Artifact(digest=name, content=content or name, type=type, format="x", size=1)


def run(
    number, status=RunStatus.DONE, step="pipeline.fit", minutes=6, *,
    takes=(), makes=(), parent=None, tags=None, metrics=None, **changes,
):  # fmt: skip
    recipe = {**BASE, **changes}
    at = START + timedelta(days=number)
    start = RunStart(
        key=f"{int(number * 1000):032x}", step=step, started_at=at,
        recipe=Recipe(digest=f"{sorted(recipe.items())}", **recipe),
        inputs={name: name for name in takes}, parent=parent, tags=tags or {},
    )  # fmt: skip
    return Run(
        start=start,
        end=RunEnd(
            key=start.key,
            status=status,
            ended_at=at + timedelta(minutes=minutes),
            resources={"seconds": minutes * 60},
            outputs={f"{at}": one if isinstance(one, Artifact) else made(one) for at, one in enumerate(makes)},
            metrics=metrics or {},
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


def test_runs_and_evaluations_are_rates_of_the_files_of_their_steps():
    runs = [run(day, makes=[f"model {day}"]) for day in range(61)]
    runs.append(run(61, step="pipeline.score", takes=["model 60"], metrics={"mae": 1.0}))
    rates = rates_by_file(ledger(runs, [], []), ["pipeline.py", "other.py"])
    assert set(rates.runs) == set(rates.evaluations) == {"pipeline.py"}
    assert rates.runs["pipeline.py"].events / rates.runs["pipeline.py"].months == pytest.approx(30.9, rel=0.01)
    assert rates.evaluations["pipeline.py"].events == 1, "one that rests on two steps of a file is one"
    assert rates_by_file(ledger([run(0)], [], []), ["pipeline.py"]).runs == {}
    assert rates_by_file(ledger([run(day) for day in range(9)], [], []), ["pipeline.py"]).evaluations == {}


def test_a_toll_is_what_failed_or_was_done_again_and_how_long_a_failure_lasted():
    runs = [
        run(0),
        run(1),
        run(2, RunStatus.FAILED, code="c2"),
        run(3, RunStatus.LOST, code="c2"),
        run(3.01, code="c2"),
    ]
    (toll,) = rates_by_file(ledger(runs, [], []), ["pipeline.py"]).tolls.values()
    assert (toll.runs, toll.paid) == (5, 3)
    assert toll.minutes == pytest.approx((0.01 * 1440, 480)), "at most a working day"
    assert rates_by_file(ledger([run(0), run(2, RunStatus.FAILED)], [], []), ["pipeline.py"]).tolls == {
        "pipeline.py": Toll(2, 1, ())
    }, "one that was never mended tells no time"


def test_a_rerun_that_comes_to_the_same_is_told_by_its_cause():
    (step,) = ledger(
        [
            run(0, makes=[made("a", "same")]),
            run(1, environment="e2", makes=[made("b", "same")]),
            run(2, environment="e2", code="c2", makes=["other"]),
            run(3, RunStatus.FAILED, code="c3"),
        ],
        [],
        [],
    ).steps
    assert {cause: work.runs for cause, work in step.unchanged.items()} == {"environment": 1}
    assert {cause: work.runs for cause, work in step.missed.items()} == {"environment": 2, "code": 2}


def pipeline_run(day, parent, failed=(), targets=""):
    """Clean → fit → score, and a report of what is clean."""
    taken = {"clean": [], "fit": ["clean"], "score": ["fit"], "report": ["clean"]}
    yield run(day, step="run", tags={"targets": targets} if targets else None, parent=None)
    key = f"{day * 1000:032x}"
    for number, (step, inputs) in enumerate(taken.items(), 1):
        if step not in failed and not any(one in failed for one in inputs) and not (step == "score" and failed):
            takes = [f"{one} {parent}" for one in inputs]
            yield run(day + number, step=step, parent=key, takes=takes, makes=[f"{step} {parent}"], code=parent)
        elif step in failed:
            yield run(day + number, RunStatus.FAILED, step=step, parent=key, code=parent)


def test_a_failure_holds_up_what_is_below_it_in_the_same_run_of_the_pipeline():
    whole = list(pipeline_run(0, "one"))
    (worst,) = ledger([*whole, *pipeline_run(10, "two", failed=["fit"])], [], []).cascades
    assert (worst.step, worst.failures, worst.held_up) == ("fit", 1, {"score": 1})
    (worst,) = ledger([*whole, *pipeline_run(10, "two", failed=["clean"])], [], []).cascades
    assert worst.held_up == {"fit": 1, "score": 1, "report": 1}
    (worst,) = ledger([*whole, *pipeline_run(10, "two", failed=["clean"], targets="fit")], [], []).cascades
    assert worst.held_up == {"fit": 1}, "nobody wanted the others"
    assert ledger(whole, [], []).cascades == []


def test_a_retry_that_ran_through_holds_nothing_up():
    whole = list(pipeline_run(0, "one"))
    failed = run(1.5, RunStatus.FAILED, step="fit", parent=KEY, code="one")
    assert ledger([failed, *whole], [], []).cascades == []


def test_equal_bytes_that_are_made_later_are_not_what_a_run_built_on():
    first = run(0, step="clean", makes=["rows"])
    fit = run(2, step="fit", takes=["rows"], makes=["rows"])
    runs = [first, run(1, step="copy", makes=["rows"]), fit, run(5, step="again", makes=["rows"])]
    assert {made.start.step for made in Makers(runs).above(fit).values()} == {"fit", "copy"}


IN_USE = [InUse("demand", 1, "@champion", f"{1000:032x}"), InUse("demand", 1, "home", f"{1000:032x}")]


def stale(*later):
    runs = [
        run(0, step="clean", makes=["rows 1"]),
        run(1, step="fit", takes=["rows 1"], makes=["model 1"], inputs={"rows": "1"}),
        *later,
    ]
    return stale_in_use(IN_USE, runs, Makers(runs))


def test_a_version_in_use_is_behind_where_its_pipeline_came_to_something_else_since():
    assert stale() == []
    (one,) = stale(run(5, step="clean", code="c2", makes=["rows 2"]))
    assert (one.by, [(b.step, b.causes) for b in one.behind]) == (["@champion", "home"], [("clean", ["code"])])
    assert one.since == START + timedelta(days=5, minutes=6)
    (one,) = stale(
        run(5, step="clean", code="c2", makes=["rows 2"]),
        run(6, step="fit", takes=["rows 2"], makes=["model 2"], inputs={"rows": "2"}),
    )
    assert [behind.step for behind in one.behind] == ["clean"], "where it begins, not what followed from it"
    (one,) = stale(run(6, step="fit", makes=["model 2"], inputs={"rows": "2"}))
    assert [(b.step, b.causes) for b in one.behind] == [("fit", ["inputs"])]


def test_a_version_is_not_behind_what_came_to_the_same_or_failed_or_is_not_its():
    assert stale(run(5, step="clean", code="c2", makes=[made("rows 2", "rows 1")])) == []
    assert stale(run(5, RunStatus.FAILED, step="clean", code="c2", makes=["rows 2"])) == []
    assert stale(run(5, step="other", code="c2", makes=["rows 2"])) == []
    assert stale(run(5, step="clean", code="c2", makes=["rows 2"], tags={"shadow": "all"})) == []
    assert stale_in_use([InUse("demand", 1, "@champion", None)], [], Makers([])) == []


def loss(day, value, lower=None, number=1):
    at = START + timedelta(days=day)
    return Measurement(
        model="demand", number=number, name="loss.realised", window_start=at, window_end=at + timedelta(days=7),
        value=value, unit="rides", lower=lower,
    )  # fmt: skip


def test_a_model_is_past_its_threshold_while_the_newest_windows_lie_above_it_for_sure():
    losses = [loss(0, 1, 0.8), loss(7, 3, 2.5), loss(14, 1, 0.8), loss(21, 3, 2.5), loss(28, 3, 2.1)]
    found = past_threshold(losses, 2)
    assert (found.since, found.windows, found.took_days) == (START + timedelta(days=21), 2, 21)
    assert past_threshold([*losses, loss(35, 3, 1.9)], 2) is None, "its interval holds the threshold"
    assert past_threshold([*losses, loss(35, 1, 0.9, number=2)], 2) is None, "another version is measured now"
    assert past_threshold([], 2) is None


def test_nothing_is_nothing():
    found = ledger([], [], [])
    assert (found.months, found.steps, found.models) == (0, [], [])
