"""The user's table: read, put in order of time, its faults told by name and place."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl
from polars.exceptions import PolarsError

from solvent.backtest.options import Options
from solvent.data.contracts.columns import as_instants
from solvent.foundation.errors import UsageError, nearest
from solvent.statistics.arrays import Counts

LEAST_ROWS = 400
_CSV = {".csv": ",", ".tsv": "\t", ".txt": ","}


class BadTable(UsageError):
    """A file that is no table, or not one that a backtest can read."""

    code = "bad-table"


class NoColumn(UsageError):
    code = "no-column"


class BadTime(UsageError):
    code = "bad-time"


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
    frame = _read(options.path)
    for flag, name in (("--time", options.time), ("--target", options.target), ("--id", options.id)):
        if name:
            require(frame, name, f"{flag} {name}", options.path)
    for name in options.drop:
        require(frame, name, f"--drop {name}", options.path)
    total, notes = frame.height, list[str]()
    instants = _instants(frame[options.time])
    known = instants.is_not_null()
    if not known.all():
        notes.append(f"{_rows(int((~known).sum()))} without a time left out")
    labelled = known & _present(frame[options.target])
    if (known & ~labelled).any():
        notes.append(f"{_rows(int((known & ~labelled).sum()))} without {options.target} left out")
    frame, instants = frame.filter(labelled), instants.filter(labelled)
    if frame.height < LEAST_ROWS:
        raise BadTable(
            f"{frame.height} rows with a time and a target are too few to age on",
            where=str(options.path),
            next=f"at least {LEAST_ROWS}, better thousands",
        )
    order = instants.arg_sort()
    micros = instants[order].to_physical().to_numpy().astype("int64")
    if micros[0] == micros[-1]:
        raise BadTime(f"`{options.time}` has one value in all rows", where=str(options.path))
    return Table(frame[order], micros, total, frame.width, notes)


def require(frame: pl.DataFrame, name: str, where: str, path: Path) -> None:
    """Raises: NoColumn, naming the nearest."""
    if name not in frame.columns:
        some = ", ".join(frame.columns[:12]) + (", …" if frame.width > 12 else "")
        raise NoColumn(f"no column `{name}` in {path.name}", where=where, next=nearest(name, frame.columns, some))


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise BadTable(f"{path} {what}", next="name a CSV or Parquet file")
    suffix = path.suffixes[-2] if path.suffix in (".gz", ".zst") and len(path.suffixes) > 1 else path.suffix
    try:
        if suffix.lower() in (".parquet", ".pq"):
            return pl.read_parquet(path)
        if suffix.lower() in _CSV:
            separator = _CSV[suffix.lower()]
            return pl.read_csv(path, separator=separator, try_parse_dates=True, infer_schema_length=20_000)
    except PolarsError as error:
        raise BadTable(
            f"cannot be read: {str(error).splitlines()[0][:160]}",
            where=str(path),
            next="is it CSV or Parquet, with one header line?",
        ) from None
    raise BadTable(f"`{path.suffix}` is no known kind of table", where=str(path), next="CSV or Parquet")


def _instants(series: pl.Series) -> pl.Series:
    """Times in microseconds, null where there is none. Raises: BadTime with the first cell that is none."""
    if series.dtype.is_numeric():
        raise BadTime(
            f"`{series.name}` holds numbers such as {series.drop_nulls().head(1).item() if len(series) else '?'}",
            next="write times as 2012-10-29 or 2012-10-29T06:00:00",
        )
    instants = as_instants(series)
    bad = series.is_not_null() if instants is None else instants.is_null() & series.is_not_null()
    if instants is None or bad.any():
        row = int(bad.arg_max() or 0)
        value = str(series[row])[:40] if len(series) else ""
        raise BadTime(
            f"`{value}` in row {row + 1:,} of `{series.name}` is no time",
            next="write times as 2012-10-29 or 2012-10-29T06:00:00",
        )
    return instants


def _present(series: pl.Series) -> pl.Series:
    known = series.is_not_null()
    return known & series.is_finite() if series.dtype.is_float() else known


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
