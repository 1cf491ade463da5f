"""How far each column moved as a whole, against how much the first table varies by itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from solvent.data.compare.model import ColumnShift, Kind, Picture, Summary
from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.distances import binned_jensen_shannon, binned_wasserstein
from solvent.statistics.drift import pool_distances
from solvent.statistics.profiles import histogram

SAMPLE = 200_000  # rows of each side, evenly spaced
BLOCKS = 8
LEAST = 10  # rows of a block below which nothing is said about what is usual
TRIFLE = {"number": 0.1, "category": 0.05}  # standard deviations; Jensen–Shannon
MISSING_TRIFLE = 0.01  # share of rows
MOST_CATEGORIES = 200
NAMED = 5  # categories named
QUANTILES = 200  # bins that a number's distance is taken over
BINS, BARS = 30, 8  # of a picture: of a number's, of categories


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


def shifts(left: Looked, right: Looked) -> list[ColumnShift]:
    """Every shared column, those that moved most against the usual first."""
    found = [
        _shift(left.sample[name], right.sample[name], left.summaries[name], right.summaries[name])
        for name in left.sample.columns
    ]
    return sorted(found, key=lambda s: (not s.beyond, not s.missing_beyond, -(s.effect or 0.0)))


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


def _shift(left: pl.Series, right: pl.Series, ours: Summary, theirs: Summary) -> ColumnShift:
    kind = kind_of(left)
    base = ColumnShift(column=left.name, kind=kind, left=ours, right=theirs)
    blocks = [len(b) for b in np.array_split(np.arange(len(left)), BLOCKS)]
    rates = [left.slice(sum(blocks[:i]), n).null_count() / n for i, n in enumerate(blocks) if n >= LEAST]
    low, high = min(rates, default=0.0), max(rates, default=1.0)
    lost = not low - MISSING_TRIFLE <= theirs.missing <= high + MISSING_TRIFLE
    told: dict[str, Any] = {"missing_beyond": lost and abs(theirs.missing - ours.missing) > MISSING_TRIFLE}
    if kind in ("number", "category") and len(left) and len(right):
        told |= _numbers(left, right) if kind == "number" else _categories(left, right)
    return ColumnShift(**{**{f: getattr(base, f) for f in base.__struct_fields__}, **told})


def kind_of(column: pl.Series) -> Kind:
    """What a column's values are to a comparison; text with many values has no distance of its own."""
    dtype = column.dtype
    if dtype.is_numeric():
        return "number"
    if dtype.is_temporal():
        return "time"
    if dtype == pl.Boolean:
        return "category"
    if dtype == pl.String:
        distinct = column.n_unique()
        return "text" if distinct > MOST_CATEGORIES or (distinct > 20 and distinct > len(column) / 2) else "category"
    return "other"


def _numbers(left: pl.Series, right: pl.Series) -> dict[str, Any]:
    ours, theirs = _floats(left), _floats(right)
    both = np.concatenate([ours[np.isfinite(ours)], theirs[np.isfinite(theirs)]])
    if not len(both):
        return {}
    edges, gaps = _bins(both)
    known = ours[np.isfinite(ours)]
    gaps /= (float(known.std()) if len(known) > 1 else 0.0) or float(both.std()) or 1.0
    blocks = np.stack([histogram(part, edges) for part in np.array_split(ours, BLOCKS)])
    effect = float(binned_wasserstein(blocks.sum(axis=0), histogram(theirs, edges), gaps))
    told = _judged(effect, "number", "sd", blocks, gaps)
    return {**told, "picture": _histograms(ours, theirs, both)} if told.get("beyond") else told


def _bins(values: Floats) -> tuple[Floats, Floats]:
    """Inner edges at quantiles of both sides, values themselves, and distances between the means of successive bins."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, QUANTILES + 1)[1:-1], method="higher"))
    edges = edges[edges > values.min()]  # nothing lies below the smallest
    bins = np.searchsorted(edges, values, side="right")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    return edges, np.diff(np.bincount(bins, weights=values, minlength=len(edges) + 1) / counts)


def _histograms(left: Floats, right: Floats, both: Floats) -> Picture:
    """Even bins for the eye; those that the distance is taken over follow the quantiles."""
    low, high = np.quantile(both, [0.005, 0.995])
    distinct = len(np.unique(both))
    edges = np.linspace(low, high if high > low else low + 1, min(BINS, max(distinct, 2)) + 1)
    shares = [np.histogram(np.clip(side[np.isfinite(side)], low, high), edges)[0] for side in (left, right)]
    first, second = (counts / max(int(counts.sum()), 1) for counts in shares)
    return Picture(left=first.tolist(), right=second.tolist(), edges=edges.tolist())


def _categories(left: pl.Series, right: pl.Series) -> dict[str, Any]:
    ours, theirs = left.cast(pl.String), right.cast(pl.String)
    counts = pl.concat([ours, theirs]).drop_nulls().value_counts(sort=True)
    names = counts[left.name].to_list()[:MOST_CATEGORIES]
    if not names:
        return {}
    places = {name: i for i, name in enumerate(names)}
    code, other = (
        side.drop_nulls().replace_strict(places, default=len(names), return_dtype=pl.Int64).to_numpy()
        for side in (ours, theirs)
    )
    size = len(names) + 1
    blocks = np.stack([np.bincount(part, minlength=size) for part in np.array_split(code, BLOCKS)])
    window = np.bincount(other, minlength=size)
    before = blocks.sum(axis=0)
    effect = float(binned_jensen_shannon(before, window))
    told = _judged(effect, "category", "0–1", blocks, None)
    known = len(names)
    new = [names[i] for i in range(known) if before[i] == 0]
    gone = [names[i] for i in range(known) if window[i] == 0]
    told |= {"new": new[:NAMED], "gone": gone[:NAMED]}
    if told.get("beyond"):
        first, second = (counts[:known][:BARS] / max(int(counts.sum()), 1) for counts in (before, window))
        told["picture"] = Picture(left=first.tolist(), right=second.tolist(), labels=names[:BARS])
    return told


def _judged(effect: float, kind: str, unit: str, blocks: Counts, gaps: Floats | None) -> dict[str, Any]:
    """The effect beside what the left's own eighths show."""
    if not np.isfinite(effect):
        return {}
    told: dict[str, Any] = {"effect": effect, "unit": unit}
    if int(blocks.sum(axis=1).min()) < LEAST:
        return told
    own = pool_distances(blocks, gaps)
    usual = float(own.min()), float(own.max())
    return {**told, "usual": usual, "beyond": effect > max(usual[1], TRIFLE[kind])}


def _floats(column: pl.Series) -> NDArray[np.float64]:
    return np.asarray(column.cast(pl.Float64).to_numpy(), dtype=np.float64)
