"""Blobs by digest: what every backend promises, and the backend that keeps them in a folder.

A blob is named by the BLAKE3 of its bytes, written once and never changed.
`ObjectStore` is the whole interface, so another backend (S3) needs nothing else;
`docs/reference/format.md` gives layout and write ordering of the folder.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from blake3 import blake3

from solvent.foundation.errors import Unexpected, UsageError
from solvent.lineage.digests import Digest
from solvent.store import disk
from solvent.store.gathering import Gathering

CHUNK = 1 << 20
WRITERS = 8  # threads of `put_many`: syncs of several files share the file system's journal commits
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FOLDER = re.compile(r"[0-9a-f]{2}")


class BadDigest(UsageError):
    """Not a digest, so nothing can be stored under it."""

    code = "bad-digest"

    def __init__(self, text: str) -> None:
        super().__init__(f"`{text}` is no digest", next="a digest is 64 hexadecimal digits")


class Missing(Unexpected):
    """No blob under this digest."""

    code = "missing-object"

    def __init__(self, digest: Digest, place: str) -> None:
        super().__init__(
            f"no object {digest}",
            where=place,
            next="it was erased, collected or never written here: run again what makes it, or pull it",
        )
        self.digest = digest


class Corrupt(Unexpected):
    """The bytes under a digest are not the ones that were put there."""

    code = "corrupt-object"

    def __init__(self, digest: Digest, place: str, found: str) -> None:
        super().__init__(
            f"object {digest} has other bytes than were stored: {found}",
            where=place,
            next="run again what makes it, or pull it: storing the right bytes heals it",
        )
        self.digest = digest


class ObjectStore(Protocol):
    """Bytes by digest.

    A `put` that returned has stored bytes that survive kill -9 and power loss; one that
    did not return has stored nothing that can be seen. Any number of writers may work at once.
    """

    root: Path  # blobs lie below it as `ab/abcd…`
    staging: Path

    def put(self, chunks: Iterable[bytes]) -> Digest:
        """Store the chunks, one after the other, as one blob."""

    def put_bytes(self, data: bytes) -> Digest:
        """Store one blob."""

    def put_file(self, path: Path) -> Digest:
        """Store a copy of a file's bytes."""

    def put_many(self, blobs: Sequence[bytes]) -> Sequence[Digest]:
        """Store several blobs, cheaper than one by one. Returns: their digests, in order."""

    def gather(self) -> Gathering:
        """A way to store very many blobs at once; all are acknowledged together."""

    def read(self, digest: Digest) -> bytes:
        """The bytes, compared with their name. Raises: Missing, Corrupt."""

    def path(self, digest: Digest, *, size: int | None = None) -> Path:
        """A local file with the bytes, to be scanned and never changed.

        size: bytes that it must have; content is not compared, `verify` does that.
        Raises: Missing, Corrupt.
        """

    def size(self, digest: Digest) -> int | None:
        """Bytes of a blob, None where there is none."""

    def exists(self, digest: Digest) -> bool:
        """Whether there is a blob under the digest."""

    def verify(self, digest: Digest) -> None:
        """Compare the bytes with their name without holding them in memory. Raises: Missing, Corrupt."""

    def delete(self, digest: Digest) -> bool:
        """Remove a blob for good. Returns: whether there was one."""

    def list(self) -> Iterator[Digest]:
        """All digests, in order."""

    def sweep(self, before: datetime) -> int:
        """Remove what writers that were killed before then left behind. Returns: how many files."""


