"""Parts of rows: a part is the path of cuts that leads to it, and two parts can be told apart, or not."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec


class Bound(msgspec.Struct, frozen=True):
    """An end of a slice or of a comparison: a number or text where it is constant, else the expression as written
    with the values of its names, so that the same words about other values are another bound.
    """

    constant: float | str | None = None
    written: str = ""
    values: tuple[Hashable, ...] = ()


class Between(msgspec.Struct, frozen=True):
    """From low (included) up to high (excluded); None is open."""

    low: Bound | None = None
    high: Bound | None = None


class Cut(msgspec.Struct, frozen=True):
    """One side of one division of rows. division: what divides; side: a name, or an interval of positions or values.

    kind: `split` divides at random or by folds, `mask` by a condition, `slice` by position or value, `subset` keeps
    some rows and the rest is nobody's.
    """

    division: Hashable
    side: str | Between
    kind: str = "split"


Part = tuple[Cut, ...]
FULL: Part = ()


def overlap(one: Part, other: Part) -> bool | None:
    """Whether two parts of the same rows share rows; None where it cannot be known."""
    for a, b in zip(one, other, strict=False):
        if a == b:
            continue
        if a.division != b.division:
            return None
        if isinstance(a.side, Between) and isinstance(b.side, Between):
            return _meet(a.side, b.side)
        return _apart(a.side, b.side) if isinstance(a.side, str) and isinstance(b.side, str) else None
    return True


def within(inner: Part, outer: Part) -> bool:
    """Whether all rows of inner are surely in outer."""
    return inner[: len(outer)] == outer


def siblings(parts: list[Part]) -> Part | None:
    """The part that is whole again when these, sides of one two-sided division, are put together."""
    if len(parts) != 2 or not all(parts):
        return None
    (*above, a), (*same, b) = parts
    two_sided = above == same and a.division == b.division and overlap((a,), (b,)) is False
    return tuple(above) if two_sided else None


def _apart(a: str, b: str) -> bool | None:
    """Two named sides share nothing; `!x`, all but x, shares nothing with `=x` only."""
    return None if "!" in (a[0], b[0]) and a[1:] != b[1:] else False


def _meet(a: Between, b: Between) -> bool | None:
    """False where one ends where the other begins, or before; True only for nothing, as a later cut may part them."""
    for low, high in ((a.low, b.high), (b.low, a.high)):
        if low is None or high is None:
            continue
        if low == high or _not_below(low.constant, high.constant):
            return False
    return None


def _not_below(low: float | str | None, high: float | str | None) -> bool:
    if isinstance(low, str) and isinstance(high, str):
        return low >= high
    if isinstance(low, str) or isinstance(high, str) or low is None or high is None:
        return False
    return low >= high and (low < 0) == (high < 0)  # -100 and 900 are counted from other ends
