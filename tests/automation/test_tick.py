import shutil
from datetime import timedelta

import polars as pl
import pytest

from small_project import BEGIN, MODEL, START, end, fitted, log_answers, make_project, rows, serve_week
from solvent.automation.promotion import promote_by_person
from solvent.automation.tick import Loop
from solvent.lineage.entities import Action, Actor
from solvent.project import Project
from solvent.registry.package import load_version
from solvent.registry.references import resolve
from solvent.registry.versions import ClosedGate
from solvent.store.facts.monitoring import ClockWentBack

ME = Actor(kind="person", name="tester")


@pytest.fixture(scope="module")
def first_version(tmp_path_factory):
    """The folder of a project whose first version is in service since BEGIN."""
    project = Project(make_project(tmp_path_factory.mktemp("first")))
    fitted(project, BEGIN)
    project.close()
    return project.root


@pytest.fixture
def project(first_version, tmp_path):
    """A copy of it."""
    project = Project(shutil.copytree(first_version, tmp_path / "project"))
    yield project
    project.close()


def live(loop, weeks, level=lambda week: 0.0, **more):
    """Serve and tick week after week; the decisions of each tick."""
    decided = []
    for week in weeks:
        serve_week(loop.project, week, rows(week, level=level(week)), **more)
        (done,) = loop.tick(end(week)).models
        decided.append([made.decision.action for made in done.decisions])
    return decided


def test_where_nothing_ages_nothing_is_retrained(project):
    with Loop(project) as loop:
        assert live(loop, range(8, 13)) == [[Action.HOLD]] * 5
    assert project.store.facts.alias(MODEL, "champion") == 1
    assert "not above its price" in project.store.facts.decisions(MODEL)[-1].decision.reason


def test_a_moved_relation_is_retrained_gated_promoted_and_pays(project):
    with Loop(project) as loop:
        decided = live(loop, range(8, 14), level=lambda week: 8.0 if week >= 9 else 0.0)
    assert [Action.RETRAIN, Action.PROMOTE] in decided
    champion = resolve(project.store, f"{MODEL}@champion")
    assert champion.number > 1
    losses = project.store.facts.measurements(MODEL, ["loss.realised"])
    assert losses[-1].value < losses[2].value / 2, "the loss came down"
    promoted = next(
        d.decision
        for d in project.store.facts.decisions(MODEL)
        if d.decision.policy and d.decision.action is Action.PROMOTE and d.decision.evidence.get("gate")
    )
    checks = {check["name"]: check["passed"] for check in promoted.evidence["gate"]["checks"]}
    assert checks["separation"] and checks["provenance"] and checks["comparison"]


def test_a_joint_change_of_the_inputs_is_measured_with_what_moved(project):
    with Loop(project) as loop:
        serve_week(project, 8, rows(8))
        loop.tick(end(8))
        serve_week(project, 9, rows(9).with_columns(pl.col("price") * 0.3 + 5))
        loop.tick(end(9))
    usual, moved = project.store.facts.measurements(MODEL, ["joint-drift"])
    assert usual.value < 0.7 < 0.8 < moved.value
    assert next(iter(sorted(moved.about["importance"], key=moved.about["importance"].get, reverse=True))) == "price"


def test_a_tick_repeated_decides_and_raises_nothing_twice(project):
    with Loop(project) as loop:
        live(loop, [8, 9], level=lambda _: 20.0)
        facts = project.store.facts
        before = (len(facts.decisions()), len(facts.alerts()), len(facts.versions(MODEL)))
        again = loop.tick(end(9))
    assert (len(facts.decisions()), len(facts.alerts()), len(facts.versions(MODEL))) == before
    assert again.models[0].champion == facts.alias(MODEL, "champion")


@pytest.mark.parametrize("action", [Action.PROMOTE, Action.ROLL_BACK])
def test_a_tick_that_changed_the_champion_decides_the_same_when_it_is_repeated(project, action):
    facts = project.store.facts
    with Loop(project) as loop:
        live(loop, [8])
        if action is Action.ROLL_BACK:
            (worse,) = fitted(project, end(8), alpha=1e7)
            promote_by_person(project, worse.name, at=end(8), actor=ME, waiver="I am sure")
        for week in range(9, 14):
            (decided,) = live(loop, [week], level=lambda _: 0.0 if action is Action.ROLL_BACK else 8.0)
            if action in decided:
                break
        before = facts.decisions(), facts.alias_moves(MODEL), facts.alerts(MODEL)
        (again,) = loop.tick(end(week)).models
    assert [made.decision.action for made in again.decisions] == decided
    assert (facts.decisions(), facts.alias_moves(MODEL), facts.alerts(MODEL)) == before


