"""Columns as the contract sees them: polars types folded into five, missing values folded into null."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import ComputeError

from solvent.data.contracts.model import ColumnType

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def type_of(series: pl.Series, *, most_categories: int = 200) -> ColumnType:
    """The contract's type of a column; strings with too many distinct values are text."""
    if series.dtype == pl.Boolean:
        return ColumnType.BOOLEAN
    if series.dtype.is_numeric():
        return ColumnType.NUMBER
    if series.dtype.is_temporal():
        return ColumnType.TIME
    distinct = series.n_unique()
    crowded = distinct > most_categories or (distinct > 20 and distinct > len(series) / 2)
    return ColumnType.TEXT if crowded else ColumnType.CATEGORY


def as_floats(series: pl.Series) -> Floats:
    """Values as float64, shape (n_rows,); null becomes NaN."""
    return np.asarray(series.cast(pl.Float64).to_numpy(), dtype=np.float64)


def missing_mask(series: pl.Series) -> Flags:
    """True where a value is null or NaN, shape (n_rows,)."""
    if series.dtype.is_float():
        return np.isnan(as_floats(series))
    if series.null_count() == 0:
        return np.zeros(len(series), dtype=bool)
    return series.is_null().to_numpy()


def missing_share(series: pl.Series) -> float:
    """Share of rows whose value is null or NaN; the column has rows."""
    missing = np.count_nonzero(missing_mask(series)) if series.dtype.is_float() else series.null_count()
    return int(missing) / len(series)


def as_text(series: pl.Series) -> pl.Series:
    """Categories as text, whatever they were stored as."""
    return series if series.dtype == pl.String else series.cast(pl.String)


def as_instants(series: pl.Series) -> pl.Series | None:
    """A time column as datetimes in microseconds without a zone (UTC); None where it is no time at all."""
    if series.dtype == pl.String:
        try:
            series = series.str.to_datetime(strict=False, time_unit="us")
        except ComputeError:  # polars sees no format of dates in them
            return None
        return None if series.null_count() == len(series) else series
    if series.dtype == pl.Date:
        return series.cast(pl.Datetime("us"))
    if not isinstance(series.dtype, pl.Datetime):
        return None
    if series.dtype.time_zone is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return series.cast(pl.Datetime("us"))


def may_hold_run(values: Floats | NDArray[np.uint64], length: int) -> bool:
    """Whether a stretch of `length` equal values is possible; looks at every stretch of half that, evenly spaced.

    >>> may_hold_run(np.array([1.0, 2.0, 2.0, 2.0, 2.0, 3.0]), 4), may_hold_run(np.arange(6.0), 4)
    (True, False)
    """
    half = length // 2
    at = np.arange(0, len(values) - half + 1, half)
    for step in range(1, half):
        at = at[values[at] == values[at + step]]
    return len(at) > 0


def longest_run(series: pl.Series) -> tuple[int, int]:
    """Length of the longest stretch of one value, and the row where it starts; a missing value ends a stretch.

    >>> longest_run(pl.Series([1, 2, 2, None, 2]))
    (2, 1)
    """
    if len(series) == 0:
        return 0, 0
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        values = as_floats(series)
        starts = np.concatenate([[0], 1 + np.flatnonzero(values[1:] != values[:-1])])
    else:
        starts = np.flatnonzero(np.diff(series.rle_id().to_numpy(), prepend=-1))
    lengths = np.diff(starts, append=len(series))
    lengths = np.where(missing_mask(series)[starts], 0, lengths)
    at = int(np.argmax(lengths))
    return int(lengths[at]), int(starts[at])
