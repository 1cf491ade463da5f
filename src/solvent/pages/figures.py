"""A figure with what is not known about it."""

from __future__ import annotations

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its uncertainty. level: coverage of the interval, in (0, 1); None where it is exact."""

    value: float
    lower: float | None = None
    upper: float | None = None
    level: float | None = None
