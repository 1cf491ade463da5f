"""kill -9 at random moments of a life: all that was acknowledged is there, nothing is half there or there twice.

The next start is the next life, with no repair in between; when one may at last live
to its end, the store says what an undisturbed one says. SOLVENT_SOAK: so many rounds.
"""

import random
import shutil

import pytest

from e2e import lives
from e2e.lives import BATCH, BATCHES, PROMOTIONS, live, logged
from small_project import MODEL, SETTINGS, make_project
from solvent.automation.state import NAME, LoopState
from solvent.governance.questions import verify
from solvent.lineage.entities import RunStatus
from solvent.project import Project
from store.faults import SOAK

pytestmark = pytest.mark.parametrize("draw", range(SOAK))
RULES = ["plan", "compare"]
ONE_SPAN = SETTINGS.replace('spans = ["all", "4w"]', 'spans = ["4w"]')  # one worker process to start, not two


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A project that ran its pipeline undisturbed: four versions, the first in service."""
    root = make_project(tmp_path_factory.mktemp("ran") / "project", ONE_SPAN)
    live(lives.runs, root)
    return root


@pytest.fixture(scope="module", params=RULES if SOAK > 1 else RULES[:1])
def lived(request, ran, tmp_path_factory):
    """The same, after some undisturbed weeks of service under a rule of the policy."""
    root = shutil.copytree(ran, tmp_path_factory.mktemp("lived") / "project")
    settings = ONE_SPAN.replace('rule = "compare"', f'rule = "{request.param}"')
    (root / "solvent.toml").write_text(settings)
    live(lives.weeks, root)
    return root


@pytest.fixture
def copy(ran, tmp_path):
    """A copy of it for one test."""
    return shutil.copytree(ran, tmp_path / "project")


def kills(count, draw, life, root, acknowledgements):
    """Live and be killed, again and again; after each kill, the project and all that was acknowledged so far."""
    acknowledged, kill = [], random.Random(draw)
    for _ in range(count):
        acknowledged += live(life, root, kill=kill, acknowledgements=acknowledgements)
        project = Project(root)
        assert verify(project.store).problems == []
        yield project, acknowledged
        project.close()


def versions(project):
    facts = project.store.facts
    found = facts.versions(MODEL)
    contents = facts.artifacts([version.artifact for version in found])
    return [(v.number, contents[v.artifact].content, v.created_at, v.about.get("span")) for v in found]


def decided(project):
    return [
        (made.decision.action, made.decision.number, made.decision.at, made.decision.reason)
        for made in project.store.facts.decisions()
    ]


def moves(project):
    return [(move.alias, move.number, move.at) for move in project.store.facts.alias_moves(MODEL)]


def shadows(project):
    state = LoopState.of(project.store.facts.state(MODEL, NAME))
    return [(one.made_at, one.span, one.hidden) for one in state.shadows]


def alerts(project):
    return sorted((alert.kind, alert.title, alert.at) for alert in project.store.facts.alerts(MODEL))


def test_runs_that_are_killed_are_finished_by_the_next_one_and_none_is_done_twice(draw, ran, tmp_path):
    root = make_project(tmp_path / "project", ONE_SPAN)
    for project, acknowledged in kills(4, draw, lives.runs, root, acknowledgements=3):
        facts = project.store.facts
        numbers = {version.number for version in facts.versions(MODEL)} if facts.models() else set()
        for told in acknowledged:
            assert told in numbers if isinstance(told, int) else facts.run(told).status is RunStatus.DONE
    live(lives.runs, root)
    after, before = Project(root), Project(ran)
    assert versions(after) == versions(before)
    assert decided(after) == decided(before)
    done = [run.start.recipe.digest for run in after.store.facts.runs(status=RunStatus.DONE) if run.start.recipe]
    assert len(done) == len(set(done))
    assert after.store.facts.runs(status=RunStatus.RUNNING) == []
    assert verify(after.store).problems == []
    after.close()
    before.close()


def test_ticks_that_are_killed_decide_what_undisturbed_ones_decide_and_once(draw, copy, lived, solvent):
    shutil.copy(lived / "solvent.toml", copy / "solvent.toml")
    for project, acknowledged in kills(5, draw, lives.weeks, copy, acknowledgements=3):
        keys = {made.key for made in project.store.facts.decisions()}
        assert keys.issuperset(key for told in acknowledged for key in told)
    live(lives.weeks, copy)
    after, before = Project(copy), Project(lived)
    assert len(decided(before)) > len(lives.WEEKS) + 1, "something was promoted"
    assert "plan" not in (lived / "solvent.toml").read_text() or shadows(before), "something was bought"
    assert shadows(after) == shadows(before)
    assert decided(after) == decided(before)
    assert moves(after) == moves(before)
    assert alerts(after) == alerts(before)
    assert versions(after) == versions(before)
    assert len(after.store.facts.measurements(MODEL)) == len(before.store.facts.measurements(MODEL))
    after.close()
    before.close()
    assert solvent("verify", cwd=copy).code == 0


def test_promotions_that_are_killed_move_alias_decision_and_deployment_together_and_once(draw, copy):
    def moved(project):
        found = [(at, number) for _, number, at in moves(project)][1:]
        deployed = [(it.since, it.number) for it in project.store.facts.deployments(MODEL)][1:]
        assert found == deployed
        assert [(what, number) for what, number, *_ in decided(project)][1:] == [("waive", n) for _, n in found]
        return found

    for project, acknowledged in kills(4, draw, lives.promotions, copy, acknowledgements=len(PROMOTIONS) // 2):
        found = moved(project)
        assert found == PROMOTIONS[: len(found)]
        assert {made.key for made in project.store.facts.decisions()}.issuperset(acknowledged)
    live(lives.promotions, copy)
    project = Project(copy)
    assert moved(project) == PROMOTIONS
    project.close()


def test_logging_that_is_killed_keeps_every_acknowledged_row_once(draw, copy):
    for project, acknowledged in kills(3, draw, lives.logging, copy, acknowledgements=BATCHES // 2):
        for found in logged(project):
            assert len(found) == len(set(found)) and len(found) % BATCH == 0
            assert set(found).issuperset(name for ids in acknowledged for name in ids)
    live(lives.logging, copy)
    project = Project(copy)
    for found in logged(project):
        assert len(found) == len(set(found)) == BATCH * BATCHES
    assert verify(project.store).problems == []
    project.close()