def test_the_clock_never_goes_back(project):
    with Loop(project) as loop:
        live(loop, [8])
        with pytest.raises(ClockWentBack, match="never goes back"):
            loop.tick(end(8) - timedelta(hours=1))


def test_a_window_without_a_row_is_named_and_no_evidence(project):
    with Loop(project) as loop:
        live(loop, [8, 9])
        (done,) = loop.tick(end(11)).models
    assert len(done.windows) == 2
    assert {alert.kind for alert in done.alerts} & {"gap", "volume"}
    assert project.store.facts.alias(MODEL, "champion") == 1


def test_a_worse_version_forced_past_the_gate_is_rolled_back_on_live_outcomes(project):
    with Loop(project) as loop:
        live(loop, [8])
        (worse,) = fitted(project, end(8), alpha=1e7)
        with pytest.raises(ClosedGate):
            promote_by_person(project, worse.name, at=end(8), actor=ME)
        promote_by_person(project, worse.name, at=end(8), actor=ME, waiver="I am sure")
        assert project.store.facts.alias(MODEL, "champion") == worse.number
        assert live(loop, [9]) == [[Action.ROLL_BACK]]
    assert project.store.facts.alias(MODEL, "champion") == 1
    actions = [made.decision.action for made in project.store.facts.decisions(MODEL)]
    assert actions.count(Action.REFUSE) == 1 and actions.count(Action.WAIVE) == 1


def test_a_candidate_with_broken_data_among_its_ancestors_does_not_pass_whatever_its_score(project):
    with Loop(project) as loop:
        live(loop, [8])
        broken = rows(9).with_columns(size=pl.lit(0.5), price=pl.col("price") * 1.8 + 32)
        serve_week(project, 9, broken)
        (done,) = loop.tick(end(9)).models
        assert "contract" in {alert.kind for alert in done.alerts}
        serve_week(project, 10, rows(10))
        (candidate,) = fitted(project, end(10))
        with pytest.raises(ClosedGate) as refused:
            promote_by_person(project, candidate.name, at=end(10), actor=ME)
    assert "broken contract" in str(refused.value)
    assert "price" in str(refused.value) or "size" in str(refused.value)


def test_late_labels_change_the_window_they_belong_to(project):
    with Loop(project) as loop:
        table = rows(8)
        serve_week(project, 8, table, labels=False)
        (first,) = loop.tick(end(8)).models
        assert not [m for m in first.measurements if m.name == "loss.realised"]
        late = {"prediction_id": table["sale"], "label": table["units"], "happened_at": table["time"]}
        project.store.log.append_outcomes(MODEL, late | {"known_at": [end(8) + timedelta(days=2)] * table.height})
        serve_week(project, 9, rows(9))
        (second,) = loop.tick(end(9)).models
    found = [m for m in second.measurements if m.name == "loss.realised"]
    assert {m.window_start for m in found} == {START + timedelta(weeks=8), START + timedelta(weeks=9)}


def test_approval_waits_for_a_person(tmp_path):
    settings = (tmp_path / "p").with_suffix(".toml")
    text = __import__("small_project").SETTINGS.replace("[policy]", "[policy]\napproval = true")
    settings.write_text(text)
    project = Project(make_project(tmp_path / "p", text))
    fitted(project, BEGIN)
    with Loop(project) as loop:
        decided = live(loop, range(8, 12), level=lambda week: 8.0 if week >= 9 else 0.0)
    assert [Action.RETRAIN, Action.HOLD] in decided
    assert project.store.facts.alias(MODEL, "champion") == 1
    made = promote_by_person(project, f"{MODEL}@challenger", at=end(11), actor=ME)
    assert project.store.facts.alias(MODEL, "champion") == made.decision.number
    project.close()


def test_notices_tell_alerts_and_changes_and_never_a_hold(project):
    told = []
    with Loop(project, notifiers=[lambda messages: told.extend(messages) or []]) as loop:
        live(loop, range(8, 12), level=lambda week: 8.0 if week >= 9 else 0.0)
    assert {m["type"] for m in told} == {"alert", "decision"}
    assert "hold" not in {m.get("action") for m in told}


def test_rows_answered_twice_count_once(project):
    with Loop(project) as loop:
        table = rows(8)
        loaded = serve_week(project, 8, table)
        log_answers(project, loaded, table.head(50))
        (done,) = loop.tick(end(8)).models
    (volume,) = [m for m in done.measurements if m.name == "volume"]
    assert volume.value == 168


def test_the_version_in_service_can_be_loaded_after_all_that(project):
    with Loop(project) as loop:
        live(loop, [8, 9], level=lambda _: 8.0)
    loaded = load_version(project.store, resolve(project.store, f"{MODEL}@champion"))
    assert len(loaded.predict(rows(10)).predictions) == 168
