"""Versions come back whole, nothing is lost over it, and a death in the middle is made good by the next checkout."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solvent.data.versions.checkout import LocalChanges
from solvent.data.versions.naming import BadDataset
from solvent.data.versions.references import UnknownVersion
from solvent.lineage.digests import digest_of
from solvent.store import bulk, disk
from solvent.store.objects import Corrupt, Missing
from store.faults import deaths, disk_full

ONE = {"a": "1", "sub/b": "22", "sub/deep/c": "333", "same": "s"}
TWO = {"a": "changed", "sub/d": "4", "same": "s", "deep": "a file now"}


def versions(shelf):
    """A dataset with two versions; the second lies there."""
    for files in (ONE, TWO):
        if (shelf.root / "data").exists():
            shelf.remove("data")
        shelf.write({f"data/{name}": text for name, text in files.items()})
        shelf.add()
    return shelf


def test_versions_come_and_go_and_only_what_differs_is_written(shelf):
    versions(shelf)
    inode = (shelf.root / "data/same").stat().st_ino
    done = shelf.checkout("data@1")
    assert shelf.files("data") == ONE
    assert (done.written, done.removed, done.files) == (3, 2, 4)
    assert (shelf.root / "data/same").stat().st_ino == inode
    assert shelf.status().state == "other-version"
    assert shelf.checkout("data@1").written == 0
    shelf.checkout("data")
    assert shelf.files("data") == TWO
    assert not (shelf.root / "data/sub/deep").exists(), "an empty folder goes with its last file"
    assert shelf.status().state == "unchanged"
    assert shelf.leftovers() == []


def test_what_is_not_there_appears_whole_and_its_status_needs_no_reading(shelf, monkeypatch):
    versions(shelf)
    shelf.remove("data")
    assert shelf.checkout().written == 4
    assert shelf.files("data") == TWO
    monkeypatch.setattr("solvent.data.versions.state.digest_file", None)
    assert shelf.status().state == "unchanged"


@pytest.mark.parametrize("name", ["data/a", "data/*"])
def test_a_file_and_a_glob_come_back_beside_what_is_not_theirs(shelf, name):
    shelf.write({"data/a": "1", "data/.other": "2"})
    shelf.add(name)
    shelf.remove("data/a")
    assert shelf.checkout(name).written == 1
    assert shelf.files("data") == {".other": "2", "a": "1", ".gitignore": (shelf.root / "data/.gitignore").read_text()}
    assert shelf.status(name).state == "unchanged"


def test_local_changes_are_never_overwritten_unless_told(shelf):
    versions(shelf)
    shelf.write({"data/a": "mine", "data/sub/d": "mine, too"})
    for text in ("data@1", "data"):
        with pytest.raises(LocalChanges, match="a, sub/d") as refused:
            shelf.checkout(text)
        assert "--force" in refused.value.next
    assert shelf.files("data") == {**TWO, "a": "mine", "sub/d": "mine, too"}
    shelf.checkout("data@1", force=True)
    assert shelf.files("data") == ONE


def test_files_of_no_version_stay_unless_told_or_in_the_way(shelf):
    versions(shelf)
    shelf.write({"data/mine": "m", "data/sub/deep/mine": "m"})
    assert sorted(shelf.checkout("data@1").left) == ["mine", "sub/deep/mine"]
    assert shelf.files("data") == {**ONE, "mine": "m", "sub/deep/mine": "m"}
    shelf.checkout("data", force=True)
    assert shelf.files("data") == TWO
    shelf.write({"data/sub/deep": "where a folder must be"})
    with pytest.raises(LocalChanges, match="sub/deep"):
        shelf.checkout("data@1")
    shelf.checkout("data@1", force=True)
    assert shelf.files("data") == ONE


def test_a_deleted_file_comes_back(shelf):
    versions(shelf)
    shelf.remove("data/a")
    shelf.remove("data/sub")
    assert shelf.checkout().written == 2
    assert shelf.files("data") == TWO


def test_equal_files_without_a_cache_are_taken_as_they_are_and_others_refused(shelf):
    versions(shelf)
    for place in (shelf.store.root / "stat").iterdir():
        place.unlink()
    assert shelf.checkout().written == 0
    for place in (shelf.store.root / "stat").iterdir():
        place.unlink()
    with pytest.raises(LocalChanges):
        shelf.checkout("data@1")


@pytest.mark.parametrize("small", [bulk.SMALL, 0])
def test_missing_and_corrupt_objects_are_named_and_nothing_is_changed(shelf, monkeypatch, small):
    monkeypatch.setattr(bulk, "SMALL", small)
    versions(shelf)
    blob = shelf.store.objects.path(digest_of(b"22"))
    blob.chmod(0o644)
    blob.write_text("2x")
    with pytest.raises(Corrupt, match=digest_of(b"22")):
        shelf.checkout("data@1")
    blob.unlink()
    with pytest.raises(Missing, match=digest_of(b"22")):
        shelf.checkout("data@1")
    assert shelf.files("data") == TWO
    assert shelf.status().state == "unchanged"
    assert shelf.leftovers() == []


def test_a_hard_link_shares_the_stores_bytes_and_a_copy_does_not(shelf):
    versions(shelf)
    shelf.remove("data")
    shelf.checkout(link="hardlink")
    assert (shelf.root / "data/a").stat().st_ino == shelf.store.objects.path(digest_of(b"changed")).stat().st_ino
    assert shelf.status().state == "unchanged"
    shelf.remove("data")
    shelf.checkout(link="reflink")
    (shelf.root / "data/a").write_text("mine")
    shelf.store.objects.verify(digest_of(b"changed"))


def test_a_file_system_that_takes_two_names_for_one_is_told(shelf, monkeypatch):
    versions(shelf)
    shelf.remove("data")
    original = disk.create

    def create(path, **options):
        if str(path).endswith("whole/same"):
            raise FileExistsError(17, "File exists", str(path))
        return original(path, **options)

    monkeypatch.setattr(disk, "create", create)
    with pytest.raises(BadDataset, match="two of its names for one"):
        shelf.checkout()
    assert not (shelf.root / "data").exists()


def test_unknown_versions_are_named(shelf):
    versions(shelf)
    with pytest.raises(UnknownVersion, match="its newest is data@2"):
        shelf.checkout("data@3")


@pytest.mark.parametrize("runs", [disk_full, deaths])
@pytest.mark.parametrize("there", [True, False])
def test_a_checkout_that_fails_anywhere_is_made_good_by_the_next(make_shelf, runs, there):
    first = versions(make_shelf())
    if not there:
        first.remove("data")
    for attempt in runs():
        shelf = make_shelf(str(attempt.n), like=first)
        with attempt:
            shelf.checkout("data@1")
        found = shelf.files("data")
        assert all(found[name] in (ONE.get(name), TWO.get(name)) for name in found), attempt
        assert there or found in ({}, ONE), attempt
        assert attempt.dies or shelf.leftovers() == [], attempt
        shelf.checkout("data@1")
        assert shelf.files("data") == ONE, attempt
        assert shelf.checkout("data@1").written == 0, attempt


names = st.sampled_from(["a", "b", "c/d", "c/e", "f/g/h"])
trees = st.dictionaries(names, st.sampled_from(["1", "2", "3"]), min_size=1)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(trees, min_size=2, max_size=4), st.data())
def test_any_version_comes_back_from_any_other(make_shelf, shelf, contents, data):
    shelf = make_shelf(os.urandom(4).hex(), like=shelf)
    numbers = []
    for files in contents:
        if (shelf.root / "data").exists():
            shelf.remove("data")
        shelf.write({f"data/{name}": text for name, text in files.items()})
        numbers.append(shelf.add().version.number)
    for at in data.draw(st.lists(st.integers(0, len(contents) - 1), min_size=1, max_size=5)):
        shelf.checkout(f"data@{numbers[at]}")
        assert shelf.files("data") == contents[at]


def test_what_a_killed_checkout_put_there_is_no_local_change(shelf):
    """Killed at any operation on the way back to the first version, the way on to the second is free."""
    versions(shelf)
    for attempt in deaths():
        with attempt:
            shelf.checkout("data@1")
        shelf.checkout("data@2")
        assert shelf.files("data") == TWO
