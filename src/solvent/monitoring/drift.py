"""Drift of features and outputs from window to window, under one promise."""

from __future__ import annotations

import numpy as np
import polars as pl

from solvent.data.contracts.columns import missing_share
from solvent.data.threads import each_column
from solvent.foundation.clock import to_micros
from solvent.lineage.entities import Measurement
from solvent.monitoring.estimate import Harm
from solvent.monitoring.reference import Reference
from solvent.monitoring.settings import AlertDraft, Findings, MonitorSettings, Severity, Subject
from solvent.monitoring.state import DriftState, MonitorState, Track
from solvent.monitoring.tracks import OUTPUT, count_window
from solvent.statistics.distances import binned_kolmogorov_smirnov
from solvent.statistics.drift import (
    LAG,
    LEAST_WINDOWS,
    average_evidence,
    detector_step,
    e_value,
    named_by_e_bh,
    pool_distances,
    predictive_p,
)
from solvent.statistics.profiles import bin_gaps

_MOST_WINDOWS = 160  # that are remembered: three years of weeks
_CALM = 2  # usual windows in a row end an episode
_USUAL = 0.05


def watch_drift(
    frame: pl.DataFrame,
    reference: Reference,
    state: MonitorState,
    subject: Subject,
    settings: MonitorSettings,
    *,
    broken: frozenset[str] = frozenset(),
    harm: Harm | None = None,
) -> Findings:
    """Judge one window against those before it, and let it join them.

    frame: canonical; broken: columns under a broken contract, which are left out here. The reference grows by
    every window judged, four windows later, and freezes at an alert, until a version is begun anew or two
    usual windows follow. harm: what the estimate says of the loss; a drift that does not hurt is a note.
    """
    drift, findings = state.drift, Findings()
    judged: dict[str, float] = {}
    names = [name for name in drift.tracks if name in frame.columns and name not in broken]
    counted = each_column(lambda name: count_window(drift.tracks[name], frame[name]), names, rows=frame.height)
    for name, counts in zip(names, counted, strict=True):
        track = drift.tracks[name]
        if sum(counts) < settings.least_rows:
            continue
        distance, usual, p = judge_window(track, counts)
        if p is not None:
            judged[name] = p
            if not drift.frozen:
                gather(track, p)
        if not drift.frozen:
            join_window(track, counts)
        figures = {"usual": usual, "p": p, **_beside(name, track, counts, frame, reference)}
        findings.measurements.append(_measure(name, track, distance, figures, subject, frame.height))
    effects = {m.name.removeprefix("drift."): m.value or 0.0 for m in findings.measurements}
    evidence = _evidence(drift, effects, settings)
    threshold = settings.windows_per_false_alarm
    findings.measurements.append(
        subject.measurement(
            "drift", evidence, "e-detector", rows=frame.height, about={"threshold": threshold, "frozen": drift.frozen}
        )
    )
    draft = _conclude(drift, evidence, threshold, judged, effects, state, subject, settings, harm)
    if draft is not None:
        findings.drafts.append(draft)
    return findings


def join_window(track: Track, counts: list[int]) -> None:
    """Let a judged window wait its turn to become part of what is usual."""
    waiting = [*track.waiting, counts]
    track.waiting, ready = waiting[-LAG:], waiting[:-LAG]
    track.counts = [*track.counts, *ready][-_MOST_WINDOWS:]


def gather(track: Track, p: float) -> None:
    """Carry a window's evidence on."""
    track.evidence, track.steps = detector_step(track.evidence, e_value(p)), track.steps + 1


def judge_window(track: Track, counts: list[int]) -> tuple[float, float | None, float | None]:
    """Distance to the pool of earlier windows, its usual size, and how rare it is (None with too few windows)."""
    windows = np.array([*track.counts, counts], dtype=np.int64)
    gaps = bin_gaps(np.array(track.edges)) / max(track.scale, 1e-12) if track.kind == "number" else None
    distances = pool_distances(windows, gaps)
    known = distances[np.isfinite(distances)]
    if not np.isfinite(distances[-1]):
        return 0.0, None, None
    usual = float(np.median(known[:-1])) if len(known) > 1 else None
    p = predictive_p(known) if len(known) > LEAST_WINDOWS else None
    return float(distances[-1]), usual, p


def _beside(
    name: str, track: Track, counts: list[int], frame: pl.DataFrame, reference: Reference
) -> dict[str, float | None]:
    """Kolmogorov–Smirnov distance of a number, and the change of the missing rate of any."""
    pool, window = np.array(track.counts, dtype=np.int64).sum(axis=0), np.array(counts, dtype=np.int64)
    ks = float(binned_kolmogorov_smirnov(pool, window)) if track.kind == "number" and np.sum(pool) else None
    column = reference.contract.by_name().get(name)
    missing = missing_share(frame[name])
    return {"ks": ks, "missing_change": round(missing - column.missing, 6) if column is not None else None}


