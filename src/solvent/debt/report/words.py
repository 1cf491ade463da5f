"""Figures and places as people read them."""

from __future__ import annotations

import msgspec

from solvent.debt.finding import Place
from solvent.debt.pricing.draws import Range

HOUR, DAY = 60.0, 480.0  # minutes; a working day


def duration(value: Range) -> str:
    """The mean with its 10 to 90% range, two digits, in one unit.

    >>> duration(Range(45.2, 19.0, 40.0, 91.0))
    '45 min (19–91)'
    >>> duration(Range(540.0, 238.0, 500.0, 1140.0))
    '9 h (4–19)'
    """
    size, unit = (HOUR, "h") if value.mean >= HOUR else (1.0, "min")
    return f"{_two(value.mean / size)} {unit} ({_two(value.p10 / size)}–{_two(value.p90 / size)})"


class Money(msgspec.Struct, frozen=True):
    """hourly: what a working hour costs."""

    hourly: float
    currency: str

    def said(self, value: Range) -> str:
        """Minutes as money: the mean with its 10 to 90% range.

        >>> Money(90, "EUR").said(Range(120.0, 60.0, 110.0, 240.0))
        '180 EUR (90–360)'
        """
        mean, low, high = (_two(minutes / HOUR * self.hourly) for minutes in (value.mean, value.p10, value.p90))
        return f"{mean} {self.currency or 'in money'} ({low}–{high})"


def rounded(minutes: float) -> str:
    """A figure without its range, for changes and charts.

    >>> rounded(45.2), rounded(541.0)
    ('45 min', '9 h')
    """
    return f"{_two(minutes / HOUR)} h" if minutes >= HOUR else f"{_two(minutes)} min"


def _two(value: float) -> str:
    """Two significant digits, thousands grouped, no trailing zero.

    >>> [_two(v) for v in (0.04, 0.66, 3.14, 9.0, 41.7, 1234.0)]
    ['0', '0.7', '3.1', '9', '42', '1,200']
    """
    if value >= 100:
        digits = len(str(int(value))) - 2
        return f"{round(value, -digits):,.0f}"
    if value >= 9.95:
        return f"{value:.0f}"
    return f"{value:.1f}".removesuffix(".0")


def shown_place(place: Place) -> str:
    """`train.py:41`, or `model.ipynb cell 7:3`."""
    return f"{place.path} cell {place.cell}:{place.line}" if place.cell else f"{place.path}:{place.line}"
