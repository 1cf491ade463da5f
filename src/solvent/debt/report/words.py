"""Figures and places as people read them."""

from __future__ import annotations

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


def money_said(value: Range, hourly: float, currency: str) -> str:
    """The same in money, at an hourly rate."""
    mean, low, high = (minutes / HOUR * hourly for minutes in (value.mean, value.p10, value.p90))
    return f"{_two(mean)} {currency} ({_two(low)}–{_two(high)})".replace("  ", " ")


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


def plural(count: int, word: str) -> str:
    """`1 file`, `2 files`, `3 notebooks`."""
    if word.endswith("y"):
        return f"{count:,} {word}" if count == 1 else f"{count:,} {word[:-1]}ies"
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
