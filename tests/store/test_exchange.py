"""Facts that go to another store as documents and come back: nothing is lost, doubled or made up."""

import msgspec
import pytest

from solvent.foundation.ids import uuid7
from solvent.lineage.digests import canonical, digest_of
from solvent.lineage.entities import Actor, DatasetVersion, NodeKind, RunEnd, RunStart, RunStatus
from solvent.store import open_store
from solvent.store.facts.exchange import (
    BadDocument,
    DatasetDocument,
    RunsDocument,
    dataset_documents,
    read_document,
)
from store_samples import ANN, DAY, START, artifact, recipe

BOB = Actor(kind="person", name="bob")


@pytest.fixture
def elsewhere(tmp_path, clock):
    """Another person's store."""
    root = tmp_path / "elsewhere"
    with open_store(f"sqlite:///{root}/solvent.db", root=root, actor=BOB, clock=lambda: clock.now + 9 * DAY) as store:
        yield store.facts


def pipeline(facts) -> str:
    """A pipeline run of two steps, the second of which took what the first made, and a third that failed."""
    top, rides, fit, failed = (uuid7() for _ in range(4))
    facts.start_run(RunStart(key=top, step="pipeline", started_at=START))
    raw, table, forest = artifact("raw.csv"), artifact("rides"), artifact("forest")
    facts.start_run(
        RunStart(key=rides, step="bikes.rides", started_at=START, recipe=recipe("rides"), parent=top, host="one")
    )
    facts.end_run(RunEnd(key=rides, status=RunStatus.DONE, ended_at=START + DAY, outputs={"result": table}))
    facts.add_artifacts([raw])
    facts.add_edges([((NodeKind.ARTIFACT, raw.digest), (NodeKind.ARTIFACT, table.digest), "files")])
    facts.add_contract_check(raw.digest, digest_of(b"contract"), False, [{"column": "temp"}], START)
    start = RunStart(
        key=fit,
        step="bikes.fit",
        started_at=START + DAY,
        recipe=recipe("fit"),
        inputs={"train": table.digest},
        makers={"train": rides},
        parent=top,
        git_commit="abc",
        tags={"why": "test"},
    )
    facts.start_run(start)
    end = RunEnd(
        key=fit,
        status=RunStatus.DONE,
        ended_at=START + 2 * DAY,
        outputs={"result": forest},
        metrics={"mae": 3.5},
        log=digest_of(b"log"),
        resources={"seconds": 1.5},
    )
    facts.end_run(end)
    facts.start_run(RunStart(key=failed, step="bikes.test", started_at=START, parent=top))
    facts.end_run(RunEnd(key=failed, status=RunStatus.FAILED, ended_at=START, error="it broke"))
    facts.end_run(RunEnd(key=top, status=RunStatus.FAILED, ended_at=START + 2 * DAY))
    return top


def sent(document):
    """A document as it arrives."""
    return read_document(canonical(document), type(document))


def edges(facts, key):
    found = facts.ancestors(NodeKind.RUN, key)
    names = {node.id: (node.kind, node.key) for node in found.nodes}
    return {(names[edge.source], names[edge.target], edge.role) for edge in found.edges}


def test_a_pipeline_run_arrives_whole_with_who_and_when(facts, elsewhere):
    top = pipeline(facts)
    assert facts.finished_groups() == [top]
    document = facts.export_runs(top)
    assert elsewhere.import_runs(sent(document))
    for run in document.runs:
        arrived = elsewhere.run(run.start.key)
        outputs = {name: artifact(made.about["name"]) for name, made in run.end.outputs.items()}
        assert {name: made.digest for name, made in arrived.end.outputs.items()} == {
            name: made.digest for name, made in outputs.items()
        }
        assert arrived.start == run.start
        assert (arrived.end.ended_at, arrived.end.metrics, arrived.end.log) == (
            run.end.ended_at,
            run.end.metrics,
            run.end.log,
        )
        assert edges(elsewhere, run.start.key) == edges(facts, run.start.key)
    node = elsewhere.node(NodeKind.RUN, top)
    assert (node.happened_at, node.recorded_at) == (START, START + 9 * DAY)
    assert elsewhere.export_runs(top) == document, "so the actors came too, and who passes it on sends the same"
    assert elsewhere.export_runs(top).actors == [ANN] * 4
    (check,) = elsewhere.contract_checks([artifact("raw.csv").digest])[artifact("raw.csv").digest]
    assert (check.ok, check.violations, check.at) == (False, [{"column": "temp"}], START)


