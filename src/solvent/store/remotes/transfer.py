"""Objects and documents on their way: verified at both ends, sent once, never half there.

A sent object is compared with its name while it is read, so local damage does not
travel; a received one is compared before it gets its name. What is there with the
right size is not sent again, which is all that it takes to resume.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from blake3 import blake3

from solvent.lineage.digests import Digest, digest_of
from solvent.store.objects import Corrupt, Missing, ObjectStore
from solvent.store.remotes.errors import CorruptOnRemote, Interrupted
from solvent.store.remotes.parallel import again
from solvent.store.remotes.protocol import Remote

OBJECTS = "objects"
CHUNK = 4 << 20  # bytes
WHOLE = 8 << 20  # bytes up to which an object is held in memory


def object_name(digest: Digest) -> str:
    """Where an object lies on a remote."""
    return f"{OBJECTS}/{digest[:2]}/{digest}"


def send_object(remote: Remote, objects: ObjectStore, digest: Digest) -> int:
    """Send one object. Returns: its bytes. Raises: Missing, Corrupt (here), or what the remote says."""
    place = objects.path(digest)
    size = place.stat().st_size

    def send() -> None:
        chunks = [objects.read(digest)] if size <= WHOLE else _checked(place, digest)
        remote.write(object_name(digest), chunks, size)

    again(send, remote.url)
    return size


def _checked(place: Path, digest: Digest) -> Iterator[bytes]:
    """A file's chunks; the last one is given only once all have the right digest, so that nothing else is sent."""
    hasher, held = blake3(), b""
    try:
        with place.open("rb") as file:
            while chunk := file.read(CHUNK):
                hasher.update(chunk)
                if held:
                    yield held
                held = chunk
    except FileNotFoundError:
        raise Missing(digest, str(place)) from None
    if hasher.hexdigest() != digest:
        raise Corrupt(digest, str(place), f"their digest is {hasher.hexdigest()}")
    yield held


def receive_object(remote: Remote, objects: ObjectStore, digest: Digest) -> None:
    """Fetch one object and store it. Raises: NotOnRemote, CorruptOnRemote, Unreachable."""
    name = object_name(digest)
    again(lambda: _receive(remote, objects, digest, name), remote.url)


def _receive(remote: Remote, objects: ObjectStore, digest: Digest, name: str) -> None:
    try:
        objects.receive(digest, remote.read(name))
    except Corrupt as error:
        _blame(remote, name, error.actual)


def read_object(remote: Remote, digest: Digest) -> bytes:
    """Fetch a small object into memory. Raises: NotOnRemote, CorruptOnRemote, Unreachable."""
    return _read_checked(remote, object_name(digest), digest)


def _read_checked(remote: Remote, name: str, digest: str) -> bytes:
    def read() -> bytes:
        data = b"".join(remote.read(name))
        if digest_of(data) != digest:
            _blame(remote, name, digest_of(data))
        return data

    return again(read, remote.url)


def _blame(remote: Remote, name: str, found: Digest | None) -> None:
    """What arrived has other bytes: was it cut or changed on its way, or does the remote hold them so?

    Raises: CorruptOnRemote where a second reading gives the same bytes, else Interrupted.
    """
    hasher = blake3()
    for chunk in remote.read(name):
        hasher.update(chunk)
    if found is not None and hasher.hexdigest() == found:
        raise CorruptOnRemote(name, remote.url, found)
    raise Interrupted(f"{name} did not arrive whole")


def verify_object(remote: Remote, digest: Digest) -> int:
    """Read an object on the remote and compare it with its name. Returns: its bytes.

    Raises: NotOnRemote, CorruptOnRemote, Unreachable.
    """
    name = object_name(digest)

    def look() -> int:
        hasher, size = blake3(), 0
        for chunk in remote.read(name):
            hasher.update(chunk)
            size += len(chunk)
        if hasher.hexdigest() != digest:
            _blame(remote, name, Digest(hasher.hexdigest()))
        return size

    return again(look, remote.url)


def send_document(remote: Remote, folder: str, key: str, data: bytes) -> str:
    """Send a document of facts, named by a key and its digest. Returns: the name."""
    name = f"{folder}/{key}-{digest_of(data)}" if key else f"{folder}/{digest_of(data)}"
    again(lambda: remote.write(name, [data], len(data)), remote.url)
    return name


def receive_document(remote: Remote, name: str) -> bytes:
    """Fetch a document. Raises: NotOnRemote, CorruptOnRemote, Unreachable."""
    return _read_checked(remote, name, name[-64:])


def documents(remote: Remote, folder: str) -> list[str]:
    """The names of all documents in a folder of the remote, in order."""
    return sorted(again(lambda: [stored.name for stored in remote.list(folder)], remote.url))
