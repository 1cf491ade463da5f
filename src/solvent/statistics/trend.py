"""Where a run of figures is going: a straight line through the last of them, and when it reaches a limit.

Each figure's own interval may be wide while its neighbours share most of its error, so a run that rises a little each
time is evidence that no single figure is: the line's slope and its error come from the differences alone.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from scipy.special import stdtr, stdtrit

from solvent.statistics.arrays import Floats

MEMORY = 12  # last figures that the line goes through: a trend begins and ends
LEAST = 6
AHEAD = 8  # figures ahead that a line is believed
_LATEST = 3  # figures whose mean must lie above all that came before the line's
RARER = 4  # times, that a chance rise should be rarer than a false alarm of drift, to add little to it
_FURTHEST = 3 * AHEAD  # that an end of the interval is looked for


class Approach(msgspec.Struct, frozen=True):
    """A rising line and its way to a limit.

    rise: of the line, a figure; p: chance of as steep a line were the figures without a trend. due: figures from the
    last one until the line reaches the limit, 0 where it has; soonest, latest: the same of its interval's ends, latest
    None where the lower one does not reach it within 24.
    """

    rise: float
    p: float
    due: int
    soonest: int
    latest: int | None


def approach(figures: Floats, limit: float, *, sure: float, level: float = 0.9) -> Approach | None:
    """The way to `limit` where figures surely rise, above all earlier ones, and reach it within eight more; else None.

    figures: shape (n,), in order, NaN where there is none; at least six of the last twelve are needed, the last among
        them. sure: the chance of a rise where there is none, a call; level: of the interval of due.
    The last three must lie above each figure before the twelve: a swing that has been seen is no trend. One that has
    not yet been seen looks like a rise for a while, as the line's error takes figures as independent.
    Source: least squares and its inverse prediction, Draper and Smith 1998, chapters 1 and 3.

    >>> approach(np.array([1.0, 1.11, 1.19, 1.3, 1.42, 1.49]), 2.0, sure=0.01).due
    6
    """
    earlier, last = np.split(np.asarray(figures, dtype=float), [max(len(figures) - MEMORY, 0)])
    known = np.flatnonzero(np.isfinite(last))
    if len(known) < LEAST or known[-1] != len(last) - 1:
        return None
    at, values = known - known[-1], last[known]
    n, middle = len(at), float(at.mean())
    spread = float(((at - middle) ** 2).sum())
    rise = float((at - middle) @ values) / spread
    now = float(values.mean()) - rise * middle
    noise = math.sqrt(float(((values - now - rise * at) ** 2).sum()) / (n - 2))
    seen = float(np.max(earlier[np.isfinite(earlier)], initial=-math.inf))
    if rise <= 0 or now + rise * AHEAD < limit or float(values[-_LATEST:].mean()) <= seen:
        return None
    p = float(stdtr(n - 2, -rise * math.sqrt(spread) / noise)) if noise > 0 else 0.0
    if p > sure:
        return None
    ahead = np.arange(_FURTHEST + 1)
    line = now + rise * ahead
    reach = float(stdtrit(n - 2, (1 + level) / 2)) * noise * np.sqrt(1 / n + (ahead - middle) ** 2 / spread)
    due = int(np.argmax(line >= limit))
    lower = line - reach >= limit
    return Approach(
        rise=rise,
        p=p,
        due=due,
        soonest=int(np.argmax(line + reach >= limit)),
        latest=int(np.argmax(lower)) if lower.any() else None,
    )
