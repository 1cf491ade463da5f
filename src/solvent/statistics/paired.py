"""Two models on the same rows: the mean difference of their losses, with blocks as the unit."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from scipy.special import stdtr, stdtrit

from solvent.statistics.arrays import Counts, Flags, Floats


class Difference(msgspec.Struct, frozen=True):
    """Mean difference per row, its standard error over blocks, and how many of each there were."""

    mean: float
    error: float
    blocks: int
    rows: int

    def bound(self, tail: float) -> float:
        """The upper limit that the true mean exceeds with probability `tail`; `1 - tail` gives a lower one."""
        if self.blocks < 2:
            return math.inf if tail < 0.5 else -math.inf
        return self.mean + float(stdtrit(self.blocks - 1, 1 - tail)) * self.error

    def p_above(self, limit: float) -> float:
        """p-value against 'the true mean is at most `limit`'; 1 where there are too few blocks to say."""
        if self.blocks < 2:
            return 1.0
        if self.error == 0:
            return 0.0 if self.mean > limit else 1.0
        return float(stdtr(self.blocks - 1, (limit - self.mean) / self.error))


def paired_difference(differences: Floats, blocks: Counts) -> Difference:
    """Mean of per-row differences where rows of one block lean on each other.

    differences: shape (n,); blocks: shape (n,), any integer label of a row's block.
    The error is that of a ratio of block sums, so blocks may differ in size; with Student's t
    over blocks − 1 degrees it holds its level from about seven blocks on.
    Source: cluster-robust variance, Liang and Zeger 1986; few clusters, Cameron and Miller 2015.

    >>> paired_difference(np.array([1.0, 3.0, 2.0, 2.0]), np.array([0, 0, 1, 1])).mean
    2.0
    """
    rows = len(differences)
    if rows == 0:
        return Difference(math.nan, math.inf, 0, 0)
    _, which = np.unique(blocks, return_inverse=True)
    mean = float(differences.mean())
    residual = np.bincount(which, weights=differences - mean)
    count = len(residual)
    if count < 2:
        return Difference(mean, math.inf, count, rows)
    error = math.sqrt(count / (count - 1) * float(residual @ residual)) / rows
    return Difference(mean, error, count, rows)


def holm(p_values: dict[str, float], alpha: float) -> set[str]:
    """Names whose hypotheses fall while the chance of any false rejection stays at most alpha.

    Source: Holm 1979.

    >>> sorted(holm({"a": 0.01, "b": 0.04, "c": 0.03}, 0.05))
    ['a']
    """
    fallen: set[str] = set()
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        if p_values[name] > alpha / (len(p_values) - rank):
            break
        fallen.add(name)
    return fallen


def calibration_error(probability: Floats, label: Flags, bins: int = 10) -> float:
    """Mean gap between stated probability and observed share, over bins of equal count.

    probability: shape (n,), of class 1; label: shape (n,).
    Returns: in [0, 1]; NaN from no rows. Positive by chance alone: compare it on one set of rows.
    Source: expected calibration error with adaptive bins, Nixon et al. 2019.
    """
    if len(probability) == 0:
        return math.nan
    order = np.argsort(probability, kind="stable")
    gaps = [
        abs(float(probability[part].mean() - label[part].mean())) * len(part)
        for part in np.array_split(order, min(bins, len(order)))
    ]
    return sum(gaps) / len(probability)
