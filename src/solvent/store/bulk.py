"""What happens to one file of many: read, hashed and staged for the store; or copied out of it.

Runs by the hundred thousand, in the process itself or in `helpers`: plain strings,
tuples and descriptors, one call to the system less wherever one is not needed.
All that changes a disk goes through `disk`.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Literal, NamedTuple

from blake3 import blake3

from solvent.foundation.errors import Refusal
from solvent.store import disk
from solvent.store.sessions import LOCK, hold

SMALL = 1 << 20  # bytes; a file up to this is read in one piece
CHUNK = 1 << 20  # bytes; enough for several threads to hash at once, and little enough to stay in their caches
PIECE = 8 << 20  # bytes; copied in one call while the piece before is hashed
ATTEMPTS = 3  # readings of a file that changes while it is read

Link = Literal["copy", "reflink", "hardlink"]


class Stamp(NamedTuple):
    """What a file system says of a file: bytes, nanoseconds since 1970, inode. Equal stamps: the same content."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


class Restless(Refusal):
    """A file changes faster than it can be read."""

    code = "file-changes"

    def __init__(self, path: str) -> None:
        super().__init__("the file changes while it is read", where=path, next="repeat when whatever writes it is done")


def stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def take(path: str, staging: str, objects: str) -> tuple[str, Stamp]:
    """Stage one file's bytes as `staging/PROCESS/DIGEST`, unless the store has them.

    Each process has a folder of its own: two that make files in one folder wait for each other.

    Returns: the digest, and the stamp of the file that they were read from.
    Raises: Restless, OSError.
    """
    staging = f"{staging}/{os.getpid()}"
    for _ in range(ATTEMPTS):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            before = stamp(os.fstat(descriptor))
            small = before.size <= SMALL
            digest = _take_small(descriptor, before.size, staging, objects) if small else None
            if not small:
                digest = _take_large(descriptor, before.size, staging, objects)
            if digest is not None and stamp(os.fstat(descriptor)) == before:
                return digest, before
        finally:
            os.close(descriptor)
    raise Restless(path)


def _take_small(source: int, size: int, staging: str, objects: str) -> str | None:
    """The digest; None where there are more or fewer bytes than were told."""
    data = os.read(source, size + 1)
    if len(data) != size:
        return None
    digest: str = blake3(data).hexdigest()
    if not _stored(objects, digest, size):
        with suppress(FileExistsError):  # a file of equal bytes was staged before
            target = _create(staging, digest)
            try:
                disk.write(target, data)
            finally:
                os.close(target)
    return digest


def _take_large(source: int, size: int, staging: str, objects: str) -> str | None:
    """As above, in pieces; the copy has a passing name until its digest is known."""
    staged = f"{staging}/{source}.part"
    target = _create(staging, f"{source}.part")
    try:
        digest, read = _hash(target) if disk.clone(source, target) else _copy(source, target)
    except BaseException:
        disk.unlink(staged)
        raise
    finally:
        os.close(target)
    if read != size or _stored(objects, digest, size):
        disk.unlink(staged)
    else:
        disk.replace(staged, f"{staging}/{digest}")
    return digest if read == size else None


def _create(folder: str, name: str) -> int:
    try:
        return disk.create(f"{folder}/{name}", mode=0o444)
    except FileNotFoundError:
        disk.make_folder(Path(folder))
        return disk.create(f"{folder}/{name}", mode=0o444)


class _Reading:
    """A file that is hashed on its way. at: bytes that were read. One piece of memory serves every read:
    a new one for each would cost more than the reading."""

    def __init__(self, descriptor: int) -> None:
        self.at = os.lseek(descriptor, 0, os.SEEK_SET)
        self._file = FileIO(descriptor, closefd=False)
        self._hasher = blake3(max_threads=blake3.AUTO)
        self._memory = memoryview(bytearray(CHUNK))

    def on_to(self, end: int) -> None:
        """Hash what comes before this position; less where the file is shorter."""
        while count := self._file.readinto(self._memory[: min(CHUNK, end - self.at)]):
            self._hasher.update(self._memory[:count])
            self.at += count

    def digest(self) -> str:
        digest: str = self._hasher.hexdigest()
        return digest


def _hash(source: int) -> tuple[str, int]:
    """Digest and bytes of a file."""
    reading = _Reading(source)
    reading.on_to(sys.maxsize)
    return reading.digest(), reading.at


def _copy(source: int, target: int) -> tuple[str, int]:
    """Copy a file. Returns: digest and bytes of the copy, of which each piece is hashed while the next is copied."""
    from concurrent.futures import ThreadPoolExecutor  # small files need none, and it takes long to load

    reading, copied = _Reading(target), 0
    with ThreadPoolExecutor(1) as pool:
        copying = pool.submit(disk.copy, source, target, copied, PIECE)
        while count := copying.result():
            copied += count
            copying = pool.submit(disk.copy, source, target, copied, PIECE)
            reading.on_to(copied)
    return reading.digest(), reading.at


def _stored(objects: str, digest: str, size: int) -> bool:
    """Whether the store has the blob, which collection then leaves."""
    return hold(f"{objects}/{digest[:2]}/{digest}", f"{objects}/{LOCK}") == size


def digest_file(path: str) -> tuple[str, Stamp]:
    """The digest of a file that is only looked at, and the stamp of what was read. Raises: Restless, OSError."""
    for _ in range(ATTEMPTS):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            before = stamp(os.fstat(descriptor))
            if before.size <= SMALL:
                data = os.read(descriptor, before.size + 1)
                digest, read = blake3(data).hexdigest(), len(data)
            else:
                digest, read = _hash(descriptor)
            if read == before.size and stamp(os.fstat(descriptor)) == before:
                return digest, before
        finally:
            os.close(descriptor)
    raise Restless(path)


def give(digest: str, size: int, objects: str, target: str, link: Link) -> None:
    """A new file `target` with the bytes of an object: a copy, a clone where the file system can, or a hard link.

    Raises: FileExistsError; Wrong, where the object has other bytes than its name says; OSError.
    """
    source_path = f"{objects}/{digest[:2]}/{digest}"
    if link == "hardlink":
        disk.link(source_path, target)
        return
    source = os.open(source_path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        made = disk.create(target)
        try:
            if size <= SMALL:
                data = os.read(source, size + 1)
                _expect(blake3(data).hexdigest(), digest)
                disk.write(made, data)
            elif link == "reflink" and disk.clone(source, made):
                pass  # the object's own bytes, which `solvent verify` checks
            else:
                _expect(_copy(source, made)[0], digest)
        finally:
            os.close(made)
    finally:
        os.close(source)


class Wrong(Exception):
    """An object's bytes are not the ones of its name; the store says so in its own words."""


def _expect(found: str, digest: str) -> None:
    if found != digest:
        raise Wrong(digest)
