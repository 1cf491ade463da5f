"""Where natural variation is read from: blocks of the left in time or in order, or chance alone."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from solvent.data.compare.model import Value
from solvent.statistics.arrays import Counts

LEAST_BLOCKS, MOST_BLOCKS = 8, 64


class Natural(Value, frozen=True, kw_only=True):
    """What a column's shift is held against.

    kind: `time`, blocks of the left in order of its time column; `order`, blocks in the order of its rows; `chance`,
    rows are exchangeable. blocks: how many; rows, days: of a block in the middle; days of those in time only.
    """

    kind: Literal["time", "order", "chance"]
    blocks: int = 0
    rows: int = 0
    days: float | None = None


class Variation(NamedTuple):
    """natural: as told; bounds: first and last row (not included) of each block; order: the left's rows in order of
    time, None where they stand in it."""

    natural: Natural
    bounds: list[tuple[int, int]]
    order: Counts | None = None


CHANCE = Variation(Natural(kind="chance"), [])


def in_order(rows: int, other: int) -> Variation:
    """Blocks of the left's `rows` as they stand, as large as the right (`other` rows) where at least eight fit.

    >>> in_order(800, 100).bounds[:2], len(in_order(10**6, 50).bounds)
    ([(0, 100), (100, 200)], 64)
    """
    count, size = _blocks(rows, other)
    starts = np.linspace(0, max(rows - size, 0), count)
    bounds = [(round(start), min(round(start + size), rows)) for start in starts.tolist()]
    return Variation(Natural(kind="order", blocks=len(bounds), rows=round(size)), bounds)


def in_time(micros: Counts, other: int) -> Variation:
    """Blocks of equal length in time, as many rows as the right where at least eight fit; sparse ones are left out.

    micros: shape (n,), the left's times in microseconds; other: rows of the right.
    """
    ordered = bool((micros[1:] >= micros[:-1]).all())
    order = None if ordered else np.argsort(micros, kind="stable")
    times = micros if order is None else micros[order]
    span = int(times[-1] - times[0]) + 1
    count, size = _blocks(len(times), other)
    width = span * size / len(times)
    starts = times[0] + np.linspace(0, span - width, count)
    firsts, lasts = np.searchsorted(times, starts), np.searchsorted(times, starts + width)
    held = lasts - firsts
    kept = held >= max(float(np.median(held)) / 2, 1)
    bounds = list(zip(firsts[kept].tolist(), lasts[kept].tolist(), strict=True))
    middle = int(np.median(held[kept]))
    natural = Natural(kind="time", blocks=len(bounds), rows=middle, days=width / 86_400e6)
    return Variation(natural, bounds, order)


def _blocks(rows: int, other: int) -> tuple[int, float]:
    """How many blocks, and rows of one: larger blocks than the right would vary less than it does by chance."""
    fitting = rows // max(other, 1)
    if fitting > MOST_BLOCKS:
        return MOST_BLOCKS, float(other)
    count = max(fitting, LEAST_BLOCKS)
    return count, rows / count
