"""The user's table: read, put in order of time, its faults told by name and place."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from solvent.backtest.options import Options
from solvent.backtest.reading import BadTable, read_rows
from solvent.backtest.sentinels import without_sentinels
from solvent.data.times import BadTime, instants_of, with_times
from solvent.foundation.errors import UsageError, nearest
from solvent.statistics.arrays import Counts

LEAST_ROWS = 400


class NoColumn(UsageError):
    code = "no-column"


class Table(msgspec.Struct, frozen=True):
    """Labelled rows in order of time.

    frame: all columns; micros: shape (n,), times in microseconds since 1970 UTC, not falling. total: rows of the
    file; columns: of the file. notes: what was left out, in sentences.
    """

    frame: pl.DataFrame
    micros: Counts
    total: int
    columns: int
    notes: list[str]


def read_table(options: Options) -> Table:
    """Read, sort by time and keep the rows whose time and target are known.

    Raises: BadTable, NoColumn, BadTime.
    """
    frame, notes = read_rows(options)
    total, columns = frame.shape
    frame, unknown = without_sentinels(frame)
    notes += unknown
    frame = _one_time(frame, options)
    for flag, name in (("--time", options.time), ("--target", options.target), ("--id", options.id)):
        if name:
            require(frame, name, f"{flag} {name}", options.path)
    for flag, names in (("--drop", options.drop), ("--keep", options.keep)):
        for name in names:
            require(frame, name, f"{flag} {name}", options.path)
    instants, said = instants_of(frame[options.time])
    notes += said
    known = instants.is_not_null()
    if not known.all():
        notes.append(f"{_rows(int((~known).sum()))} without a time left out")
    labelled = known & _present(frame[options.target])
    if (known & ~labelled).any():
        notes.append(f"{_rows(int((known & ~labelled).sum()))} without {options.target} left out")
    frame, instants = frame.filter(labelled), instants.filter(labelled)
    if frame.height < LEAST_ROWS:
        raise BadTable(
            f"{_rows(frame.height)} with a time and a target are too few to age on",
            where=str(options.path),
            next=f"at least {LEAST_ROWS}, better thousands",
        )
    unordered = instants.to_physical().to_numpy().astype("int64")
    order = np.argsort(unordered, kind="stable")  # rows of one time stay as they stand in the file
    micros = unordered[order]
    if micros[0] == micros[-1]:
        raise BadTime(f"`{options.time}` has one value in all rows", where=str(options.path))
    return Table(with_times(frame[order], but=[options.time, options.target]), micros, total, columns, notes)


def _one_time(frame: pl.DataFrame, options: Options) -> pl.DataFrame:
    """The table with one column of time in place of those that make it, as in `date,hour` or `year,month,day`."""
    time = options.time
    parts = [part.strip() for part in time.split(",")]
    if time in frame.columns or len(parts) == 1:
        return frame
    for part in parts:
        require(frame, part, f"--time {time}", options.path)
    numbers = [frame[part].dtype.is_numeric() for part in parts]
    text = [
        frame[part].cast(pl.Int64).cast(pl.String).str.zfill(2) if number else frame[part].cast(pl.String)
        for part, number in zip(parts, numbers, strict=True)
    ]
    joined = pl.select(pl.concat_str(text, separator="" if all(numbers) else " ")).to_series()
    if all(numbers):
        joined = joined.cast(pl.Int64)
    elif numbers[-1] and not any(numbers[:-1]):
        joined += ":00"  # a date in words, and the hour
    return frame.drop(parts).with_columns(joined.alias(time))


def require(frame: pl.DataFrame, name: str, where: str, path: Path | str) -> None:
    """Raises: NoColumn, naming the nearest."""
    if name not in frame.columns:
        some = ", ".join(frame.columns[:12]) + (", …" if frame.width > 12 else "")
        raise NoColumn(f"no column `{name}` in {Path(path).name}", where=where, next=nearest(name, frame.columns, some))


def _present(series: pl.Series) -> pl.Series:
    known = series.is_not_null()
    return known & series.is_finite() if series.dtype.is_float() else known


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
