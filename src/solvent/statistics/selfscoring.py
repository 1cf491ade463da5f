"""Whether an estimator's intervals have failed, told from windows whose labels have come.

Windows share the error of the reference that the estimator learned from: where it is large, one window's interval
misses and so do its neighbours'. Misses that are counted as if each were its own chance would condemn an estimator
whose intervals are true about once in six lives.
"""

from __future__ import annotations

import numpy as np
from scipy.special import bdtrc, ndtri

from solvent.statistics.arrays import Floats

_CHANCE = 0.02  # of a usual error that a true interval would not make
_APART = 0.002  # of as many misses about the usual error, which are looked at in every window
_RECENT = 8  # windows that the usual error is taken of: a relation that moves shows there first
_LEAST = 4  # windows, so that one shock condemns nobody


def intervals_failed(lower: Floats, upper: Floats, realised: Floats, *, level: float) -> bool:
    """True where the last windows' median error is larger than a shared error allows, or windows scatter too widely.

    lower, upper, realised: shape (n_windows,), in order; windows without a finite upper end are left out.
    level: of the intervals, taken as normal.
    An error that all windows share varies no more than a whole interval says, and about it they miss no oftener.
    """
    told = np.isfinite(upper)
    reach, error = (upper - lower)[told] / 2, (realised - (lower + upper) / 2)[told]
    if len(error) < _LEAST:
        return False
    widen = float(ndtri(1 - _CHANCE / 2) / ndtri((1 + level) / 2))
    if abs(float(np.median(error[-_RECENT:]))) > widen * float(np.median(reach[-_RECENT:])):
        return True
    misses = int((np.abs(error - np.median(error)) > reach).sum())
    return bool(misses and float(bdtrc(misses - 1, len(error), 1 - level)) < _APART)
