"""Residuals by time of day, relative to the outputs: what a shock is measured against."""

from __future__ import annotations

import numpy as np

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.blocks import DAY, HOUR, grouped

RESIDUAL_BLOCK = 6 * HOUR
PHASES = DAY // RESIDUAL_BLOCK


def relative_residuals(label: Floats, output: Floats, micros: Counts, scale: float) -> tuple[Counts, Floats]:
    """Sum of labels over sum of outputs, less 1, in each six hours that have rows.

    label, output, micros: shape (n,), finite; scale: usual size of an output, a twentieth of which is the least
        that a sum is divided by.
    Returns: block starts in microseconds and values, each of shape (n_blocks,), in order of time.
    """
    if len(label) == 0:
        return np.array([], dtype=np.int64), np.array([])
    starts, which, rows = grouped(micros // RESIDUAL_BLOCK)
    expected = np.maximum(np.bincount(which, weights=np.abs(output)), rows * scale / 20)
    excess = np.bincount(which, weights=label - output)
    return starts * RESIDUAL_BLOCK, np.asarray(excess / np.maximum(expected, 1e-12))