def _measure(
    name: str, track: Track, distance: float, figures: dict[str, float | None], subject: Subject, rows: int
) -> Measurement:
    number = track.kind == "number"
    tested = "predictive Student t of log distances" if figures["p"] is not None else "too few windows"
    about = {
        "distance": "Wasserstein" if number else "Jensen–Shannon",
        **figures,
        "test": tested,
        "windows": len(track.counts),
        "evidence": track.evidence,
        "weight": track.weight,
    }
    unit = "sd" if number else "0–1"
    return subject.measurement(f"drift.{name}", distance, unit, rows=rows, about=about)


def _evidence(drift: DriftState, effects: dict[str, float], settings: MonitorSettings) -> float:
    """Weighted average of the features' e-detectors; those whose effect is a trifle now count as none."""
    names = list(drift.tracks)
    evidence = [drift.tracks[n].evidence * _matters(drift.tracks[n], effects.get(n, 0.0), settings) for n in names]
    return average_evidence(np.array(evidence), np.array([drift.tracks[n].weight for n in names]))


def _conclude(
    drift: DriftState,
    evidence: float,
    threshold: float,
    judged: dict[str, float],
    effects: dict[str, float],
    state: MonitorState,
    subject: Subject,
    settings: MonitorSettings,
    harm: Harm | None,
) -> AlertDraft | None:
    if drift.frozen:
        usual = all(judged.get(name, 1.0) > _USUAL for name in drift.named)
        drift.quiet = drift.quiet + 1 if usual else 0
        if drift.quiet >= _CALM:
            _restart(drift)
        return None
    if evidence < threshold:
        return None
    names = _named(
        [name for name in drift.tracks if _matters(drift.tracks[name], effects.get(name, 0.0), settings)], drift
    )
    season = all(_cycle_unknown(drift.tracks[name], subject, settings) for name in names)
    told = {name: {"effect": effects[name], "evidence": drift.tracks[name].evidence} for name in names}
    figures = {
        "test": "average of the features' e-detectors over predictive tails of log distances",
        "evidence": evidence,
        "threshold": threshold,
        "false_alarms_per_year": settings.false_alarms_per_year / 2,
        "features": told,
    }
    words = " and ".join(_effect_words(drift.tracks[name], name, effects[name]) for name in names[:3])
    if season:
        _restart(drift)
        drift.season = names
        end, last = to_micros(subject.end), state.episodes.get("unseen-season")
        state.episodes["unseen-season"] = end
        if last is not None and end - last <= 8 * settings.width.total_seconds() * 1e6:
            return None  # the season that was told of goes on
        title = f"a season not seen before, or drift: {words}; a full cycle is not known yet"
        cause = {"kind": "unseen-season", "sentence": title, "features": names}
        return subject.draft("unseen-season", "note", title, cause=cause, evidence=figures)
    drift.frozen, drift.named, drift.quiet = True, names, 0
    title = f"the inputs have drifted: {words}" if names != [OUTPUT] else f"the outputs have drifted: {words}"
    if harm is not None:
        title, figures["estimated_loss"] = f"{title}; {harm.sentence}", harm.interval
    severity: Severity = "note" if harm is not None and harm.harmless else "alert"
    cause = {"kind": "drift", "sentence": title, "features": names}
    return subject.draft("drift", severity, title, cause=cause, evidence=figures)


def _named(names: list[str], drift: DriftState) -> list[str]:
    """Which of the features e-BH names, the strongest evidence first; the strongest one where it names none."""
    evidence = np.array([drift.tracks[name].evidence for name in names])
    steps = np.array([drift.tracks[name].steps for name in names])
    picked = named_by_e_bh(evidence, steps) or [int(np.argmax(evidence))]
    return [names[at] for at in picked]


def _cycle_unknown(track: Track, subject: Subject, settings: MonitorSettings) -> bool:
    since = track.since if track.since is not None else to_micros(subject.start)
    return to_micros(subject.end) - since < settings.cycle.total_seconds() * 1e6


def _matters(track: Track, effect: float, settings: MonitorSettings) -> bool:
    return effect >= (settings.drift_floor_number if track.kind == "number" else settings.drift_floor_category)


def _effect_words(track: Track, name: str, effect: float) -> str:
    return f"{name} by {effect:.2g} sd" if track.kind == "number" else f"{name} by {effect:.2g} (Jensen–Shannon)"


def settle(track: Track) -> None:
    """Take what waits into the pool and forget the evidence: what has come so far is usual from now on."""
    track.counts = [*track.counts, *track.waiting][-_MOST_WINDOWS:]
    track.waiting, track.evidence, track.steps = [], 0.0, 0


def _restart(drift: DriftState) -> None:
    drift.frozen, drift.named, drift.quiet = False, [], 0
    for track in drift.tracks.values():
        settle(track)
