"""The object store in a folder: the contract, and the promises that only a folder can break."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from solvent.lineage.digests import Digest, digest_of
from solvent.store.objects import Corrupt, FolderObjects
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


def test_many_blobs_are_all_synced_then_all_renamed_then_each_folder_is_synced_once(objects: FolderObjects) -> None:
    blobs = [str(n).encode() for n in range(300)]
    with recorded() as operations:
        digests = objects.put_many(blobs)
    names = [operation.name for operation in operations]
    last_sync, first_rename = len(names) - 1 - names[::-1].index("sync"), names.index("replace")
    last_rename, first_folder = len(names) - 1 - names[::-1].index("replace"), names.index("sync_folder")
    assert last_sync < first_rename
    assert last_rename < first_folder
    assert (names.count("sync"), names.count("replace")) == (300, 300)
    folders = [operation.path for operation in operations if operation.name == "sync_folder"]
    assert sorted(folders) == sorted(
        {objects.root / digest[:2] for digest in digests} | {objects.root, objects.root.parent}
    )


def put_everything(objects: FolderObjects, acknowledged: list[tuple[Digest, bytes]]) -> None:
    for data in (b"first", b"first", bytes(70_000)):  # one by one: each is acknowledged before the next begins
        acknowledged += [(objects.put_bytes(data), data)]
    blobs = [b"first", b"third", b"fourth"]
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
