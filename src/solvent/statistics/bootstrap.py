"""Intervals by resampling blocks."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri, stdtrit

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.sequential import Interval


def block_bootstrap(means: Floats, rows: Counts, *, level: float = 0.9, draws: int = 400, seed: int = 0) -> Interval:
    """Interval of a row-weighted mean from its block means.

    means, rows: shape (n_blocks,), from `block_means`. With fewer than 20 blocks the percentiles
        are stretched to the width of Student's t, since few blocks show too little spread.
    Returns: value and bounds in the unit of the means; infinite bounds from one block, NaN from none.
    Source: block bootstrap, Künsch 1989; small samples, Hesterberg 2015.
    """
    blocks = len(means)
    if blocks == 0:
        return Interval(math.nan, math.nan, math.nan, level)
    value = float(np.average(means, weights=rows))
    if blocks == 1:
        return Interval(value, -math.inf, math.inf, level)
    generator = np.random.default_rng(seed)
    pick = generator.integers(0, blocks, size=(draws, blocks))
    weight = rows[pick]
    drawn = (means[pick] * weight).sum(axis=1) / weight.sum(axis=1)
    tail = (1 - level) / 2
    lower, upper = np.quantile(drawn, [tail, 1 - tail])
    stretch = float(stdtrit(blocks - 1, 1 - tail) / ndtri(1 - tail) * math.sqrt(blocks / (blocks - 1)))
    return Interval(value, value - stretch * (value - float(lower)), value + stretch * (float(upper) - value), level)


def predictive_interval(history: Floats, *, weight: float = 1.0, level: float = 0.9) -> tuple[float, float]:
    """Where the mean of the next window should fall, from block figures of the past.

    history: shape (n,), exchangeable block figures; weight: blocks in the next window.
    Returns: bounds by Student's t, widened for the unknown mean; infinite below two blocks.
    """
    n = len(history)
    if n < 2:
        return -math.inf, math.inf
    spread = float(history.std(ddof=1)) * math.sqrt(1 / max(weight, 1e-9) + 1 / n)
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * spread
    return float(history.mean()) - reach, float(history.mean()) + reach
