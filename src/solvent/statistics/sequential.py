"""Anytime-valid inference for bounded means by betting: peek whenever you like.

Source: Waudby-Smith and Ramdas 2024 (JRSS B 86); change detection by e-detectors,
Shin, Ramdas and Rinaldo 2024 (NEJSDS 2), used for risks as in Podkopaev and Ramdas 2022.
"""

from __future__ import annotations

import math
from bisect import bisect_left

import msgspec
import numpy as np

from solvent.statistics.arrays import Floats

_NOTHING = -1e9  # logarithm of no capital, as JSON can hold it
_STAKES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # shares of the capital put on 'the mean is larger'


class Interval(msgspec.Struct, frozen=True):
    """A figure with its confidence interval at `level`, all in one unit."""

    value: float
    lower: float
    upper: float
    level: float


def confidence_sequence(
    values: Floats, *, low: float = 0.0, high: float = 1.0, level: float = 0.9, grid: int = 400
) -> tuple[Floats, Floats]:
    """Bounds on the mean after each value that hold for all times at once.

    values: shape (n,), in order, each in [low, high] (clipped to it); their mean given the
        past is constant, nothing else is assumed.
    Returns: lower and upper, shape (n,), the running intersection at `level`; the vacuous
        [low, high] before the first value. Resolution: (high - low) / grid, outward.
    Raises: ValueError, high <= low or level outside (0, 1).
    Source: hedged capital with predictable plug-in bets, Waudby-Smith and Ramdas 2024, section 4.
    """
    if high <= low or not 0 < level < 1:
        raise ValueError("bounds need low < high and a level between 0 and 1")
    x = (np.clip(np.asarray(values, dtype=float), low, high) - low) / (high - low)
    n = len(x)
    if n == 0:
        return np.array([]), np.array([])
    alpha = 1 - level
    stakes = _plug_in_stakes(x, alpha)
    means = np.linspace(0, 1, grid + 1)
    edge = x[:, None] - means[None, :]
    with np.errstate(divide="ignore"):
        up = np.minimum(stakes[:, None], 0.5 / means[None, :]) * edge
        down = np.minimum(stakes[:, None], 0.5 / (1 - means)[None, :]) * edge
    richest = np.maximum(np.cumsum(np.log1p(up), axis=0), np.cumsum(np.log1p(-down), axis=0)) + math.log(0.5)
    alive = np.maximum.accumulate(richest, axis=0) < math.log(1 / alpha)
    lower = np.where(alive.any(axis=1), alive.argmax(axis=1) - 1, 0) / grid
    upper = np.where(alive.any(axis=1), grid - alive[:, ::-1].argmax(axis=1) + 1, grid) / grid
    scale = high - low
    return low + scale * np.maximum(lower, 0.0), low + scale * np.minimum(upper, 1.0)


