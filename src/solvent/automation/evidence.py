"""What a window says about a version: its loss beside that of a fresh shadow on the same rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from solvent.automation.rows import FEATURE
from solvent.automation.scoring import Scorer
from solvent.automation.state import Shadow
from solvent.lineage.entities import ModelVersion
from solvent.monitoring.cause import Fresh
from solvent.monitoring.policy import ShadowLoss, parts_of
from solvent.monitoring.policy import Window as Evidence
from solvent.monitoring.reference import Reference
from solvent.monitoring.state import Span
from solvent.registry.signature import Signature
from solvent.statistics.domain import even_draw
from solvent.statistics.losses import row_loss

Floats = NDArray[np.float64]
GRACE = 4  # closed windows whose late labels are still counted in
FRESH = 4  # windows after which a model is fresh no more
SCORED = 20_000  # labelled rows of a window that shadows are asked about


def every_feature(version: ModelVersion) -> list[str]:
    """What a version's estimator wants, and what is hidden from it: other models of its pipeline know that."""
    return list(Signature.of(version.signature).hiding({}).features)


def bound_of(reference: Reference | None) -> float:
    """At which losses are clipped; no bound where the reference has no labels."""
    return reference.risk.bound if reference is not None and reference.risk is not None else float("inf")


def version_losses(rows: pl.DataFrame, version: ModelVersion, scorer: Scorer, bound: float) -> Floats:
    """Loss of each row under a version, clipped at `bound`; NaN without a label.

    Rows that it answered itself count by that answer; it is asked about the others, as far as it can be (NaN).
    """
    signature = Signature.of(version.signature)
    output = rows["output"].to_numpy().astype(np.float64).copy()
    foreign = (rows["version"] != version.number).to_numpy()
    if foreign.any():
        asked = foreign & answerable(rows, version.model, signature, scorer)
        output[foreign] = np.nan
        output[asked] = scorer.outputs(version.artifact, signature, rows.filter(pl.Series(asked)))
    return clipped(rows, signature, output, bound)


def clipped(rows: pl.DataFrame, signature: Signature, output: Floats, bound: float) -> Floats:
    """shape (n,): the metric's loss of `output`, at most `bound`."""
    label = rows["label"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return np.minimum(row_loss(signature.metric, label, output), bound)


def window_evidence(
    rows: pl.DataFrame,
    version: ModelVersion,
    shadows: Iterable[Shadow],
    scorer: Scorer,
    bound: float,
    *,
    start: datetime,
    end: datetime,
) -> Evidence:
    """One version on one window, paired with the shadows that had not seen it.

    rows: all served rows of the window, labels where known. Shadows whose features were not all logged are left out.
    Of more than 20,000 labelled rows an even draw is scored, and its sums stand for all of them.
    """
    signature = Signature.of(version.signature)
    foreign = rows["version"] != version.number
    answered = rows["output"].is_not_nan().fill_null(False) & ~foreign
    answered |= foreign & pl.Series(answerable(rows, version.model, signature, scorer))
    labelled = np.flatnonzero((rows["label"].is_not_nan().fill_null(False) & answered).to_numpy())
    drawn = rows if len(labelled) == rows.height <= SCORED else rows[labelled[even_draw(len(labelled), SCORED)]]
    losses = version_losses(drawn, version, scorer, bound)
    scale = len(labelled) / max(drawn.height, 1)
    _, block = np.unique(day_of(drawn), return_inverse=True)
    found = []
    for shadow in shadows if drawn.height else ():
        own = signature.hiding(shadow.hidden)
        if not answerable(drawn, version.model, own, scorer).all():
            continue
        fresh = clipped(drawn, own, scorer.outputs(shadow.estimator, own, drawn), bound)
        differences = scale * np.bincount(block, weights=losses - fresh)
        loss = scale * float(fresh.sum())
        found.append(ShadowLoss(span=shadow.span, made_at=shadow.made_at, loss=loss, differences=differences.tolist()))
    return Evidence(
        start=start,
        end=end,
        version=version.number,
        rows=rows.height,
        labelled=len(labelled),
        loss=scale * float(losses.sum()),
        shadows=found,
    )


def excuse(evidence: list[Evidence], spans: Iterable[Span], micros: Iterable[tuple[int, int]]) -> list[Evidence]:
    """The evidence with windows marked that a broken contract, a gap or a shock touched: they speak of no age.

    micros: start and end of each window, microseconds.
    """
    from msgspec.structs import replace

    order = ("contract", "shock", "gap")
    marked = []
    for window, (start, end) in zip(evidence, micros, strict=True):
        touching = [span for span in spans if span.start < end and span.end > start and span.kind in order]
        first = min(touching, key=lambda span: order.index(span.kind), default=None)
        marked.append(replace(window, excluded=first.kind, cause=first.note or first.kind) if first else window)
    return marked


def fresh_losses(evidence: Evidence) -> list[ShadowLoss]:
    """For each span the newest shadow that knows every feature, unless it is older than a fresh model is."""
    oldest = evidence.start - FRESH * (evidence.end - evidence.start)
    fresh = [one for one in evidence.shadows if one.made_at >= oldest and not parts_of(one.span)[1]]
    newest = {one.span: one for one in sorted(fresh, key=lambda one: one.made_at)}
    return list(newest.values())


def fresh_pair(evidence: Evidence) -> Fresh | None:
    """Mean losses of the live version and the best of the fresh ones; None without one."""
    fresh = fresh_losses(evidence)
    if not fresh or not evidence.labelled:
        return None
    best = min(shadow.loss for shadow in fresh)
    return Fresh(live=evidence.loss / evidence.labelled, fresh=best / evidence.labelled)


def comparable(rows: pl.DataFrame, signature: Signature) -> bool:
    """Does the log hold every feature of this signature?"""
    return all(f"{FEATURE}{name}" in rows.columns for name in signature.features)


def answerable(rows: pl.DataFrame, model: str, signature: Signature, scorer: Scorer) -> NDArray[np.bool_]:
    """shape (n,): rows about which a model of this signature can be asked.

    None where the log lacks a feature, and not those in which a feature is missing that the version that answered does
    without: a null that it had seen itself is a value, this one was just not given.
    """
    if not comparable(rows, signature):
        return np.zeros(rows.height, dtype=bool)
    known = np.ones(rows.height, dtype=bool)
    for name in scorer.hidden_by(model, rows["version"]) & set(signature.features):
        known &= rows[f"{FEATURE}{name}"].is_not_null().to_numpy()
    return known


def day_of(rows: pl.DataFrame) -> NDArray[np.int64]:
    """shape (n,): the day of each row, as days since 1970: rows of one day lean on each other."""
    return rows["event_time"].dt.epoch("d").to_numpy().astype(np.int64)
