"""Scales and ticks for the pictures. Pure arithmetic."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec

from solvent.pages.words import MONTHS, number


class Scale(msgspec.Struct, frozen=True):
    """A linear map from [low, high] in the data to [start, end] in the picture."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + share * (self.end - self.start)


def nice_step(span: float, wanted: int) -> float:
    """1, 2 or 5 times a power of ten, so that `span` takes about `wanted` steps.

    >>> nice_step(150, 4), nice_step(0.09, 3)
    (50.0, 0.05)
    """
    raw = span / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999))


def value_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Ticks that enclose [low, high]; from zero unless everything lies in the upper half.

    A loss that moves by a few hundredths would be a flat line on an axis from zero.

    >>> value_ticks(31, 125), value_ticks(0.52, 0.61)
    ([0.0, 50.0, 100.0, 150.0], [0.52, 0.54, 0.56, 0.58, 0.6, 0.62])
    """
    bottom = 0.0 if 0 <= low <= 0.5 * high else low
    if high - bottom <= 1e-9 * max(abs(high), abs(bottom)):  # one value, or rounding apart from it
        bottom, high = bottom - abs(bottom) * 0.1 - 0.5, high + abs(high) * 0.1 + 0.5
    step = nice_step(high - bottom, wanted)
    first, last = math.floor(bottom / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def tick_labels(ticks: list[float]) -> list[str]:
    """One number of decimals for all ticks of an axis."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals and abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1
    return [f"{tick:,.{decimals}f}" if abs(tick) < 1e9 else number(tick) for tick in ticks]


def time_ticks(start: datetime, end: datetime, wanted: int = 8) -> list[tuple[datetime, str]]:
    """Instants to label on a time axis: firsts of months, or days where the life is short.

    The year stands at the first tick and at each January.
    """
    days = (end - start) / timedelta(days=1)
    if days < 62:
        return _day_ticks(start, days, wanted)
    step = next((m for m in (1, 2, 3, 6, 12, 24, 60) if days / 30.4 / m <= wanted), 120)
    ticks: list[tuple[datetime, str]] = []
    at = datetime(start.year, 1, 1, tzinfo=UTC)
    while at <= end:
        if at >= start - timedelta(days=4):
            named = not ticks or at.month == 1
            ticks.append((at, f"{MONTHS[at.month - 1]} {at.year}" if named else MONTHS[at.month - 1]))
        months = at.year * 12 + at.month - 1 + step
        at = datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
    return ticks


def _day_ticks(start: datetime, days: float, wanted: int) -> list[tuple[datetime, str]]:
    step = next((d for d in (1, 2, 7, 14) if days / d <= wanted), 14)
    at = datetime(start.year, start.month, start.day, tzinfo=UTC)
    ticks = [at + timedelta(days=i) for i in range(0, max(int(days), 1) + 1, step)]
    labels = [f"{t.day} {MONTHS[t.month - 1]}" + (f" {t.year}" if i == 0 else "") for i, t in enumerate(ticks)]
    return list(zip(ticks, labels, strict=True))


def spread(positions: list[float], gap: float) -> list[float]:
    """Positions moved apart so that neighbours are at least `gap` apart, order kept, the last one moved least.

    >>> spread([100.0, 104.0], 14.0)
    [95.0, 109.0]
    """
    order = sorted(range(len(positions)), key=positions.__getitem__)
    placed = list(positions)
    for _ in range(len(order) * 4):
        moved = False
        for a, b in pairwise(order):
            lack = gap - (placed[b] - placed[a])
            if lack > 1e-9:
                placed[a] -= lack / 2
                placed[b] += lack / 2
                moved = True
        if not moved:
            break
    return placed
