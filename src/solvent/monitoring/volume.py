"""How much came, and when nothing did."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import polars as pl

from solvent.foundation.clock import from_micros, to_micros
from solvent.monitoring.frames import TIME, micros_of
from solvent.monitoring.reference import Reference
from solvent.monitoring.settings import AlertDraft, Findings, MonitorSettings, Subject
from solvent.monitoring.state import MonitorState, Span
from solvent.statistics.bootstrap import predictive_interval

_LONGER = 4  # times the longest silence of the reference
_STEPS = 12  # and this many times the usual spacing
_LEVEL = 0.999


def watch_volume(
    frame: pl.DataFrame, reference: Reference, state: MonitorState, subject: Subject, settings: MonitorSettings
) -> Findings:
    """Rows against the reference's windows, and gaps with their span.

    frame: canonical, may be empty. A gap is a silence several times longer than any of the reference's;
    it is told once, and its rows do not count as missing volume again.
    """
    findings = Findings()
    gaps = _gaps(frame, reference, state, subject)
    for gap in gaps:
        findings.add(_tell_gap(gap, reference, state, subject))
    rows = frame.height
    low, middle, high = _expected(reference, settings)
    about = {"expected": middle, "gaps": [[_text(g.start), _text(g.end)] for g in gaps]}
    findings.measurements.append(
        subject.measurement("volume", float(rows), "rows", lower=low, upper=high, level=_LEVEL, rows=rows, about=about)
    )
    odd = middle is not None and not low <= rows <= high and not 0.5 <= rows / middle <= 2
    start, end = to_micros(subject.start), to_micros(subject.end)
    ongoing = state.episodes.get("volume") == start
    if odd and middle is not None:
        state.episodes["volume"] = end
        if not ongoing and not gaps:
            findings.drafts.append(_tell_volume(rows, low, middle, high, subject))
    if rows:
        state.last_event = int(micros_of(frame[TIME])[-1])
    return findings


def _gaps(frame: pl.DataFrame, reference: Reference, state: MonitorState, subject: Subject) -> list[Span]:
    """Silences inside the window, and those that reach into it or out of it."""
    end = to_micros(subject.end)
    times = micros_of(frame[TIME])
    first = int(times[0]) if len(times) else end  # the silence before a model's first row is no gap: service began
    before = state.last_event if state.last_event is not None else first
    marks = np.sort(np.concatenate([[min(before, end)], times, [end]]), kind="stable")
    patience = 1e6 * max(_LONGER * reference.longest_silence, _STEPS * reference.spacing)
    silences = np.diff(marks)
    return [
        Span("gap", int(marks[at]), int(marks[at + 1])) for at in np.flatnonzero(silences > patience) if patience > 0
    ]


def _tell_gap(gap: Span, reference: Reference, state: MonitorState, subject: Subject) -> Findings:
    known = [span for span in state.spans if span.kind == "gap" and span.start == gap.start]
    state.spans = [span for span in state.spans if span not in known] + [gap]
    findings = Findings()
    if known:
        return findings
    hours = (gap.end - gap.start) / 3.6e9 - reference.spacing / 3600
    expected = round(hours * 3600 * _rate(reference))
    title = f"a gap: nothing came between {_text(gap.start)} and {_text(gap.end)} ({_length(hours)})"
    findings.drafts.append(
        subject.draft(
            "gap",
            "alert",
            title,
            key=_text(gap.start),
            cause={"kind": "gap", "sentence": title, "start": _text(gap.start), "end": _text(gap.end)},
            evidence={
                "test": f"silence longer than {_LONGER} × the longest of the reference",
                "hours": round(hours, 2),
                "longest_before_hours": round(reference.longest_silence / 3600, 2),
                "rows_expected": expected,
            },
        )
    )
    return findings


def _tell_volume(rows: int, low: float, middle: float, high: float, subject: Subject) -> AlertDraft:
    word = "few" if rows < middle else "many"
    title = f"unusually {word} rows: {rows:,} where {middle:,.0f} are usual"
    return subject.draft(
        "volume",
        "alert",
        title,
        cause={"kind": "volume", "sentence": title},
        evidence={
            "test": "predictive Student t of the windows' log counts",
            "interval": [low, high],
            "level": _LEVEL,
            "rows": rows,
        },
    )


def _expected(reference: Reference, settings: MonitorSettings) -> tuple[float, float | None, float]:
    """Lower bound, middle and upper bound of a window's rows; no middle where the reference is too short."""
    counts = np.array([n for n in reference.window_rows if n > 0], dtype=float)
    if len(counts) >= 4:
        logs = np.log(counts)
        low, high = predictive_interval(logs, level=_LEVEL)
        return math.exp(low), math.exp(float(logs.mean())), math.exp(high)
    rate = _rate(reference)
    if rate <= 0:
        return 0.0, None, math.inf
    middle = rate * settings.width.total_seconds()
    return middle / 4, middle, 4 * middle


def _rate(reference: Reference) -> float:
    """Rows a second in the reference."""
    if reference.window_rows and reference.until > reference.since:
        return sum(reference.window_rows) * 1e6 / (reference.until - reference.since)
    return 1 / reference.spacing if reference.spacing > 0 else 0.0


def _text(micros: int) -> str:
    return _minute(from_micros(micros))


def _minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")


def _length(hours: float) -> str:
    return f"{hours:.0f} hours missing" if hours < 72 else f"{hours / 24:.0f} days missing"
