"""Prediction-powered inference: a few labels and many expected losses make one figure."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.sequential import Interval


def powered_mean(
    losses: Floats,
    expected: Floats,
    expected_rest: Floats,
    blocks: Counts,
    *,
    level: float = 0.9,
    whole: bool = True,
) -> Interval:
    """Mean loss of a window of which a part is labelled.

    losses, expected: shape (n,), of labelled rows: realised loss, and what a loss model that has not seen them expects;
        expected_rest: shape (m,), of the rows without a label; blocks: shape (n,), integer labels, rows of one block
        lean on each other. whole: the figure is that of these n + m rows, else of the population they come from.
    Returns: value and bounds in the loss's unit, Student's t over blocks; the share of trust in the expected losses
        is chosen so that the interval is shortest, so a useless loss model costs nothing. Infinite bounds with fewer
        than two blocks, NaN without a label.
    Assumes that labelled rows are a random draw; where arrival depends on the label see `arrival`.
    Source: Angelopoulos et al. 2023; tuning, Angelopoulos, Duchi and Zrnic 2023 (PPI++).
    """
    n, m = len(losses), len(expected_rest)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, level)
    _, which = np.unique(blocks, return_inverse=True)
    count = int(which.max()) + 1
    share = m / (n + m)  # of rows without a label: only their loss is unknown
    trust = _trust(losses, expected)
    if whole:
        value = (1 - share) * float(losses.mean()) + share * _corrected(losses, expected, expected_rest, trust)
    else:
        value = _corrected(losses, expected, expected_rest, trust)
    if count < 2:
        return Interval(value, -math.inf, math.inf, level)
    left = losses - trust * expected
    labelled = _cluster_variance(left, which)
    if whole:
        variance = share**2 * (labelled + labelled * n / max(m, 1))
    else:
        variance = labelled + (trust**2 * float(expected_rest.var()) / m if m else 0.0)
    reach = float(stdtrit(count - 1, (1 + level) / 2)) * math.sqrt(variance)
    return Interval(value, value - reach, value + reach, level)


def _corrected(losses: Floats, expected: Floats, rest: Floats, trust: float) -> float:
    gap = float(rest.mean() - expected.mean()) if len(rest) else 0.0
    return float(losses.mean()) + trust * gap


def _trust(losses: Floats, expected: Floats) -> float:
    """Slope of losses on expected losses, within [0, 1]."""
    centred = expected - expected.mean()
    power = float(centred @ centred)
    return min(max(float(centred @ losses) / power, 0.0), 1.0) if power > 0 else 0.0


def _cluster_variance(values: Floats, which: Counts) -> float:
    """Variance of the mean where rows of a block lean on each other."""
    sums = np.bincount(which, weights=values - values.mean())
    return len(sums) / (len(sums) - 1) * float(sums @ sums) / len(values) ** 2
