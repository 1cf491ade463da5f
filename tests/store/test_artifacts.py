import pytest

from solvent.lineage.digests import digest_of
from solvent.lineage.entities import NodeKind
from solvent.store.facts.writing import UnknownFact
from store_samples import DAY, START, add_version, artifact


def test_an_artifact_comes_back_with_the_time_of_recording(facts, clock):
    facts.add_artifact(artifact("rides"))
    kept = facts.artifact(artifact("rides").digest)
    assert kept == artifact("rides", recorded_at=clock.now)


def test_recording_an_artifact_again_changes_nothing(facts, clock):
    facts.add_artifact(artifact("rides"))
    clock.now += DAY
    facts.add_artifact(artifact("rides", size=99))
    assert facts.artifact(artifact("rides").digest) == artifact("rides", recorded_at=START)


def test_an_unknown_artifact_is_none_and_absent_among_many(facts):
    facts.add_artifact(artifact("rides"))
    unknown = digest_of(b"never seen")
    assert facts.artifact(unknown) is None
    assert set(facts.artifacts([artifact("rides").digest, unknown])) == {artifact("rides").digest}


def test_content_is_shared_between_projects(open_again):
    here, there = open_again().facts, open_again(project="other").facts
    here.add_artifact(artifact("rides"))
    assert there.artifact(artifact("rides").digest) is not None


def test_erased_bytes_leave_a_tombstone_with_the_first_date(facts):
    facts.add_artifact(artifact("rides"))
    facts.mark_erased([artifact("rides").digest], START + DAY)
    facts.mark_erased([artifact("rides").digest], START + 2 * DAY)
    assert facts.artifact(artifact("rides").digest).erased_at == START + DAY
    with pytest.raises(UnknownFact, match="knows no artifact"):
        facts.mark_erased([digest_of(b"never seen")], START)


def test_what_hangs_on_a_column_is_found_below_it(facts):
    version = add_version(facts)
    owner = artifact("rides").digest
    facts.add_columns(owner, ["temp", "count"])
    facts.add_columns(owner, ["temp"])
    facts.add_columns(version.name, ["temp"])
    reached = facts.descendants(NodeKind.COLUMN, f"{owner}#temp")
    assert {(node.kind, node.key) for node in reached.nodes} >= {
        (NodeKind.ARTIFACT, owner),
        (NodeKind.VERSION, "bikes/1"),
    }
    assert facts.node(NodeKind.COLUMN, "bikes/1#temp").name == "temp"
    with pytest.raises(UnknownFact, match="knows no version `bikes/9`"):
        facts.add_columns("bikes/9", ["temp"])


def test_checks_of_a_contract_are_kept_in_order(facts):
    facts.add_artifact(artifact("week 1"))
    digest, contract = artifact("week 1").digest, digest_of(b"contract")
    facts.add_contract_check(digest, contract, False, [{"column": "temp", "kind": "unit"}], START)
    facts.add_contract_check(digest, contract, True, [], START + DAY)
    checks = facts.contract_checks([digest, digest_of(b"never checked")])
    assert [(check.ok, check.at) for check in checks[digest]] == [(False, START), (True, START + DAY)]
    assert checks[digest][0].violations == [{"column": "temp", "kind": "unit"}]
    assert set(checks) == {digest}
