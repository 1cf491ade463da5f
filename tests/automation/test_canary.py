"""A challenger that must prove itself beside the champion before it is promoted."""

from __future__ import annotations

import shutil

import pytest

from small_project import BEGIN, MODEL, SETTINGS, end, fitted, log_answers, make_project, rows, serve_week
from solvent.automation.promotion import promote_by_person
from solvent.automation.tick import Loop
from solvent.lineage.entities import Action, Actor
from solvent.project import Project
from solvent.registry.canary import NoCanary, running_canary, withdraw_canary
from solvent.registry.compare import summarise
from solvent.registry.package import load_version
from solvent.registry.references import CANARY

ME = Actor(kind="person", name="tester")
ON_TRIAL = SETTINGS.replace("[policy]", '[policy]\nshadow = "2w"\ncanary = 0.25')


@pytest.fixture(scope="module")
def first_version(tmp_path_factory):
    project = Project(make_project(tmp_path_factory.mktemp("trial") / "p", ON_TRIAL))
    fitted(project, BEGIN)
    project.close()
    return project.root


@pytest.fixture
def project(first_version, tmp_path):
    project = Project(shutil.copytree(first_version, tmp_path / "project"))
    yield project
    project.close()


def live(loop, week, level=0.0):
    """A week served and ticked; what was decided."""
    serve_week(loop.project, week, rows(week, level=level))
    (done,) = loop.tick(end(week)).models
    return [(made.decision.action, made.decision.evidence.get("move", {}).get("alias")) for made in done.decisions]


def until_a_canary(loop):
    for week in range(8, 14):
        decided = live(loop, week, 8.0 if week >= 9 else 0.0)
        if (Action.PROMOTE, CANARY) in decided:
            return week
    raise AssertionError("no challenger went on trial")


def champion(project):
    return project.store.facts.alias(MODEL, "champion")


def on_trial(project):
    move = running_canary(project.store.facts.alias_moves(MODEL))
    return move.number if move else None


def test_a_challenger_that_proves_itself_is_promoted_when_its_trial_is_over(project):
    with Loop(project) as loop:
        began = until_a_canary(loop)
        assert champion(project) == 1
        number = on_trial(project)
        assert live(loop, began + 1, 8.0) == [(Action.HOLD, None)], "nothing is retrained while one is on trial"
        assert "on trial" in project.store.facts.decisions(MODEL)[-1].decision.reason
        assert live(loop, began + 2, 8.0) == [(Action.PROMOTE, "champion")]
    assert champion(project) == number
    assert on_trial(project) is None
    assert set(summarise(project.store, MODEL).aliases) == {"champion"}
    assert [d.number for d in project.store.facts.deployments(MODEL, as_of=end(began + 2))] == [number]
    assert project.store.facts.verify_chain() == []


def test_a_tick_repeated_moves_no_trial_twice(project):
    with Loop(project) as loop:
        began = until_a_canary(loop)
        for week in (began, began + 1, began + 2):
            decided = [] if week == began else live(loop, week, 8.0)
            before = project.store.facts.decisions(MODEL), project.store.facts.alias_moves(MODEL)
            (again,) = loop.tick(end(week)).models
            assert (project.store.facts.decisions(MODEL), project.store.facts.alias_moves(MODEL)) == before
            assert not decided or len(again.decisions) == len(decided)


def test_a_canary_that_is_worse_is_withdrawn_before_its_time(project):
    (worse,) = fitted(project, BEGIN, alpha=1e7)
    promote_by_person(project, worse.name, at=BEGIN, actor=ME, waiver="I am sure", canary=0.5)
    assert (champion(project), on_trial(project)) == (1, worse.number)
    with Loop(project) as loop:
        assert live(loop, 8) == [(Action.REFUSE, CANARY)]
    withdrawn = project.store.facts.decisions(MODEL)[-1].decision
    assert "wrong alarm at most 5%" in withdrawn.reason and withdrawn.evidence["e_value"] > 20
    assert (champion(project), on_trial(project)) == (1, None)


def test_what_a_canary_answers_is_no_evidence_against_the_champion(project):
    (worse,) = fitted(project, BEGIN, alpha=1e7)
    promote_by_person(project, worse.name, at=BEGIN, actor=ME, waiver="I am sure", canary=0.5)
    week = rows(8)
    log_answers(project, load_version(project.store, worse), week[::2])  # the first answer to a case counts
    with Loop(project) as loop:
        serve_week(project, 8, week)
        (done,) = loop.tick(end(8)).models
    assert [made.decision.action for made in done.decisions] == [Action.REFUSE]
    assert "performance" not in {alert.kind for alert in done.alerts}


def test_a_trial_without_rows_waits_and_ends_in_the_end(project):
    (other,) = fitted(project, BEGIN, alpha=1e-3)
    promote_by_person(project, other.name, at=BEGIN, actor=ME, waiver="a try", canary=0.0)
    with Loop(project) as loop:
        loop.tick(end(8))
        assert on_trial(project) == other.number
        loop.tick(end(10))
        loop.tick(end(12))
    assert (champion(project), on_trial(project)) == (1, None)
    last = project.store.facts.decisions(MODEL)[-1].decision
    assert last.reason.startswith("after its trial")


def test_a_person_ends_a_trial_and_a_move_of_the_champion_does(project):
    (second,), (third,) = (fitted(project, BEGIN, alpha=alpha) for alpha in (1e-3, 1e-2))
    common = {"at": BEGIN, "actor": ME, "waiver": "a try"}
    promote_by_person(project, second.name, canary=0.1, **common)
    withdraw_canary(project.store, MODEL, actor=ME, at=BEGIN, reason="enough")
    assert on_trial(project) is None
    with pytest.raises(NoCanary):
        withdraw_canary(project.store, MODEL, actor=ME, at=BEGIN, reason="again")
    promote_by_person(project, second.name, canary=0.1, **common)
    promote_by_person(project, third.name, **common)
    assert (champion(project), on_trial(project)) == (third.number, None)
