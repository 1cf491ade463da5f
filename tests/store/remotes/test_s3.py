"""A remote in a bucket, against a real S3 server: the contract, and a network that fails."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread

import pytest

from solvent.store.objects import FolderObjects
from solvent.store.remotes import parallel
from solvent.store.remotes.errors import NoBucket, RemoteDenied, Unreachable
from solvent.store.remotes.opening import open_remote
from solvent.store.remotes.s3 import S3Remote
from solvent.store.remotes.transfer import object_name, receive_object, send_object, verify_object
from store.remotes.remote_contract import LARGE, RemoteContract, names, noise

SENDER = """
import sys
from pathlib import Path
from solvent.store.objects import FolderObjects
from solvent.store.remotes import open_remote
from solvent.store.remotes.transfer import send_object
root, url, endpoint, digest = sys.argv[1:]
print("ready", flush=True)
objects = FolderObjects(Path(root, "objects"), Path(root, "staging"))
send_object(open_remote(url, root=Path(), endpoint=endpoint), objects, digest)
"""


@pytest.fixture
def bucket(s3) -> str:
    return s3.bucket()


@pytest.fixture
def objects(tmp_path) -> FolderObjects:
    return FolderObjects(tmp_path / "objects", tmp_path / "staging")


class TestS3(RemoteContract):
    @pytest.fixture
    def remote(self, s3, bucket, tmp_path) -> S3Remote:
        return open_remote(f"s3://{bucket}/some/prefix", root=tmp_path, endpoint=s3.endpoint)

    @pytest.fixture
    def damage(self, remote) -> Callable[[str], None]:
        def flip(name: str) -> None:
            data = bytearray(b"".join(remote.read(name)))
            data[len(data) // 2] ^= 1
            remote.write(name, [bytes(data)], len(data))

        return flip


@pytest.mark.parametrize("fault", ["drop", "503", "cut", "slow"])
def test_a_network_that_fails_now_and_then_delays_and_harms_nothing(fault, faulty, bucket, objects, tmp_path):
    proxy = faulty(fault, share=0.3)
    remote = open_remote(f"s3://{bucket}", root=tmp_path, endpoint=proxy.endpoint)
    sizes = [*(3000 + n for n in range(24)), 9 << 20]
    digests = [objects.put_bytes(noise(size, seed)) for seed, size in enumerate(sizes)]
    there = FolderObjects(tmp_path / "there", tmp_path / "there-staging")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda digest: send_object(remote, objects, digest), digests))
        list(pool.map(lambda digest: receive_object(remote, there, digest), digests))
    assert sorted(there.list()) == sorted(digests)
    for digest in digests:
        there.verify(digest)
    assert proxy.struck, "nothing went wrong, so nothing was tested"


def test_a_network_that_always_fails_is_told_once_and_leaves_nothing(
    faulty, bucket, s3, objects, tmp_path, monkeypatch
):
    monkeypatch.setattr(parallel, "TRIES", 2)
    remote = open_remote(f"s3://{bucket}", root=tmp_path, endpoint=faulty("drop", share=1).endpoint)
    digest = objects.put_bytes(noise(1000))
    with pytest.raises(Unreachable, match="does not answer") as refused:
        send_object(remote, objects, digest)
    assert "works without it" in refused.value.next
    assert names(open_remote(f"s3://{bucket}", root=tmp_path, endpoint=s3.endpoint)) == []


def test_an_upload_that_is_killed_leaves_nothing_to_be_seen_and_the_next_one_ends_it(
    faulty, bucket, s3, objects, tmp_path
):
    digest = objects.put_bytes(noise(3 * LARGE))
    slow = faulty("slow", share=1).endpoint
    direct = open_remote(f"s3://{bucket}", root=tmp_path, endpoint=s3.endpoint)
    for wait in (0.1, 0.3, 0.6):
        command = [sys.executable, "-c", SENDER, str(tmp_path), f"s3://{bucket}", slow, digest]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as sender:
            assert sender.stdout.readline() == b"ready\n"
            time.sleep(wait)
            sender.kill()
        if direct.size(object_name(digest)) is not None:
            verify_object(direct, digest)  # it was quick enough
    send_object(direct, objects, digest)
    assert verify_object(direct, digest) == 3 * LARGE


def test_a_bucket_that_is_not_there_is_told_by_name(s3, objects, tmp_path):
    digest = objects.put_bytes(b"bytes")
    remote = open_remote("s3://no-such-bucket", root=tmp_path, endpoint=s3.endpoint)
    for ask in (lambda: send_object(remote, objects, digest), lambda: list(remote.list("objects"))):
        with pytest.raises(NoBucket, match="no-such-bucket"):
            ask()


@pytest.mark.parametrize("answer", [b"403 Forbidden", b"401 Unauthorized"])
def test_a_remote_that_refuses_us_is_told_with_the_way_out(answer, s3, objects, tmp_path):
    digest = objects.put_bytes(b"bytes")
    with refusing(answer) as endpoint, pytest.raises(RemoteDenied) as refused:
        send_object(open_remote("s3://bucket", root=tmp_path, endpoint=endpoint), objects, digest)
    assert "AWS_" in refused.value.next


@contextmanager
def refusing(answer: bytes) -> Iterator[str]:
    """A server that says no to everything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:  # closed
                    return
                with client:
                    client.recv(65536)
                    client.sendall(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
