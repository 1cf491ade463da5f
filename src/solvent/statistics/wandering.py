"""A feature whose relation to the target wanders: the same model without it errs less on what came since.

A model ages fastest through what it relies on and should not have. The paired losses of a model and of its like without
one feature, trained on the same rows, cancel season and difficulty; where leaving the feature out pays on the windows
that came after training, though the feature helped when the model was made, its relation to the target has moved.
"""

from __future__ import annotations

import numpy as np

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.bootstrap import block_bootstrap
from solvent.statistics.sequential import Interval

MOST = 3  # features that are tried
RELIED = 0.05  # of the model's skill that must rest on a feature
RECENT = 4  # labelled windows that are looked at
_LEAST = 3  # windows, before which nothing is said
SAVES = 0.1  # of the loss, that leaving the feature out must save
_OFTEN = 0.75  # of the windows in which it must


def wanders_since(whole: Floats, without: Floats, known: Counts) -> int | None:
    """The first tick at which the latest labelled windows say that the model had better not known the feature.

    whole, without: shape (n_windows,), losses of the two models; known: shape (n_ticks,), how many windows are labelled
    at each tick. Only a first screen, and read at every tick: what is done about it must be weighed by its own cost.
    """
    for tick, labelled in enumerate(known.tolist()):
        if labelled < _LEAST:
            continue
        seen = slice(max(labelled - RECENT, 0), labelled)
        less = whole[seen] - without[seen]
        if less.sum() > SAVES * whole[seen].sum() and (less > 0).mean() >= _OFTEN:
            return tick
    return None


def saved(whole: Floats, without: Floats, *, seed: int = 0) -> Interval:
    """Share of the loss that leaving the feature out saves, with its 90% interval by resampling windows.

    whole, without: shape (n_windows,), of windows that had no part in the choice of the feature. NaN without a loss.
    """
    total = float(whole.mean()) if len(whole) else 0.0
    if total <= 0:
        return Interval(np.nan, np.nan, np.nan, 0.9)
    return block_bootstrap((whole - without) / total, np.ones(len(whole), dtype=int), seed=seed)
