"""Reading a source's files into one table, with errors that name file, column and row. Runs in a worker."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from solvent.foundation.errors import nearest
from solvent.pipeline.errors import BadSource
from solvent.pipeline.sources import format_of

MISSING_MARKS = ("NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "-", "?")
MOSTLY = 0.9  # share of numbers from which text in a column is a fault rather than a code
_TIME_FORMATS = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
)


class SourcePiece(NamedTuple):
    """One file of a source, read. name: as people know it."""

    name: str
    table: pl.DataFrame


def read_file(path: Path, name: str, place: str) -> pl.DataFrame:
    """One file as a table. name: its path for people, whose suffix decides. Raises: BadSource."""
    kind = format_of(Path(name), place)
    try:
        match kind:
            case "parquet":
                return pl.read_parquet(path)
            case "ipc":
                return pl.read_ipc(path)
            case "jsonl":
                return pl.read_ndjson(path, infer_schema_length=None)
            case _:
                return _read_csv(path, name, "\t" if kind == "tsv" else ",")
    except pl.exceptions.PolarsError as error:
        first = str(error).partition("\n")[0]
        raise BadSource(f"it cannot be read as {kind}: {first}", where=name) from error


def _read_csv(path: Path, name: str, separator: str) -> pl.DataFrame:
    try:
        table = pl.read_csv(path, separator=separator, infer_schema_length=None, try_parse_dates=True)
    except pl.exceptions.NoDataError as error:
        raise BadSource("the file is empty", where=name) from error
    fixed = [_numbers_or_text(table[column], name) for column in table.columns if table[column].dtype == pl.String]
    return table.with_columns(fixed)


def _numbers_or_text(column: pl.Series, name: str) -> pl.Series:
    """A text column as it is, as numbers where only marks for 'missing' keep it from being one.

    Raises: BadSource where nearly all values are numbers and some are not.
    """
    numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
    present = column.is_not_null()
    odd = present & numbers.is_null()
    counted = int(present.sum()) - int(odd.sum())
    if not counted or not odd.any():
        return column
    marks = odd & column.str.strip_chars().is_in(MISSING_MARKS)
    if bool((marks == odd).all()):
        whole = column.str.strip_chars().cast(pl.Int64, strict=False)
        return whole if whole.null_count() == numbers.null_count() else numbers
    if counted < MOSTLY * int(present.sum()):
        return column
    row = int(odd.arg_max() or 0)
    raise BadSource(
        f"column `{column.name}` mixes numbers and text: row {row + 1} holds `{column[row]}`",
        where=name,
        next="correct the value, or leave it empty where it is missing",
    )


def combine(pieces: list[SourcePiece]) -> pl.DataFrame:
    """All files of a source as one table. Raises: BadSource where columns or types do not fit, naming the file."""
    first = pieces[0]
    for piece in pieces[1:]:
        lacking = [c for c in first.table.columns if c not in piece.table.columns]
        extra = [c for c in piece.table.columns if c not in first.table.columns]
        if lacking or extra:
            column = (lacking or extra)[0]
            what = (
                f"no column `{column}`, which {first.name} has"
                if lacking
                else f"a column `{column}`, which {first.name} lacks"
            )
            raise BadSource(
                what, where=piece.name, next=nearest(column, extra, "all files of a source have the same columns")
            )
    for piece in pieces[1:]:
        _refuse_other_types(first, piece)
    tables = [piece.table.select(first.table.columns) for piece in pieces]
    return pl.concat(tables, how="vertical_relaxed", rechunk=True) if len(tables) > 1 else tables[0]


def _refuse_other_types(first: SourcePiece, piece: SourcePiece) -> None:
    """Numbers may be whole here and not there, dates may have times, a column may be empty; else types agree."""
    for column, dtype in first.table.schema.items():
        other = piece.table.schema[column]
        both_numbers, both_times = (
            dtype.is_numeric() and other.is_numeric(),
            dtype.is_temporal() and other.is_temporal(),
        )
        if dtype != other and not both_numbers and not both_times and pl.Null not in (dtype, other):
            raise BadSource(
                f"column `{column}` is {other}, and {dtype} in {first.name}",
                where=piece.name,
                next="correct the values that differ",
            )


def with_times(table: pl.DataFrame, columns: Iterable[str | None], name: str) -> pl.DataFrame:
    """The table with the named columns as times; others untouched.

    Raises: BadSource for a missing column, one that is no time, or a value that is none.
    """
    for column in dict.fromkeys(c for c in columns if c):
        if column not in table.columns:
            known = nearest(column, table.columns, f"it has: {', '.join(table.columns[:12])}")
            raise BadSource(f"no column `{column}`", where=name, next=known)
        dtype = table[column].dtype
        if dtype == pl.String:
            table = table.with_columns(_parsed(table[column], name))
        elif not isinstance(dtype, pl.Datetime | pl.Date) and dtype != pl.Null:
            raise BadSource(
                f"column `{column}` is {dtype}, no time", where=name, next="write times as 2012-10-29T06:00:00Z"
            )
    return table


def _parsed(column: pl.Series, name: str) -> pl.Series:
    tries = [column.str.to_datetime(f, strict=False, time_zone="UTC" if "z" in f else None) for f in _TIME_FORMATS]
    best = max(tries, key=lambda s: s.is_not_null().sum())
    bad = column.is_not_null() & best.is_null()
    if bad.any():
        row = int(bad.arg_max() or 0)
        raise BadSource(
            f"column `{column.name}`, row {row + 1}: `{column[row]}` is no time",
            where=name,
            next="write times as 2012-10-29T06:00:00Z",
        )
    return best


def instants(column: str, dtype: pl.DataType) -> pl.Expr:
    """A time column as UTC microseconds; without a zone it is UTC."""
    expression = pl.col(column).cast(pl.Datetime("us")) if dtype == pl.Date else pl.col(column)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        return expression.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
    return expression.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def cut(
    table: pl.DataFrame, *, known_at: str | None, time: str | None, as_of: datetime | None, since: datetime | None
) -> pl.DataFrame:
    """Rows known by `as_of` whose time is not before `since`; a row without the time in question falls out.

    Without `as_of` or `since`, or without the column, that cut is not made.
    """
    conditions: list[Any] = []
    if as_of is not None and known_at:
        conditions.append(instants(known_at, table.schema[known_at]) <= as_of)
    if since is not None and time:
        conditions.append(instants(time, table.schema[time]) >= since)
    return table.filter(*conditions) if conditions else table
