"""What facts need the bytes of: each root, what it came of, and nothing else."""

import pytest

from solvent.foundation.ids import uuid7
from solvent.lineage.digests import digest_of
from solvent.lineage.entities import Action, Artifact, ArtifactType, NodeKind, RunEnd, RunStart, RunStatus, Segment
from solvent.store.facts.keeping import Reason
from store.test_datasets import add
from store_samples import DAY, START, add_version, alarm, artifact, decision, recipe, run_step


def needed(facts, keep_runs=1):
    with facts.database.read() as connection:
        return {need.digest: need.reason for need in facts.needed(connection, keep_runs)}


def reason(facts, name, **options):
    return needed(facts, **options).get(artifact(name).digest)


def supersede(facts, *steps):
    """Runs of the same steps that made something else, so that earlier ones are not the newest."""
    for step in steps:
        run_step(facts, step, outputs=(f"newer {step}",))


def test_the_newest_runs_of_each_step_keep_what_they_made_and_came_of(facts):
    run_step(facts, "a", outputs=("old a",))
    run_step(facts, "a", inputs=("raw",), outputs=("new a",))
    run_step(facts, "b", inputs=("new a",), outputs=("b",))
    run_step(facts, "b", status=RunStatus.FAILED)
    assert {name: reason(facts, name) for name in ("old a", "new a", "raw", "b")} == {
        "old a": None, "new a": Reason.NEWEST, "raw": Reason.NEWEST, "b": Reason.NEWEST,
    }  # fmt: skip
    assert reason(facts, "old a", keep_runs=2) is Reason.NEWEST
    assert reason(facts, "b", keep_runs=0) is None


def test_logs_and_what_tags_stand_for_stay_with_their_run(facts):
    log, code = digest_of(b"log"), artifact("code")
    facts.add_artifact(code)
    key = uuid7()
    facts.start_run(RunStart(key=key, step="a", started_at=START, tags={"code": code.digest, "why": "test"}))
    facts.end_run(RunEnd(key=key, status=RunStatus.DONE, ended_at=START, log=log))
    assert needed(facts) == {log: Reason.NEWEST, code.digest: Reason.NEWEST}
    with facts.database.read() as connection:
        assert facts.known_blobs(connection, [log, code.digest, digest_of(b"other")]) == {log, code.digest}


def test_a_version_in_service_keeps_all_that_it_came_of(facts):
    version = add_version(facts)
    supersede(facts, "bikes.fit")
    assert reason(facts, "forest") is None
    facts.move_alias("bikes", "champion", version.number, decision(Action.PROMOTE))
    assert (reason(facts, "forest"), reason(facts, "rides")) == (Reason.ALIAS, Reason.ALIAS)
    second = add_version(facts, name="larger forest")
    facts.move_alias("bikes", "champion", second.number, decision(Action.PROMOTE))
    assert (reason(facts, "larger forest"), reason(facts, "forest")) == (Reason.ALIAS, Reason.DECISION)


def test_an_endpoint_s_version_stays(facts):
    version = add_version(facts)
    supersede(facts, "bikes.fit")
    facts.deploy("here", "bikes", version.number, START)
    assert reason(facts, "forest") is Reason.DEPLOYMENT
    facts.deploy("here", "bikes", None, START + DAY)
    assert reason(facts, "forest") is None


def test_evidence_stays_wherever_its_digest_stands(facts):
    add_version(facts)
    names = ("in evidence", "in an alert", "in its cause", "in state", "rested on")
    facts.add_artifacts([artifact(name) for name in names])
    first, second, third, fourth, fifth = (artifact(name).digest for name in names)
    facts.decide(decision(evidence={"rows": {"of": [f"see {first}."]}}, rests_on=[(NodeKind.ARTIFACT, str(fifth))]))
    facts.add_alert(alarm(evidence={"profile": second}, cause={"file": third}))
    facts.set_state("bikes", "carried", {"reference": fourth}, START)
    assert [reason(facts, name) for name in names] == [Reason.DECISION] * 5


def test_segments_stay_until_retention_drops_them_with_the_versions_that_answered(facts):
    version = add_version(facts)
    supersede(facts, "bikes.fit")
    rows = Artifact(
        digest=digest_of(b"rows"), content=digest_of(b"rows"), type=ArtifactType.PREDICTIONS, format="parquet", size=4
    )
    segment = Segment(
        digest=rows.digest, kind="predictions", model="bikes", rows=2, first=START, last=START, sealed_at=START,
        about={"versions": [version.number]},
    )  # fmt: skip
    facts.add_segment(segment, rows)
    assert (needed(facts)[rows.digest], reason(facts, "forest")) == (Reason.LOG, Reason.LOG)
    facts.drop_segments([rows.digest])
    assert rows.digest not in needed(facts)


def test_every_dataset_version_stays_and_trees_are_told(facts):
    add(facts, "one")
    tree = artifact("two", about={"tree": True})
    facts.add_artifact(tree)
    add(facts, "two")
    with facts.database.read() as connection:
        found = {need.digest: (need.reason, need.tree) for need in facts.needed(connection, 1)}
    assert found == {
        artifact("one").digest: (Reason.DATASET, False),
        tree.digest: (Reason.DATASET, True),
    }


def test_what_runs_keeps_its_inputs_and_what_its_pipeline_made_so_far(facts):
    top, step = uuid7(), uuid7()
    facts.start_run(RunStart(key=top, step="pipeline", started_at=START))
    facts.start_run(RunStart(key=step, step="a", started_at=START, parent=top))
    facts.end_run(RunEnd(key=step, status=RunStatus.DONE, ended_at=START, outputs={"result": artifact("made")}))
    run_step(facts, "b", inputs=("used",), status=RunStatus.RUNNING)
    supersede(facts, "a", "b")
    assert (reason(facts, "made"), reason(facts, "used")) == (Reason.RUNNING, Reason.RUNNING)


def test_other_projects_of_the_store_keep_theirs(facts, open_again):
    run_step(open_again(project="other").facts, "a", outputs=("theirs",))
    assert reason(facts, "theirs") is Reason.NEWEST


def test_bytes_that_were_collected_count_no_more_until_they_are_stored_again(facts):
    made, what = artifact("made"), recipe("a")

    def make():
        key = uuid7()
        facts.start_run(RunStart(key=key, step="a", started_at=START, recipe=what))
        facts.end_run(RunEnd(key=key, status=RunStatus.DONE, ended_at=START, outputs={"result": made}))

    make()
    assert facts.cached_runs([what.digest])
    with facts.writing() as w:
        facts.mark_collected(w, [made.digest, digest_of(b"no artifact")])
        facts.mark_collected(w, [made.digest])
    assert facts.cached_runs([what.digest]) == {}
    assert facts.collected() == {made.digest}
    make()
    assert len(facts.cached_runs([what.digest])) == 1
    assert (facts.collected(), facts.artifact(made.digest).erased_at) == (set(), None)


@pytest.mark.parametrize("collected_before", [False, True])
def test_what_a_decision_erased_stays_erased_whoever_stores_it_again(facts, collected_before, clock):
    made = artifact("made")
    facts.add_artifact(made)
    if collected_before:
        with facts.writing() as w:
            facts.mark_collected(w, [made.digest])
        facts.bytes_returned([made.digest])
    facts.mark_erased([made.digest], START + DAY)
    with facts.database.read() as connection:
        assert facts.erased_by_decision(connection) == {made.digest}
    facts.bytes_returned([made.digest])
    facts.add_artifact(made)
    assert facts.artifact(made.digest).erased_at == START + DAY
    assert facts.collected() == set()
