"""Mergeable summaries: what partitions say together equals what one pass says."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from solvent.statistics.arrays import Counts, Floats

_CELLS = 4096


class Moments(msgspec.Struct, frozen=True):
    """Count, missing, extremes, mean and spread of a numeric column.

    rows: with a value; missing: without one (null, NaN); infinite values count as rows,
    show in `low` and `high`, and are left out of `mean` and `squares` (`finite` rows).
    squares: sum of squared deviations from the mean. Merging is exact for counts and
    extremes, and within rounding for the rest.
    Source: Chan, Golub and LeVeque 1983.

    >>> (Moments.of(np.array([1.0, 2.0])) + Moments.of(np.array([3.0, float("nan")]))).mean
    2.0
    """

    rows: int = 0
    missing: int = 0
    finite: int = 0
    low: float = math.inf
    high: float = -math.inf
    mean: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: Floats) -> Moments:
        """One pass over values, shape (n,)."""
        present = values[~np.isnan(values)]
        finite = present[np.isfinite(present)]
        mean = float(finite.mean()) if len(finite) else 0.0
        return cls(
            rows=len(present),
            missing=len(values) - len(present),
            finite=len(finite),
            low=float(present.min()) if len(present) else math.inf,
            high=float(present.max()) if len(present) else -math.inf,
            mean=mean,
            squares=float(np.sum((finite - mean) ** 2)),
        )

    def __add__(self, other: Moments) -> Moments:
        finite = self.finite + other.finite
        weight = other.finite / finite if finite else 0.0
        gap = other.mean - self.mean
        return Moments(
            rows=self.rows + other.rows,
            missing=self.missing + other.missing,
            finite=finite,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            mean=self.mean + gap * weight,
            squares=self.squares + other.squares + gap * gap * self.finite * weight,
        )

    @property
    def deviation(self) -> float:
        """Sample standard deviation in the column's unit; NaN below two finite rows."""
        return math.sqrt(self.squares / (self.finite - 1)) if self.finite > 1 else math.nan


def edges_of(values: Floats, bins: int = 40) -> Floats:
    """Inner bin edges for histograms of a numeric column: midway between quantiles, and even steps beyond them.

    values: shape (n,), finite, the reference. Returns: shape (k,), increasing, k <= bins + 8;
        empty where the reference is constant. Edges lie between observed values, so that a
        value repeated many times falls inside one bin.
    """
    distinct = np.unique(values)
    if len(distinct) < 2:
        return np.array([])
    if len(distinct) <= bins:
        inner = (distinct[1:] + distinct[:-1]) / 2
    else:
        marks = np.unique(np.quantile(distinct if len(values) < bins else values, np.linspace(0, 1, bins + 1)[1:-1]))
        after = distinct[np.minimum(np.searchsorted(distinct, marks, side="right"), len(distinct) - 1)]
        inner = np.unique((marks + after) / 2)
    width = float(distinct[-1] - distinct[0])
    beyond = width * np.array([0.02, 0.15, 0.4, 0.8])
    return np.concatenate([distinct[0] - beyond[::-1], inner, distinct[-1] + beyond])


def histogram(values: Floats, edges: Floats) -> Counts:
    """Rows per bin: below the first edge, between successive edges, above the last.

    values: shape (n,), NaN left out. Returns: shape (n_edges + 1,). Histograms on one set of edges add up.
    """
    missing = np.isnan(values)
    present = values[~missing] if missing.any() else values
    if len(edges) == 0:
        return np.array([len(present)])
    # Even cells, looked up by arithmetic, settle every value but those that share a cell with an edge.
    cell, at = _cells(present, edges), _cells(edges, edges)
    rows = np.bincount(cell, minlength=_CELLS + 2)
    rows[at] = 0
    shared = np.zeros(_CELLS + 2, dtype=bool)
    shared[at] = True
    below = np.cumsum(rows)[at] + np.searchsorted(np.sort(present[shared[cell]]), edges)
    return np.diff(below, prepend=0, append=len(present)).astype(np.int64)


def _cells(values: Floats, edges: Floats) -> Counts:
    """The cell of each value: 0 below the first edge, then even steps to the last one; grows with the value."""
    width = float(edges[-1]) / _CELLS - float(edges[0]) / _CELLS or 1.0
    with np.errstate(over="ignore"):
        cells = values - edges[0]  # one array for all four steps: over a million rows a new one costs as much as a step
        cells /= width
        cells += 1
        np.clip(cells, 0, _CELLS + 1, out=cells)
    return np.asarray(cells, dtype=np.int64)


def bin_gaps(edges: Floats) -> Floats:
    """Distances between the middles of successive bins, shape (n_edges,); outer bins as wide as their neighbours."""
    if len(edges) < 2:
        return np.zeros(len(edges))
    widths = np.diff(edges)
    all_widths = np.concatenate([[widths[0]], widths, [widths[-1]]])
    return np.asarray((all_widths[1:] + all_widths[:-1]) / 2)
