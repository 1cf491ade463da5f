"""Numbers that stand for 'missing', such as -200 or 9999: seldom named in a table, and ruinous where taken at face."""

from __future__ import annotations

import numpy as np
import polars as pl

from solvent.backtest.words import some
from solvent.statistics.arrays import Floats

_LEAST = 99  # below which a number may be a figure like any other
_VALUES = 20  # different ones in a column, below which they may be codes
_ROWS, _SHARE = 3, 0.002  # cells that hold it, at least
_NINES = frozenset(str(10**digits - 1) for digits in range(2, 10))


def without_sentinels(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """The table with such cells missing, and a sentence that names value and columns.

    Taken for one is the least or the largest value of a column, whole and repeated, that lies further from all others
    than they from each other: a negative one, or a row of nines. The only negative one is taken wherever it lies.
    """
    found: dict[float, list[str]] = {}
    for name, dtype in frame.schema.items():
        if dtype.is_numeric():
            for value in _sentinels(frame[name].drop_nulls().cast(pl.Float64).to_numpy()):
                found.setdefault(value, []).append(name)
    missing = [
        pl.when(pl.col(name) != value).then(pl.col(name)).alias(name)
        for value, names in found.items()
        for name in names
    ]
    for column in missing:
        frame = frame.with_columns(column)
    return frame, [f"{value:g} in {some(names, most=4)} counts as missing" for value, names in found.items()]


def _sentinels(values: Floats) -> list[float]:
    """values: shape (n,), without null; NaN and infinite ones say nothing."""
    values = values[np.isfinite(values)]
    ends = [float(values.min()), float(values.max())] if len(values) else []
    ends = [end for end in ends if (end <= -_LEAST and end == round(end)) or f"{end:.0f}" in _NINES]
    if not ends or len(np.unique(values)) < _VALUES:
        return []
    found = []
    for end in ends:
        others = values[values != end]
        near, far = (others.min(), others.max()) if end < others[0] else (others.max(), others.min())
        outside = abs(near - end) > abs(far - near)
        if len(values) - len(others) >= max(_ROWS, _SHARE * len(values)) and (outside or end < 0 <= near):
            found.append(end)
    return found
