"""What becomes a version, what is refused, and what a death or a full disk leaves behind."""

import errno
import os
import socket
import threading
from pathlib import Path

import pytest

from solvent.data.versions import gathering, walking
from solvent.data.versions.naming import BadDataset
from solvent.data.versions.tree import tree_of, walk_files
from solvent.lineage.digests import digest_of
from solvent.store import bulk, disk
from store.faults import deaths, disk_full, recorded

FILES = {"data/a.csv": "1", "data/sub/b.csv": "22", "data/sub/deep/c.csv": "333"}


def of(text):
    return digest_of(text.encode()), len(text)


def test_a_folder_is_a_tree_of_blobs_and_a_version_that_says_who_and_why(shelf):
    shelf.write(FILES)
    done = shelf.add(message="first")
    tree = tree_of({path.removeprefix("data/"): of(text) for path, text in FILES.items()})
    version = done.version
    assert (version.artifact, version.files, version.size) == (tree.digest, 3, 6)
    assert (version.number, version.message, version.actor.name) == (1, "first", "ann")
    assert (done.read, done.stored, version.changes) == (3, 3 + 3, {"added": 3})
    entry = shelf.lock()["data"]
    assert (entry.tree, entry.files, entry.size) == (tree.digest, 3, 6)
    for digest in (*tree.objects, *(of(text)[0] for text in FILES.values())):
        shelf.store.objects.verify(digest)
    artifact = shelf.store.facts.artifact(tree.digest)
    assert artifact.size == len(tree.objects[tree.digest])
    assert artifact.about["tree"] is True
    assert (shelf.root / ".gitignore").read_text() == "/data\n"
    assert shelf.leftovers() == []


def test_a_file_is_its_blob(shelf):
    shelf.write({"data/a.csv": "text"})
    done = shelf.add("data/a.csv")
    assert shelf.lock()["data/a.csv"].blob == done.version.artifact == of("text")[0]
    assert (shelf.root / "data/.gitignore").read_text() == "/a.csv\n"
    shelf.write({"data/a.csv": "new text"})
    assert shelf.add("data/a.csv").version.changes == {"changed": 1}


def test_a_glob_is_one_dataset_of_the_files_that_match(shelf):
    shelf.write({**FILES, "data/notes.txt": "no", "data/.hidden.csv": "no"})
    shelf.add("data/**/*.csv")
    digest = shelf.lock()["data/**/*.csv"].tree
    names = [path for path, _ in walk_files(digest, shelf.store.objects.read)]
    assert names == ["a.csv", "sub/b.csv", "sub/deep/c.csv"]
    assert (shelf.root / "data/.gitignore").read_text() == "/**/*.csv\n"


def test_one_changed_file_of_many_is_all_that_is_read_and_stored(shelf):
    shelf.write({f"data/{folder}/{n}": f"{folder}{n}" for folder in "ab" for n in range(5)})
    shelf.add()
    shelf.write({"data/a/0": "changed", "data/b/new": "a0"})
    shelf.remove("data/b/4")
    shelf.status()  # lets the cache settle: what was new when it was added may be read once more
    done = shelf.add()
    assert done.version.changes == {"added": 1, "removed": 1, "changed": 1}
    assert done.stored == 1 + 3, "one blob, and the trees of a, b and the folder; the bytes of `new` were known"


def test_the_same_again_is_no_new_version(shelf):
    shelf.write(FILES)
    shelf.add()
    done = shelf.add(message="again")
    assert (done.new, done.version.number, done.stored) == (False, 1, 0)


def test_what_is_lost_from_the_store_is_stored_again(shelf):
    shelf.write(FILES)
    shelf.add()
    shelf.store.objects.delete(of("22")[0])
    assert shelf.add().stored == 1
    shelf.store.objects.verify(of("22")[0])


def test_thousands_of_files_go_through_helper_processes(shelf, monkeypatch):
    monkeypatch.setattr(gathering, "BATCH", 10)
    files = {f"data/{n % 7}/{n}": f"text {n % 90}" for n in range(300)}
    shelf.write(files)
    done = shelf.add()
    assert done.version.artifact == tree_of({p.removeprefix("data/"): of(t) for p, t in files.items()}).digest
    assert (done.read, done.stored) == (300, 90 + 8)
    shelf.remove("data")
    assert shelf.checkout().written == 300
    assert {f"data/{path}": text for path, text in shelf.files("data").items()} == files


