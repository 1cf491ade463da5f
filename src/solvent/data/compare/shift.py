"""How far each column moved as a whole, against how much the first table varies by itself."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec
import numpy as np
import polars as pl

from solvent.data.compare.columns import common_type
from solvent.data.compare.model import ColumnShift, Kind, Picture, Summary
from solvent.data.compare.variation import Variation
from solvent.data.contracts.columns import as_floats, missing_mask
from solvent.statistics.arrays import Counts, Flags, Floats
from solvent.statistics.distances import binned_jensen_shannon
from solvent.statistics.drift import pool_distances
from solvent.statistics.merged import Merged, deviation
from solvent.statistics.natural import drawn_distances, natural_limit, rate_limit
from solvent.statistics.profiles import histogram

LEVEL = 0.05  # probability that any column of two like tables is said to have moved
LEAST = 10  # rows of a block below which nothing is said about what is usual
_FEWEST = 4  # such blocks
TRIFLE = {"number": 0.1, "category": 0.05}  # standard deviations; Jensen–Shannon
MISSING_TRIFLE = 0.01  # share of rows
MOST_CATEGORIES = 200
NAMED = 5  # categories named
DRAWS = 100
QUANTILES = 100  # bins that natural variation is taken over
BINS, BARS = 30, 8  # of a picture: of a number's, of categories
MOST_WORKERS = 4  # columns at once: each takes about 50 bytes a row while it is looked at

Column = Callable[[str], pl.Series]


class _Counted(NamedTuple):
    """names: the most frequent categories of both sides; left, right: rows of each in them, all others last;
    distinct: categories of the left."""

    names: list[str]
    left: Counts
    right: Counts
    distinct: int


class Rule(msgspec.Struct, frozen=True):
    """When a column counts as moved: beyond natural variation at `level` (for one column), and beyond a trifle."""

    variation: Variation
    level: float = LEVEL
    number: float = TRIFLE["number"]
    category: float = TRIFLE["category"]
    missing: float = MISSING_TRIFLE
    seed: int = 0


def shifts(left: Column, right: Column, names: Sequence[str], rule: Rule) -> list[ColumnShift]:
    """Every named column, those that moved most against the usual first.

    left, right: give a column by its name. rule: its level is that of all columns together.
    """
    each = msgspec.structs.replace(rule, level=rule.level / max(2 * len(names), 1))  # values, and the missing ones
    with ThreadPoolExecutor(max(1, min(os.cpu_count() or 1, MOST_WORKERS))) as pool:
        found = list(pool.map(lambda name: column_shift(left(name), right(name), each), names))
    return sorted(found, key=lambda s: (not s.beyond, not s.missing_beyond, -(s.effect or 0.0)))


def column_shift(left: pl.Series, right: pl.Series, rule: Rule) -> ColumnShift:
    """One column. The two sides may be stored as different types."""
    wanted = common_type(left.dtype, right.dtype)
    if wanted is not None:
        left, right = left.cast(wanted, strict=False), right.cast(wanted, strict=False)
    counted = _counted(left, right) if left.dtype in (pl.String, pl.Boolean) else None
    kind = _kind(left, counted)
    sides = missing_mask(left), missing_mask(right)
    told: dict[str, Any] = _missing(*sides, rule)
    if kind == "number":
        told |= _numbers(as_floats(left), as_floats(right), rule)
    elif kind == "category" and counted is not None:
        told |= _categories(left.cast(pl.String), counted, rule)
    ours, theirs = (_summary(side, kind, lost) for side, lost in zip((left, right), sides, strict=True))
    return ColumnShift(column=left.name, kind=kind, left=ours, right=theirs, **told)


def _kind(left: pl.Series, counted: _Counted | None) -> Kind:
    """What a column's values are to a comparison; text with many values has no distance of its own."""
    if counted is not None:
        crowded = counted.distinct > MOST_CATEGORIES or (counted.distinct > 20 and counted.distinct > len(left) / 2)
        return "text" if crowded else "category"
    if left.dtype.is_numeric():
        return "number"
    return "time" if left.dtype.is_temporal() else "other"


def _summary(column: pl.Series, kind: Kind, lost: Flags) -> Summary:
    missing = float(lost.mean()) if len(lost) else 0.0
    if kind == "time":
        first, last = (None if at is None else str(at) for at in (column.min(), column.max()))
        return Summary(missing=missing, first=first, last=last)
    if kind != "number" or lost.all():
        return Summary(missing=missing)
    values = column.fill_nan(None) if column.dtype.is_float() and lost.any() else column
    mean, low, high = values.mean(), values.min(), values.max()
    middle = float(str(mean))  # of a decimal, too
    return Summary(
        missing=missing,
        mean=middle if math.isfinite(middle) else None,
        low=float(str(low)),
        high=float(str(high)),
    )


def _missing(left: Flags, right: Flags, rule: Rule) -> dict[str, Any]:
    """Whether the missing share moved, and by how much it may."""
    if not len(left) or not len(right):
        return {}
    change = abs(float(right.mean() - left.mean()))
    blocks = _blocks(left, rule.variation)
    if rule.variation.natural.kind == "chance":
        limit = rate_limit((int(left.sum()), len(left)), (int(right.sum()), len(right)), rule.level)
    elif len(whole := [block for block in blocks if len(block) >= LEAST]) >= _FEWEST:
        total, count = sum(int(block.sum()) for block in whole), sum(len(block) for block in whole)
        own = [abs(block.mean() - (total - block.sum()) / (count - len(block))) for block in whole]
        limit = natural_limit(np.array(own), rule.level)
    else:
        return {}
    limit = max(limit, rule.missing)
    return {"missing_limit": limit, "missing_beyond": change > limit}


