"""What the first model would have lost, window by window, beside a naive forecast and a fresh model."""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np

from solvent.backtest.columns import Cases
from solvent.backtest.cut import Course
from solvent.backtest.matrix import Matrix, sample
from solvent.backtest.models import Learner, losses_of
from solvent.backtest.reference import LEVEL, constant
from solvent.statistics.arrays import Floats
from solvent.statistics.blocks import block_means
from solvent.statistics.bootstrap import block_bootstrap
from solvent.statistics.sequential import Interval


class Realised(msgspec.Struct, frozen=True):
    """One window. loss: mean clipped loss of a row of the model that is never retrained; naive: of a constant learned
    from the rows known when the window starts; fresh: of the model trained then. outputs: of the first model; blocks:
    its mean losses by block of time.
    """

    index: int
    start: datetime
    end: datetime
    rows: int
    loss: Interval
    naive: float
    fresh: float
    outputs: Floats
    blocks: Floats


def live_on(
    learner: Learner, course: Course, matrix: Matrix, *, bound: float, fit_rows: int | None, seed: int
) -> list[Realised]:
    """Train once, and meet every later window with all of its rows."""
    cases, first = learner.cases, int(course.trained_by[0])
    model = learner.train(sample(np.arange(first), fit_rows))
    fresh = np.einsum("wsw->ws", matrix.by_window())[:, 0] / matrix.rows
    found = []
    for window in range(course.windows):
        rows = course.rows(window)
        outputs = model.outputs(rows)
        losses = np.minimum(losses_of(cases, rows, outputs), bound)
        means, _, sizes = block_means(losses, cases.micros[rows], course.block)
        start, end = course.span(window)
        found.append(
            Realised(
                index=window,
                start=start,
                end=end,
                rows=len(rows),
                loss=block_bootstrap(means, sizes, level=LEVEL, seed=seed + window),
                naive=_naive(cases, course, window, first, bound),
                fresh=float(fresh[window]),
                outputs=outputs,
                blocks=means,
            )
        )
    return found


def _naive(cases: Cases, course: Course, window: int, memory: int, bound: float) -> float:
    """Loss of a constant that is learned anew before each window from as many rows as the first model had."""
    until, rows = int(course.trained_by[window]), course.rows(window)
    forecast = constant(cases, np.arange(max(until - memory, 0), until), len(rows))
    return float(np.minimum(losses_of(cases, rows, forecast), bound).mean())