def on_another_file_system(*_):
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


@pytest.mark.parametrize("way", ["inside", "little", "read", "clone"])
def test_a_large_file_is_copied_and_hashed_in_pieces_however_the_system_copies(shelf, monkeypatch, way):
    content = os.urandom((2 << 20) + 5)
    monkeypatch.setattr(bulk, "PIECE", 700_000)
    inside = getattr(os, "copy_file_range", None)
    if way == "little" and inside is not None:
        monkeypatch.setattr(os, "copy_file_range", lambda s, t, most, *at: inside(s, t, min(most, 65_537), *at))
    elif way == "read":
        monkeypatch.setattr(os, "copy_file_range", on_another_file_system, raising=False)
    elif way == "clone":
        monkeypatch.setattr(disk, "clone", lambda source, target: bool(os.sendfile(target, source, 0, 1 << 30)))
    (shelf.root / "big").write_bytes(content)
    digest = shelf.add("big").version.artifact
    assert digest == digest_of(content)
    shelf.store.objects.verify(digest)
    (shelf.root / "big").unlink()
    shelf.checkout("big")
    assert (shelf.root / "big").read_bytes() == content


def test_links_to_files_count_as_what_they_lead_to(shelf):
    shelf.write({"data/a": "text"})
    (shelf.root / "data/b").symlink_to("a")
    shelf.add()
    assert shelf.status().state == "unchanged"
    assert [entry.digest for _, entry in walk_files(shelf.lock()["data"].tree, shelf.store.objects.read)] == [
        of("text")[0]
    ] * 2


@pytest.mark.parametrize("name", ["data", "data/**/*.csv"])
def test_a_folder_that_is_looked_at_some_names_at_a_time_is_seen_whole(shelf, monkeypatch, name):
    monkeypatch.setattr(walking, "AT_ONCE", 2)
    files = {"a.csv": "1", "b.csv": "22", "d/e.csv": "333", "f.csv": "4", "g.csv": "5", "h/i.csv": "6", "k.csv": "7"}
    shelf.write({f"data/{path}": text for path, text in files.items()})
    (shelf.root / "data/c.csv").symlink_to("b.csv")
    done = shelf.add(name)
    assert done.version.artifact == tree_of({path: of(text) for path, text in {**files, "c.csv": "22"}.items()}).digest
    assert shelf.status(name).state == "unchanged"
    shelf.write({"data/g.csv": "new", "data/h/j.csv": ""})
    assert shelf.differing(name) == ("changed", ["g.csv"], ["h/j.csv"], [])


def spoil(root, what):
    if what == "circle":
        (root / "data/x").symlink_to("y")
        (root / "data/y").symlink_to("x")
    elif what == "nowhere":
        (root / "data/x").symlink_to("gone")
    elif what == "folder":
        (root / "data/x").symlink_to(".")
    elif what == "pipe":
        os.mkfifo(root / "data/x")
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            here = Path.cwd()
            os.chdir(root / "data")
            server.bind("x")
            os.chdir(here)
    elif what == "name":
        (root / os.fsdecode(b"data/x\xff")).write_text("")


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("circle", "in a circle"),
        ("nowhere", "leads nowhere"),
        ("folder", "leads to no file"),
        ("pipe", "neither a file nor a folder"),
        ("socket", "neither a file nor a folder"),
        ("name", "not UTF-8"),
    ],
)
def test_what_cannot_be_kept_is_named_and_nothing_is_stored(shelf, what, told):
    shelf.write(FILES)
    spoil(shelf.root, what)
    with pytest.raises(BadDataset, match=told) as refused:
        shelf.add()
    assert "x" in refused.value.where
    assert refused.value.next
    assert (shelf.lock(), list(shelf.store.objects.list()), shelf.leftovers()) == ({}, [], [])


