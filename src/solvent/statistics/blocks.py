"""Blocks in time: the unit in which neighbouring rows stop leaning on each other."""

from __future__ import annotations

import numpy as np

from solvent.statistics.arrays import Counts, Floats

HOUR = 3_600_000_000  # microseconds
DAY = 24 * HOUR
BLOCKS = (HOUR, 3 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY)


def block_means(values: Floats, micros: Counts, length: int) -> tuple[Floats, Counts, Counts]:
    """Mean of the values in each block of time that has any.

    values: shape (n,), finite; micros: shape (n,), their times in microseconds since 1970; length: microseconds.
    Returns: means, block starts in microseconds, rows per block, each of shape (n_blocks,), in order of time.
    """
    if len(values) == 0:
        return np.array([]), np.array([], dtype=np.int64), np.array([], dtype=np.int64)
    blocks, which, rows = grouped(micros // length)
    sums = np.bincount(which, weights=values)
    return sums / rows, blocks * length, rows


def grouped(keys: Counts) -> tuple[Counts, Counts, Counts]:
    """Distinct keys in order, the place of each row's key among them, and rows per key.

    keys: shape (n,), whole numbers, n >= 1. As `np.unique` answers, but without sorting where the keys lie close
    together, as blocks of time do.

    >>> grouped(np.array([7, 5, 7]))
    (array([5, 7]), array([1, 0, 1]), array([1, 2]))
    """
    low, high = int(keys.min()), int(keys.max())
    if high - low > 2 * len(keys):
        distinct, which, rows = np.unique(keys, return_inverse=True, return_counts=True)
        return distinct, which, rows
    offset = keys - low
    rows = np.bincount(offset)
    filled = np.flatnonzero(rows)
    if len(filled) == len(rows):
        return filled + low, offset, rows
    place = np.cumsum(rows > 0) - 1
    return filled + low, place[offset], rows[filled]


def autocorrelation(values: Floats, lag: int = 1) -> float:
    """Sample autocorrelation at `lag`, in [-1, 1]; 0 where there is no variation or too few values.

    >>> round(autocorrelation(np.array([1.0, -1.0] * 50)), 2)
    -0.99
    """
    if len(values) <= lag + 1:
        return 0.0
    centred = values - values.mean()
    power = float(centred @ centred)
    if power <= 0:
        return 0.0
    return float(centred[lag:] @ centred[:-lag]) / power


def block_length(values: Floats, micros: Counts, *, least: int = 20, largest: float = 0.2) -> int:
    """The shortest of an hour to a week whose block means hardly follow their neighbours, in microseconds.

    values, micros: as for `block_means`, the reference.
    A length qualifies where the autocorrelation of successive means is at most `largest`, beyond
    what its sampling error explains; never one that leaves fewer than `least` blocks.
    """
    fallback = BLOCKS[0]
    for length in BLOCKS:
        means, _, _ = block_means(values, micros, length)
        if len(means) < least:
            break
        fallback = length
        if autocorrelation(means) <= largest and autocorrelation(means, 2) <= largest and _daily(length, means):
            return length
    return fallback


def _daily(length: int, means: Floats) -> bool:
    """Blocks below a day must not repeat a daily pattern either."""
    if length >= DAY:
        return True
    return autocorrelation(means, DAY // length) <= 0.2
