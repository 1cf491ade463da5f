"""Profiles of tables: what a column holds, in bounded size, merged from partitions as if read at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
import numpy as np
import polars as pl

from solvent.statistics.profiles import Moments
from solvent.statistics.sketches import Distinct, HeavyHitters, Quantiles, hash_numbers, hash_texts

LEAST_ROWS = 20  # of a value that a profile may name
_PIECE = 1_000_000  # rows of a column that are held at once
_SIZE = 1024  # of the quantiles
_NAMED = 256  # values by name

Kind = Literal["number", "time", "text", "other"]
_Merges = TypeVar("_Merges", Moments, Quantiles, Distinct, HeavyHitters)


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One column. rows: with missing ones.

    Numbers and times (microseconds since 1970) have moments and quantiles; text, categories and booleans their frequent
    values; every column but nested ones an estimate of its different values.
    """

    kind: Kind
    rows: int
    missing: int
    moments: Moments | None = None
    quantiles: Quantiles | None = None
    distinct: Distinct | None = None
    frequent: HeavyHitters | None = None

    @classmethod
    def of(cls, series: pl.Series) -> ColumnProfile:
        """One pass over a column; NaN counts as missing."""
        if series.dtype.is_numeric() or series.dtype.is_temporal():
            kind: Kind = "number" if series.dtype.is_numeric() else "time"
            physical = series.cast(pl.Datetime("us")) if series.dtype in (pl.Date, pl.Datetime) else series
            values = physical.to_physical().cast(pl.Float64).to_numpy()
            moments = Moments.of(values)
            return cls(
                kind=kind,
                rows=len(series),
                missing=moments.missing,
                moments=moments,
                quantiles=Quantiles.of(values, _SIZE),
                distinct=Distinct.of(hash_numbers(values[~np.isnan(values)])),
            )
        if series.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Boolean):
            return cls(kind="other", rows=len(series), missing=series.null_count())
        counts = series.cast(pl.String).drop_nulls().rename("value").value_counts(name="rows")
        most = counts.sort(["rows", "value"], descending=[True, False]).head(_NAMED + 1)
        return cls(
            kind="text",
            rows=len(series),
            missing=series.null_count(),
            distinct=Distinct.of(hash_texts(counts["value"])),
            frequent=HeavyHitters.of(dict(most.iter_rows()), _NAMED),
        )

    def __add__(self, other: ColumnProfile) -> ColumnProfile:
        """Raises: ValueError, columns of two kinds."""
        if self.kind != other.kind:
            raise ValueError(f"a {self.kind} column and a {other.kind} column have no common profile")
        return ColumnProfile(
            kind=self.kind,
            rows=self.rows + other.rows,
            missing=self.missing + other.missing,
            moments=_both(self.moments, other.moments),
            quantiles=_both(self.quantiles, other.quantiles),
            distinct=_both(self.distinct, other.distinct),
            frequent=_both(self.frequent, other.frequent),
        )


class TableProfile(msgspec.Struct, frozen=True):
    """columns: by name, in the table's order."""

    columns: dict[str, ColumnProfile]

    def __add__(self, other: TableProfile) -> TableProfile:
        """Partitions of one table together. Raises: ValueError, other columns or a column of another kind."""
        if self.columns.keys() != other.columns.keys():
            only = sorted(self.columns.keys() ^ other.columns.keys())
            raise ValueError(f"profiles of different tables: {', '.join(only)} on one side only")
        return TableProfile({name: one + other.columns[name] for name, one in self.columns.items()})

    def encoded(self) -> bytes:
        """As MessagePack; values of fewer than 20 rows are not told, since they may name a person."""
        kept = {
            name: msgspec.structs.replace(one, frequent=one.frequent.above(LEAST_ROWS)) if one.frequent else one
            for name, one in self.columns.items()
        }
        return msgspec.msgpack.encode(TableProfile(kept))

    @classmethod
    def decoded(cls, data: bytes) -> TableProfile:
        """The inverse of `encoded`. Raises: msgspec.DecodeError."""
        return msgspec.msgpack.decode(data, type=cls)


def profile_table(table: pl.DataFrame | pl.LazyFrame | Path, *, workers: int | None = None) -> TableProfile:
    """Profile every column, several at a time; of a lazy table or a Parquet file a million rows of a column at once.

    Equal rows in equal order give equal bytes. Merging the profiles of partitions gives counts, extremes, missing and
    distinct values exactly, moments within rounding, quantiles within their `rank_error`.
    """
    lazy = pl.scan_parquet(table) if isinstance(table, Path) else table.lazy()
    with ThreadPoolExecutor(workers) as pool:
        names = lazy.collect_schema().names()
        return TableProfile(dict(zip(names, pool.map(lambda name: _column(lazy, name), names), strict=True)))


def _column(table: pl.LazyFrame, name: str) -> ColumnProfile:
    pieces = _pieces(table, name)
    profile = ColumnProfile.of(next(pieces))
    for piece in pieces:
        profile = profile + ColumnProfile.of(piece)
    return profile


def _pieces(table: pl.LazyFrame, name: str) -> Iterator[pl.Series]:
    at = 0
    while True:
        piece = table.select(name).slice(at, _PIECE).collect()[name]
        if len(piece) or at == 0:
            yield piece
        if len(piece) < _PIECE:
            return
        at += _PIECE


def _both(one: _Merges | None, other: _Merges | None) -> _Merges | None:
    return one + other if one is not None and other is not None else None