def _blocks(values: Any, variation: Variation) -> list[Any]:
    """The left's values cut into its blocks."""
    ordered = values if variation.order is None or not variation.bounds else values[variation.order]
    return [ordered[start:stop] for start, stop in variation.bounds]


def _numbers(left: Floats, right: Floats, rule: Rule) -> dict[str, Any]:
    ours, theirs = (side if (known := np.isfinite(side)).all() else side[known] for side in (left, right))
    if not len(ours) or not len(theirs):
        return {}
    merged = Merged.of(ours, theirs)
    scale = deviation(ours) or deviation(np.concatenate([ours, theirs])) or 1.0
    wasserstein, ks = merged.distances()
    edges, gaps = merged.quantile_bins(QUANTILES)
    if rule.variation.natural.kind == "chance":
        own = drawn_distances(*merged.counts(edges), gaps / scale, draws=DRAWS, seed=rule.seed)
    else:
        blocks = [histogram(np.where(np.isfinite(b), b, np.nan), edges) for b in _blocks(left, rule.variation)]
        own = _own_distances(blocks, gaps / scale)
    told = {"effect": wasserstein / scale, "unit": "sd", "ks": ks}
    told |= _judged(wasserstein / scale, own, rule.number, rule)
    return {**told, "picture": _histograms(merged)} if told.get("beyond") else told


def _histograms(merged: Merged) -> Picture:
    """Even bins for the eye, over what lies between the half and the 99.5th percent of either side."""
    low, high = min(merged.quantiles(0.005)), max(merged.quantiles(0.995))
    distinct = len(np.unique(merged.values[:: max(len(merged.values) // 1000, 1)]))
    edges = np.linspace(low, high if high > low else low + 1, min(BINS, max(distinct, 2)) + 1)
    first, second = (counts / max(int(counts.sum()), 1) for counts in merged.counts(edges[1:-1]))
    return Picture(left=first.tolist(), right=second.tolist(), edges=edges.tolist())


def _categories(left: pl.Series, counted: _Counted, rule: Rule) -> dict[str, Any]:
    names, ours, theirs = counted.names, counted.left, counted.right
    if not names or not ours.sum() or not theirs.sum():
        return {}
    effect = float(binned_jensen_shannon(ours, theirs))
    if rule.variation.natural.kind == "chance":
        own = drawn_distances(ours, theirs, None, draws=DRAWS, seed=rule.seed)
    else:
        codes = left.cast(pl.Enum(names), strict=False).to_physical().fill_null(len(names)).to_numpy()
        known = left.is_not_null().to_numpy()
        held = zip(_blocks(codes, rule.variation), _blocks(known, rule.variation), strict=True)
        own = _own_distances([np.bincount(c[k], minlength=len(names) + 1) for c, k in held], None)
    new = [name for name, before in zip(names, ours, strict=False) if before == 0]
    gone = [name for name, after in zip(names, theirs, strict=False) if after == 0]
    told: dict[str, Any] = {"effect": effect, "unit": "0–1", "new": new[:NAMED], "gone": gone[:NAMED]}
    told |= _judged(effect, own, rule.category, rule)
    if told.get("beyond"):
        told["picture"] = _bars(names, ours, theirs)
    return told


def _bars(names: list[str], ours: Counts, theirs: Counts) -> Picture:
    """The categories whose shares changed most, the most frequent first."""
    before, after = (counts[:-1] / int(counts.sum()) for counts in (ours, theirs))
    shown = np.sort(np.argsort(-np.abs(after - before), kind="stable")[:BARS])
    return Picture(left=before[shown].tolist(), right=after[shown].tolist(), labels=[names[at] for at in shown])


def _counted(left: pl.Series, right: pl.Series) -> _Counted:
    sides: list[dict[str, int]] = [_value_counts(side) for side in (left, right)]
    total = {name: sides[0].get(name, 0) + sides[1].get(name, 0) for name in [*sides[0], *sides[1]]}
    ranked = sorted(total, key=lambda name: (-total[name], name))
    names, rest = ranked[:MOST_CATEGORIES], ranked[MOST_CATEGORIES:]
    ours, theirs = (
        np.array([*(side.get(n, 0) for n in names), sum(side.get(n, 0) for n in rest)], dtype=np.int64)
        for side in sides
    )
    return _Counted(names, ours, theirs, len(sides[0]))


def _value_counts(column: pl.Series) -> dict[str, int]:
    found = column.value_counts(name="rows").drop_nulls()
    return dict(zip(found[column.name].cast(pl.String), found["rows"], strict=True))


def _own_distances(blocks: list[Counts], gaps: Floats | None) -> Floats:
    """Distance of each block to the rest; empty where there are too few blocks, or too few rows in them."""
    whole = [block for block in blocks if block.sum() >= LEAST]
    return pool_distances(np.stack(whole), gaps) if len(whole) >= _FEWEST else np.array([])


def _judged(effect: float, own: Floats, trifle: float, rule: Rule) -> dict[str, Any]:
    """The effect beside what the left shows by itself."""
    if not len(own) or len(own) < _FEWEST:
        return {}
    limit = max(natural_limit(own, rule.level), trifle)
    return {"usual": (float(own.min()), float(own.max())), "limit": limit, "beyond": effect > limit}