def test_what_arrived_counts_as_cached(facts, elsewhere):
    elsewhere.import_runs(sent(facts.export_runs(pipeline(facts))))
    found = elsewhere.cached_runs([recipe("fit").digest, recipe("rides").digest])
    assert {run.start.step for run in found.values()} == {"bikes.fit", "bikes.rides"}


def test_arriving_again_changes_nothing(facts, elsewhere):
    document = sent(facts.export_runs(pipeline(facts)))
    assert elsewhere.import_runs(document)
    before = elsewhere.export_runs(document.key)
    assert not elsewhere.import_runs(document)
    assert not facts.import_runs(document)
    assert elsewhere.export_runs(document.key) == before
    assert elsewhere.count_runs() == facts.count_runs() == 4


def test_a_run_whose_maker_is_not_known_arrives_without_that_edge(facts, elsewhere):
    top = pipeline(facts)
    later = uuid7()
    table = artifact("rides").digest
    maker = next(run.start.key for run in facts.runs() if run.start.step == "bikes.rides")
    facts.start_run(
        RunStart(key=later, step="bikes.plot", started_at=START, inputs={"table": table}, makers={"table": maker})
    )
    facts.end_run(RunEnd(key=later, status=RunStatus.DONE, ended_at=START))
    assert facts.finished_groups() == [top, later]
    elsewhere.import_runs(sent(facts.export_runs(later)))
    assert {source for source, _, _ in edges(elsewhere, later)} == {
        (NodeKind.ARTIFACT, table),
        (NodeKind.ARTIFACT, artifact("raw.csv").digest),
    }


def test_what_runs_and_what_only_holds_others_together_is_no_document(facts):
    empty, running = uuid7(), uuid7()
    facts.start_run(RunStart(key=empty, step="pipeline", started_at=START))
    facts.end_run(RunEnd(key=empty, status=RunStatus.DONE, ended_at=START))
    facts.start_run(RunStart(key=running, step="bikes.fit", started_at=START))
    assert facts.finished_groups() == []
    assert facts.known_runs([empty, running, "0" * 32]) == {empty, running}


def dataset(facts, text, at=START, name="data/rides.csv"):
    made = artifact(text)
    version = DatasetVersion(name=name, number=0, artifact=made.digest, files=1, size=made.size, at=at, message="new")
    return facts.add_dataset_version(version, made)


def exported(facts):
    return list(dataset_documents(facts, facts.artifacts(facts.dataset_artifacts())))


def test_dataset_versions_arrive_in_order_and_once(facts, elsewhere):
    dataset(facts, "one")
    dataset(facts, "two", at=START + DAY)
    for document in exported(facts):
        assert elsewhere.import_dataset(sent(document))
        assert not elsewhere.import_dataset(sent(document))
    arrived = elsewhere.dataset_versions("data/rides.csv")
    assert [(v.number, v.artifact, v.at, v.actor, v.message) for v in arrived] == [
        (1, artifact("one").digest, START, ANN, "new"),
        (2, artifact("two").digest, START + DAY, ANN, "new"),
    ]
    assert [v.recorded_at for v in arrived] == [START + 9 * DAY] * 2
    assert exported(elsewhere) == exported(facts)


def test_versions_of_two_people_get_numbers_of_each_store_s_own(facts, elsewhere):
    dataset(facts, "one")
    dataset(elsewhere, "two", at=START + DAY)
    for document in exported(facts):
        elsewhere.import_dataset(sent(document))
    assert [v.artifact for v in elsewhere.dataset_versions("data/rides.csv")] == [
        artifact("two").digest,
        artifact("one").digest,
    ]


def test_what_is_no_document_is_refused(facts):
    for data in (b"", b"[]", b'{"format":1}'):
        with pytest.raises(BadDocument):
            read_document(data, RunsDocument)
    newer = msgspec.structs.replace(exported_one(facts), format=2)
    with pytest.raises(BadDocument, match="newer than this Solvent"):
        read_document(canonical(newer), DatasetDocument)


def exported_one(facts):
    dataset(facts, "one")
    return exported(facts)[0]
