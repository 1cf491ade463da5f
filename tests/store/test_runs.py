import math

import pytest

from solvent.foundation.ids import uuid7
from solvent.lineage.digests import digest_of
from solvent.lineage.entities import NodeKind, RunEnd, RunStart, RunStatus
from solvent.store.facts.recording import RunEnded
from solvent.store.facts.writing import UnknownFact
from store_samples import DAY, START, artifact, recipe, run_step


def test_a_run_comes_back_as_it_was_recorded(facts):
    pipeline = run_step(facts, "pipeline")
    facts.add_artifact(artifact("rides"))
    start = RunStart(
        key=uuid7(),
        step="bikes.fit",
        started_at=START,
        recipe=recipe("rides"),
        inputs={"train": artifact("rides").digest, "again": artifact("rides").digest},
        parent=pipeline,
        host="here",
        pid=12,
        git_commit="abc",
        tags={"why": "test"},
    )
    facts.start_run(start)
    assert facts.run(start.key).start == start
    assert facts.run(start.key).status is RunStatus.RUNNING
    end = RunEnd(
        key=start.key,
        status=RunStatus.DONE,
        ended_at=START + DAY,
        outputs={"model": artifact("forest")},
        metrics={"mae": 45.5},
        log=digest_of(b"log"),
        resources={"seconds": 2.0},
    )
    facts.end_run(end)
    kept = facts.run(start.key).end
    assert kept.outputs["model"].digest == artifact("forest").digest
    assert (kept.metrics, kept.log, kept.resources, kept.ended_at) == (
        end.metrics,
        end.log,
        end.resources,
        end.ended_at,
    )


def test_a_metric_that_is_not_a_number_stays_that(facts):
    key = run_step(facts, "bikes.fit", status=RunStatus.RUNNING)
    facts.end_run(RunEnd(key=key, status=RunStatus.DONE, ended_at=START, metrics={"mae": math.nan, "max": math.inf}))
    metrics = facts.run(key).end.metrics
    assert math.isnan(metrics["mae"])
    assert metrics["max"] == math.inf


def test_starting_or_ending_again_changes_nothing(facts):
    key = run_step(facts, "bikes.fit", outputs=("forest",))
    kept = facts.run(key)
    facts.start_run(RunStart(key=key, step="other", started_at=START + DAY))
    facts.end_run(RunEnd(key=key, status=RunStatus.DONE, ended_at=START + DAY))
    assert facts.run(key) == kept
    with pytest.raises(RunEnded, match="ended before as done"):
        facts.end_run(RunEnd(key=key, status=RunStatus.FAILED, ended_at=START))


def test_an_input_or_run_that_nobody_recorded_is_refused_and_nothing_is_kept(facts):
    key = uuid7()
    with pytest.raises(UnknownFact, match="knows no artifact"):
        facts.start_run(
            RunStart(key=key, step="s", started_at=START, recipe=recipe("x"), inputs={"x": digest_of(b"x")})
        )
    assert facts.run(key) is None
    assert facts.node(NodeKind.RECIPE, recipe("x").digest) is None
    with pytest.raises(UnknownFact, match="knows no run"):
        facts.end_run(RunEnd(key=key, status=RunStatus.DONE, ended_at=START, outputs={"x": artifact("x")}))
    assert facts.artifact(artifact("x").digest) is None


def test_the_cache_finds_the_newest_done_run_of_each_recipe(facts):
    run_step(facts, "a", recipe=recipe("a"), outputs=("first",))
    second = run_step(facts, "a renamed", recipe=recipe("a"), outputs=("second",))
    run_step(facts, "a", recipe=recipe("a"), status=RunStatus.FAILED)
    run_step(facts, "b", recipe=recipe("b"), status=RunStatus.FAILED)
    cached = facts.cached_runs([recipe(name).digest for name in "abc"])
    assert {digest: run.start.key for digest, run in cached.items()} == {recipe("a").digest: second}


def test_a_run_whose_output_was_erased_is_no_longer_cached(facts):
    first = run_step(facts, "a", recipe=recipe("a"), outputs=("first",))
    run_step(facts, "a", recipe=recipe("a"), outputs=("first", "second"))
    facts.mark_erased([artifact("second").digest], START)
    assert facts.cached_runs([recipe("a").digest])[recipe("a").digest].start.key == first
    facts.mark_erased([artifact("first").digest], START)
    assert facts.cached_runs([recipe("a").digest]) == {}


def test_one_project_does_not_hit_another_ones_cache(open_again):
    run_step(open_again().facts, "a", recipe=recipe("a"), outputs=("first",))
    assert open_again(project="other").facts.cached_runs([recipe("a").digest]) == {}


def test_runs_are_listed_newest_first_and_filtered(facts):
    pipeline = run_step(facts, "pipeline")
    keys = [run_step(facts, step, parent=pipeline) for step in ("a", "b", "a")]
    failed = run_step(facts, "b", status=RunStatus.FAILED)

    def listed(**which):
        return [run.start.key for run in facts.runs(**which)]

    assert listed() == [failed, *keys[::-1], pipeline]
    assert listed(step="a") == [keys[2], keys[0]]
    assert listed(status=RunStatus.FAILED) == [failed]
    assert listed(parent=pipeline, limit=2) == [keys[2], keys[1]]
    assert listed(parent="unknown") == []
    assert facts.count_runs() == 5


def test_runs_of_dead_processes_are_lost_until_they_turn_up(facts):
    def started(**where):
        key = uuid7()
        facts.start_run(RunStart(key=key, step="s", started_at=START, **where))
        return key

    dead, alive = started(host="here", pid=1), started(host="here", pid=2)
    elsewhere, by_client = started(host="there", pid=1), started(host="here")
    assert facts.mark_lost("here", live_pids={2}) == [dead]
    assert facts.mark_lost("here", live_pids={2}) == []
    assert facts.run(dead).status is RunStatus.LOST
    assert {facts.run(key).status for key in (alive, elsewhere, by_client)} == {RunStatus.RUNNING}
    facts.end_run(RunEnd(key=dead, status=RunStatus.DONE, ended_at=START))
    assert facts.run(dead).status is RunStatus.DONE


def test_any_number_of_recipes_is_asked_at_once(facts):
    run_step(facts, "a", recipe=recipe("a"), outputs=("first",))
    unknown = [digest_of(str(n).encode()) for n in range(70_000)]
    assert set(facts.cached_runs([*unknown, recipe("a").digest])) == {recipe("a").digest}