class FolderObjects:
    """Blobs as read-only files `root/ab/abcd…`; `staging` must be on the same file system."""

    def __init__(self, root: Path, staging: Path) -> None:
        self.root = root
        self.staging = staging
        self._anchored = False  # whether the root's own name is known to be on the medium

    def put(self, chunks: Iterable[bytes]) -> Digest:
        with self._staged(1) as staged:
            digest = _write(staged[0], chunks)
            self._publish(staged, [digest])
        return digest

    def put_bytes(self, data: bytes) -> Digest:
        return self.put([data])

    def put_file(self, path: Path) -> Digest:
        return self.put(_chunks(path))

    def put_many(self, blobs: Sequence[bytes]) -> Sequence[Digest]:
        if not blobs:
            return []
        with self._staged(len(blobs)) as staged:
            with ThreadPoolExecutor(min(WRITERS, len(blobs))) as pool:
                digests = list(pool.map(lambda name, blob: _write(name, [blob]), staged, blobs))
            self._publish(staged, digests)
        return digests

    def gather(self) -> Gathering:
        return Gathering(self)

    def read(self, digest: Digest) -> bytes:
        place = self._place(digest)
        try:
            data = place.read_bytes()
        except FileNotFoundError:
            raise Missing(digest, str(self.root)) from None
        if blake3(data).hexdigest() != digest:
            raise Corrupt(digest, str(place), f"{len(data)} bytes")
        return data

    def path(self, digest: Digest, *, size: int | None = None) -> Path:
        place, found = self._place(digest), self.size(digest)
        if found is None:
            raise Missing(digest, str(self.root))
        if size is not None and found != size:
            raise Corrupt(digest, str(place), f"{found} bytes, {size} expected")
        return place

    def size(self, digest: Digest) -> int | None:
        try:
            return self._place(digest).stat().st_size
        except FileNotFoundError:
            return None

    def exists(self, digest: Digest) -> bool:
        return self.size(digest) is not None

    def verify(self, digest: Digest) -> None:
        place, hasher = self._place(digest), blake3()
        try:
            for chunk in _chunks(place):
                hasher.update(chunk)
        except FileNotFoundError:
            raise Missing(digest, str(self.root)) from None
        if hasher.hexdigest() != digest:
            raise Corrupt(digest, str(place), f"their digest is {hasher.hexdigest()}")

    def delete(self, digest: Digest) -> bool:
        place = self._place(digest)
        if not place.exists():
            return False
        disk.unlink(place)
        disk.sync_folder(place.parent)
        return True

    def list(self) -> Iterator[Digest]:
        if not self.root.is_dir():
            return
        for folder in sorted(entry for entry in self.root.iterdir() if _FOLDER.fullmatch(entry.name)):
            for name in sorted(entry.name for entry in folder.iterdir()):
                if _DIGEST.fullmatch(name):
                    yield Digest(name)

    def sweep(self, before: datetime) -> int:
        removed = 0
        for staged in self.staging.iterdir() if self.staging.is_dir() else ():
            with suppress(FileNotFoundError):  # its writer finished meanwhile
                if staged.stat().st_mtime >= before.timestamp():
                    continue
                if staged.is_dir():  # a gathering
                    removed += sum(not place.is_dir() for place in staged.rglob("*"))
                    shutil.rmtree(staged)
                else:
                    disk.unlink(staged)
                    removed += 1
        return removed

    def _place(self, digest: Digest) -> Path:
        if not _DIGEST.fullmatch(digest):  # a digest may come from outside; it must not name other files
            raise BadDigest(digest)
        return self.root / digest[:2] / digest

    @contextmanager
    def _staged(self, count: int) -> Iterator[Sequence[Path]]:
        """New names in staging; whatever bears one is removed when an error leaves."""
        disk.make_folder(self.staging)
        names = [self.staging / uuid4().hex for _ in range(count)]
        try:
            yield names
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell; `sweep` removes what stays
                for name in names:
                    disk.unlink(name)
            raise

    def _publish(self, staged: Sequence[Path], digests: Sequence[Digest]) -> None:
        """Give synced files their names, then sync each folder once."""
        places = [self._place(digest) for digest in digests]
        folders = sorted({place.parent for place in places})
        for folder in folders:
            disk.make_folder(folder)
        for name, place in zip(staged, places, strict=True):
            disk.replace(name, place)
        for folder in folders:
            disk.sync_folder(folder)
        disk.sync_folder(self.root)  # a folder may be new, by us or by a writer that has not synced it yet
        if not self._anchored:
            disk.sync_folder(self.root.parent)
            self._anchored = True


def _write(path: Path, chunks: Iterable[bytes]) -> Digest:
    """Write a new read-only file and sync it. Returns: the digest of its bytes."""
    hasher, descriptor = blake3(), disk.create(path)
    try:
        for chunk in chunks:
            hasher.update(chunk)
            disk.write(descriptor, chunk)
        os.fchmod(descriptor, 0o444)
        disk.sync(descriptor)
    finally:
        os.close(descriptor)
    return Digest(hasher.hexdigest())


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
