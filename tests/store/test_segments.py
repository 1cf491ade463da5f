import pytest

from solvent.lineage.digests import digest_of
from solvent.lineage.entities import ArtifactType, NodeKind, Segment
from solvent.store.facts.writing import UnknownFact
from store_samples import DAY, START, add_version, artifact


def sealed(facts, day, kind="predictions", **about):
    made = artifact(f"{kind} {day}", type=ArtifactType.PREDICTIONS)
    first = START + day * DAY
    segment = Segment(
        digest=made.digest,
        kind=kind,
        model="bikes",
        rows=24,
        first=first,
        last=first + DAY / 2,
        sealed_at=first + DAY,
        about=about,
    )
    facts.add_segment(segment, made)
    return segment


def test_segments_are_found_by_what_they_cover(facts):
    add_version(facts)
    days = [sealed(facts, day) for day in range(4)]
    outcomes = sealed(facts, 0, kind="outcomes")
    assert facts.segments("bikes", "predictions") == days
    assert facts.segments("bikes", "outcomes") == [outcomes]
    assert facts.segments("bikes", "predictions", since=START + DAY, until=START + 2 * DAY) == days[1:3]
    assert facts.segments("bikes", "predictions", since=START + 0.6 * DAY, until=START + 0.9 * DAY) == []


def test_sealing_again_changes_nothing(facts):
    add_version(facts)
    assert sealed(facts, 0) == sealed(facts, 0)
    assert len(facts.segments("bikes", "predictions")) == 1


def test_dropped_segments_are_gone_from_view_and_their_lineage_stays(facts):
    version = add_version(facts)
    segment = sealed(facts, 0, versions=[1])
    facts.drop_segments([segment.digest])
    assert facts.segments("bikes", "predictions") == []
    assert facts.artifact(segment.digest) is not None
    below = facts.descendants(NodeKind.VERSION, version.name)
    assert segment.digest in {node.key for node in below.nodes}


def test_a_segment_of_an_unknown_version_is_refused_whole(facts):
    add_version(facts)
    with pytest.raises(UnknownFact, match="bikes/7"):
        sealed(facts, 0, versions=[7])
    assert facts.segments("bikes", "predictions") == []
    assert facts.artifact(artifact("predictions 0").digest) is None
    with pytest.raises(UnknownFact):
        facts.drop_segments([digest_of(b"x")])
