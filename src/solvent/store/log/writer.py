"""The one open log file of a process for a kind and a model, shared by its threads.

Group commit: whoever gets the file first writes for all who wait, in one write
(and one sync), so a busy server pays per write and not per row.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from solvent.foundation.ids import uuid7
from solvent.store import disk
from solvent.store.log.errors import NotLogged
from solvent.store.log.folder import OPEN, LogFolder
from solvent.store.log.frames import new_header, pack


@dataclass
class _Waiting:
    """One caller's payloads, until they are written or refused."""

    payloads: Sequence[bytes]
    done: bool = False
    error: BaseException | None = None


@dataclass
class _File:
    """The open file. size: bytes that are acknowledged."""

    path: Path
    descriptor: int
    mark: bytes
    size: int
    opened_at: float = field(default_factory=time.monotonic)
    owner: int = field(default_factory=os.getpid)


class LogWriter:
    """Appends frames; a new file after `rotate_bytes`, `rotate_seconds`, a failed write or `leave`."""

    def __init__(self, folder: LogFolder, *, synced: bool, rotate_bytes: int, rotate_seconds: float) -> None:
        self.folder = folder
        self.synced = synced
        self.rotate_bytes = rotate_bytes
        self.rotate_seconds = rotate_seconds
        self._lock = Lock()
        self._queue: deque[_Waiting] = deque()
        self._file: _File | None = None

    def append(self, payloads: Sequence[bytes]) -> None:
        """Append a frame per payload; all of them are acknowledged when it returns.

        Raises: NotLogged; then none of them counts as logged.
        """
        mine = _Waiting(payloads)
        self._queue.append(mine)
        with self._lock:
            if not mine.done:
                self._write_queue()
        if mine.error is not None:
            raise NotLogged(self.folder.kind, self.folder.model, mine.error, self.folder.path) from mine.error

    def leave(self) -> None:
        """Close the file, so that a sealer may remove it; the next append starts another."""
        with self._lock:
            self._close()

    def _write_queue(self) -> None:
        waiting = [self._queue.popleft() for _ in range(len(self._queue))]
        error: BaseException | None = None
        try:
            file = self._current()
            data = b"".join([pack(file.mark, payload) for caller in waiting for payload in caller.payloads])
            disk.write(file.descriptor, data)
            if self.synced:
                disk.sync_data(file.descriptor)
            file.size += len(data)
        except BaseException as failure:
            error = failure
            self._cut()
            if not isinstance(failure, OSError):
                raise
        finally:
            for caller in waiting:
                caller.error, caller.done = error, True

    def _current(self) -> _File:
        file = self._file
        if file is not None:
            old = time.monotonic() - file.opened_at >= self.rotate_seconds
            if not old and file.size < self.rotate_bytes and file.owner == os.getpid():
                return file
            self._close()
        self._file = self._begin()
        return self._file

    def _begin(self) -> _File:
        """A new file, locked before it has content: what can be locked by others has no writer."""
        disk.make_folder(self.folder.path)
        while True:
            name = uuid7()
            path = self.folder.path / f"{name}{OPEN}"
            descriptor = disk.create(path, append=True)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if os.fstat(descriptor).st_nlink == 0:  # a sealer was quicker than our lock and removed it
                    os.close(descriptor)
                    continue
                mark, header = new_header(
                    name, self.folder.kind, self.folder.model, host=socket.gethostname(), pid=os.getpid()
                )
                disk.write(descriptor, header)
                if self.synced:
                    disk.sync(descriptor)
                    for folder in (self.folder.path, *self.folder.path.parents[:3]):  # any of them may be new
                        disk.sync_folder(folder)
            except BaseException:
                with suppress(OSError):  # the first error is the one to tell; a sealer removes what stays
                    disk.unlink(path)
                os.close(descriptor)
                raise
            return _File(path, descriptor, mark, len(header))

    def _cut(self) -> None:
        """After a failed write: take back what may be half there, and never append behind it."""
        if self._file is not None:
            with suppress(OSError):  # readers ignore a torn tail all the same
                disk.cut(self._file.descriptor, self._file.size)
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file.descriptor)  # gives up the lock, unless a forked child closes its copy
