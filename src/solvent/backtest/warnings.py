"""The warnings that would have come, when, and whether the loss then crossed the threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np

from solvent.backtest.cut import Course
from solvent.backtest.drift import Drift
from solvent.backtest.estimates import FAILED, Estimated
from solvent.backtest.realised import Realised
from solvent.backtest.reference import LEVEL, Reference
from solvent.foundation.clock import from_micros
from solvent.statistics.sequential import ChangeDetector
from solvent.statistics.trend import AHEAD, RARER, Approach, approach

REACH = AHEAD  # windows within which a warning must come true
_TOLERANCE = 0.1
_TINY = 1e-12


class Warned(msgspec.Struct, frozen=True):
    """at: when it would have come; window: of which it speaks. kind: drift, estimate, performance, or a trend of the
    latter two. lead: windows until the realised loss crosses the threshold, negative where it already had, None where
    it does not come true. due: of a trend, in how many windows it was expected.
    """

    at: datetime
    window: int
    kind: str
    features: list[str]
    evidence: float
    effect: float | None
    lead: int | None
    due: Approach | None = None


def warnings_of(
    course: Course,
    reference: Reference,
    windows: Sequence[Realised],
    drift: Sequence[Drift],
    estimated: Sequence[Estimated],
    *,
    threshold: float,
    delay: int,
) -> list[Warned]:
    """All warnings of the model that is never retrained, in order of time.

    threshold: of the mean loss of a row. delay: microseconds until a label is known.
    """
    above = [window.loss.value > threshold for window in windows]
    found = _of_drift(windows, drift, above) + _of_estimates(windows, estimated, threshold, above)
    found += _of_performance(course, reference, windows, above, delay)
    ends = [window.end for window in windows]
    found += _of_trend("estimate-trend", ends, estimates_on_the_way(estimated, drift, threshold), above)
    ends = [from_micros(int(end) + delay) for end in course.times[1:]]
    found += _of_trend("performance-trend", ends, losses_on_the_way(windows, drift, threshold), above)
    return sorted(found, key=lambda warning: (warning.at, warning.kind))


def first_crossing(windows: Sequence[Realised], threshold: float) -> int | None:
    """The first window whose realised loss is above the threshold."""
    return next((window.index for window in windows if window.loss.value > threshold), None)


def relation_alone(
    windows: Sequence[Realised], drift: Sequence[Drift], estimated: Sequence[Estimated], *, threshold: float
) -> bool:
    """Whether the loss crossed the threshold while inputs showed nothing: no drift, no estimate on its way or above,
    and none that abstained because rows are unlike the reference's.
    """
    crossed = first_crossing(windows, threshold)
    if crossed is None:
        return False
    drift, estimated = drift[: crossed + 1], estimated[: crossed + 1]
    told = all(one.loss is not None or one.abstained == FAILED for one in estimated)
    above = any(one.loss is not None and one.loss.lower > threshold for one in estimated)
    return (
        told
        and not above
        and not any(one.named for one in drift)
        and not any(estimates_on_the_way(estimated, drift, threshold))
    )


def _of_drift(windows: Sequence[Realised], drift: Sequence[Drift], above: Sequence[bool]) -> list[Warned]:
    found = []
    for window, one in zip(windows, drift, strict=True):
        if one.alert:
            effect = max((m.effect for m in one.moved if m.feature in one.named), default=None)
            lead = _lead(above, window.index)
            found.append(Warned(window.end, window.index, "drift", one.named, one.evidence, effect, lead))
    return found


def _of_estimates(
    windows: Sequence[Realised], estimated: Sequence[Estimated], threshold: float, above: Sequence[bool]
) -> list[Warned]:
    """The first of each run of windows whose estimated loss lies above the threshold with its whole interval."""
    found, before = [], False
    for window, one in zip(windows, estimated, strict=True):
        now = one.loss is not None and one.loss.lower > threshold
        if now and not before and one.loss is not None:
            lead = _lead(above, window.index)
            found.append(Warned(window.end, window.index, "estimate", [], one.loss.lower, one.loss.value, lead))
        before = now
    return found


def estimates_on_the_way(
    estimated: Sequence[Estimated], drift: Sequence[Drift], threshold: float
) -> list[Approach | None]:
    """By window, how the estimates up to it are on their way across the threshold; None where they are not."""
    return _on_the_way([math.nan if one.loss is None else one.loss.value for one in estimated], drift, threshold)


def losses_on_the_way(windows: Sequence[Realised], drift: Sequence[Drift], threshold: float) -> list[Approach | None]:
    """The same of realised losses, up to the first that is across."""
    crossed = first_crossing(windows, threshold)
    ways = _on_the_way([window.loss.value for window in windows], drift, threshold)
    return [way if crossed is None or at < crossed else None for at, way in enumerate(ways)]


def _on_the_way(figures: Sequence[float], drift: Sequence[Drift], threshold: float) -> list[Approach | None]:
    """A rise by chance is held to a quarter of drift's false alarms, so that a trend adds little to them."""
    known = np.array(figures)
    return [
        approach(known[: at + 1], threshold, sure=1 / (RARER * one.threshold), level=LEVEL)
        for at, one in enumerate(drift)
    ]


def _of_trend(
    kind: str, ends: Sequence[datetime], on_the_way: Sequence[Approach | None], above: Sequence[bool]
) -> list[Warned]:
    """The first of each run of windows on their way, which a pause of up to eight does not end.

    ends: when each window's figure is known.
    """
    found, last = list[Warned](), -math.inf
    for at, due in enumerate(on_the_way):
        if due is None:
            continue
        if at - last > REACH:
            found.append(Warned(ends[at], at, kind, [], 1 / max(due.p, _TINY), due.rise, _lead(above, at), due))
        last = at
    return found


def _of_performance(
    course: Course, reference: Reference, windows: Sequence[Realised], above: Sequence[bool], delay: int
) -> list[Warned]:
    """When the labels themselves showed a loss above the reference's interval by a tenth; once."""
    null = reference.risk.upper * (1 + _TOLERANCE)
    if not 0 < null < float("inf"):
        return []
    detector = ChangeDetector.against(null, threshold=course.quiet_blocks())
    for window in windows:
        detector = detector.fed(window.blocks)
        if detector.alarm_at is not None:
            at = from_micros(int(course.times[window.index + 1]) + delay)
            value = window.loss.value
            return [Warned(at, window.index, "performance", [], detector.evidence, value, _lead(above, window.index))]
    return []


def _lead(above: Sequence[bool], window: int) -> int | None:
    """Windows from a warning to the crossing that it announces; 0 or less while the loss is above already."""
    if above[window]:
        since = window
        while since and above[since - 1]:
            since -= 1
        return since - window
    ahead = next((at for at in range(window + 1, min(window + 1 + REACH, len(above))) if above[at]), None)
    return ahead - window if ahead is not None else None
