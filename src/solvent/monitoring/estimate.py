"""Performance without labels, where the inputs allow an estimate."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
from scipy.special import bdtrc

from solvent.data.contracts import ColumnType, Contract, Role
from solvent.data.contracts.model import ColumnContract
from solvent.data.threads import each_column
from solvent.monitoring.frames import TIME, floats_of, micros_of, outputs_of
from solvent.monitoring.matrix import feature_matrix
from solvent.monitoring.reference import Reference, worst_tolerated
from solvent.monitoring.settings import Findings, MonitorSettings, Subject
from solvent.monitoring.state import MonitorState
from solvent.statistics.arrays import Flags
from solvent.statistics.domain import even_draw
from solvent.statistics.estimation import MOST_WINDOW
from solvent.statistics.losses import metric_named

NAME = "loss.estimated"
_ASSUMES = "the relation of inputs to label is as in the reference; concept drift cannot be seen"
_SURE = 0.02  # chance of so many misses under a true interval, below which the estimator is switched off


def watch_estimate(
    frame: pl.DataFrame,
    reference: Reference,
    state: MonitorState,
    subject: Subject,
    settings: MonitorSettings,
    *,
    window: str,
    broken: bool,
) -> Findings:
    """The loss to be expected in this window, or why none is told.

    frame: canonical, not empty; window: its name, under which the estimate waits to be scored.
    """
    risk = reference.risk
    if risk is None or risk.model is None:
        return Findings()
    metric = metric_named(reference.metric)
    unit = metric.unit.replace("target", str(reference.signature.get("target") or "target"))
    outside = outside_support(frame, reference.contract)
    reason = _reason(outside, broken, state, settings)
    outputs = outputs_of(frame)
    known = np.flatnonzero(np.isfinite(outputs.reshape(frame.height, -1)).all(axis=1))
    about: dict[str, object] = {"assumes": _ASSUMES, "outside_support": round(outside, 4)}
    if reason or len(known) == 0:
        about["abstains"] = reason or "no outputs"
        return Findings(measurements=[subject.measurement(NAME, None, unit, rows=frame.height, about=about)])
    drawn = known[even_draw(len(known), MOST_WINDOW)]
    estimate = risk.model.estimate(
        outputs[drawn],
        micros_of(frame[TIME])[drawn],
        features=feature_matrix(frame[drawn], reference.contract),
        rows=len(known),
        level=settings.level,
    )
    about["behind"] = round(estimate.behind, 1)
    if estimate.abstains:
        about["abstains"] = estimate.abstains
        return Findings(measurements=[subject.measurement(NAME, None, unit, rows=frame.height, about=about)])
    found = estimate.loss
    state.estimator.pending[window] = (found.lower, min(found.upper, 1e300))
    about |= {"mean": found.value, "mean_interval": [found.lower, found.upper]}
    return Findings(
        measurements=[
            subject.measurement(
                NAME,
                metric.shown(found.value),
                unit,
                lower=metric.shown(found.lower),
                upper=metric.shown(found.upper) if np.isfinite(found.upper) else None,
                level=settings.level,
                rows=frame.height,
                about=about,
            )
        ]
    )


class Harm(msgspec.Struct, frozen=True):
    """What a window's inputs do to the loss, by the estimate. harmless: even its upper bound is tolerated."""

    sentence: str
    harmless: bool
    interval: list[float]


def harm_of(found: Findings, reference: Reference, settings: MonitorSettings) -> Harm | None:
    """Read the estimate of a window against what is tolerated; None where there is no estimate."""
    told = next((m for m in found.measurements if m.name == NAME and m.value is not None), None)
    if told is None or reference.risk is None:
        return None
    metric, (lower, upper) = metric_named(reference.metric), told.about["mean_interval"]
    limit = worst_tolerated(reference.risk, settings)
    figures = f"{metric.name} {told.value:.3g} ({metric.shown(lower):.3g} to {metric.shown(upper):.3g}) is estimated"
    if upper <= limit:
        return Harm(f"it does not hurt: {figures}, {metric.shown(limit):.3g} tolerated", True, [lower, upper])
    hurts = "it hurts" if lower > limit else "it may hurt"
    return Harm(f"{hurts}: {figures}, {metric.shown(limit):.3g} tolerated", False, [lower, upper])


def outside_support(frame: pl.DataFrame, contract: Contract) -> float:
    """Share of rows with a feature that the reference never showed: beyond its range by 5%, or a new category."""
    features = [c for c in contract.columns if c.role is Role.FEATURE and c.name in frame.columns]
    outside = np.zeros(frame.height, dtype=bool)
    for rows in each_column(lambda one: _outside(one, frame[one.name]), features, rows=frame.height):
        if rows is not None:
            outside |= rows
    return float(outside.mean()) if len(outside) else 0.0


def _outside(column: ColumnContract, series: pl.Series) -> Flags | None:
    """Which rows of a feature are, shape (n_rows,); None where none can be."""
    if column.type is ColumnType.NUMBER and column.seen is not None and series.dtype.is_numeric():
        values, margin = floats_of(series), 0.05 * (column.seen[1] - column.seen[0])
        return np.asarray((values < column.seen[0] - margin) | (values > column.seen[1] + margin))
    if column.categories is None:
        return None
    text = series.cast(pl.String)
    new = sorted(set(text.unique().drop_nulls()) - set(column.categories))
    return text.is_in(new).fill_null(False).to_numpy() if new else None


def score_estimate(
    state: MonitorState, window: str, realised: float, subject: Subject, settings: MonitorSettings
) -> Findings:
    """Compare an estimate with what happened; an estimator that fails its coverage is switched off, with a note."""
    bounds = state.estimator.pending.pop(window, None)
    if bounds is None:
        return Findings()
    score = state.estimator
    score.scored += 1
    score.inside += bounds[0] <= realised <= bounds[1]
    misses = score.scored - score.inside
    chance = float(bdtrc(misses - 1, score.scored, 1 - settings.level)) if misses else 1.0
    if not score.on or chance >= _SURE:
        return Findings()
    score.on = False
    title = f"estimates without labels are switched off: {misses} of {score.scored} windows fell outside their interval"
    cause = {"kind": "estimator", "sentence": title}
    evidence = {"scored": score.scored, "inside": score.inside, "chance": chance}
    return Findings(drafts=[subject.draft("estimator", "note", title, cause=cause, evidence=evidence)])


def _reason(outside: float, broken: bool, state: MonitorState, settings: MonitorSettings) -> str:
    if broken:
        return "the contract is broken"
    if outside > settings.abstain:
        return f"{outside:.0%} of rows lie outside the reference's support"
    if not state.estimator.on:
        return "its intervals have failed on this model"
    return ""
