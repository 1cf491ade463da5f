"""What every remote promises. A backend's test class inherits it and gives the fixture `remote`."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from solvent.lineage.digests import Digest, digest_of
from solvent.store.objects import Corrupt, FolderObjects, Missing
from solvent.store.remotes.errors import CorruptOnRemote, NotOnRemote
from solvent.store.remotes.mirror import ONE_BY_ONE, Mirror
from solvent.store.remotes.protocol import Remote
from solvent.store.remotes.transfer import (
    documents,
    object_name,
    read_object,
    receive_document,
    receive_object,
    send_document,
    send_object,
    verify_object,
)

LARGE = 20 << 20  # bytes: several parts of a multi-part upload


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def names(remote: Remote) -> list[str]:
    return sorted(stored.name for stored in remote.list("objects"))


class RemoteContract:
    """Needs fixtures: `remote`, an empty one; `damage`, which changes one byte of a name on it behind its back."""

    @pytest.fixture
    def here(self, tmp_path: Path) -> FolderObjects:
        return FolderObjects(tmp_path / "here" / "objects", tmp_path / "here" / "staging")

    @pytest.fixture
    def there(self, tmp_path: Path) -> FolderObjects:
        return FolderObjects(tmp_path / "there" / "objects", tmp_path / "there" / "staging")

    @pytest.mark.parametrize("size", [0, 1, 100_000, (8 << 20) + 1, LARGE])
    def test_an_object_of_any_size_goes_there_and_back(self, remote, here, there, size: int) -> None:
        data = noise(size)
        digest = here.put_bytes(data)
        assert send_object(remote, here, digest) == size
        assert remote.size(object_name(digest)) == size
        assert verify_object(remote, digest) == size
        receive_object(remote, there, digest)
        assert there.read(digest) == read_object(remote, digest) == data

    def test_what_is_listed_is_what_was_sent(self, remote, here) -> None:
        assert names(remote) == []
        digests = [here.put_bytes(noise(99, seed)) for seed in range(30)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda digest: send_object(remote, here, digest), digests))
        assert names(remote) == sorted(map(object_name, digests))
        assert {stored.size for stored in remote.list("objects")} == {99}
        first = digests[0]
        assert [stored.name for stored in remote.list(f"objects/{first[:2]}")] == [
            object_name(digest) for digest in sorted(digests) if digest[:2] == first[:2]
        ]

    def test_the_mirror_knows_sizes_one_by_one_and_by_list(self, remote, here) -> None:
        digests = [here.put_bytes(noise(10 + seed, seed)) for seed in range(2 * ONE_BY_ONE)]
        for digest in digests[::2]:
            send_object(remote, here, digest)
        mirror = Mirror(remote)
        for place, digest in enumerate(digests):
            assert mirror.size(digest) == (None if place % 2 else 10 + place)
        mirror.sent(digests[1], 11)
        assert mirror.size(digests[1]) == 11

    def test_what_is_not_there_is_told_by_name(self, remote, there) -> None:
        absent = Digest("0" * 64)
        assert remote.size(object_name(absent)) is None
        for ask in (lambda: receive_object(remote, there, absent), lambda: read_object(remote, absent)):
            with pytest.raises(NotOnRemote, match=absent) as refused:
                ask()
            assert refused.value.next
        assert list(there.list()) == []

    def test_a_source_that_breaks_off_leaves_nothing_to_be_seen(self, remote) -> None:
        def broken(whole: int) -> Iterator[bytes]:
            for number in range(whole):
                yield noise(1 << 20, number)
            raise Missing(Digest("0" * 64), "here")

        for whole, size in ((0, 10), (1, 2 << 20), (17, LARGE)):
            with pytest.raises(Missing):
                remote.write("objects/aa/broken", broken(whole), size)
        assert remote.size("objects/aa/broken") is None
        assert names(remote) == []

    @pytest.mark.parametrize("size", [1000, LARGE])
    def test_local_damage_does_not_travel(self, remote, here, size: int) -> None:
        digest = here.put_bytes(noise(size))
        place = here.path(digest)
        place.chmod(0o644)
        with place.open("r+b") as file:
            file.seek(size // 2)
            file.write(b"!" if noise(size)[size // 2] != ord("!") else b"?")
        with pytest.raises(Corrupt, match=digest):
            send_object(remote, here, digest)
        assert names(remote) == []

    def test_damage_on_the_remote_is_named_and_does_not_arrive(self, remote, damage, here, there) -> None:
        digest = here.put_bytes(noise(5000))
        send_object(remote, here, digest)
        damage(object_name(digest))
        for ask in (
            lambda: receive_object(remote, there, digest),
            lambda: read_object(remote, digest),
            lambda: verify_object(remote, digest),
        ):
            with pytest.raises(CorruptOnRemote, match=digest):
                ask()
        assert list(there.list()) == []
        assert not there.staging.exists() or list(there.staging.iterdir()) == []
        send_object(remote, here, digest)
        assert verify_object(remote, digest) == 5000

    def test_documents_are_named_by_key_and_digest(self, remote, damage) -> None:
        assert documents(remote, "runs") == []
        data = b'{"runs":[]}'
        name = send_document(remote, "runs", "0192", data)
        other = send_document(remote, "datasets", "", data)
        assert (name, other) == (f"runs/0192-{digest_of(data)}", f"datasets/{digest_of(data)}")
        assert (documents(remote, "runs"), documents(remote, "datasets")) == ([name], [other])
        assert receive_document(remote, name) == receive_document(remote, other) == data
        damage(name)
        with pytest.raises(CorruptOnRemote):
            receive_document(remote, name)

    def test_many_senders_of_one_object_do_not_disturb_each_other(self, remote, here) -> None:
        digest = here.put_bytes(os.urandom(200_000))
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: send_object(remote, here, digest), range(24))) == {200_000}
        assert verify_object(remote, digest) == 200_000
        assert names(remote) == [object_name(digest)]
