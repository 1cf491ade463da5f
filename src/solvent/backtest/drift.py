"""Drift of the inputs, window by window, against the windows before: what moved, and whether that is unusual."""

from __future__ import annotations

import time as clock
from datetime import timedelta

import msgspec
import numpy as np
import polars as pl

from solvent.backtest.columns import Cases
from solvent.backtest.cut import Course
from solvent.backtest.reference import Reference
from solvent.monitoring.drift import join_window, judge_window, settle
from solvent.monitoring.settings import MonitorSettings
from solvent.monitoring.state import Track
from solvent.monitoring.tracks import begin_track, count_window
from solvent.statistics.arrays import Counts
from solvent.statistics.domain import joint_drift
from solvent.statistics.drift import average_evidence, detector_step, e_value, named_by_e_bh

_LEAST_ROWS = 10  # of a feature's known values in a window


class Moved(msgspec.Struct, frozen=True):
    """One feature in one window. effect: distance to the windows before; unit: sd (Wasserstein, in standard
    deviations) or 0–1 (Jensen–Shannon); usual: that distance for a usual window; p: how rare; matters: share of the
    model's skill that rests on the feature.
    """

    feature: str
    effect: float
    unit: str
    usual: float | None
    p: float | None
    matters: float


class Drift(msgspec.Struct, frozen=True):
    """One window. moved: the rarest first; evidence: average of the features' e-detectors, which alarms at
    threshold; named: the features of an alarm; season: it may be a season, as no whole cycle has been seen. joint: how
    well a classifier tells the window's inputs from the reference's, as AUC, None with too few rows; a figure to show.
    """

    moved: list[Moved]
    evidence: float
    threshold: float
    named: list[str]
    season: bool
    joint: float | None

    @property
    def alert(self) -> bool:
        return bool(self.named) and not self.season


def watch(cases: Cases, course: Course, reference: Reference, *, seed: int, until: float | None = None) -> list[Drift]:
    """Judge each window's inputs in order of time; after an alarm the new state is what is usual.

    Functions of the clock are left out: their drift is the calendar's. until: reading of the performance counter after
    which the joint figure, which no decision rests on, is left out.
    """
    settings = MonitorSettings(width=timedelta(days=max(course.days(), 1 / 24)))
    tracks = _begin(cases, course, reference)
    inputs = cases.x[:, [name not in cases.clocks for name in cases.features]]
    found = []
    for window in range(course.windows):
        rows = cases.frame[int(course.bounds[window]) : int(course.bounds[window + 1])]
        elapsed = timedelta(microseconds=int(course.times[window + 1]) - int(cases.micros[0]))
        late = until is not None and clock.perf_counter() > until
        joint = None if late else joint_drift(inputs[reference.rows], inputs[course.rows(window)], seed=seed)
        auc = joint.auc if joint is not None else None
        found.append(_judge(tracks, rows, reference, settings, season=elapsed < settings.cycle, joint=auc))
    return found


def _begin(cases: Cases, course: Course, reference: Reference) -> dict[str, Track]:
    first = int(course.bounds[0])
    which = _windows_before(cases, course, first)
    names = [name for name in cases.features if name not in cases.clocks]
    tracks = {
        name: begin_track(
            cases.frame[name][:first],
            which,
            weight=0.5 / len(names) + 0.5 * reference.reliance[name],
            since=int(cases.micros[0]),
        )
        for name in names
    }
    return {name: track for name, track in tracks.items() if track is not None}


def _windows_before(cases: Cases, course: Course, first: int) -> Counts:
    """Number of each training row's window, counted back: by rows where the windows are even, else by time."""
    sizes = np.diff(course.bounds)
    if sizes.max() <= 1.5 * sizes.min():
        return np.arange(first)[::-1] // max(int(sizes.mean()), 1)
    width = (course.times[-1] - course.times[0]) // course.windows
    return np.asarray((cases.micros[first - 1] - cases.micros[:first]) // max(int(width), 1))


def _judge(
    tracks: dict[str, Track],
    rows: pl.DataFrame,
    reference: Reference,
    settings: MonitorSettings,
    *,
    season: bool,
    joint: float | None,
) -> Drift:
    moved, effects = [], dict[str, float]()
    for name, track in tracks.items():
        counts = count_window(track, rows[name])
        if sum(counts) < _LEAST_ROWS:
            continue
        distance, usual, p = judge_window(track, counts)
        if p is not None:
            track.evidence = detector_step(track.evidence, e_value(p))
        join_window(track, counts)
        effects[name] = distance
        unit = "sd" if track.kind == "number" else "0–1"
        moved.append(Moved(name, distance, unit, usual, p, reference.reliance[name]))
    moved.sort(key=lambda one: (1.0 if one.p is None else one.p, -one.effect))
    large = {name for name in effects if effects[name] >= _floor(tracks[name], settings)}
    evidence = np.array([tracks[name].evidence if name in large else 0.0 for name in tracks])
    average = average_evidence(evidence, np.array([track.weight for track in tracks.values()]))
    threshold = settings.windows_per_false_alarm
    if average < threshold:
        return Drift(moved, average, threshold, [], season, joint)
    names = list(tracks)
    picked = named_by_e_bh(evidence) or [int(np.argmax(evidence))]
    for track in tracks.values():
        settle(track)
    return Drift(moved, average, threshold, [names[at] for at in picked], season, joint)


def _floor(track: Track, settings: MonitorSettings) -> float:
    return settings.drift_floor_number if track.kind == "number" else settings.drift_floor_category
