"""Estimates without labels that are on their way across what is tolerated."""

from __future__ import annotations

import math

import numpy as np

from solvent.foundation.clock import to_micros
from solvent.monitoring.estimate import NAME
from solvent.monitoring.reference import Reference, worst_tolerated
from solvent.monitoring.settings import Findings, MonitorSettings, Subject
from solvent.monitoring.state import MonitorState
from solvent.statistics.losses import metric_named
from solvent.statistics.trend import AHEAD, RARER, Approach, approach

KIND = "estimate-trend"
_MOST_WINDOWS = 160  # that are remembered: three years of weeks


def watch_trend(
    estimate: Findings, reference: Reference, state: MonitorState, subject: Subject, settings: MonitorSettings
) -> Findings:
    """Take a window's estimate to those before it; one alert where they rise to what is tolerated within eight windows.

    estimate: what `watch_estimate` said of this window. An alert stands until eight windows have shown no such rise.
    """
    told = next((m for m in estimate.measurements if m.name == NAME), None)
    if told is None or reference.risk is None:
        return Findings()
    means = [*state.estimator.means, told.about.get("mean")][-_MOST_WINDOWS:]
    state.estimator.means = means
    limit = worst_tolerated(reference.risk, settings)
    figures = np.array([math.nan if mean is None else mean for mean in means])
    sure = 1 / (RARER * settings.windows_per_false_alarm)
    due = approach(figures, limit, sure=sure, level=settings.level)
    if due is None:
        return Findings()
    end, last = to_micros(subject.end), state.episodes.get(KIND)
    state.episodes[KIND] = end
    if last is not None and end - last <= AHEAD * settings.width.total_seconds() * 1e6:
        return Findings()
    metric = metric_named(reference.metric)
    sentence = (
        f"the estimated loss {_when(due)}: {metric.name} {metric.shown(figures[-1]):.3g} by now, "
        f"{metric.shown(limit):.3g} tolerated"
    )
    evidence = {
        "test": "the slope of a line through the last twelve estimates",
        "p": due.p,
        "sure": sure,
        "due_windows": [due.soonest, due.due, due.latest],
        "false_alarms_per_year": settings.false_alarms_per_year / 2 / RARER,
    }
    cause = {"kind": KIND, "sentence": sentence}
    return Findings(drafts=[subject.draft(KIND, "alert", sentence, cause=cause, evidence=evidence)])


def _when(due: Approach) -> str:
    if due.due == 0:
        return "has risen to what is tolerated"
    until = f"to {due.latest}" if due.latest is not None else "or more"
    windows = f"{due.due} window{'' if due.due == 1 else 's'}, {due.soonest} {until}"
    return f"is on its way across what is tolerated (in about {windows})"
