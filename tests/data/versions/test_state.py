"""What status sees, with and without its cache."""

import os
import time

import pytest

from solvent.data.versions import statcache, state
from solvent.data.versions.naming import UnknownDataset
from solvent.data.versions.statcache import Known, StatFile, StatWriter, cache_place
from solvent.lineage.digests import digest_of
from solvent.store.bulk import Stamp, stamp

FILES = {"data/a.csv": "1", "data/sub/b.csv": "22", "data/sub/c.csv": "333"}


def settle():
    time.sleep(2 * statcache.FINE_TICK / 1e9)


@pytest.fixture
def added(shelf):
    shelf.write(FILES)
    settle()
    shelf.add()
    return shelf


@pytest.fixture
def read(monkeypatch):
    """The files that status reads."""
    paths = []

    def reading(path, original=state.digest_file):
        paths.append(path)
        return original(path)

    monkeypatch.setattr(state, "digest_file", reading)
    return paths


def test_nothing_changed_is_known_without_reading_a_file(added, read):
    assert added.differing() == ("unchanged", [], [], [])
    assert read == []


def test_every_kind_of_change_is_seen(added):
    added.write({"data/a.csv": "2", "data/new": "", "data/folder/x": ""})
    added.remove("data/sub/c.csv")
    assert added.differing() == ("changed", ["a.csv"], ["folder/x", "new"], ["sub/c.csv"])
    added.remove("data/sub")
    assert added.differing() == ("changed", ["a.csv"], ["folder/x", "new"], ["sub/b.csv", "sub/c.csv"])
    added.remove("data")
    assert added.status().state == "missing"


def test_an_edit_that_restores_size_and_mtime_is_seen(added):
    place = added.root / "data/sub/b.csv"
    before = place.stat()
    place.write_text("xx")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (place.stat().st_size, place.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert added.differing()[1] == ["sub/b.csv"]


def test_a_file_swapped_for_another_of_equal_size_and_time_is_seen(added):
    place, other = added.root / "data/sub/b.csv", added.root / "other"
    before = place.stat()
    other.write_text("xx")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(place)
    assert added.differing()[1] == ["sub/b.csv"]


def test_a_stamp_counts_only_if_the_file_had_settled_when_it_was_read(shelf):
    shelf.write({"data/a": "one"})
    shelf.add()
    shelf.write({"data/a": "two"})  # as if within the tick in which `one` was read: no stamp would tell
    same = stamp((shelf.root / "data/a").stat())

    def claim(seen_ns):
        with StatWriter(cache_place(shelf.store.root, "data")) as writer:
            writer.add("", Known.of([("a", same, digest_of(b"one"))], seen_ns))
            writer.finish(shelf.lock()["data"].tree)

    claim(same.ctime_ns + 1)
    assert shelf.differing() == ("changed", ["a"], [], [])
    claim(same.ctime_ns + 3 * statcache.COARSE_TICK)
    assert shelf.differing() == ("unchanged", [], [], [])


def test_a_touched_file_is_read_once_and_then_known(added, read):
    (added.root / "data/a.csv").touch()
    settle()
    assert added.status().state == "unchanged"
    assert len(read) == 1
    assert added.status().state == "unchanged"
    assert len(read) == 1


@pytest.mark.parametrize("data", [b"", b"SLVSTAT1", b"SLVSTAT1" + bytes(100), os.urandom(300)])
def test_a_damaged_cache_only_costs_time(added, data):
    place = cache_place(added.store.root, "data")
    whole = place.read_bytes()
    for damaged in (data, whole[:-1], whole + b"x", whole[: len(whole) // 2]):
        place.write_bytes(damaged)
        assert added.differing() == ("unchanged", [], [], [])
    added.write({"data/a.csv": "2"})
    assert added.differing()[1] == ["a.csv"]


def test_without_cache_and_trees_all_that_lies_there_is_new(added):
    cache_place(added.store.root, "data").unlink()
    added.store.objects.delete(added.lock()["data"].tree)
    assert added.differing()[2] == ["a.csv", "sub/b.csv", "sub/c.csv"]


def test_a_lock_that_names_another_version_is_told_apart_from_a_change(added):
    first = added.lock()
    added.write({"data/a.csv": "2"})
    added.add()
    from solvent.data.versions.lockfile import write_lock

    write_lock(added.root, first)
    assert added.status().state == "other-version"


def test_files_of_no_concern_to_a_glob_or_a_file_change_nothing(shelf):
    shelf.write({"data/a.csv": "1", "data/b.csv": "2", "other.txt": "3"})
    shelf.add("data/*.csv")
    shelf.add("other.txt")
    shelf.write({"data/notes.txt": "", "data/.hidden.csv": "", "data/deep/x.csv": "", "another.txt": ""})
    assert [shelf.status(name).state for name in ("data/*.csv", "other.txt")] == ["unchanged"] * 2
    shelf.write({"data/c.csv": "", "other.txt": "4"})
    assert shelf.differing("data/*.csv") == ("changed", [], ["c.csv"], [])
    assert shelf.differing("other.txt") == ("changed", ["other.txt"], [], [])


def test_an_unknown_dataset_is_named(added):
    with pytest.raises(UnknownDataset, match="no dataset `date`"):
        added.status("date")


def test_a_cache_says_what_it_was_told(tmp_path):
    rows = [
        (name, Stamp(n, 10**18 + n, 10**18 + 1 + n, 2**63 + n), digest_of(name.encode()))
        for n, name in enumerate("abé")
    ]
    with StatWriter(tmp_path / "stat/x") as writer:
        writer.add("", Known.of(rows, 2 * 10**18))
        writer.add("sub", Known.of(rows[:1], 10**18))
        writer.finish(digest_of(b"version"))
    with StatFile(tmp_path / "stat/x") as kept:
        assert (kept.digest, kept.files, kept.size) == (digest_of(b"version"), 4, 3)
        assert kept.folder("").files() == {name: (stamp, digest) for name, stamp, digest in rows}
        assert (kept.folder("").at_rest, kept.folder("sub").at_rest) == (True, False)
        assert kept.folder("elsewhere").files() == {}
        assert kept.paths() == {"", "sub"}
    assert [path.name for path in (tmp_path / "stat").iterdir()] == ["x"]


def test_whole_milliseconds_are_taken_for_a_coarse_clock():
    at = 10**18
    fine, coarse = Stamp(1, at, at + 1, 1), Stamp(1, at, at, 1)
    assert statcache.resting_at([fine]) < at + 10**9 < statcache.resting_at([fine, coarse])
