"""The few calls that change a disk, in one place, so that tests can watch their order and fail each of them.

Everything in the store that must survive a kill or a full disk goes through here,
always as `disk.NAME(...)`: a test that replaces the name sees every call.
All of them raise OSError.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from fcntl import ioctl
from pathlib import Path

_FICLONE = 0x40049409 if sys.platform == "linux" else None
_UNABLE = frozenset({errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM})
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_syncfs = getattr(_libc, "syncfs", None)
_sync_file_range = getattr(_libc, "sync_file_range", None)
_START_WRITING = 2  # SYNC_FILE_RANGE_WRITE
if _sync_file_range is not None:
    _sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
SYNCS_ALL = _syncfs is not None  # whether `sync_file_system` can be had

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


def create(path: Path | str, *, append: bool = False, mode: int = 0o644) -> int:
    """A descriptor to a new file, open for reading and writing; FileExistsError where the name is taken."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return os.open(path, flags | os.O_APPEND if append else flags, mode)


def write(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of it; after an error any prefix may be there."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def copy(source: int, target: int, at: int, most: int) -> int:
    """Copy bytes to the same place of another file, inside of the system where it can. Returns: how many; 0 at the end.

    The medium is told to take them soon, so that a sync at the end has little left to wait for.
    """
    count = _copy_inside(source, target, at, most)
    if not count:  # the end, or a file system that says so of files that it does not know the size of
        data = os.pread(source, most, at)
        count = len(data)
        while data:
            data = data[os.pwrite(target, data, at + count - len(data)) :]
    if _sync_file_range is not None:
        _sync_file_range(target, at, count, _START_WRITING)  # a wish: where it cannot be, nothing is lost
    return count


def _copy_inside(source: int, target: int, at: int, most: int) -> int:
    if sys.platform != "linux":
        return 0
    try:
        return os.copy_file_range(source, target, most, at, at)
    except OSError as error:
        if error.errno in _UNABLE:
            return 0
        raise


def cut(descriptor: int, size: int) -> None:
    """Shorten the file to `size` bytes."""
    os.ftruncate(descriptor, size)


def clone(source: int, target: int) -> bool:
    """Let a new file share the bytes of another (reflink). Returns: whether the file system can."""
    if _FICLONE is None:
        return False
    try:
        ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in _UNABLE:
            return False
        raise
    return True


def replace(source: Path | str, target: Path | str) -> None:
    """Rename within one file system; an existing target is replaced at once."""
    os.rename(source, target)  # noqa: PTH104  by the hundred thousand; a Path for each costs more than the call


def link(source: Path | str, target: Path | str) -> None:
    """A second name for a file; FileExistsError where the name is taken."""
    os.link(source, target)


def unlink(path: Path | str) -> None:
    """Remove a file; one that is gone already is fine."""
    Path(path).unlink(missing_ok=True)


def make_folder(path: Path) -> bool:
    """Make a folder and its parents where missing. Returns: whether it was missing."""
    if path.is_dir():
        return False
    path.mkdir(parents=True, exist_ok=True)
    return True


def sync_file_system(path: Path) -> bool:
    """Return when everything written to the file system of a folder is on the medium.

    Returns: False where the system has no such call; then every file and folder needs a sync of its own.
    """
    if _syncfs is None:
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(path))
    finally:
        os.close(descriptor)
    return True


def sync_folder(path: Path) -> None:
    """Return when the names in a folder are on the medium."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)
