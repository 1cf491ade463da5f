"""Whether a model that does not know some feature would have aged better, and its losses if so."""

from __future__ import annotations

import msgspec
import numpy as np

from solvent.backtest.cut import Course
from solvent.backtest.matrix import Matrix, Progress, Span, of_first, of_span
from solvent.backtest.models import BUILT_IN, BadModel, Learner
from solvent.backtest.reference import Reference
from solvent.statistics.arrays import Floats
from solvent.statistics.sequential import Interval
from solvent.statistics.wandering import MOST, RELIED, saved, wanders_since


class LeftOut(msgspec.Struct, frozen=True):
    """feature: that wanders; since: the window at whose start it is known. saved: share of the first model's loss that
    it would have saved from then on.
    """

    feature: str
    since: int
    saved: Interval


def leave_out(
    learner: Learner, course: Course, matrix: Matrix, reference: Reference, *, seed: int, progress: Progress
) -> tuple[Matrix, LeftOut | None]:
    """Try the first model without each feature that it relies on most; where one wanders, add models without it.

    Functions of the clock stay: season and trend are no feature's fault. A model of the user's that cannot do without a
    column is left alone, and `said` tells.
    """
    names = sorted(reference.reliance, key=lambda name: -reference.reliance[name])
    names = [n for n in names if n not in learner.cases.clocks and reference.reliance[n] >= RELIED][:MOST]
    if len(learner.cases.features) < 2 or not names:
        return matrix, None
    progress(f"trying the first model without {', '.join(names)}")
    whole = _by_window(matrix.losses[0, 0], matrix)
    found: tuple[int, str, Floats] | None = None
    for name in names:
        try:
            own = of_first(learner.without(name), course, matrix.plan, bound=reference.bound)
        except BadModel:
            if learner.name == BUILT_IN:
                raise
            said = [*matrix.said, f"no model without a feature was tried: `{learner.name}` needs them all"]
            return msgspec.structs.replace(matrix, said=said), None
        tick = wanders_since(whole, _by_window(own, matrix), course.known)
        if tick is not None and (found is None or tick < found[0]):
            found = tick, name, _by_window(own, matrix)
    matrix = msgspec.structs.replace(matrix, tried=names)
    if found is None:
        return matrix, None
    since, feature, without = found
    progress(f"{feature} wanders: training models without it")
    span = Span(f"all without {feature}", None, feature, since)
    losses = of_span(learner.without(feature), course, matrix.plan, span, bound=reference.bound)
    wider = np.concatenate([matrix.losses, losses[:, None]], axis=1)
    more = msgspec.structs.replace(matrix, losses=wider, spans=[*matrix.spans, span])
    return more, LeftOut(feature, since, saved(whole[since:], without[since:], seed=seed))


def _by_window(blocks: Floats, matrix: Matrix) -> Floats:
    return np.bincount(matrix.window_of, weights=blocks).astype(float)
