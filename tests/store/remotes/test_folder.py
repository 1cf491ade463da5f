"""A remote in a folder: the contract, and what only a folder can do wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from solvent.store.objects import FolderObjects
from solvent.store.remotes.errors import BadRemoteUrl, NoRemote, RemoteDenied, Unreachable
from solvent.store.remotes.folder import FolderRemote
from solvent.store.remotes.opening import open_remote
from solvent.store.remotes.transfer import receive_object, send_object, verify_object
from store.faults import deaths, disk_full
from store.remotes.remote_contract import RemoteContract


def flip(place: Path) -> None:
    """Change one byte of a file behind everyone's back."""
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.chmod(0o644)
    place.write_bytes(data)


class TestFolder(RemoteContract):
    @pytest.fixture
    def remote(self, tmp_path: Path) -> FolderRemote:
        return open_remote(f"file://{tmp_path}/remote", root=tmp_path)

    @pytest.fixture
    def damage(self, tmp_path: Path) -> Callable[[str], None]:
        return lambda name: flip(tmp_path / "remote" / name)


def test_the_url_chooses_the_backend_and_relative_paths_start_at_the_project(tmp_path):
    for url in ("../remote", f"file://{tmp_path}/remote", str(tmp_path / "remote")):
        remote = open_remote(url, root=tmp_path / "project")
        assert isinstance(remote, FolderRemote)
        assert remote.root == tmp_path / "remote"
    for url in ("s3://", "gopher://x/y", "file://host/x", "s3://bucket/x?region=y", "s3://user:secret@bucket/x"):
        with pytest.raises(BadRemoteUrl):
            open_remote(url, root=tmp_path)
    with pytest.raises(NoRemote, match="has no remote"):
        open_remote("", root=tmp_path)


def test_a_disk_that_is_not_there_is_unreachable_and_nothing_is_made_in_its_place(tmp_path):
    remote = open_remote(str(tmp_path / "unmounted" / "remote"), root=tmp_path)
    here = FolderObjects(tmp_path / "objects", tmp_path / "staging")
    digest = here.put_bytes(b"bytes")
    for ask in (
        lambda: list(remote.list("objects")),
        lambda: send_object(remote, here, digest),
        lambda: receive_object(remote, here, digest),
    ):
        with pytest.raises(Unreachable, match="there is no folder"):
            ask()
    assert not (tmp_path / "unmounted").exists()


def test_whatever_operation_fails_the_remote_holds_whole_objects_and_the_next_sending_ends_it(tmp_path):
    here = FolderObjects(tmp_path / "objects", tmp_path / "staging")
    digests = [here.put_bytes(os.urandom(30_000)) for _ in range(2)]
    for fault in (disk_full, deaths):
        for attempt in fault():
            remote = FolderRemote(tmp_path / fault.__name__ / str(attempt.n) / "remote", "remote")
            remote.root.parent.mkdir(parents=True)
            with attempt:
                for digest in digests:
                    send_object(remote, here, digest)
            for stored in remote.list("objects"):
                assert stored.size == 30_000, attempt
            for digest in digests:
                send_object(remote, here, digest)
                verify_object(remote, digest)
        assert attempt.n > 10


def test_a_remote_that_may_only_be_read_serves_and_refuses_with_a_sentence(tmp_path, monkeypatch):
    remote = FolderRemote(tmp_path / "remote", "remote")
    here = FolderObjects(tmp_path / "objects", tmp_path / "staging")
    there = FolderObjects(tmp_path / "there", tmp_path / "there-staging")
    old, new = here.put_bytes(b"old"), here.put_bytes(b"new")
    send_object(remote, here, old)
    before = sorted(path for path in remote.root.rglob("*") if path.is_file())

    def denied(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied", str(remote.root / "staging"))

    with monkeypatch.context() as patched:
        patched.setattr("solvent.store.disk.create", denied)  # root may write anywhere, so rights alone stop no test
        with pytest.raises(RemoteDenied, match="Permission denied"):
            send_object(remote, here, new)
    receive_object(remote, there, old)
    assert there.read(old) == b"old"
    assert sorted(path for path in remote.root.rglob("*") if path.is_file()) == before


def test_what_killed_senders_left_is_tidied_after_a_day(tmp_path):
    remote = FolderRemote(tmp_path / "remote", "remote")
    staging = tmp_path / "remote" / "staging"
    staging.mkdir(parents=True)
    (staging / "old").write_bytes(b"half")
    os.utime(staging / "old", (0, 0))
    (staging / "young").write_bytes(b"half")
    remote.tidy()
    assert [path.name for path in staging.iterdir()] == ["young"]
