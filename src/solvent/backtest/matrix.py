"""The loss matrix: models trained at each window's start on each span, scored on every later window."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from solvent.backtest.cut import Course
from solvent.backtest.models import Learner
from solvent.data.tablefile import write_table
from solvent.foundation.clock import from_micros
from solvent.foundation.errors import UsageError
from solvent.statistics.arrays import Counts, Floats

Progress = Callable[[str], None]

FIT_ROWS = 20_000  # that a model of the fixed plan is trained on at most
_FEW = 50_000  # rows below which more than one thread only gets in the way
SCORE_ROWS = 1_000  # of a window that it is scored on at most
_COARSEST = 8  # ticks between models of the first round under a budget
_LEAST_SHARE = 0.2  # of the rows, that a budget leaves a model
_LEAST_FIT = 2_000


class Span(msgspec.Struct, frozen=True):
    """What a model is trained on. rows: counted back from its tick, None for all; name: as people read it.

    without: a feature that is left out, '' for none; since: the tick from which that is known to be worth a thought.
    """

    name: str
    rows: int | None
    without: str = ""
    since: int = 0


class Plan(msgspec.Struct, frozen=True):
    """How much is computed. None: everything. stride: ticks between models; in between, the one before serves."""

    fit_rows: int | None
    score_rows: int | None
    stride: int = 1


class Matrix(msgspec.Struct, frozen=True):
    """losses: shape (n_ticks, n_spans, n_blocks), clipped, summed over each block's rows and scaled from the scored
    rows to all; NaN before the tick. window_of: shape (n_blocks,). rows, scored: shape (n_windows,).
    said: what was sampled, in sentences. tried: features without which the first model was trained too.
    """

    losses: Floats
    window_of: Counts
    spans: list[Span]
    rows: Counts
    scored: Counts
    plan: Plan
    said: list[str]
    tried: list[str] = []

    def by_window(self) -> Floats:
        """Shape (n_ticks, n_spans, n_windows); zeros before the tick, where nothing is read."""
        starts = np.flatnonzero(np.diff(self.window_of, prepend=-1))
        return np.asarray(np.add.reduceat(np.nan_to_num(self.losses), starts, axis=2))


def spans_of(course: Course) -> list[Span]:
    """All rows, and as many as the first model had."""
    first = int(course.trained_by[0])
    return [Span("all", None), Span(f"the last {first:,} rows", first)]


def fixed_plan(course: Course, *, full: bool) -> Plan:
    """The plan that depends on the rows alone, so that it is the same on every machine."""
    if full:
        return Plan(None, None)
    sizes, longest = np.diff(course.bounds), int(course.trained_by[-1])
    return Plan(
        FIT_ROWS if longest > FIT_ROWS else None,
        SCORE_ROWS if int(sizes.max()) > SCORE_ROWS else None,
    )


def budgeted(plan: Plan, course: Course, learner: Learner, bound: float, seconds: float) -> Plan:
    """Fewer rows a model where one timed model says that a half of all would not fit."""
    rows = sample(np.arange(course.trained_by[-1]), plan.fit_rows)
    begun = clock.perf_counter()
    _score(learner, course, rows, _scored_rows(course, plan), bound)
    one = clock.perf_counter() - begun
    models = course.windows * len(spans_of(course)) * 0.6
    left = 2 * seconds / max(one * models, 1e-9)
    if left >= 1:
        return plan
    fit_rows = max(int(len(rows) * max(left, _LEAST_SHARE)), _LEAST_FIT)
    return Plan(min(fit_rows, len(rows)), plan.score_rows or SCORE_ROWS)


def fill(
    learner: Learner,
    course: Course,
    plan: Plan,
    *,
    bound: float,
    progress: Progress,
    seconds: float | None = None,
) -> Matrix:
    """Train and score, one model after another: scikit-learn's fits are not safe side by side in threads.

    bound: losses are clipped there. seconds: a budget: every eighth window has its models first, then every fourth, as
    far as a further round would fit; None for every `plan.stride`th.
    """
    spans, rows = spans_of(course), _scored_rows(course, plan)
    sums: dict[tuple[int, int], Floats] = {}
    begun, stride = clock.perf_counter(), plan.stride if seconds is None else _COARSEST
    while True:
        jobs = [job for job in _jobs(course, stride, len(spans)) if job not in sums]
        if seconds is not None and sums:
            spent = clock.perf_counter() - begun
            if spent / len(sums) * len(jobs) > seconds - spent:
                stride *= 2  # the round before was the last that fits
                break
        for tick, at in jobs:
            sums[tick, at] = _model(learner, course, plan, bound, (tick, spans[at]), rows)
            progress(_said(len(sums), len(_jobs(course, stride, len(spans))), clock.perf_counter() - begun))
        if seconds is None or stride == 1:
            break
        stride //= 2
    losses = np.stack(
        [
            _serving(course, {tick: sums[tick, at] for tick in range(0, course.windows, stride)}, stride)
            for at in range(len(spans))
        ],
        axis=1,
    )
    sizes = np.diff(course.bounds)
    scored = np.bincount(np.searchsorted(course.bounds, rows, side="right") - 1, minlength=course.windows)
    done = Plan(plan.fit_rows, plan.score_rows, stride)
    said = _sampled(done, int(course.trained_by[-1]), int(sizes.max()))
    return Matrix(losses, course.window_of, spans, sizes, scored, done, said)


def of_span(learner: Learner, course: Course, plan: Plan, span: Span, *, bound: float) -> Floats:
    """Losses of the models of one span alone, as `Matrix.losses` has them, shape (n_ticks, n_blocks)."""
    rows = _scored_rows(course, plan)
    sums = {
        tick: _model(learner, course, plan, bound, (tick, span), rows) for tick in range(0, course.windows, plan.stride)
    }
    return _serving(course, sums, plan.stride)


def of_first(learner: Learner, course: Course, plan: Plan, *, bound: float) -> Floats:
    """Losses of the first model alone, shape (n_blocks,)."""
    return _model(learner, course, plan, bound, (0, Span("all", None)), _scored_rows(course, plan))


def _model(learner: Learner, course: Course, plan: Plan, bound: float, model: tuple[int, Span], rows: Counts) -> Floats:
    """Train the model of a tick and span, and score it on those of these rows that come after."""
    tick, span = model
    until = int(course.trained_by[tick])
    trained = sample(np.arange(max(until - span.rows, 0) if span.rows else 0, until), plan.fit_rows)
    return _score(learner, course, trained, rows[rows >= course.bounds[tick]], bound)


def _serving(course: Course, sums: dict[int, Floats], stride: int) -> Floats:
    """Every tick's losses from those of every `stride`th, whose models serve in between; NaN before the tick."""
    losses = np.full((course.windows, len(course.window_of)), np.nan)
    for tick, own in sums.items():
        for served in range(tick, min(tick + stride, course.windows)):
            ahead = course.window_of >= served
            losses[served, ahead] = own[ahead]
    return losses


