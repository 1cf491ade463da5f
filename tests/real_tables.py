"""The two real tables that tests of contracts and monitors read, and their weeks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import polars as pl

WEEK = timedelta(weeks=1)


@cache
def bikes() -> pl.DataFrame:
    """Rentals by hour, 2011 and 2012."""
    with as_file(files("solvent.demo") / "data" / "bike_dc.parquet") as path:
        return pl.read_parquet(path)


@cache
def flights() -> pl.DataFrame:
    """Every sixteenth flight of 2013."""
    return pl.read_parquet(Path(__file__).parent / "data" / "flights_slice.parquet")


def between(table: pl.DataFrame, time: str, start: datetime, end: datetime) -> pl.DataFrame:
    return table.filter((pl.col(time) >= start) & (pl.col(time) < end))


def weeks(table: pl.DataFrame, time: str, start: datetime, end: datetime) -> Iterator[pl.DataFrame]:
    """Whole weeks from `start`, those with rows."""
    while start + WEEK <= end:
        week = between(table, time, start, start + WEEK)
        if week.height:
            yield week
        start += WEEK
