"""Lives under `policy.rule = "plan"`: shadows of earlier ticks are bought, scored and heard, or not bought at all."""

import json
import shutil

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

from small_project import BEGIN, MODEL, SETTINGS, START, end, fitted, make_project, rows, serve_week
from solvent.automation.evidence import fresh_losses, fresh_pair
from solvent.automation.hindsight import look_back
from solvent.automation.promotion import promote_by_person
from solvent.automation.scoring import Scorer
from solvent.automation.state import NAME, LoopState
from solvent.automation.tick import Loop
from solvent.foundation.clock import iso
from solvent.lineage.entities import Action, Actor
from solvent.monitoring.cause import Fresh
from solvent.monitoring.policy import ShadowLoss, Window
from solvent.project import Project
from solvent.registry.references import resolve
from solvent.registry.signature import Signature

PLAN = SETTINGS.replace('rule = "compare"', 'rule = "plan"\nleave_out = false')
PLAN = PLAN.replace("fit = 0", 'fit = "0.02 windows"')
PAYS, DEAR = PLAN.replace("0.2 windows", "0.5 windows"), PLAN.replace("0.2 windows", "4 windows")
WEEKS = range(8, 14)


def ageing(week: int) -> float:
    """Added to every label: from the tenth week on the relation moves a little each week."""
    return 0.5 * max(week - 9, 0)


def begun(root, settings: str) -> Project:
    project = Project(make_project(root, settings))
    fitted(project, BEGIN)
    return project


def lived(project, loop, weeks, level=ageing):
    """Decisions of each week's tick."""
    decided = []
    for week in weeks:
        serve_week(project, week, rows(week, level=level(week)))
        (done,) = loop.tick(end(week)).models
        decided.append([made.decision for made in done.decisions])
    return decided


def state_of(project) -> LoopState:
    return LoopState.of(project.store.facts.state(MODEL, NAME))


@pytest.fixture(scope="module")
def aged(tmp_path_factory):
    """A life that ages, and its decisions by tick. Read only."""
    project = begun(tmp_path_factory.mktemp("aged") / "project", PAYS)
    with Loop(project) as loop:
        decided = lived(project, loop, WEEKS)
    yield project, decided
    project.close()


def test_a_shadow_of_an_earlier_tick_is_bought_and_a_retraining_follows_and_pays(aged):
    project, decided = aged
    actions = [[one.action for one in each] for each in decided]
    assert actions == [[Action.HOLD]] * 5 + [[Action.RETRAIN, Action.PROMOTE]]
    retrain, _ = decided[-1]
    bought = [one for each in decided for one in each[0].evidence["trained"]]
    assert bought
    assert "retraining v1 now on all rows, 1.8 times what v1 learned from, would save" in retrain.reason
    assert f"would save {retrain.evidence['saves']:.3g} units over the next 12 weeks against waiting" in retrain.reason
    assert {(one["made"], one["span"]) for one in bought} <= {
        (one["made"], one["span"]) for one in retrain.evidence["models"]
    }
    assert resolve(project.store, f"{MODEL}@champion").about["span"] == retrain.evidence["span"]


def test_a_bought_shadow_learned_from_nothing_after_its_tick_and_is_scored_on_every_window_since(aged):
    project, _ = aged
    state = state_of(project)
    bought = [shadow for shadow in state.shadows if shadow.made_at < shadow.trained_at]
    assert bought
    scorer, signature = Scorer(project.store), Signature.of(project.store.facts.versions(MODEL)[0].signature)
    for shadow in bought:
        assert project.store.facts.state(MODEL, f"shadow:{iso(shadow.made_at)}:{shadow.span}") is not None
        for table in (shadow.training, shadow.evaluation):
            learned = pl.read_parquet(project.store.objects.read(table))
            assert learned["time"].max() < shadow.made_at
        for week in WEEKS:
            begin = end(week - 1)
            known = [
                one.loss
                for evidence in state.evidence
                if evidence.start == begin
                for one in evidence.shadows
                if (one.made_at, one.span) == (shadow.made_at, shadow.span)
            ]
            if begin < shadow.made_at:
                assert known == []
                continue
            asked = rows(week, level=ageing(week))
            features = asked.select(pl.col(name).alias(f"f_{name}") for name in signature.features)
            said = scorer.outputs(shadow.estimator, signature, features)
            assert known == [pytest.approx(np.abs(said - asked["units"].to_numpy()).sum())]


