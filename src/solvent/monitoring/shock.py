"""A shock: after a gap the labels stand far from the forecast for a while, and come back by themselves."""

from __future__ import annotations

import numpy as np
import polars as pl

from solvent.foundation.clock import from_micros
from solvent.monitoring.frames import TIME, floats_of, micros_of
from solvent.monitoring.reference import Risk
from solvent.monitoring.residuals import PHASES, RESIDUAL_BLOCK, relative_residuals
from solvent.monitoring.settings import AlertDraft, Findings, Subject
from solvent.monitoring.state import MonitorState, Span
from solvent.statistics.arrays import Floats
from solvent.statistics.blocks import DAY
from solvent.statistics.bootstrap import predictive_interval

_KEPT = 28 * PHASES  # residual blocks: four weeks of days
_LEAST = 6  # of one time of day
_ONSET = 2 * RESIDUAL_BLOCK  # a shock shows by then or not at all
_LONGEST = 7 * DAY  # what lasts longer is a change, not a shock
_FLOOR = 0.2  # labels a fifth away from what they usually are: less is no shock


class _Block:
    """Six hours after a gap: start, label over output less 1, and what is usual at that time of day."""

    def __init__(self, start: int, value: float, usual: Floats) -> None:
        self.start, self.value = start, value
        self.away = value - float(usual.mean()) if len(usual) else 0.0
        low, high = predictive_interval(usual, level=0.98) if len(usual) >= _LEAST else (-np.inf, np.inf)
        self.strange = not low <= value <= high and abs(self.away) >= _FLOOR


def find_shocks(frame: pl.DataFrame, risk: Risk, state: MonitorState, subject: Subject) -> Findings:
    """Name shocks behind recent gaps, and remember the residuals of quiet times.

    frame: canonical, newly labelled rows. Labels over outputs are taken by six hours of the day, and held against a
    predictive interval of the last four weeks at the same time of day: outside 98% and a fifth away within
    twelve hours of the gap's end is a shock; it ends when less than half of it is left.
    """
    findings = Findings()
    event = micros_of(frame[TIME])
    label, output = floats_of(frame["label"]), floats_of(frame["output"])
    known = np.isfinite(label) & np.isfinite(output)
    starts, values = relative_residuals(label[known], output[known], event[known], risk.output_scale)
    usual = (risk.residuals + state.performance.residuals)[-_KEPT:]
    named = {span.start for span in state.spans if span.kind == "shock"}
    for gap in [span for span in state.spans if span.kind == "gap" and span.end not in named]:
        after = [
            _Block(int(start), float(value), _at_phase(usual, int(start)))
            for start, value in zip(starts, values, strict=True)
            if start + RESIDUAL_BLOCK > gap.end and start < gap.end + _LONGEST
        ]
        shock = _shock_in(after, gap)
        if shock is not None:
            state.spans.append(shock)
            findings.drafts.append(_draft(gap, shock, _worst(after, shock), subject))
    shocks = [span for span in state.spans if span.kind == "shock"]
    quiet = [
        (int(start // RESIDUAL_BLOCK % PHASES), float(value))
        for start, value in zip(starts, values, strict=True)
        if not any(shock.start < start + RESIDUAL_BLOCK and start < shock.end for shock in shocks)
    ]
    state.performance.residuals = (state.performance.residuals + quiet)[-_KEPT:]
    return findings


def _at_phase(residuals: list[tuple[int, float]], start: int) -> Floats:
    phase = start // RESIDUAL_BLOCK % PHASES
    return np.array([value for at, value in residuals if at == phase])


def _shock_in(after: list[_Block], gap: Span) -> Span | None:
    onset = [block for block in after if block.start < gap.end + _ONSET and block.strange]
    if not onset:
        return None
    worst = max(onset, key=lambda block: abs(block.away)).away
    end = onset[-1].start + RESIDUAL_BLOCK
    for block in after:
        if block.start >= end:
            if block.away * worst <= 0 or abs(block.away) < abs(worst) / 2:
                break
            end = block.start + RESIDUAL_BLOCK
    return Span("shock", gap.end, end)


def _worst(after: list[_Block], shock: Span) -> _Block:
    return max((block for block in after if block.start < shock.end), key=lambda block: abs(block.away))


def _draft(gap: Span, shock: Span, worst: _Block, subject: Subject) -> AlertDraft:
    hours = (shock.end - shock.start) / 3.6e9
    usual = 1 + worst.value - worst.away
    share = abs(worst.away / usual) if usual > 0 else abs(worst.away)
    word = "below" if worst.away < 0 else "above"
    title = (
        f"a shock after the gap: labels up to {share:.0%} {word} what is usual for these forecasts,"
        f" for {hours:.0f} hours from {from_micros(shock.start):%Y-%m-%d %H:%M}; it passes, retraining would not help"
    )
    cause = {
        "kind": "shock",
        "sentence": title,
        "start": f"{from_micros(shock.start):%Y-%m-%d %H:%M}",
        "end": f"{from_micros(shock.end):%Y-%m-%d %H:%M}",
        "gap_start": f"{from_micros(gap.start):%Y-%m-%d %H:%M}",
    }
    evidence = {
        "test": "six-hour label over output against a predictive Student t at the same time of day, 98%",
        "label_to_output": 1 + worst.value,
        "usual": usual,
    }
    key = f"{from_micros(gap.start):%Y-%m-%dT%H:%M}"
    return subject.draft("shock", "alert", title, key=key, cause=cause, evidence=evidence)
