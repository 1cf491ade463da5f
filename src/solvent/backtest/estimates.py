"""The loss that could have been told without a label, and how often its interval held."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from solvent.backtest.columns import Cases
from solvent.backtest.cut import Course
from solvent.backtest.realised import Realised
from solvent.backtest.reference import LEVEL, Reference
from solvent.data.contracts import infer_contract
from solvent.monitoring.estimate import outside_support
from solvent.monitoring.settings import MonitorSettings
from solvent.statistics.selfscoring import intervals_failed
from solvent.statistics.sequential import Interval

FAILED = "its intervals have failed on this model"


class Estimated(msgspec.Struct, frozen=True):
    """One window's estimate; abstained: why there is none, '' where there is one."""

    loss: Interval | None
    abstained: str = ""


def estimate(cases: Cases, course: Course, reference: Reference, windows: Sequence[Realised]) -> list[Estimated]:
    """An estimate a window, from the outputs alone; scored as labels become known, and switched off when it fails."""
    if reference.estimator is None:
        return [Estimated(None, "too few labelled rows to learn the loss from")] * course.windows
    watched = cases.frame.drop(cases.clocks)  # tomorrow's date is always new
    contract = infer_contract(watched[: int(course.bounds[0])])
    found: list[Estimated] = []
    abstain = MonitorSettings().abstain
    for window in windows:
        scored = list(zip(found, windows, strict=False))[: int(course.known[window.index])]
        if _failed(scored):
            found.append(Estimated(None, FAILED))
            continue
        rows = course.rows(window.index)
        outside = outside_support(watched[int(rows[0]) : int(rows[-1]) + 1], contract)
        if outside > abstain:
            found.append(Estimated(None, f"{outside:.0%} of rows lie outside what training showed"))
            continue
        told = reference.estimator.estimate(window.outputs, cases.micros[rows], features=cases.x[rows], level=LEVEL)
        loss = _with_more_rows(told.loss, reference.gain)
        found.append(Estimated(None, told.abstains) if told.abstains else Estimated(loss))
    return found


def _with_more_rows(loss: Interval, gain: float) -> Interval:
    """The estimate was learned from a model of fewer rows; half of what more rows gain is in doubt."""
    doubt = loss.value * gain / 2
    value = loss.value * (1 - gain)
    below, above = loss.value - loss.lower, loss.upper - loss.value
    return Interval(value, max(value - math.hypot(below, doubt), 0.0), value + math.hypot(above, doubt), loss.level)


def coverage(found: Sequence[Estimated], windows: Sequence[Realised]) -> tuple[int, int]:
    """How many intervals held the realised loss, of how many."""
    told = [(one.loss, window.loss.value) for one, window in zip(found, windows, strict=True) if one.loss is not None]
    return sum(loss.lower <= value <= loss.upper for loss, value in told), len(told)


def _failed(scored: Sequence[tuple[Estimated, Realised]]) -> bool:
    told = [(one.loss.lower, one.loss.upper, window.loss.value) for one, window in scored if one.loss is not None]
    lower, upper, realised = np.array(told, dtype=float).reshape(-1, 3).T
    return intervals_failed(lower, upper, realised, level=LEVEL)
