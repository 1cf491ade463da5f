import msgspec

from solvent.lineage.digests import digest_of
from solvent.lineage.entities import Actor, ArtifactType, DatasetVersion
from store_samples import ANN, DAY, START, artifact


def add(facts, text, name="data/rides.csv", **options):
    made = artifact(text, type=ArtifactType.DATASET)
    options = {"files": 1, "size": made.size, "at": START, **options}
    return facts.add_dataset_version(DatasetVersion(name=name, number=0, artifact=made.digest, **options), made)


def test_versions_are_numbered_and_say_who_when_and_why(facts, clock):
    first = add(facts, "one", message="from the city", url="https://example.org", changes={"added": 1})
    clock.now = START + DAY
    second = add(facts, "two", at=START + DAY / 2)
    assert facts.dataset_versions("data/rides.csv") == [first, second]
    assert (first.number, first.actor, first.message, first.url) == (1, ANN, "from the city", "https://example.org")
    assert (second.number, second.at, second.recorded_at) == (2, START + DAY / 2, START + DAY)
    assert facts.dataset_version("data/rides.csv", 2) == second
    assert facts.dataset_version("data/rides.csv", 3) is None
    assert facts.artifact(second.artifact).type is ArtifactType.DATASET


def test_the_newest_version_again_is_no_new_one_and_an_older_one_is(facts):
    first = add(facts, "one")
    assert add(facts, "one", message="again") == first
    add(facts, "two")
    assert add(facts, "one").number == 3


def test_the_list_holds_the_newest_of_each_dataset(facts):
    add(facts, "one")
    newest = [add(facts, "three", name="data/images"), add(facts, "two")]
    assert facts.datasets() == newest


def test_projects_have_their_own_datasets_and_share_what_is_kept(open_again, facts):
    add(facts, "one")
    other = open_again(project="other", actor=Actor(kind="person", name="bob")).facts
    assert other.dataset_versions("data/rides.csv") == []
    assert add(other, "two").number == 1
    assert facts.dataset_artifacts() == {digest_of(b"one"), digest_of(b"two")}


def test_a_version_is_json(facts):
    made = add(facts, "one")
    assert msgspec.json.decode(msgspec.json.encode(made), type=DatasetVersion) == made
