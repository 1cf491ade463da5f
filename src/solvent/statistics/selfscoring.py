"""Whether an estimator's intervals have failed, told from windows whose labels have come.

Windows share the error of the reference that the estimator learned from: where it is large, one window's interval
misses and so do its neighbours'. Misses that are counted as if each were its own chance would condemn an estimator
whose intervals are true about once in six lives.
"""

from __future__ import annotations

import numpy as np
from scipy.special import bdtrc, ndtri

from solvent.statistics.arrays import Floats

_CHANCE = 0.02  # of a mean error that a true interval would not make
_APART = 0.002  # of as many misses about the mean error, which are looked at in every window
_RECENT = 8  # windows that the mean error is taken of: a relation that moves shows there first
_LEAST = 2


def intervals_failed(lower: Floats, upper: Floats, realised: Floats, *, level: float) -> bool:
    """True where the last windows' mean error is larger than any shared error allows, or windows scatter too widely.

    lower, upper, realised: shape (n_windows,), in order; windows without a finite upper end are left out.
    level: of the intervals, taken as normal.
    The mean of errors, however they depend on each other, varies no more than the widest of them; about their common
    error they miss no oftener than the interval says.
    """
    told = np.isfinite(upper)
    reach, error = (upper - lower)[told] / 2, (realised - (lower + upper) / 2)[told]
    if len(error) < _LEAST:
        return False
    widen = float(ndtri(1 - _CHANCE / 2) / ndtri((1 + level) / 2))
    if abs(float(error[-_RECENT:].mean())) > widen * float(reach[-_RECENT:].mean()):
        return True
    misses = int((np.abs(error - error.mean()) > reach).sum())
    return bool(misses and float(bdtrc(misses - 1, len(error), 1 - level)) < _APART)