def _plug_in_stakes(x: Floats, alpha: float) -> Floats:
    """Bets that only the past has set: small while the spread is unknown, smaller as time passes."""
    n = len(x)
    t = np.arange(1, n + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    spread = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    before = np.concatenate([[0.25], spread[:-1]])
    return np.asarray(np.sqrt(2 * math.log(2 / alpha) / (before * t * np.log1p(t))))


def mean_interval(values: Floats, *, low: float, high: float, level: float = 0.9, grid: int = 400) -> Interval:
    """The mean of bounded values with its confidence sequence's last bounds; vacuous ones for no values.

    A bet that the mean is larger than some point earns more the lower the point lies, one that it is smaller the
    higher, so that each bound is found by halving the grid, without the sequence before it.
    Raises: ValueError, as `confidence_sequence`.
    """
    if high <= low or not 0 < level < 1:
        raise ValueError("bounds need low < high and a level between 0 and 1")
    if len(values) == 0:
        return Interval(math.nan, low, high, level)
    clipped = np.clip(np.asarray(values, dtype=float), low, high)
    x, alpha, value = (clipped - low) / (high - low), 1 - level, float(clipped.mean())
    stakes, means = _plug_in_stakes(x, alpha), np.linspace(0, 1, grid + 1)

    def alive(mean: float, side: int) -> bool:
        """Whether the bets on a larger (1) or a smaller (-1) mean never became rich enough to rule this one out."""
        room = mean if side > 0 else 1 - mean
        bets = np.minimum(stakes, 0.5 / room if room > 0 else math.inf)
        capital = np.cumsum(np.log1p(side * (bets * (x - mean)))) + math.log(0.5)
        return bool(capital.max() < math.log(1 / alpha))

    first = bisect_left(range(grid + 1), True, key=lambda at: alive(float(means[at]), 1))
    last = grid - bisect_left(range(grid + 1), True, key=lambda at: alive(float(means[grid - at]), -1))
    if first > last:
        first, last = 0, grid
    lower, upper = max((first - 1) / grid, 0.0), min((last + 1) / grid, 1.0)
    scale = high - low
    return Interval(value, min(low + scale * lower, value), max(low + scale * upper, value), level)


class Bets(msgspec.Struct, frozen=True):
    """Evidence that a mean exceeds `null`: a mixture of bets at fixed stakes, carried between windows.

    null: the largest mean under the null; low: no value is smaller (clipped). Values need no
    upper bound. log_capital: one per stake; after any number of values the chance under the null
    that `evidence` was ever >= 1/alpha is at most alpha.

    >>> Bets.against(0.5).fed(np.ones(20)).evidence > 1000
    True
    """

    null: float
    low: float
    log_capital: list[float]
    count: int = 0
    peak: float = 1.0

    @classmethod
    def against(cls, null: float, low: float = 0.0) -> Bets:
        """No evidence yet. Raises: ValueError, null <= low."""
        if not null > low:
            raise ValueError(f"no mean can be at most {null} where no value is below {low}")
        return cls(null, low, [0.0] * len(_STAKES))

    @property
    def evidence(self) -> float:
        """The e-value now."""
        return math.exp(min(_log_mean(self.log_capital), 700.0))

    def fed(self, values: Floats) -> Bets:
        """The same after more values, shape (n,), in order."""
        if len(values) == 0:
            return self
        paths = np.array(self.log_capital) + np.cumsum(_gains(values, self.null, self.low), axis=0)
        best = max(_log_mean(row) for row in paths)
        peak = max(self.peak, math.exp(min(best, 700.0)))
        return Bets(self.null, self.low, [float(v) for v in paths[-1]], self.count + len(values), peak)


class ChangeDetector(msgspec.Struct, frozen=True):
    """Alarm when a mean rises above `null`, whenever that happens: a Shiryaev–Roberts e-detector of bets.

    threshold: average number of values between false alarms is at least this. The null is that
    each value's mean given the past is at most `null`. alarm_at: index of the value that crossed, or None.
    """

    null: float
    low: float
    threshold: float
    log_sum: list[float]
    count: int = 0
    alarm_at: int | None = None

    @classmethod
    def against(cls, null: float, *, threshold: float, low: float = 0.0) -> ChangeDetector:
        """Nothing seen yet. Raises: ValueError, null <= low."""
        if not null > low:
            raise ValueError(f"no mean can be at most {null} where no value is below {low}")
        return cls(null, low, threshold, [_NOTHING] * len(_STAKES))

    @property
    def evidence(self) -> float:
        """The detector's value; alarm at `threshold`."""
        return math.exp(min(_log_mean(self.log_sum), 700.0))

    def fed(self, values: Floats) -> ChangeDetector:
        """The same after more values, shape (n,), in order; stops counting at the alarm."""
        state = np.array(self.log_sum)
        count, alarm = self.count, self.alarm_at
        for gain in _gains(values, self.null, self.low):
            if alarm is not None:
                break
            state = np.logaddexp(state, 0.0) + gain
            if _log_mean(state) >= math.log(self.threshold):
                alarm = count
            count += 1
        return ChangeDetector(self.null, self.low, self.threshold, [float(v) for v in state], count, alarm)


def _gains(values: Floats, null: float, low: float) -> Floats:
    """Log growth of each stake at each value, shape (n, n_stakes)."""
    pull = (np.maximum(np.asarray(values, dtype=float), low) - null) / (null - low)
    return np.asarray(np.log1p(np.array(_STAKES)[None, :] * pull[:, None]))


def _log_mean(logs: list[float] | Floats) -> float:
    """Logarithm of the mean of exponentials."""
    highest = float(np.max(logs))
    return highest + math.log(float(np.mean(np.exp(np.asarray(logs) - highest))))
