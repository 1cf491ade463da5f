"""The live model's likes without one feature, trained once it errs more than it did, to see whether one wanders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from solvent.automation.evidence import clipped
from solvent.automation.planning import Planner
from solvent.automation.rows import FEATURE
from solvent.automation.state import Shadow
from solvent.automation.versions import read_table
from solvent.foundation.clock import parse_span
from solvent.lineage.digests import Digest
from solvent.monitoring.leaving_out import Tried, wandering, worth_trying
from solvent.monitoring.policy import without
from solvent.registry.signature import Signature
from solvent.statistics.domain import even_draw

if TYPE_CHECKING:
    from solvent.lineage.entities import ModelVersion
    from solvent.registry.signature import Plain

AGAIN = 12  # windows before it is tried with a younger version
_SHUFFLED = 2_000  # rows that features are shuffled on


def likes_to_train(planner: Planner) -> list[str]:
    """Spans of models without one feature to train as of the champion's own instant; what is hidden is put on record.

    None before its realised losses have raised an alarm, nor where some were trained lately or a feature is known to
    wander. The champion stays beside them among the shadows when it is replaced.
    """
    champion, state, policy = planner.champion, planner.state, planner.settings.policy
    again = AGAIN * parse_span(planner.settings.monitor.window)
    lately = any(champion.created_at < one.made_at + again for one in state.tried)
    if not policy.leave_out or state.wanders is not None or lately or not _errs_more(planner):
        return []
    training = champion.about.get("training")
    if champion.reference is None or training is None:
        return []
    span = str(champion.about.get("span", "all"))
    state.tried.append(Tried(number=champion.number, made_at=champion.created_at, span=span))
    if not any((shadow.made_at, shadow.span) == (champion.created_at, span) for shadow in state.shadows):
        state.shadows.append(_as_shadow(champion, span))
    clocks = state.monitor.drift.clocks if state.monitor else []
    relied = relied_on(planner, read_table(planner.store, champion.reference))
    learned, likes = read_table(planner.store, Digest(training)), []
    for name in worth_trying(relied, clocks, policy, state.window_loss or 0.0):
        value = typical(learned[name]) if name in learned.columns else None
        if value is not None:
            likes.append(without(span, name))
            state.hidden[likes[-1]] = {name: value}
    return likes


def look(planner: Planner) -> None:
    """Whether the losses of the likes say by now that a feature wanders."""
    state = planner.state
    if state.wanders is None and state.tried:
        state.wanders = wandering(state.evidence, state.tried[-1], planner.now)


def _as_shadow(version: ModelVersion, span: str) -> Shadow:
    about = version.about
    return Shadow(
        span=span,
        made_at=version.created_at,
        run=version.run or "",
        estimator=version.artifact,
        training=Digest(about["training"]),
        evaluation=Digest(about["evaluation"]),
        size=about["size_bytes"],
        hidden={one.name: one.value for one in Signature.of(version.signature).hidden},
    )


def relied_on(planner: Planner, evaluation: pl.DataFrame) -> dict[str, float]:
    """By feature, the share of the champion's skill that is lost where it is shuffled among its evaluation rows.

    Source: permutation importance, Breiman (2001).
    """
    champion, signature = planner.champion, Signature.of(planner.champion.signature)
    rows = evaluation.filter(pl.col("label").is_not_null())
    rows = rows[even_draw(rows.height, _SHUFFLED)]
    order, bound = np.random.default_rng(0).permutation(rows.height), planner.bound()

    def loss(mixed: pl.DataFrame) -> float:
        output = planner.scorer.outputs(champion.artifact, signature, mixed)
        return float(clipped(mixed, signature, output, bound).mean()) if rows.height else 0.0

    whole, columns = loss(rows), {name: f"{FEATURE}{name}" for name in signature.features}
    lost = {name: max(loss(rows.with_columns(rows[f][order])) - whole, 0.0) for name, f in columns.items()}
    total = sum(lost.values())
    return {name: one / total for name, one in lost.items()} if total else {}


def typical(column: pl.Series) -> Plain:
    """A value that stands for a column: its median as one that occurs, or its commonest; None where there is none."""
    if column.dtype.is_float():
        column = column.drop_nans()
    known = column.drop_nulls()
    if known.is_empty() or known.dtype.is_temporal() or known.dtype.is_nested():
        return None
    if known.dtype.is_numeric():
        return known.sort()[known.len() // 2]  # type: ignore[no-any-return]
    return known.cast(pl.String).mode().sort()[0] if known.dtype != pl.Boolean else bool(known.mode().sort()[0])


def _errs_more(planner: Planner) -> bool:
    """Whether an alarm over realised losses stands: of the test over all that is known, or a bad window of late."""
    monitor = planner.state.monitor
    return monitor is not None and (monitor.performance.alarmed or "worse" in monitor.episodes)
