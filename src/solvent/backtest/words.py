"""Figures of one column, lengths of time, and charts of a line, as people read them in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from solvent.pages.words import MINUS, listed, plural

_LARGE, _SMALL = 1e8, 1e-2  # beyond, powers of ten
BLOCKS = "▁▂▃▄▅▆▇█"
_DAYS = ((730, 365.25, "year"), (60, 30.436875, "month"), (14, 7.0, "week"), (2, 1.0, "day"))


def close(values: Sequence[float]) -> list[str]:
    """Figures that stand in one column: enough digits that different ones differ, as many for each.

    >>> close([0.6071, 0.5994])
    ['0.607', '0.599']
    """
    largest = max((abs(v) for v in values), default=0.0)
    if largest >= _LARGE or 0 < largest < _SMALL:
        return [f"{v:.2g}".replace("-", MINUS) for v in values]
    digits = 0 if largest >= 100 else 1 if largest >= 10 else 2 if largest >= 1 else 3
    return [f"{v:,.{digits}f}".replace("-", MINUS) for v in values]


def length(days: float) -> str:
    """A length of time in the unit that suits it.

    >>> [length(d) for d in (0.1, 5, 19.2, 211, 1000)]
    ['2 hours', '5 days', '3 weeks', '7 months', '3 years']
    """
    for least, unit, name in _DAYS:
        if days >= least:
            return plural(round(days / unit), name)
    hours = timedelta(days=days).total_seconds() / 3600
    return plural(max(round(hours), 1), "hour")


def price(relative: float) -> str:
    """Of a retraining, in losses of the first window.

    >>> [price(p) for p in (0.1, 2.0, 0.05321)]
    ['0.1', '2', '0.053']
    """
    return f"{relative:.2g}"


def losses(relative: float) -> str:
    """A price in losses of the first window, in words.

    >>> [losses(p) for p in (0.1, 1.0, 2.0)]
    ["0.1 of a window's loss", "one window's loss", "2 windows' loss"]
    """
    if relative == 1:
        return "one window's loss"
    return f"{price(relative)} of a window's loss" if relative < 1 else f"{price(relative)} windows' loss"


def blocks(values: Sequence[float], low: float, high: float, most: int = 30) -> str:
    """A small chart; at most so many blocks, each the mean of its windows.

    >>> blocks([0, 1, 2], 0, 2)
    '▁▅█'
    """
    size = -(-len(values) // most)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    means = [sum(part) / len(part) for part in (values[i : i + size] for i in range(0, len(values), size))]
    return "".join(BLOCKS[min(max(int((mean - low) * scale + 0.5), 0), len(BLOCKS) - 1)] for mean in means)


def some(names: Sequence[str], most: int = 6) -> str:
    """Names, but not many.

    >>> some(["a", "b", "c", "d"], most=3)
    'a, b and 2 more'
    """
    return listed(names if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"])
