"""A full disk: in the n-th week the n-th disk operation finds no space, until a week completes.

A week is a run of the pipeline, answers and outcomes logged, and a tick. The default
draw takes ever longer strides in n; with SOLVENT_SOAK each n has its week.
"""

from datetime import timedelta
from itertools import count

from e2e.lives import ME, logged
from small_project import BEGIN, MODEL, SETTINGS, START, make_project, rows, serve_week
from solvent.automation.promotion import register_run
from solvent.automation.tick import Loop
from solvent.governance.questions import verify
from solvent.lineage.entities import Action
from solvent.pipeline import RunOptions, run_pipeline
from solvent.project import Project
from store.faults import SOAK, Attempt

ONE_SPAN = SETTINGS.replace('spans = ["all", "4w"]', 'spans = ["4w"]')


def run(loop, at):
    """Names of the versions that the pipeline gives as of an instant; none where it failed."""
    project = loop.project
    done = run_pipeline(project.root, project.spec, project.store, RunOptions(as_of=at), pool=loop.pools.take(1)[0])
    return [version.name for version in register_run(project, done, at=at, actor=ME)] if done.ok else []


def live(loop, week, acknowledged):
    """One week; what it acknowledged goes into `acknowledged` as it comes."""
    end = START + timedelta(weeks=week + 1)
    acknowledged.update(run(loop, end))
    table = rows(week)
    serve_week(loop.project, week, table)
    acknowledged.update(table["sale"])
    (done,) = loop.tick(end).models
    acknowledged.update(made.key for made in done.decisions)


def kept(project):
    """Everything that could have been acknowledged and is there."""
    facts = project.store.facts
    return {
        *(version.name for version in facts.versions(MODEL)),
        *(made.key for made in facts.decisions()),
        *set.intersection(*map(set, logged(project))),
    }


def attempts():
    n = 1
    while True:
        attempt = Attempt(n, dies=False)
        yield attempt
        if attempt.struck is None:
            return
        n += 1 if SOAK > 1 else 1 + n // 2


def test_a_week_in_which_any_disk_operation_finds_no_space_loses_nothing_and_is_lived_when_repeated(tmp_path):
    project = Project(make_project(tmp_path / "project", ONE_SPAN))
    acknowledged, struck = set(), []
    with Loop(project) as loop:
        assert run(loop, BEGIN) == [f"{MODEL}/1"]
        for week, attempt in zip(count(8), attempts(), strict=False):
            with attempt:
                live(loop, week, acknowledged)
            assert kept(project) >= acknowledged, attempt
            assert verify(project.store).problems == [], attempt
            live(loop, week, acknowledged)
            assert kept(project) >= acknowledged, attempt
            struck.append(attempt.struck)
    decided = [made.decision.action for made in project.store.facts.decisions()]
    assert decided == [Action.PROMOTE, *[Action.HOLD] * len(struck)], "each week was decided once"
    assert len({operation.name for operation in struck[:-1]}) > 3
    assert not list(project.state.rglob("*.damaged"))
    project.close()
