"""Leases: who may do a named piece of work now. A holder that dies frees its lease at once, kill -9 included.

Beside SQLite a lease is a `flock` on a file in `locks/`; on PostgreSQL a session's
advisory lock, so that it holds across machines.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from solvent.foundation.errors import Refusal
from solvent.lineage.digests import digest_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

POLL_SECONDS = 0.02


class Busy(Refusal):
    """Someone else holds the lease."""

    code = "busy"

    def __init__(self, name: str, holder: str) -> None:
        super().__init__(f"{holder} is doing `{name}`", next="wait until it ends and repeat")


@contextmanager
def file_lease(folder: Path, name: str, *, wait: float = 0) -> Iterator[None]:
    """Hold a name among the processes and threads of this machine.

    wait: seconds to try for. The file is removed by its last holder. Raises: Busy.
    """
    path = folder / f"{digest_of(name.encode())[:32]}.lock"
    deadline = time.monotonic() + wait
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        locked = _locked(file)
        if locked and _is_still(file, path):
            break
        holder = os.pread(file, 64, 0).decode(errors="replace").strip()
        os.close(file)
        if locked:
            continue
        if time.monotonic() >= deadline:
            raise Busy(name, f"process {holder}" if holder else "another process")
        time.sleep(POLL_SECONDS)
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)  # while held: whoever opened it meanwhile sees that it is gone and opens anew
        os.close(file)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(file: int, path: Path) -> bool:
    """Whether the locked file is the one that the name means; its last holder may just have removed it."""
    try:
        return os.fstat(file).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False


@contextmanager
def postgres_lease(engine: Engine, name: str, *, wait: float = 0) -> Iterator[None]:
    """Hold a name among all that use the database. Raises: Busy."""
    from sqlalchemy import text

    key = int.from_bytes(bytes.fromhex(digest_of(name.encode())[:16]), "big", signed=True)
    deadline = time.monotonic() + wait
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar():
            if time.monotonic() >= deadline:
                raise Busy(name, "another process")
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
