"""The few calls that change a disk, in one place, so that tests can watch their order and fail each of them.

Everything in the store that must survive a kill or a full disk goes through here,
always as `disk.NAME(...)`: a test that replaces the name sees every call.
All of them raise OSError.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

if sys.platform == "darwin":
    from fcntl import F_FULLFSYNC, fcntl

    def sync(descriptor: int) -> None:
        """Return when the file's bytes are on the medium; plain fsync stops at the drive's cache here."""
        fcntl(descriptor, F_FULLFSYNC)

    sync_data = sync
else:

    def sync(descriptor: int) -> None:
        """Return when the file's bytes and its metadata are on the medium."""
        os.fsync(descriptor)

    def sync_data(descriptor: int) -> None:
        """Return when the file's bytes, and what is needed to read them, are on the medium."""
        os.fdatasync(descriptor)


def _system_sync() -> Callable[[int], int] | None:
    """The system's `syncfs`, which Python does not offer; None where there is none."""
    import ctypes

    found = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None) if sys.platform == "linux" else None
    return cast("Callable[[int], int] | None", found)


_syncfs = _system_sync()
SYNCS_ALL = _syncfs is not None  # whether `sync_all` can be had


def sync_all(folder: Path) -> None:
    """Return when all that was written to the folder's file system, names included, is on the medium.

    One call for many files, where a call for each would wait for the medium as often.
    """
    import ctypes

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _syncfs is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(folder))
        if _syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(descriptor)


def create(path: Path, *, append: bool = False) -> int:
    """A descriptor to a new file, open for writing; FileExistsError where the name is taken."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return os.open(path, flags | os.O_APPEND if append else flags, 0o644)


def write(descriptor: int, data: bytes) -> None:
    """Write all of it; after an error any prefix may be there."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def cut(descriptor: int, size: int) -> None:
    """Shorten the file to `size` bytes."""
    os.ftruncate(descriptor, size)


def replace(source: Path, target: Path) -> None:
    """Rename within one file system; an existing target is replaced at once."""
    source.replace(target)


def unlink(path: Path) -> None:
    """Remove a file; one that is gone already is fine."""
    path.unlink(missing_ok=True)


def make_folder(path: Path) -> bool:
    """Make a folder and its parents where missing. Returns: whether it was missing."""
    if path.is_dir():
        return False
    path.mkdir(parents=True, exist_ok=True)
    return True


def sync_folder(path: Path) -> None:
    """Return when the names in a folder are on the medium."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)
