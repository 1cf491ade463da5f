"""Realised performance: what the labels say, window by window and in sequence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
import numpy as np
import polars as pl

from solvent.foundation.clock import from_micros, to_micros
from solvent.lineage.entities import Measurement
from solvent.monitoring.cause import Fresh, name_cause
from solvent.monitoring.dissect import dissect
from solvent.monitoring.frames import TIME, floats_of, losses_of, micros_of
from solvent.monitoring.partial import COMPLETE
from solvent.monitoring.reference import Reference, Risk, worst_tolerated
from solvent.monitoring.residuals import RESIDUAL_BLOCK
from solvent.monitoring.settings import AlertDraft, Findings, MonitorSettings, Subject
from solvent.monitoring.shock import find_shocks
from solvent.monitoring.state import MonitorState
from solvent.monitoring.windows import MONDAY
from solvent.statistics.arrays import Counts, Flags, Floats
from solvent.statistics.blocks import block_means, grouped
from solvent.statistics.bootstrap import block_bootstrap
from solvent.statistics.changepoint import date_change
from solvent.statistics.losses import metric_named
from solvent.statistics.sequential import ChangeDetector, mean_interval

NAME = "loss.realised"
_KEPT = 400  # block means that are remembered for dating a change
_WINDOWS = 120  # whose taken labels are remembered
_LABELLED = 0.8  # share of labels from which a window can be called worse


def measure_realised(
    frame: pl.DataFrame, reference: Reference, subject: Subject, settings: MonitorSettings
) -> Findings:
    """The loss of a window's labelled rows so far, with its interval and the share of labels.

    frame: canonical. Repeat it when more labels come: the newer measurement supersedes.
    The value is unclipped and as people read it (a root for rmse); `about` has the mean loss and the clipped one.
    """
    if not reference.metric:
        return Findings()
    metric = metric_named(reference.metric)
    losses = losses_of(frame, reference.metric)
    known = np.isfinite(losses)
    rows, share = int(known.sum()), float(known.mean()) if frame.height else 0.0
    findings = Findings(measurements=[subject.measurement("labelled", share, "share", rows=frame.height)])
    if rows == 0:
        return findings
    block = reference.risk.block if reference.risk is not None else RESIDUAL_BLOCK
    means, _, counts = block_means(losses[known], micros_of(frame[TIME])[known], block)
    found = block_bootstrap(means, counts, level=settings.level)
    about: dict[str, object] = {"mean": found.value, "labelled": share, "blocks": len(means)}
    about["provisional"] = share < COMPLETE  # early labels may be of another kind than late ones
    label = floats_of(frame["label"])[known]
    about["label_mean"] = float(label.mean())
    if reference.risk is not None:
        about["clipped_mean"] = float(np.minimum(losses[known], reference.risk.bound).mean())
        about["reference"] = metric.shown(reference.risk.mean.value)
        if reference.risk.baseline is not None:
            about["baseline"] = metric.shown(reference.risk.baseline)
    findings.measurements.append(
        subject.measurement(
            NAME,
            metric.shown(found.value),
            metric.unit.replace("target", str(reference.signature.get("target") or "target")),
            lower=metric.shown(found.lower),
            upper=metric.shown(found.upper) if np.isfinite(found.upper) else None,
            level=settings.level,
            rows=rows,
            about=about,
        )
    )
    return findings


def watch_worse(
    frame: pl.DataFrame,
    reference: Reference,
    state: MonitorState,
    subject: Subject,
    settings: MonitorSettings,
    *,
    fresh: Fresh | None = None,
) -> Findings:
    """Note a window that is worse than is tolerated, with its cause, before the sequential test is sure of it.

    frame: canonical; rows of other windows are left out. A note and no alert: one bad window in ten is luck.
    Several in a row are told once.
    """
    risk, event = reference.risk, micros_of(frame[TIME])
    start, end = to_micros(subject.start), to_micros(subject.end)
    if risk is None:
        return Findings()
    frame = slim(frame).filter(pl.Series((event >= start) & (event < end)))
    losses = np.minimum(losses_of(frame, reference.metric), risk.bound)
    known = np.isfinite(losses)
    if known.sum() < settings.least_rows or known.mean() < _LABELLED:
        return Findings()
    means, _, rows = block_means(losses[known], micros_of(frame[TIME])[known], risk.block)
    found = block_bootstrap(means, rows, level=settings.level)
    if found.lower <= worst_tolerated(risk, settings):
        return Findings()
    told = state.episodes.get("worse", 0) >= start
    state.episodes["worse"] = max(end, state.episodes.get("worse", 0))
    if told:
        return Findings()
    metric, cause = metric_named(reference.metric), name_cause(reference, state, start, found.value, fresh, until=end)
    title = (
        f"a bad window: {metric.name} {metric.shown(found.value):.3g},"
        f" {metric.shown(risk.mean.value):.3g} when it was evaluated; {cause['sentence']}"
    )
    evidence = {"test": "block bootstrap", "interval": [found.lower, found.upper], "level": settings.level}
    return Findings(drafts=[subject.draft("worse", "note", title, cause=cause, evidence=evidence)])


class _Labels(msgspec.Struct):
    """Newly known labels, in order of known-at time. rows: where they stand in the frame that they came in."""

    rows: Counts
    losses: Floats
    known_at: Counts
    event: Counts


def take_labels(
    frame: pl.DataFrame,
    reference: Reference,
    state: MonitorState,
    subject: Subject,
    settings: MonitorSettings,
    *,
    now: datetime,
    fresh: Fresh | None = None,
) -> Findings:
    """Feed the labels that have become known since the last call to the sequential test, each once.

    frame: canonical, with labels and, where they came late, `known_at` (else a label counts as known when its event
        happened); labels known before the last call for their window are skipped.
    Whole blocks only: the newest, unfinished one waits, but where every row has its label nothing more of it can come.
    Rows under a broken contract or within a shock have a named cause already and are no evidence against the model.
    """
    risk = reference.risk
    if risk is None:
        return Findings()
    labels = _new_labels(frame, reference, risk, state, settings, now)
    if labels is None:
        return Findings()
    told = slim(frame)
    if not np.array_equal(labels.rows, np.arange(frame.height)):
        told = told[labels.rows]
    findings = find_shocks(told, risk, state, subject)
    counted = _not_excused(labels.event, told, state)
    means, _, _ = block_means(labels.losses[counted], labels.known_at[counted], risk.block)
    middles, _, _ = block_means(labels.event[counted].astype(float), labels.known_at[counted], risk.block)
    _remember(state, middles, means)
    rows = labels.rows[counted]
    findings.add(_test(lambda: frame[rows], means, reference, risk, state, subject, settings, fresh))
    return findings


def slim(frame: pl.DataFrame) -> pl.DataFrame:
    """A canonical frame without its features, so that little is copied."""
    return frame.select(name for name in (TIME, "label", "output", "output_classes", "flags") if name in frame.columns)


def _new_labels(
    frame: pl.DataFrame,
    reference: Reference,
    risk: Risk,
    state: MonitorState,
    settings: MonitorSettings,
    now: datetime,
) -> _Labels | None:
    event = micros_of(frame[TIME])
    known_at = event
    if "known_at" in frame.columns:
        known_at = micros_of(frame["known_at"].fill_null(frame[TIME]))
    losses = losses_of(frame, reference.metric)
    whole = np.isfinite(losses).all()
    until = to_micros(now) + 1 if whole else to_micros(now) // risk.block * risk.block
    numbers, which, _ = grouped((event - to_micros(MONDAY)) // int(settings.width.total_seconds() * 1e6))
    taken = state.performance.taken
    since = np.array([taken.get(int(number), -1) for number in numbers])
    new = np.isfinite(losses) & (known_at < until) & (known_at >= since[which])
    taken.update({int(number): max(until, taken.get(int(number), -1)) for number in numbers})
    state.performance.taken = dict(sorted(taken.items())[-_WINDOWS:])
    if not new.any():
        return None
    rows = np.flatnonzero(new)
    rows = rows[np.argsort(known_at[rows], kind="stable")]
    return _Labels(rows, np.minimum(losses[rows], risk.bound), known_at[rows], event[rows])


def _not_excused(event: Counts, frame: pl.DataFrame, state: MonitorState) -> Flags:
    counted = np.ones(len(event), dtype=bool)
    for span in state.spans:
        if span.kind in ("contract", "shock"):
            counted &= (event < span.start) | (event >= span.end)
    if "flags" in frame.columns and frame["flags"].dtype == pl.List(pl.String):
        counted &= (frame["flags"].list.len().fill_null(0) == 0).to_numpy()
    return counted


def _remember(state: MonitorState, middles: Floats, means: Floats) -> None:
    pairs = [(int(at), float(mean)) for at, mean in zip(middles, means, strict=True)]
    state.performance.losses = (state.performance.losses + pairs)[-_KEPT:]


def _test(
    evidence: Callable[[], pl.DataFrame],
    means: Floats,
    reference: Reference,
    risk: Risk,
    state: MonitorState,
    subject: Subject,
    settings: MonitorSettings,
    fresh: Fresh | None,
) -> Findings:
    performance, findings = state.performance, Findings()
    null = worst_tolerated(risk, settings)
    if performance.detector is None:
        blocks_per_window = settings.width.total_seconds() * 1e6 / risk.block
        threshold = settings.windows_per_false_alarm * max(blocks_per_window, 1.0)
        performance.detector = ChangeDetector.against(null, threshold=threshold)
    if performance.alarmed:
        recent = _recent(state, settings)
        if recent is not None and recent <= risk.mean.upper:
            performance.alarmed, performance.detector, performance.losses = False, None, []
            findings.drafts.append(_recovered(recent, reference, subject))
        return findings
    performance.detector = performance.detector.fed(means)
    detector = performance.detector
    findings.measurements += _running(reference, risk, state, subject, settings)
    findings.measurements.append(
        subject.measurement(
            "performance",
            min(detector.evidence, 1e12),
            "e-detector",
            rows=detector.count,
            about={"threshold": detector.threshold, "null": null, "blocks": detector.count},
        )
    )
    if detector.alarm_at is not None:
        performance.alarmed = True
        findings.drafts.append(_alarm(evidence(), detector, null, reference, risk, state, subject, settings, fresh))
    return findings


def _running(
    reference: Reference, risk: Risk, state: MonitorState, subject: Subject, settings: MonitorSettings
) -> list[Measurement]:
    """The mean loss of the blocks so far with bounds that hold whenever one looks."""
    values = np.array([mean for _, mean in state.performance.losses])
    if len(values) == 0:
        return []
    metric, found = (
        metric_named(reference.metric),
        mean_interval(values, low=0.0, high=risk.bound, level=settings.level),
    )
    about = {"mean": found.value, "clipped_at": risk.bound, "blocks": len(values)}
    return [
        subject.measurement(
            "loss.running",
            metric.shown(found.value),
            metric.unit.replace("target", str(reference.signature.get("target") or "target")),
            lower=metric.shown(found.lower),
            upper=metric.shown(found.upper),
            level=settings.level,
            rows=len(values),
            about=about,
        )
    ]


def _recent(state: MonitorState, settings: MonitorSettings) -> float | None:
    """Mean of the block means of the last two windows; None with less than that."""
    losses = state.performance.losses
    horizon = losses[-1][0] - 2 * settings.width.total_seconds() * 1e6 if losses else 0.0
    if not losses or losses[0][0] > horizon:
        return None
    return float(np.mean([mean for at, mean in losses if at > horizon]))


def _dated(losses: list[tuple[int, float]], null: float, level: float) -> tuple[int, int, int, float] | None:
    """When the excess over `null` began, the ends of the interval of that date (microseconds), and the mean since.

    The last stretch whose sum lies above the null is looked at, with as much before it as can be had.
    """
    if not losses:
        return None
    values = np.array([mean for _, mean in losses])
    at = int(np.argmax(np.cumsum((values - null)[::-1])[::-1]))
    begun = max(at - (len(values) - at), 0)
    change = date_change(values[begun:], level=level) if at > begun else None
    if change is None or change.after <= change.before:
        return losses[at][0], losses[at][0], losses[at][0], float(values[at:].mean())
    first, early, late = (losses[begun + place][0] for place in (change.at, change.earliest, change.latest))
    return first, early, late, change.after


def _alarm(
    frame: pl.DataFrame,
    detector: ChangeDetector,
    null: float,
    reference: Reference,
    risk: Risk,
    state: MonitorState,
    subject: Subject,
    settings: MonitorSettings,
    fresh: Fresh | None,
) -> AlertDraft:
    metric = metric_named(reference.metric)
    start = to_micros(subject.start)
    since, earliest, latest, mean = _dated(state.performance.losses, null, settings.level) or (
        start,
        start,
        start,
        null,
    )
    found = dissect(frame, reference, level=settings.level)
    cause = name_cause(reference, state, since, mean, fresh, found=found)
    title = (
        f"the model is losing its edge: {metric.name} {metric.shown(mean):.3g} since {from_micros(since):%d %b %Y},"
        f" {metric.shown(risk.mean.value):.3g} when it was evaluated; {cause['sentence']}"
    )
    evidence = {
        "test": "e-detector of bets on block means of the clipped loss",
        "evidence": min(detector.evidence, 1e12),
        "threshold": detector.threshold,
        "false_alarms_per_year": settings.false_alarms_per_year / 2,
        "mean_since": mean,
        "shown_since": metric.shown(mean),
        "null": null,
        "reference": [risk.mean.lower, risk.mean.value, risk.mean.upper],
        "block_hours": risk.block / 3.6e9,
        "blocks": detector.count,
        "clipped_at": risk.bound,
        **found.as_evidence(),
    }
    cause["since"] = f"{from_micros(since):%Y-%m-%d %H:%M}"
    cause["since_interval"] = [f"{from_micros(at):%Y-%m-%d %H:%M}" for at in (earliest, latest)]
    return subject.draft("performance", "alert", title, cause=cause, evidence=evidence)


def _recovered(mean: float, reference: Reference, subject: Subject) -> AlertDraft:
    metric = metric_named(reference.metric)
    title = f"the loss is back to what is tolerated: {metric.name} {metric.shown(mean):.3g}"
    return subject.draft("recovered", "note", title, cause={"kind": "recovered", "sentence": title})
