"""One side of a comparison of files: evenly spaced rows to look at shapes in, and exact figures by column."""

from __future__ import annotations

from typing import Any, NamedTuple

import polars as pl

from solvent.data.compare.model import Summary

SAMPLE = 200_000  # rows of each side, evenly spaced


class Looked(NamedTuple):
    """One side: a sample in the table's order, and exact figures by column."""

    sample: pl.DataFrame
    summaries: dict[str, Summary]


def look(table: pl.LazyFrame, columns: list[pl.Expr]) -> Looked:
    """Sample and summarise one side; `columns` make both sides' types alike."""
    shaped = table.select(columns)
    rows = int(shaped.select(pl.len()).collect(engine="streaming").item())
    sample = shaped.gather_every(max(1, -(-rows // SAMPLE))).collect(engine="streaming")
    return Looked(sample, _summaries(shaped, rows))


def _summaries(table: pl.LazyFrame, rows: int) -> dict[str, Summary]:
    schema = table.collect_schema()
    wanted: list[pl.Expr] = []
    for name, dtype in schema.items():
        column = pl.col(name)
        absent = column.is_null() | column.is_nan() if dtype.is_float() else column.is_null()
        wanted.append(absent.sum().alias(f"{name}\0missing"))
        if dtype.is_numeric():
            known = column.fill_nan(None) if dtype.is_float() else column
            wanted += [known.mean().alias(f"{name}\0mean"), known.min().alias(f"{name}\0low")]
            wanted += [known.max().alias(f"{name}\0high")]
        elif dtype.is_temporal():
            wanted += [column.min().alias(f"{name}\0first"), column.max().alias(f"{name}\0last")]
    figures = table.select(wanted).collect(engine="streaming").row(0, named=True) if wanted else {}
    return {name: _summary(name, figures, rows) for name in schema}


def _summary(name: str, figures: dict[str, Any], rows: int) -> Summary:
    def number(what: str) -> float | None:
        value = figures.get(f"{name}\0{what}")
        return None if value is None else float(value)

    def instant(what: str) -> str | None:
        value = figures.get(f"{name}\0{what}")
        return None if value is None else str(value)

    missing = float(figures[f"{name}\0missing"]) / rows if rows else 0.0
    return Summary(
        missing=missing, mean=number("mean"), low=number("low"), high=number("high"), first=instant("first"),
        last=instant("last"),
    )  # fmt: skip
