"""The aging test read off the matrix: verdict, loss a month, half-life of skill, time to the threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from solvent.backtest.columns import Cases
from solvent.backtest.cut import Course
from solvent.backtest.matrix import Matrix
from solvent.backtest.options import Options
from solvent.backtest.realised import Realised
from solvent.backtest.reference import Reference
from solvent.statistics.aging import Aging, excess_of, half_life, judge_aging, time_to_threshold
from solvent.statistics.losses import metric_named
from solvent.statistics.sequential import Interval

MONTH = 30.436875  # days
RECENT = 1  # the span that has as many rows at every tick
_LEAST_WINDOWS = 8  # before which nothing is said of age
_RISE = 1.25  # threshold over the reference where there is no skill to lose


class Lifetime(msgspec.Struct, frozen=True):
    """aging: in windows and mean loss. month: loss added a month, as shown; pace: the same a month, or a day where the
    table lasts less than two months; half_life: days, None where the table does
    not reach so far. threshold: of the mean loss; allowed: excess over a fresh model that stays below it; reached: days
    by which a tenth, half and nine tenths of the models cross it. skill: naive less fresh, of the mean loss.
    """

    aging: Aging
    month: Interval
    pace: Interval
    half_life: float | None
    threshold: float
    reached: tuple[float | None, float | None, float | None]
    skill: float


def age(
    cases: Cases,
    course: Course,
    reference: Reference,
    matrix: Matrix,
    windows: Sequence[Realised],
    options: Options,
    *,
    threshold: float,
) -> Lifetime:
    """Models of equal training size, each against the one made just before the window that both are scored on."""
    losses = matrix.by_window()[:, RECENT]
    excess = excess_of(losses, matrix.rows)
    fresh = np.diagonal(losses) / matrix.rows
    aging = judge_aging(excess, fresh, memory=_memory(course, matrix), seed=options.seed)
    naive = float(np.average([window.naive for window in windows], weights=matrix.rows))
    skill, days = naive - float(np.average(fresh, weights=matrix.rows)), course.days()
    half = half_life(excess, skill)
    reached = time_to_threshold(excess, threshold - reference.risk.value)
    return Lifetime(
        aging=aging,
        month=_added(aging, cases.metric, MONTH / days),
        pace=_added(aging, cases.metric, (1 if in_days(course) else MONTH) / days),
        half_life=half * days if half is not None else None,
        threshold=threshold,
        reached=(_days(reached[0], days), _days(reached[1], days), _days(reached[2], days)),
        skill=skill,
    )


def aging_by_tick(course: Course, matrix: Matrix, *, seed: int) -> list[Aging | None]:
    """What the aging test, made of nothing but the windows labelled by each tick, says; None before eight of them."""
    losses, memory = matrix.by_window()[:, RECENT], _memory(course, matrix)
    verdicts: dict[int, Aging] = {}
    for known in set(course.known.tolist()):
        if known >= _LEAST_WINDOWS:
            rows, part = matrix.rows[:known], losses[:known, :known]
            fresh = np.diagonal(part) / rows
            verdicts[known] = judge_aging(excess_of(part, rows), fresh, memory=memory, draws=100, seed=seed)
    return [verdicts.get(known) for known in course.known.tolist()]


def known_to_age(verdicts: Sequence[Aging | None]) -> list[bool]:
    """Whether models are known to age at each tick: the test says so there and at the tick before, as it is read again
    and again.
    """
    ages = [aging is not None and aging.verdict in ("gradual", "abrupt") for aging in verdicts]
    return [now and before for now, before in zip(ages, [False, *ages], strict=False)]


def _memory(course: Course, matrix: Matrix) -> int:
    """Windows' worth of rows that a model of the recent span is trained on."""
    return max(round(int(course.trained_by[0]) / float(np.mean(matrix.rows))), 1)


def threshold_of(cases: Cases, reference: Reference, options: Options) -> tuple[float, str]:
    """The mean loss that must not be crossed, and what was assumed: '' where the user gave it."""
    metric = metric_named(cases.metric)
    if options.threshold is not None:
        return options.threshold**2 if metric.rooted else options.threshold, ""
    risk, naive = reference.risk.value, reference.naive
    if naive > risk:
        return (risk + naive) / 2, "the threshold is halfway from the first model's loss to a naive forecast's"
    return risk * _RISE, "the threshold is a quarter above the first model's loss, as it beats no naive forecast"


def in_days(course: Course) -> bool:
    """Whether all that is lived is too short to speak of months."""
    return course.days() * course.windows < 2 * MONTH


def _added(aging: Aging, metric: str, windows: float) -> Interval:
    """Loss added by so many windows of age, as people are shown it: of a rooted metric, the change of the root."""
    shown, slope = metric_named(metric).shown, aging.slope
    start = shown(aging.fresh)

    def added(value: float) -> float:
        return shown(max(aging.fresh + value * windows, 0.0)) - start if math.isfinite(value) else value

    return Interval(added(slope.value), added(slope.lower), added(slope.upper), slope.level)


def _days(windows: float | None, days: float) -> float | None:
    return None if windows is None else windows * days
