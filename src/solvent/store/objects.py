"""Blobs by digest: what every backend promises, and the backend that keeps them in a folder.

A blob is named by the BLAKE3 of its bytes, written once and never changed.
`ObjectStore` is the whole interface; `docs/reference/format.md` gives layout and write
ordering of the folder. A blob that is missing or damaged is fetched where someone who
can was handed in, compared with its name, and put back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar
from uuid import uuid4

from blake3 import blake3

from solvent.foundation.errors import SolventError, Unexpected, UsageError
from solvent.lineage.digests import Digest
from solvent.store import disk
from solvent.store.gathering import Gathering
from solvent.store.sessions import LOCK, alone, hold, together

CHUNK = 1 << 20
Answer = TypeVar("Answer")
WRITERS = 8  # threads of `put_many`: syncs of several files share the file system's journal commits
FEW = 4  # blobs up to which each is synced by itself: that waits for nobody else's writes
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

    def __init__(self, digest: Digest, place: str, found: str, actual: Digest | None = None) -> None:
        super().__init__(
            f"object {digest} has other bytes than were stored: {found}",
            where=place,
            next="run again what makes it, or pull it: storing the right bytes heals it",
        )
        self.digest = digest
        self.actual = actual  # the digest of the bytes that are there, where it was computed


Fetch = Callable[["ObjectStore", Digest], bool]  # stores a blob from elsewhere; False where there is none either


class Kept(NamedTuple):
    """A blob as it lies there. size: bytes; used: when it was last stored or used; linked: it has another name."""

    digest: Digest
    size: int
    used: float
    linked: bool


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

    def peek(self, digest: Digest) -> bytes:
        """Like `read`, but nothing is fetched and collection is not told. Raises: Missing, Corrupt."""

    def path(self, digest: Digest, *, size: int | None = None) -> Path:
        """A local file with the bytes, to be scanned and never changed.

        size: bytes that it must have; content is not compared, `verify` does that.
        Raises: Missing, Corrupt.
        """

    def checked_path(self, digest: Digest) -> Path:
        """Like `path`, and the content was compared with its name. Raises: Missing, Corrupt."""

    def size(self, digest: Digest) -> int | None:
        """Bytes of a blob, None where there is none."""

    def exists(self, digest: Digest) -> bool:
        """Whether there is a blob under the digest."""

    def verify(self, digest: Digest) -> None:
        """Compare the bytes with their name without holding them in memory. Raises: Missing, Corrupt."""

    def receive(self, digest: Digest, chunks: Iterable[bytes]) -> None:
        """Store bytes that must have this digest; where they have not, nothing is stored. Raises: Corrupt."""

    def hold(self, digest: Digest) -> int | None:
        """Note that a blob is in use from now on, so that collection leaves it. Returns: its bytes, None: no blob."""

    def delete(self, digest: Digest) -> bool:
        """Remove a blob for good. Returns: whether there was one."""

    def collect(self, digests: Sequence[Digest], before: datetime) -> Sequence[Digest]:
        """Remove those blobs that nobody stored or used since, and that have no other name. Returns: the removed."""

    def list(self) -> Iterator[Digest]:
        """All digests, in order."""

    def kept(self) -> Iterator[Kept]:
        """All blobs, in order of their digests."""

    def staged(self, before: datetime) -> Sequence[int]:
        """Bytes of each file that a writer killed before then left behind."""

    def sweep(self, before: datetime) -> int:
        """Remove what writers that were killed before then left behind. Returns: how many files."""


class FolderObjects:
    """Blobs as read-only files `root/ab/abcd…`; `staging` must be on the same file system.

    fetch: asked for the bytes of a blob that is missing or damaged here.
    """

    def __init__(self, root: Path, staging: Path, fetch: Fetch | None = None) -> None:
        self.root = root
        self.staging = staging
        self.fetch = fetch
        self._lock = root / LOCK
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
            if disk.SYNCS_ALL and len(blobs) > FEW:
                digests = [_write(name, [blob], synced=False) for name, blob in zip(staged, blobs, strict=True)]
                disk.sync_file_system(self.staging)
                self._rename(staged, digests)
                disk.sync_file_system(self.root)
                self._anchored = True
                return digests
            with ThreadPoolExecutor(min(WRITERS, len(blobs))) as pool:
                digests = list(pool.map(lambda name, blob: _write(name, [blob]), staged, blobs))
            self._publish(staged, digests)
        return digests

    def gather(self) -> Gathering:
        return Gathering(self)

    def read(self, digest: Digest) -> bytes:
        self.hold(digest)
        return self._healed(digest, lambda: self.peek(digest))

    def peek(self, digest: Digest) -> bytes:
        place = self._place(digest)
        try:
            data = place.read_bytes()
        except FileNotFoundError:
            raise Missing(digest, str(self.root)) from None
        if blake3(data).hexdigest() != digest:
            raise Corrupt(digest, str(place), f"{len(data)} bytes")
        return data

    def path(self, digest: Digest, *, size: int | None = None) -> Path:
        return self._healed(digest, lambda: self._path(digest, size))

    def _path(self, digest: Digest, size: int | None) -> Path:
        place, found = self._place(digest), self.hold(digest)
        if found is None:
            raise Missing(digest, str(self.root))
        if size is not None and found != size:
            raise Corrupt(digest, str(place), f"{found} bytes, {size} expected")
        return place

    def checked_path(self, digest: Digest) -> Path:
        return self._healed(digest, lambda: self._checked_path(digest))

    def _checked_path(self, digest: Digest) -> Path:
        place = self._path(digest, None)
        self.verify(digest)
        return place

    def _healed(self, digest: Digest, ask: Callable[[], Answer]) -> Answer:
        """What `ask` answers, after the blob was fetched where it has to be."""
        try:
            return ask()
        except (Missing, Corrupt) as lost:
            if self.fetch is None:
                raise
            try:
                found = self.fetch(self, digest)
            except SolventError as error:
                lost.next = f"the remote did not help: {error.what}"
                raise lost from error
            if not found:
                raise
            return ask()

    def receive(self, digest: Digest, chunks: Iterable[bytes]) -> None:
        self._place(digest)
        with self._staged(1) as staged:
            found = _write(staged[0], chunks)
            if found != digest:
                raise Corrupt(digest, "what arrived", f"their digest is {found}", found)
            self._publish(staged, [digest])

    def hold(self, digest: Digest) -> int | None:
        return hold(self._place(digest), self._lock)

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
            found = Digest(hasher.hexdigest())
            raise Corrupt(digest, str(place), f"their digest is {found}", found)

    def delete(self, digest: Digest) -> bool:
        place = self._place(digest)
        if not place.exists():
            return False
        disk.unlink(place)
        disk.sync_folder(place.parent)
        return True

    def collect(self, digests: Sequence[Digest], before: datetime) -> Sequence[Digest]:
        removed, bound = [], before.timestamp()
        with alone(self._lock):
            for digest in digests:
                place = self._place(digest)
                with suppress(FileNotFoundError):
                    about = place.stat()
                    if about.st_mtime < bound and about.st_nlink == 1:
                        disk.unlink(place)
                        removed.append(digest)
        return removed

    def kept(self) -> Iterator[Kept]:
        for digest in self.list():
            with suppress(FileNotFoundError):  # gone since it was listed
                about = self._place(digest).stat()
                yield Kept(digest, about.st_size, about.st_mtime, about.st_nlink > 1)

    def list(self) -> Iterator[Digest]:
        if not self.root.is_dir():
            return
        for folder in sorted(entry for entry in self.root.iterdir() if _FOLDER.fullmatch(entry.name)):
            for name in sorted(entry.name for entry in folder.iterdir()):
                if _DIGEST.fullmatch(name):
                    yield Digest(name)

    def staged(self, before: datetime) -> Sequence[int]:
        return [size for _, size in self._left(before)]

    def sweep(self, before: datetime) -> int:
        left = list(self._left(before))
        for staged, _ in left:
            disk.unlink(staged)
        emptied = {folder for staged, _ in left for folder in staged.relative_to(self.staging).parents[:-1]}
        for folder in sorted(emptied, key=lambda folder: -len(folder.parts)):
            with suppress(OSError):  # it holds younger files
                (self.staging / folder).rmdir()
        return len(left)

    def _left(self, before: datetime) -> Iterator[tuple[Path, int]]:
        """What was staged before then, with its bytes; a gathering's files lie in a folder of theirs."""
        for staged in self.staging.rglob("*"):
            with suppress(FileNotFoundError):  # its writer finished meanwhile
                about = staged.stat()
                if about.st_mtime < before.timestamp() and not staged.is_dir():
                    yield staged, about.st_size

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
        for folder in self._rename(staged, digests):
            disk.sync_folder(folder)
        disk.sync_folder(self.root)  # a folder may be new, by us or by a writer that has not synced it yet
        if not self._anchored:
            disk.sync_folder(self.root.parent)
            self._anchored = True

    def _rename(self, staged: Sequence[Path], digests: Sequence[Digest]) -> Sequence[Path]:
        """Give files their names. Returns: the folders that hold them."""
        places = [self._place(digest) for digest in digests]
        folders = sorted({place.parent for place in places})
        for folder in folders:
            disk.make_folder(folder)
        with together(self._lock):  # collection sees either what was there before or the new file's time
            for name, place in zip(staged, places, strict=True):
                disk.replace(name, place)
        return folders


def is_digest(text: str) -> bool:
    """Whether a blob could have this name."""
    return _DIGEST.fullmatch(text) is not None


def _write(path: Path, chunks: Iterable[bytes], *, synced: bool = True) -> Digest:
    """Write a new read-only file and sync it, or leave that to the caller. Returns: the digest of its bytes."""
    hasher, descriptor = blake3(), disk.create(path)
    try:
        for chunk in chunks:
            hasher.update(chunk)
            disk.write(descriptor, chunk)
        os.fchmod(descriptor, 0o444)
        if synced:
            disk.sync(descriptor)
    finally:
        os.close(descriptor)
    return Digest(hasher.hexdigest())


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
