"""What lies unsealed in log files, for a process that asks again and again: each frame is parsed once."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from threading import Lock
from typing import NamedTuple

import polars as pl

from solvent.store.log import tables
from solvent.store.log.folder import LogFile
from solvent.store.log.reading import frames_behind

_MOST_PIECES = 64  # of a table; every question looks into each


class _Seen(NamedTuple):
    """The rows between two bytes of a file."""

    start: int
    end: int
    rows: pl.DataFrame


class Tails:
    """The rows behind the sealed part of each file of one folder, in these columns. Threads are welcome.

    Log files grow until they are sealed, so what was read stays true; one that is gone is forgotten, and one
    that was cut, since a write failed, is read again.
    """

    def __init__(self, kind: str, columns: Sequence[str]) -> None:
        self._kind = kind
        self._columns = list(columns)
        self._seen: dict[str, _Seen] = {}
        self._lock = Lock()

    def __call__(self, files: Collection[LogFile], ends: dict[str, int]) -> list[pl.DataFrame]:
        """The rows of each file behind the byte that it is sealed to. Raises: CorruptFrame, NewerLog."""
        with self._lock:
            self._seen = {file.id: self._read(file, ends.get(file.id, 0)) for file in files}
            return [seen.rows for seen in self._seen.values()]

    def _read(self, file: LogFile, sealed: int) -> _Seen:
        seen = self._seen.get(file.id)
        if seen is None or seen.start != sealed or os.fstat(file.file.fileno()).st_size < seen.end:
            seen = _Seen(sealed, sealed, pl.DataFrame(schema={c: tables.SCHEMAS[self._kind][c] for c in self._columns}))
        frames = frames_behind(file, seen.end)
        if not frames.payloads:
            return seen
        rows = seen.rows.vstack(tables.from_frames(self._kind, frames.payloads).select(self._columns))
        return _Seen(sealed, frames.end, rows.rechunk() if rows.n_chunks() > _MOST_PIECES else rows)
