"""What keeps collection and everyone else apart: one short lock, and sessions.

Collection removes a blob only while it holds the lock alone and after it has seen, under
that lock, that nobody used the blob since its bound. Whoever stores or uses a blob holds
the lock together with others for the moment in which the blob gets its name or its new
modification time. A session says 'what I use from now on I may still need': the bound
never lies after the start of a living one. docs/reference/format.md has the whole argument.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from solvent.foundation.ids import uuid7
from solvent.store.leases import file_lease

FOLDER = "sessions"
LOCK = ".lock"  # in the folder of the blobs
FRESH = 600.0  # seconds for which a use need not be noted again; collection's bound lies further back
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


def hold(place: Path | str, lock: Path | str) -> int | None:
    """Note that a blob is used from now on, unless that was noted lately. Returns: its bytes, None where it is gone."""
    try:
        about = os.stat(place)  # noqa: PTH116  by the hundred thousand
        if time.time() - about.st_mtime > FRESH and about.st_nlink == 1:
            with together(lock), suppress(PermissionError):
                os.utime(place)
    except FileNotFoundError:
        return None
    return about.st_size


@contextmanager
def together(lock: Path | str) -> Iterator[None]:
    """Hold the lock beside others who use blobs; where this user may not write, nobody collects for them either."""
    yield from _held(lock, fcntl.LOCK_SH)


@contextmanager
def alone(lock: Path | str) -> Iterator[None]:
    """Hold the lock as the only one."""
    yield from _held(lock, fcntl.LOCK_EX)


def _held(lock: Path | str, how: int) -> Iterator[None]:
    try:
        file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:  # no folder, so no blobs
        yield
        return
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
        yield
        return
    try:
        fcntl.flock(file, how)
        yield
    finally:
        os.close(file)


@contextmanager
def session(locks: Path) -> Iterator[None]:
    """Blobs that are used inside stay until it ends, however long that takes; freed by the holder's death."""
    with file_lease(locks / FOLDER, uuid7()):
        yield


def oldest_session(locks: Path) -> float | None:
    """When the oldest living session began, by the file system's clock; None where there is none."""
    starts = []
    for path in (locks / FOLDER).glob("*.lock"):
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            starts.append(os.fstat(file).st_mtime)
        finally:
            os.close(file)
    return min(starts, default=None)
