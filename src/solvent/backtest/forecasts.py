"""Forecasts of the loss of the model that is never retrained, each from what was known then, and how they did."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from solvent.backtest.cut import Course
from solvent.backtest.realised import Realised
from solvent.backtest.reference import Reference
from solvent.statistics.aging import Aging
from solvent.statistics.arrays import Floats
from solvent.statistics.forecast import AHEAD, PERSISTENCE, Forecast, Score, score, walk_forward

_MOST_GAIN = -0.5  # of a fresh model's loss, that a window of age can be taken to save
_TINY = 1e-12


class Foretold(msgspec.Struct, frozen=True):
    """All in the mean loss of a row. made: one a tick, for the window that ends `AHEAD` windows later; coming: made at
    the end, of the windows after it, the nearest first. own, persistence, aging: scores of the same task by the
    forecast, by 'it stays as it is', and by that plus what the aging test knew of a window of age.
    """

    made: list[Forecast]
    coming: list[Forecast]
    own: Score
    persistence: Score
    aging: Score


def foretell(
    course: Course, reference: Reference, windows: Sequence[Realised], aged: Sequence[Aging | None], *, delay: int
) -> Foretold:
    """Walk forward over the windows.

    aged: by tick, what the aging test said of the windows labelled by then; delay: microseconds until labels are known.
    """
    losses = np.array([window.loss.value for window in windows])
    ends = course.times[1:] - 1
    known = np.append(course.known, np.searchsorted(ends + delay, course.times[-1], side="left"))
    start = reference.risk.value
    made = walk_forward(losses, known, start)
    still = walk_forward(losses, known, start, smoothing=PERSISTENCE)
    older = walk_forward(losses, known, start, smoothing=PERSISTENCE, rise=_rises([*aged, aged[-1]]))
    nearer = [walk_forward(losses, known, start, ahead=ahead)[-1] for ahead in range(1, AHEAD)]
    return Foretold(
        made=made,
        coming=[*nearer, made[-1]],
        own=score(made, losses),
        persistence=score(still, losses),
        aging=score(older, losses),
    )


def _rises(aged: Sequence[Aging | None]) -> Floats:
    """By how much the logarithm of the loss rises with a window of age, as known at each tick."""
    shares = [aging.slope.value / max(aging.fresh, _TINY) if aging is not None else 0.0 for aging in aged]
    return np.log1p(np.maximum(shares, _MOST_GAIN))
