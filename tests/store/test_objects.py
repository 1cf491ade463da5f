"""The object store in a folder: the contract, and the promises that only a folder can break."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from solvent.lineage.digests import Digest, digest_of
from solvent.store import disk
from solvent.store.objects import Corrupt, FolderObjects, Missing, ObjectStore
from solvent.store.remotes.errors import Unreachable
from store.faults import Operation, deaths, disk_full, recorded
from store.object_store_contract import ObjectStoreContract


def folder_objects(root: Path) -> FolderObjects:
    return FolderObjects(root / "objects", root / "staging")


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    return folder_objects(tmp_path)


class TestFolder(ObjectStoreContract):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[], FolderObjects]:
        return lambda: folder_objects(tmp_path)

    @pytest.fixture
    def writer(self, tmp_path: Path) -> list[str]:
        return [str(tmp_path / "objects"), str(tmp_path / "staging")]


def test_a_blob_lies_read_only_in_the_folder_of_its_first_two_digits(objects: FolderObjects) -> None:
    digest = objects.put_bytes(b"bytes")
    place = objects.root / digest[:2] / digest
    assert place.read_bytes() == b"bytes"
    assert place.stat().st_mode & 0o777 == 0o444
    assert list(objects.staging.iterdir()) == []


def test_bytes_are_synced_before_they_get_their_name_and_the_name_before_the_acknowledgement(
    objects: FolderObjects,
) -> None:
    with recorded() as operations:
        digest = objects.put([b"one", b"two"])
    place = objects.root / digest[:2] / digest
    staged = operations[1].path
    assert staged.parent == objects.staging
    assert operations == [
        Operation("make_folder", objects.staging),
        Operation("create", staged),
        Operation("write", staged),
        Operation("write", staged),
        Operation("sync", staged),
        Operation("make_folder", place.parent),
        Operation("replace", place),
        Operation("sync_folder", place.parent),
        Operation("sync_folder", objects.root),
        Operation("sync_folder", objects.root.parent),
    ]


def test_many_blobs_are_all_written_then_synced_at_once_then_renamed_then_synced(objects: FolderObjects) -> None:
    with recorded() as operations:
        objects.put_many([str(n).encode() for n in range(300)])
    names = [operation.name for operation in operations]
    first, second = (place for place, name in enumerate(names) if name == "sync_file_system")
    assert names.count("write") == names[:first].count("write") == 300
    assert names.count("replace") == names[first:second].count("replace") == 300
    assert second == len(names) - 1
    assert [operation.path for operation in operations if operation.name == "sync_file_system"] == [
        objects.staging, objects.root,
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "syncs_all"), [(3, True), (300, False)])
def test_few_blobs_or_where_the_system_cannot_are_synced_one_by_one_and_each_folder_once(
    objects: FolderObjects, monkeypatch: pytest.MonkeyPatch, count: int, syncs_all: bool
) -> None:
    monkeypatch.setattr(disk, "SYNCS_ALL", syncs_all)
    with recorded() as operations:
        digests = objects.put_many([str(n).encode() for n in range(count)])
    names = [operation.name for operation in operations]
    last_sync, first_rename = len(names) - 1 - names[::-1].index("sync"), names.index("replace")
    last_rename, first_folder = len(names) - 1 - names[::-1].index("replace"), names.index("sync_folder")
    assert last_sync < first_rename
    assert last_rename < first_folder
    assert (names.count("sync"), names.count("replace")) == (count, count)
    folders = [operation.path for operation in operations if operation.name == "sync_folder"]
    assert sorted(folders) == sorted(
        {objects.root / digest[:2] for digest in digests} | {objects.root, objects.root.parent}
    )


def put_everything(objects: FolderObjects, acknowledged: list[tuple[Digest, bytes]]) -> None:
    for data in (b"first", b"first", bytes(70_000)):  # one by one: each is acknowledged before the next begins
        acknowledged += [(objects.put_bytes(data), data)]
    blobs = [b"first", b"second"]
    acknowledged.extend(zip(objects.put_many(blobs), blobs, strict=True))
    blobs = [b"first", b"third", b"fourth", b"fifth", b"sixth"]
    acknowledged.extend(zip(objects.put_many(blobs), blobs, strict=True))
    objects.delete(acknowledged.pop()[0])


@pytest.mark.parametrize("fault", [disk_full, deaths])
def test_whatever_operation_fails_what_was_acknowledged_is_there_and_nothing_is_half_there(
    fault: Callable, tmp_path: Path
) -> None:
    for attempt in fault():
        root = tmp_path / str(attempt.n)
        acknowledged: list[tuple[Digest, bytes]] = []
        with attempt:
            put_everything(folder_objects(root), acknowledged)
        after = folder_objects(root)
        for digest, data in acknowledged:
            assert after.read(digest) == data, attempt
        for digest in after.list():
            after.verify(digest)
        if not attempt.dies and attempt.struck and attempt.struck.name != "unlink":
            assert not after.staging.exists() or list(after.staging.iterdir()) == [], attempt
        again: list[tuple[Digest, bytes]] = []
        put_everything(after, again)
        assert [digest for digest, _ in again] == [digest_of(data) for _, data in again]
    assert attempt.n > 30


def test_a_changed_blob_is_found_when_it_is_read_and_healed_when_it_is_stored_again(objects: FolderObjects) -> None:
    digest = objects.put_bytes(b"good")
    place = objects.path(digest)
    place.chmod(0o644)
    place.write_bytes(b"evil")
    for ask in (objects.read, objects.verify):
        with pytest.raises(Corrupt, match="other bytes than were stored") as refused:
            ask(digest)
        assert (refused.value.code, refused.value.where) == ("corrupt-object", str(place))
    place.write_bytes(b"goo")
    with pytest.raises(Corrupt, match="3 bytes, 4 expected"):
        objects.path(digest, size=4)
    objects.put_bytes(b"good")
    objects.verify(digest)


def test_alien_files_are_not_listed(objects: FolderObjects) -> None:
    digest = objects.put_bytes(b"ours")
    (objects.root / "README").write_text("theirs")
    (objects.root / digest[:2] / "note").write_text("theirs")
    (objects.root / "zz").mkdir()
    assert list(objects.list()) == [digest]


def test_sweeping_removes_what_killed_writers_left_and_no_younger_file(objects: FolderObjects) -> None:
    assert objects.sweep(datetime.now(UTC)) == 0
    objects.staging.mkdir()
    (objects.staging / "left").write_bytes(b"half")
    (objects.staging / "gathering" / "7").mkdir(parents=True)
    (objects.staging / "gathering" / "7" / "left").write_bytes(b"half")
    now = datetime.now(UTC)
    assert objects.sweep(now - timedelta(days=1)) == 0
    assert objects.sweep(now + timedelta(days=1)) == 2
    assert list(objects.staging.iterdir()) == []


@pytest.mark.parametrize("use", ["read", "path", "checked_path", "hold"])
def test_a_use_is_noted_before_collection_can_take_what_is_used(use: str, objects: FolderObjects) -> None:
    used, unused = objects.put_many([b"used", b"unused"])
    for digest in (used, unused):
        os.utime(objects.root / digest[:2] / digest, (1e9, 1e9))
    getattr(objects, use)(used)
    objects.verify(unused)
    objects.peek(unused)
    assert list(objects.collect([used, unused], datetime.now(UTC) - timedelta(minutes=15))) == [unused]


@pytest.mark.parametrize("harm", ["flip", "cut", "delete"])
@pytest.mark.parametrize("use", ["read", "checked_path"])
def test_a_damaged_blob_is_fetched_compared_and_put_back(harm: str, use: str, objects: FolderObjects) -> None:
    digest = objects.put_bytes(b"good bytes")
    place, asked = objects.path(digest), []

    def fetch(here: ObjectStore, wanted: Digest) -> bool:
        asked.append(wanted)
        here.receive(wanted, [b"good ", b"bytes"])
        return True

    place.chmod(0o644)
    if harm == "delete":
        place.unlink()
    else:
        place.write_bytes(b"evil bytes" if harm == "flip" else b"good")
    with pytest.raises((Corrupt, Missing)):
        getattr(objects, use)(digest)
    objects.fetch = fetch
    getattr(objects, use)(digest)
    objects.verify(digest)
    assert asked == [digest]


def test_what_cannot_be_fetched_either_is_told_as_it_is_here(objects: FolderObjects) -> None:
    digest = digest_of(b"never stored")
    objects.fetch = lambda *_: False
    with pytest.raises(Missing, match="run again what makes it"):
        objects.read(digest)

    def fail(*_: object) -> bool:
        raise Unreachable("s3://bucket", "no route to host")

    objects.fetch = fail
    with pytest.raises(Missing) as refused:
        objects.read(digest)
    assert "no route to host" in refused.value.next


def test_many_files_hold_what_the_store_has_of_them(objects: FolderObjects, tmp_path: Path) -> None:
    digest = objects.put_bytes(b"old")
    os.utime(objects.root / digest[:2] / digest, (1e9, 1e9))
    (tmp_path / "file").write_bytes(b"old")
    with objects.gather() as gathering:
        (answers,) = gathering.take([[str(tmp_path / "file")]])
        assert [found for found, _ in answers] == [digest]
        assert list(objects.collect([digest], datetime.now(UTC) - timedelta(minutes=15))) == []
        gathering.publish()
