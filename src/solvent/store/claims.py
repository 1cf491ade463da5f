"""Claims: leases by the thousand. Who may work on a recipe now, at a few microseconds each.

A lease is a file or a session of its own; a claim is one byte in one file, locked by
its holder's process (SQLite), or one advisory lock in a session that holds them all
(PostgreSQL). A holder that dies frees its claims at once, kill -9 included.
"""

from __future__ import annotations

import fcntl
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from solvent.lineage.digests import digest_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

FILE = "claims"


class Claims(ABC):
    """Names that this holder may work on alone, within a project. Use it as a context manager: leaving frees all."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._held: dict[str, int] = {}

    def take(self, name: str) -> bool:
        """Whether the name is now this holder's; at once, without waiting. One already held is refused, too."""
        if name in self._held:
            return False
        number = int(digest_of(f"{self._project}/{name}".encode())[:16], 16) >> 2  # an offset that any system takes
        if not self._lock(number):
            return False
        self._held[name] = number
        return True

    def release(self, names: Iterable[str]) -> None:
        """Free names that are held; others are none of our business."""
        numbers = [self._held.pop(name) for name in names if name in self._held]
        if numbers:
            self._unlock(numbers)

    def close(self) -> None:
        self.release(list(self._held))

    @abstractmethod
    def _lock(self, number: int) -> bool:
        """Take a number, at once or not at all."""

    @abstractmethod
    def _unlock(self, numbers: list[int]) -> None:
        """Free numbers that are taken."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FileClaims(Claims):
    """Bytes of `folder/claims`, which stays empty: a lock may lie beyond the end of a file."""

    def __init__(self, folder: Path, project: str) -> None:
        super().__init__(project)
        folder.mkdir(parents=True, exist_ok=True)
        self._key = (os.getpid(), folder.resolve() / FILE)
        with _opening:
            self._file = _files.setdefault(self._key, _ClaimsFile(self._key[1]))
            self._file.holders += 1

    def close(self) -> None:
        super().close()
        with _opening:
            self._file.holders -= 1
            if not self._file.holders:
                _files.pop(self._key).close()

    def _lock(self, number: int) -> bool:
        return self._file.lock(number)

    def _unlock(self, numbers: list[int]) -> None:
        self._file.unlock(numbers)


class _ClaimsFile:
    """The one descriptor of this process: closing any other of the same file would free all its locks."""

    def __init__(self, path: Path) -> None:
        self.holders = 0
        self._path = path
        self._descriptor: int | None = None
        self._ours: set[int] = set()  # the system does not tell holders of one process apart
        self._guard = threading.Lock()

    def lock(self, number: int) -> bool:
        with self._guard:
            if number in self._ours:
                return False
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            except (BlockingIOError, PermissionError):  # which of the two is up to the system
                return False
            self._ours.add(number)
            return True

    def unlock(self, numbers: list[int]) -> None:
        with self._guard:
            for number in numbers:
                if self._descriptor is not None:
                    fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, number)
                self._ours.discard(number)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


_files: dict[tuple[int, Path], _ClaimsFile] = {}  # by process, since a forked one inherits no lock
_opening = threading.Lock()


class PostgresClaims(Claims):
    """Advisory locks of one session, opened with the first claim."""

    def __init__(self, engine: Engine, project: str) -> None:
        super().__init__(project)
        self._engine = engine
        self._session: Connection | None = None

    def close(self) -> None:
        super().close()
        if self._session is not None:
            self._session.close()
            self._session = None

    def _lock(self, number: int) -> bool:
        from sqlalchemy import text

        if self._session is None:
            self._session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return bool(self._session.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar())

    def _unlock(self, numbers: list[int]) -> None:
        from sqlalchemy import text

        if self._session is not None:
            query = text("SELECT pg_advisory_unlock(n) FROM unnest(CAST(:numbers AS bigint[])) AS n")
            self._session.execute(query, {"numbers": numbers}).all()
