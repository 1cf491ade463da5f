"""Two samples in one order: both distances of a column from a single sort, exact at any number of rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvent.statistics.arrays import Counts, Floats

_SIDE = np.int64(1)
_PIECE = 1 << 15  # values


class Merged(NamedTuple):
    """All values of two samples in order. rows: of the reference and of the window, n and m.

    values: shape (n + m,), not falling, each up to its last bit; late: shape (n + m,), how many of the values
        up to and with this one are the window's.
    """

    values: Floats
    late: Counts
    rows: tuple[int, int]

    @classmethod
    def of(cls, reference: Floats, window: Floats) -> Merged:
        """Sort both together; the side stands in the lowest bit of a value, so that one plain sort carries it along.

        reference, window: shape (n,) and (m,), finite. Raises: ValueError, a side has no rows or a value is not finite.
        """
        n, m = len(reference), len(window)
        if n == 0 or m == 0:
            raise ValueError("a distance needs rows on both sides")
        values = np.empty(n + m)
        np.add(reference, 0.0, out=values[:n])  # -0.0 becomes 0.0
        np.add(window, 0.0, out=values[n:])
        bits = values.view(np.int64)
        bits[:n] &= ~_SIDE
        bits[n:] |= _SIDE
        values.sort()
        if not (np.isfinite(values[0]) and np.isfinite(values[-1])):
            raise ValueError("a distance needs finite values: drop missing and infinite rows first")
        late, before = np.empty(n + m, dtype=np.int64), 0
        for start in range(0, n + m, _PIECE):  # a piece at a time stays in the processor's cache
            piece = bits[start : start + _PIECE]
            counted = np.cumsum(piece & _SIDE, out=late[start : start + _PIECE])
            counted += before
            before = int(counted[-1])
            piece &= ~_SIDE
        return cls(values, late, (n, m))

    def distances(self) -> tuple[float, float]:
        """Wasserstein distance (in the unit of the values) and Kolmogorov–Smirnov distance (in [0, 1])."""
        n, m = self.rows
        travelled, widest = 0.0, 0.0
        for start in range(0, n + m - 1, _PIECE):
            stop = min(start + _PIECE, n + m - 1)
            ahead = np.arange(start + 1, stop + 1) * m  # in whole numbers, so that like samples are at no distance
            ahead -= self.late[start:stop] * (n + m)
            apart = np.abs(ahead) / (n * m)  # the reference's share so far less the window's
            gaps = np.diff(self.values[start : stop + 1])
            widest = max(widest, float(np.max(apart, where=gaps > 0, initial=0.0)))  # not between equal values
            apart *= gaps
            travelled += float(apart.sum())
        return travelled, widest

    def counts(self, edges: Floats) -> tuple[Counts, Counts]:
        """Rows of each side per bin: below the first edge, from edge to edge, from the last edge on.

        edges: shape (k,), increasing. Returns: two of shape (k + 1,).
        """
        below = np.searchsorted(self.values, edges)
        late = np.where(below > 0, self.late[below - 1], 0)
        both, window = (np.diff(c, prepend=0, append=t) for c, t in ((below, len(self.values)), (late, self.rows[1])))
        return both - window, window

    def quantiles(self, share: float) -> tuple[float, float]:
        """The value below or at which `share` of a side's rows lie, of the reference and of the window."""
        early = np.arange(1, len(self.values) + 1) - self.late
        sides = zip((early, self.late), self.rows, strict=True)
        first, second = (
            float(self.values[np.searchsorted(counted, max(round(share * rows), 1))]) for counted, rows in sides
        )
        return first, second

    def quantile_bins(self, bins: int) -> tuple[Floats, Floats]:
        """Inner edges at quantiles of both samples, values themselves, and the distances between bin means.

        Returns: edges, shape (k,), increasing, k < bins; gaps, shape (k,). Fewer distinct values than bins stand
            in a bin each, so that nothing is lost.
        """
        at = np.linspace(0, len(self.values) - 1, bins + 1).round().astype(np.int64)[1:-1]
        edges = np.unique(self.values[at])
        if 0 < len(edges) < bins // 2:  # few distinct values: a bin each
            distinct = self.values[np.flatnonzero(np.diff(self.values, prepend=-np.inf))]
            edges = distinct if len(distinct) <= bins else edges
        edges = edges[edges > self.values[0]]  # nothing lies below the smallest
        starts = np.concatenate([[0], np.searchsorted(self.values, edges)])
        means = np.add.reduceat(self.values, starts) / np.diff(starts, append=len(self.values))
        return edges, np.diff(means)


def deviation(values: Floats) -> float:
    """Standard deviation of finite values, shape (n,), n >= 1, over n; in two passes, without a copy of them.

    >>> deviation(np.array([1.0, 3.0]))
    1.0
    """
    mean, squares = values.mean(), 0.0
    with np.errstate(over="ignore"):
        for start in range(0, len(values), _PIECE):
            piece = values[start : start + _PIECE] - mean
            piece *= piece
            squares += float(piece.sum())
    if not np.isfinite(squares):  # values whose square is too large for a float
        reach = max(abs(float(values.max())), abs(float(values.min())))
        return reach * deviation(values / reach)
    return float(np.sqrt(squares / len(values)))