def test_an_empty_folder_and_what_is_not_there_are_refused(shelf):
    (shelf.root / "data/empty").mkdir(parents=True)
    with pytest.raises(BadDataset, match="holds no file"):
        shelf.add()
    with pytest.raises(BadDataset, match="holds no file"):
        shelf.add("data/*.csv")
    with pytest.raises(BadDataset, match="is not there") as refused:
        shelf.add("dota")
    assert "did you mean `data`?" in str(refused.value)
    (shelf.root / "link").symlink_to("data")
    with pytest.raises(BadDataset, match="link to another folder"):
        shelf.add("link")


@pytest.mark.parametrize("times", [1, 100])
@pytest.mark.parametrize("size", [100, 3 << 20])
def test_a_file_that_changes_while_it_is_read_is_read_again_and_refused_if_it_goes_on(shelf, monkeypatch, times, size):
    (shelf.root / "data").mkdir()
    place, left = shelf.root / "data/log", [times]
    place.write_bytes(bytes(size))
    name = "_take_small" if size <= bulk.SMALL else "_take_large"

    original = getattr(bulk, name)

    def taking(*arguments):
        digest = original(*arguments)
        if left[0]:
            left[0] -= 1
            with place.open("r+b") as file:
                file.write(os.urandom(9))
        return digest

    monkeypatch.setattr(bulk, name, taking)
    if times == 1:
        version = shelf.add().version
        entries = dict(walk_files(version.artifact, shelf.store.objects.read))
        assert entries["log"].digest == digest_of(place.read_bytes())
        shelf.store.objects.verify(entries["log"].digest)
        return
    with pytest.raises(bulk.Restless, match="changes while it is read"):
        shelf.add()
    assert (shelf.lock(), shelf.leftovers()) == ({}, [])


def test_two_adds_at_once_keep_both_datasets(shelf):
    shelf.write({"one/a": "1", "two/a": "2", "three/a": "3"})
    failed = []

    def run(name):
        try:
            shelf.add(name)
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "two", "three", "one")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(shelf.lock()) == ["one", "three", "two"]
    assert len(shelf.store.facts.dataset_versions("one")) == 1


@pytest.mark.parametrize("runs", [disk_full, deaths])
@pytest.mark.parametrize("small", [bulk.SMALL, 0])
def test_an_add_that_fails_anywhere_leaves_the_old_version_or_the_new_one(make_shelf, monkeypatch, runs, small):
    monkeypatch.setattr(bulk, "SMALL", small)
    first = make_shelf()
    first.write(FILES)
    first.add()
    before = first.lock()["data"]
    first.write({"data/a.csv": "changed", "data/new/d.csv": "4444"})
    for attempt in runs():
        shelf = make_shelf(str(attempt.n), like=first)
        with attempt:
            shelf.add()
        now = shelf.lock()["data"]
        for digest in shelf.store.objects.list():
            shelf.store.objects.verify(digest)
        assert len(list(walk_files(now.tree, shelf.store.objects.read))) == (3 if now == before else 4), attempt
        assert attempt.dies or shelf.leftovers() == [], attempt
        assert shelf.add().version.number == 2, attempt
        assert shelf.status().state == "unchanged", attempt


def test_all_is_synced_before_it_has_its_name_and_named_before_the_lock_says_so(shelf, monkeypatch):
    shelf.write({f"data/{n}": str(n) for n in range(50)})
    with recorded() as operations:
        shelf.add()
    blobs = [at for at, o in enumerate(operations) if o.name == "replace" and len(o.path.name) == 64]
    synced = [at for at, o in enumerate(operations) if o.name == "sync_file_system"]
    lock = next(at for at, o in enumerate(operations) if o.name == "replace" and o.path.name == "solvent.lock")
    assert len(blobs) == 51
    assert synced[0] < blobs[0] < blobs[-1] < synced[1] < lock
    assert "write" not in {o.name for o in operations[synced[0] : synced[1]]}
    monkeypatch.setattr(disk, "sync_file_system", lambda _: False)  # as on a system that has none
    shelf.write({f"data/new{n}": f"new {n}" for n in range(50)})
    with recorded() as operations:
        shelf.add()
    names = [o.name for o in operations]
    first, last = names.index("replace"), next(at for at, o in enumerate(operations) if o.path.name == "solvent.lock")
    assert names[:first].count("sync") == 51
    assert "sync_folder" in names[first:last]
