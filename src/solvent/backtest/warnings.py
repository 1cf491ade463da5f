"""The warnings that would have come, when, and whether the loss then crossed the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from solvent.backtest.cut import Course
from solvent.backtest.drift import Drift
from solvent.backtest.estimates import Estimated
from solvent.backtest.realised import Realised
from solvent.backtest.reference import Reference
from solvent.foundation.clock import from_micros
from solvent.statistics.sequential import ChangeDetector

REACH = 8  # windows within which a warning must come true
_TOLERANCE = 0.1


class Warned(msgspec.Struct, frozen=True):
    """at: when it would have come; window: of which it speaks. kind: drift, estimate or performance. lead: windows
    until the realised loss crosses the threshold, negative where it already had, None where it does not come true.
    """

    at: datetime
    window: int
    kind: str
    features: list[str]
    evidence: float
    effect: float | None
    lead: int | None


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
    return sorted(found, key=lambda warning: (warning.at, warning.kind))


def first_crossing(windows: Sequence[Realised], threshold: float) -> int | None:
    """The first window whose realised loss is above the threshold."""
    return next((window.index for window in windows if window.loss.value > threshold), None)


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
