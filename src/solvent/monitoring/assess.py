"""One window of one version, asked everything: the façade that a tick calls.

Order: contract, volume, estimate, drift (which alerts where it may hurt), trend of the estimates, realised loss. State
goes in and comes out as a value; the caller keeps it. Labels that come later go through `update_realised`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
import polars as pl

from solvent.data.contracts import Role, Violation
from solvent.foundation.clock import to_micros
from solvent.lineage.entities import Measurement
from solvent.monitoring.cause import Fresh
from solvent.monitoring.contract import watch_contract
from solvent.monitoring.drift import settle, watch_drift
from solvent.monitoring.estimate import harm_of, score_estimate, watch_estimate
from solvent.monitoring.frames import canonical
from solvent.monitoring.partial import COMPLETE, watch_partial
from solvent.monitoring.performance import NAME, measure_realised, take_labels, watch_worse
from solvent.monitoring.reference import Reference, build_reference
from solvent.monitoring.settings import AlertDraft, Findings, MonitorSettings, Subject
from solvent.monitoring.state import EstimatorState, MonitorState, PerformanceState, copied
from solvent.monitoring.tracks import OUTPUT
from solvent.monitoring.trend import watch_trend
from solvent.monitoring.volume import watch_volume
from solvent.monitoring.windows import Window
from solvent.statistics.blocks import DAY

__all__ = ["Assessment", "assess_window", "begin_version", "build_reference", "update_realised"]

_REMEMBERED = 120 * DAY  # gaps, shocks and broken windows


class Assessment(msgspec.Struct, kw_only=True):
    """What a window says. broken: breaches of its contract, as sentences; state: to be carried."""

    measurements: list[Measurement]
    alert_drafts: list[AlertDraft]
    state: MonitorState
    broken: list[str] = msgspec.field(default_factory=list)


def begin_version(state: MonitorState | None, reference: Reference, number: int | None) -> MonitorState:
    """The state with which a version begins: what is known of features stays, outputs and losses begin anew.

    state: None for a model's first version. Calling it again for the same version changes nothing.
    """
    if state is not None and state.number == number and state.drift.tracks:
        return state
    new = copied(state) if state is not None else MonitorState()
    known = new.drift.tracks
    clocks = {column.name for column in reference.contract.columns if column.role is Role.CLOCK}
    new.drift.clocks = sorted(clocks.union(new.drift.clocks))
    new.drift.tracks = {}
    for name, track in reference.tracks.items():
        if name in new.drift.clocks:
            continue  # too short a reference shows a season as a constant
        same = known.get(name)
        keep = name != OUTPUT and same is not None and same.kind == track.kind and len(same.counts) >= len(track.counts)
        begun = same if keep and same is not None else track
        new.drift.tracks[name] = msgspec.structs.replace(begun, weight=track.weight)
        settle(new.drift.tracks[name])
    new.drift.frozen, new.drift.named, new.drift.quiet = False, [], 0
    new.performance = PerformanceState(taken=new.performance.taken)
    new.estimator = EstimatorState()
    new.number = number
    return new


def assess_window(
    window_frame: pl.DataFrame,
    reference: Reference,
    state: MonitorState | None,
    *,
    model: str,
    number: int | None,
    window: Window,
    now: datetime,
    settings: MonitorSettings | None = None,
) -> Assessment:
    """Measure one closed window and say what is wrong with it.

    window_frame: the version's rows of the prediction log in the window (features as `f_NAME` or NAME), with `label`
        and `known_at` where they are known by `now`; may be empty.
    state: as the last call returned it; None at first. It is not changed: the returned one is new.
    Labels are measured here but not tested: pass them to `update_realised`, window by window or all at once.
    """
    settings = settings or MonitorSettings()
    carried = copied(begin_version(state, reference, number))
    subject = Subject(model=model, number=number, start=window.start, end=window.end)
    frame = _frame(window_frame, reference)
    findings, violations = Findings(), list[Violation]()
    if frame.height:
        findings, violations = watch_contract(frame, reference, carried, subject)
    findings.add(watch_volume(frame, reference, carried, subject, settings))
    if frame.height >= settings.least_rows:
        broken = frozenset(violation.column for violation in violations)
        if violations:
            broken |= {OUTPUT}  # it follows from what is broken
        estimate = watch_estimate(
            frame, reference, carried, subject, settings, window=window.name, broken=bool(violations)
        )
        harm = harm_of(estimate, reference, settings)
        findings.add(watch_drift(frame, reference, carried, subject, settings, broken=broken, harm=harm))
        findings.add(estimate)
        findings.add(watch_trend(estimate, reference, carried, subject, settings))
    if frame.height:
        findings.add(_realised(frame, reference, carried, subject, settings, window))
    _forget(carried, now)
    return Assessment(
        measurements=_dated(findings.measurements, now),
        alert_drafts=findings.drafts,
        state=carried,
        broken=[violation.cause for violation in violations],
    )


def update_realised(
    labelled_frame: pl.DataFrame,
    reference: Reference,
    state: MonitorState,
    *,
    model: str,
    number: int | None,
    window: Window,
    now: datetime,
    settings: MonitorSettings | None = None,
    fresh: Fresh | None = None,
    measure: bool = False,
) -> Assessment:
    """Take labels that have become known by `now` to the sequential test.

    labelled_frame: the version's rows with labels, of any windows, columns as in `assess_window`; those known before
        the last call are skipped, so that a caller may pass more than is new.
    window: the window in whose name an alarm is raised, usually that of the rows. fresh: paired losses of a shadow
        model on late rows, to tell a season from a model that ages. measure: the frame is all of `window`.
    """
    settings = settings or MonitorSettings()
    carried = copied(begin_version(state, reference, number))
    subject = Subject(model=model, number=number, start=window.start, end=window.end)
    frame, findings = _frame(labelled_frame, reference), Findings()
    if frame.height:
        findings.add(take_labels(frame, reference, carried, subject, settings, now=now, fresh=fresh))
        findings.add(watch_worse(frame, reference, carried, subject, settings, fresh=fresh))
        if measure:
            findings.add(_realised(frame, reference, carried, subject, settings, window))
    return Assessment(measurements=_dated(findings.measurements, now), alert_drafts=findings.drafts, state=carried)


def _frame(frame: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    return (
        canonical(frame, reference.signature)
        if frame.width
        else pl.DataFrame({"event_time": []}, schema={"event_time": pl.Datetime("us")})
    )


def _realised(
    frame: pl.DataFrame,
    reference: Reference,
    state: MonitorState,
    subject: Subject,
    settings: MonitorSettings,
    window: Window,
) -> Findings:
    findings = measure_realised(frame, reference, subject, settings)
    findings.add(watch_partial(frame, reference, subject, settings))
    for found in findings.measurements:
        if found.name == NAME and found.about["labelled"] >= COMPLETE and found.about.get("clipped_mean") is not None:
            scored = score_estimate(state, window.name, float(found.about["clipped_mean"]), subject, settings)
            findings.drafts += scored.drafts
    return findings


def _forget(state: MonitorState, now: datetime) -> None:
    horizon = to_micros(now) - _REMEMBERED
    state.spans = [span for span in state.spans if span.end >= horizon]
    state.episodes = {name: end for name, end in state.episodes.items() if end >= horizon}
    pending = list(state.estimator.pending.items())[-60:]
    state.estimator.pending = dict(pending)


def _dated(measurements: list[Measurement], now: datetime) -> list[Measurement]:
    return [msgspec.structs.replace(measurement, measured_at=now) for measurement in measurements]
