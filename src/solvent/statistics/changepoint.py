"""When a mean changed, with an interval for the date."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from solvent.statistics.arrays import Floats
from solvent.statistics.blocks import autocorrelation

_LEAST = 4  # values from which a change can be dated
_MOST_DEPENDENCE = 0.8


class Change(msgspec.Struct, frozen=True):
    """A single change of the mean of a series.

    at: position of the first value after it; earliest, latest: ends of the interval of that position at `level`;
    before, after: the means on either side, in the values' unit.
    """

    at: int
    earliest: int
    latest: int
    before: float
    after: float
    level: float


def date_change(values: Floats, *, level: float = 0.9) -> Change | None:
    """Where the mean of a series changed, if it changed once.

    values: shape (n,), finite, in order of time, e.g. block means. The place is that of least squares. The interval
        holds every place whose fit is not worse by more than -2 log(1 - sqrt(level)) long-run variances, the limit of
        that ratio for a small shift; it is wider where the shift is small against the noise. Noise that leans on its
        neighbour is scaled as of order one.
    Returns: None with fewer than four values or where nothing varies. It dates a change and does not test for one.
    Source: Hansen 2000 (inverting the likelihood ratio); place by least squares, Bai 1997.

    >>> date_change(np.array([0.0, 0.1, 0.0, 5.0, 5.1, 5.0])).at
    3
    """
    n = len(values)
    if n < _LEAST or float(np.ptp(values)) == 0.0:
        return None
    left = np.arange(1, n)
    sums = np.cumsum(values)
    gap = sums[:-1] / left - (sums[-1] - sums[:-1]) / (n - left)
    gain = gap**2 * left * (n - left) / n  # squares that a step at each place explains
    at = int(np.argmax(gain)) + 1
    before, after = float(values[:at].mean()), float(values[at:].mean())
    noise = values - np.where(np.arange(n) < at, before, after)
    lag = min(max(autocorrelation(noise), 0.0), _MOST_DEPENDENCE)
    variance = float(noise @ noise) / max(n - 2, 1) * (1 + lag) / (1 - lag)
    allowed = -2 * math.log(1 - math.sqrt(level)) * variance
    inside = np.flatnonzero(gain[at - 1] - gain <= allowed) + 1
    return Change(at, int(inside[0]), int(inside[-1]), before, after, level)
