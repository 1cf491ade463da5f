"""Forecasts of a model's loss some windows ahead, each made from what was known then and scored once it has come.

The loss moves in ratios, so everything is done on its logarithm. The centre is a mean of the last loss and of
smoothed levels, each weighted by how well it would have done so far; the width grows with the root of the horizon, by
the errors made so far and a prior while there are few. A tracked factor widens intervals that miss and narrows those
that never do (adaptive conformal inference, Gibbs and Candès 2021), so coverage does not rest on the model of errors.

Mean losses have shape (n_windows,); known has shape (n_ticks,): how many windows are wholly labelled when window i
begins; one tick more than windows makes the last forecast at the end, of windows that nobody has seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.special import stdtrit

from solvent.statistics.arrays import Counts, Floats

AHEAD = 3  # windows from a forecast to the end of the window that it is for
LEVEL = 0.8
SMOOTHING = (1.0, 0.6, 0.3, 0.1)  # weights of the newest window in each level; 1 is the last loss itself
PERSISTENCE = (1.0,)
_PRIOR = 0.2  # usual change of the logarithm from window to window, before any is known
_PRIOR_COUNT = 2.0  # changes' worth of that
_ONE_STEP = 0.5  # weight of an error one window ahead, against one at the horizon itself
_LEAST_ERROR = 0.01  # squared, that every level is credited with, so that none is trusted wholly
_TRACKING = 0.05  # step of the tracked factor's logarithm
_TINY = 1e-12


class Forecast(msgspec.Struct, frozen=True):
    """made: the tick (window about to begin) at which it was made; window: that it is for; all else in the loss's
    unit.
    """

    made: int
    window: int
    value: float
    lower: float
    upper: float

    def holds(self, realised: float) -> bool:
        return self.lower <= realised <= self.upper


class Score(msgspec.Struct, frozen=True):
    """inside: intervals that held, of count; score: mean interval score, in the loss's unit, less is better."""

    inside: int
    count: int
    score: float


def walk_forward(
    losses: Floats,
    known: Counts,
    start: float,
    *,
    ahead: int = AHEAD,
    smoothing: Sequence[float] = SMOOTHING,
    rise: Floats | None = None,
    level: float = LEVEL,
) -> list[Forecast]:
    """One forecast at each tick, of the window that begins `ahead - 1` windows later.

    losses: shape (n_windows,), above 0; known: shape (n_ticks,), not falling. start: the loss expected before any
        window is known. rise: shape (n_ticks,), by how much the logarithm is known at each tick to rise a window, as an
        aging test says; 0 without.
    Returns: n_ticks forecasts in order. The one at tick t rests on losses[:known[t]] alone.
    """
    logs, first = np.log(np.maximum(losses, _TINY)), math.log(max(start, _TINY))
    course = _Course(logs, first, tuple(smoothing))
    made: list[Forecast] = []
    factor = 0.0
    scored = 0
    for tick, count in enumerate(known.tolist()):
        while scored < tick and made[scored].window < count:  # what has come since the last forecast
            missed = not made[scored].holds(float(losses[made[scored].window]))
            factor += _TRACKING * (missed - (1 - level))
            scored += 1
        window = tick + ahead - 1
        horizon = window - count + 1
        centre = course.centre(count, horizon) + horizon * (float(rise[tick]) if rise is not None else 0.0)
        reach = course.reach(count, horizon, level) * math.exp(factor)
        made.append(Forecast(tick, window, math.exp(centre), math.exp(centre - reach), math.exp(centre + reach)))
    return made


def interval_score(lower: float, upper: float, realised: float, *, level: float = LEVEL) -> float:
    """Width, plus what lies outside times 2 ÷ (1 - level): least in expectation for the true quantiles.

    Source: Gneiting and Raftery 2007.

    >>> interval_score(1.0, 3.0, 2.0), interval_score(1.0, 3.0, 3.5, level=0.75)
    (2.0, 6.0)
    """
    outside = max(lower - realised, 0.0) + max(realised - upper, 0.0)
    return upper - lower + 2 / (1 - level) * outside


def score(forecasts: Sequence[Forecast], losses: Floats, *, level: float = LEVEL) -> Score:
    """Of the forecasts whose window has been lived. NaN where there is none."""
    come = [one for one in forecasts if one.window < len(losses)]
    if not come:
        return Score(0, 0, math.nan)
    inside = sum(one.holds(float(losses[one.window])) for one in come)
    paid = [interval_score(one.lower, one.upper, float(losses[one.window]), level=level) for one in come]
    return Score(inside, len(come), float(np.mean(paid)))


class _Course:
    """The logarithms, and what would have been said of them from each number of known windows."""

    def __init__(self, logs: Floats, first: float, smoothing: tuple[float, ...]) -> None:
        self._logs = logs
        self._levels = _levels(logs, first, smoothing)
        self._centres: dict[tuple[int, int], float] = {}

    def centre(self, count: int, horizon: int) -> float:
        """Mean of the levels, each by how well it did this far ahead in the windows known."""
        if (count, horizon) not in self._centres:
            past = np.arange(max(count - horizon + 1, 0))
            errors = self._levels[past] - self._logs[past + horizon - 1, None]
            weight = 1 / (_LEAST_ERROR + (errors**2).sum(axis=0))
            self._centres[count, horizon] = float(self._levels[count] @ weight / weight.sum())
        return self._centres[count, horizon]

    def reach(self, count: int, horizon: int, level: float) -> float:
        """Half the width: errors so far, one window ahead and at this horizon, as of one step each."""
        near, far = self._errors(count, 1), self._errors(count, horizon)
        weight = _PRIOR_COUNT + _ONE_STEP * len(near) + len(far)
        power = _PRIOR_COUNT * _PRIOR**2 + _ONE_STEP * float(near @ near) + float(far @ far) / horizon
        return float(stdtrit(weight, (1 + level) / 2)) * math.sqrt(power / weight * horizon)

    def _errors(self, count: int, horizon: int) -> Floats:
        past = range(count - horizon + 1)
        return np.array([self._logs[at + horizon - 1] - self.centre(at, horizon) for at in past])


def _levels(logs: Floats, first: float, smoothing: tuple[float, ...]) -> Floats:
    """Smoothed level by (number of known windows, smoothing), shape (n_windows + 1, n_smoothings); first with none."""
    levels = np.full((len(logs) + 1, len(smoothing)), first)
    for at, newest in enumerate(smoothing):
        older = 1 - newest
        total, weight = first, 1.0
        for count, value in enumerate(logs.tolist(), 1):
            total, weight = older * total + value, older * weight + 1
            levels[count, at] = total / weight
    return levels