def test_looking_back_bills_what_was_bought_and_prices_schedules_on_models_of_every_tick(aged, tmp_path):
    project, decided = Project(shutil.copytree(aged[0].root, tmp_path / "copy")), aged[1]
    with Loop(project) as loop:
        found = look_back(project, MODEL, now=end(WEEKS[-1]), pools=loop.pools)
    bought = sum(len(each[0].evidence["trained"]) for each in decided)
    assert found.cost("solvent").note == f"{bought} shadows paid for"  # the new champion's first window is to come
    fresh = {evidence.start: evidence.loss for evidence in state_of(project).evidence}
    assert found.cost("oracle").cost <= found.cost("hindsight").cost <= sum(fresh.values())
    project.close()


def test_a_tick_repeated_buys_and_decides_nothing_twice(aged, tmp_path):
    project = Project(shutil.copytree(aged[0].root, tmp_path / "copy"))
    facts = project.store.facts
    before = facts.decisions(), facts.versions(MODEL), state_of(project).shadows
    with Loop(project) as loop:
        (again,) = loop.tick(end(WEEKS[-1])).models
    assert [made.decision.action for made in again.decisions] == [Action.RETRAIN, Action.PROMOTE]
    assert (facts.decisions(), facts.versions(MODEL), state_of(project).shadows) == before
    project.close()


def test_where_nothing_ages_and_a_retraining_is_dear_nothing_is_bought(tmp_path):
    project = begun(tmp_path / "project", DEAR)
    with Loop(project) as loop:
        decided = lived(project, loop, WEEKS, level=lambda _: 0.0)
    assert [[one.action for one in each] for each in decided] == [[Action.HOLD]] * len(WEEKS)
    assert "keeping v1 for now would save" in decided[-1][0].reason
    assert state_of(project).shadows == []
    assert not [run for run in project.store.facts.runs() if "shadow" in run.start.tags]
    project.close()


def test_a_version_that_was_rolled_back_is_not_heard(tmp_path):
    project = begun(tmp_path / "project", DEAR)
    with Loop(project) as loop:
        lived(project, loop, [8])
        (worse,) = fitted(project, end(8), alpha=1e7)
        me = Actor(kind="person", name="tester")
        promote_by_person(project, worse.name, at=end(8), actor=me, waiver="I am sure")
        (back,), (held,) = lived(project, loop, [9, 10], level=lambda _: 0.0)
    assert back.action is Action.ROLL_BACK
    (only,) = held.evidence["models"]
    assert (only["made"], only["windows"]) == (f"{BEGIN:%Y-%m-%d}", 3)
    project.close()


def test_a_shadow_that_cannot_be_trained_is_told_and_the_tick_decides(tmp_path):
    project = begun(tmp_path / "project", PAYS)
    with Loop(project) as loop:
        lived(project, loop, [8])
    project.close()
    pipeline = project.root / "pipeline.py"
    pipeline.write_text(
        pipeline.read_text().replace("    return Ridge(alpha", "    raise ValueError('no')\n    return Ridge(alpha")
    )
    project = Project(project.root)
    with Loop(project) as loop:
        serve_week(project, 9, rows(9))
        (done,) = loop.tick(end(9)).models
    assert [made.decision.action for made in done.decisions] == [Action.HOLD]
    assert "the pipeline failed at `fit` as of 2024-03-04" in done.note
    project.close()


def test_the_installed_program_plans_and_says_why(aged, solvent, tmp_path):
    root = shutil.copytree(aged[0].root, tmp_path / "copy")
    project = Project(root)
    serve_week(project, 14, rows(14, level=ageing(14)))
    project.close()
    ticked = solvent("tick", "--now", iso(end(14)), cwd=root)
    assert ticked.code == 0, ticked.err
    told = json.loads(solvent("decisions", "--json", cwd=root).out)
    assert "over the next 12 weeks" in json.dumps(told[-1] if isinstance(told, list) else told)


def test_no_window_before_service_is_asked_about(aged):
    assert min(evidence.start for evidence in state_of(aged[0]).evidence) == START + 8 * (end(1) - end(0))


def test_only_the_newest_of_a_span_and_none_older_than_four_windows_is_called_fresh():
    made = [(end(7), "all"), (end(9), "all"), (end(10), "all"), (end(5), "4w")]
    shadows = [ShadowLoss(span=span, made_at=at, loss=float(n), differences=[]) for n, (at, span) in enumerate(made)]
    window = Window(start=end(10), end=end(11), version=1, rows=9, labelled=9, loss=18.0, shadows=shadows)
    assert fresh_losses(window) == [shadows[2]]
    assert fresh_pair(window) == Fresh(live=2.0, fresh=2 / 9)
    assert fresh_pair(replace(window, shadows=shadows[3:])) is None