def _jobs(course: Course, stride: int, spans: int) -> list[tuple[int, int]]:
    """(tick, span) of every model."""
    return [(tick, at) for tick in range(0, course.windows, stride) for at in range(spans)]


def sample(rows: Counts, most: int | None) -> Counts:
    """At most so many of these rows, evenly spaced in time."""
    if most is None or len(rows) <= most:
        return rows
    even: Counts = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    return even


def write_matrix(matrix: Matrix, course: Course, path: Path) -> None:
    """Parquet: training tick and its time, span, window and its start, loss, rows it sums over, rows scored.

    Raises: UsageError where it cannot be written.
    """
    sums = matrix.by_window()
    ticks, spans, windows = (axis.ravel() for axis in np.indices(sums.shape))
    later = windows >= ticks
    starts = [from_micros(int(at)) for at in course.times[:-1]]
    frame = pl.DataFrame(
        {
            "tick": ticks[later],
            "span": [matrix.spans[at].name for at in spans[later]],
            "window": windows[later],
            "loss": sums.ravel()[later],
            "rows": matrix.rows[windows[later]],
            "scored": matrix.scored[windows[later]],
            "trained_at": [starts[at] for at in ticks[later]],
            "starts": [starts[at] for at in windows[later]],
        }
    )
    try:
        write_table(frame, path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}", next="--matrix FILE") from None


def _scored_rows(course: Course, plan: Plan) -> Counts:
    return np.concatenate([sample(course.rows(window), plan.score_rows) for window in range(course.windows)])


def _score(learner: Learner, course: Course, trained: Counts, rows: Counts, bound: float) -> Floats:
    """Losses summed by block, shape (n_blocks,), scaled from a window's scored rows to all of them."""
    with threadpool_limits(1 if len(trained) < _FEW else None):
        loss = np.minimum(learner.train(trained).losses(rows), bound)
    window = np.searchsorted(course.bounds, rows, side="right") - 1
    scored = np.bincount(window, minlength=course.windows)
    scale = np.diff(course.bounds) / np.maximum(scored, 1)
    block = course.block_of[rows - course.bounds[0]]
    sums: Floats = np.bincount(block, weights=loss * scale[window], minlength=len(course.window_of)).astype(float)
    return sums


def _said(done: int, all_of: int, seconds: float) -> str:
    left = seconds / done * (all_of - done)
    return f"{done} of {all_of} models trained and scored, about {left:.0f} s left"


def _sampled(plan: Plan, longest: int, largest: int) -> list[str]:
    said = []
    if plan.fit_rows is not None and plan.fit_rows < longest:
        said.append(f"models trained on at most {plan.fit_rows:,} rows, evenly drawn from their span")
    if plan.score_rows is not None and plan.score_rows < largest:
        said.append(f"policies compared on {plan.score_rows:,} rows a window; what was realised is on all")
    if plan.stride > 1:
        said.append(f"a model at every {plan.stride}th window only, to keep the budget")
    return said
