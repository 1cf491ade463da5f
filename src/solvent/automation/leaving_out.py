"""The live model's like without one feature, trained once it errs more than it did, to see whether one wanders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from msgspec.structs import replace

from solvent.automation.evidence import clipped
from solvent.automation.planning import Planner
from solvent.automation.rows import FEATURE
from solvent.automation.state import Shadow
from solvent.automation.versions import read_table
from solvent.foundation.clock import parse_span
from solvent.foundation.errors import SolventError
from solvent.lineage.digests import Digest
from solvent.monitoring.leaving_out import Tried, wandering, worth_trying
from solvent.monitoring.policy import rows_of, without
from solvent.registry.signature import Signature
from solvent.statistics.domain import even_draw

if TYPE_CHECKING:
    from solvent.registry.signature import Plain

AGAIN = 24  # windows before it is tried with another version
_ASKED = 20  # rows
_SHUFFLED = 2_000  # rows that features are shuffled on


Train = Callable[[Sequence[str], datetime], list[Shadow]]


def try_without(planner: Planner, train: Train) -> list[str]:
    """Train the champion's twin and its likes without one feature each, as of its instant, and score them; problems.

    Nothing is trained before its realised losses have raised an alarm, nor where that was done in the last 24 windows
    or a feature is known to wander. train: makes shadows on spans as of an instant, and keeps them.
    """
    champion, state = planner.champion, planner.state
    span = str(champion.about.get("span", "all"))
    hidden = {without(span, name): {name: value} for name, value in _worth_trying(planner).items()}
    if not hidden:
        return []
    state.hidden |= hidden
    tried = Tried(number=champion.number, made_at=champion.created_at, span=span, at=planner.now)
    state.tried.append(tried)
    made = train([span, *hidden], champion.created_at)
    twin = next((shadow for shadow in made if shadow.span == span), None)
    problems = {shadow.span: _silent(planner, shadow) for shadow in made}
    failed = [span for span, problem in problems.items() if problem or twin is None]
    state.shadows = [one for one in state.shadows if one.made_at != champion.created_at or one.span not in failed]
    state.tried[-1] = replace(tried, same=twin is not None and twin.estimator == champion.artifact)
    planner.score([shadow for shadow in made if shadow.span not in failed])
    return [problem for problem in problems.values() if problem]


def look(planner: Planner) -> None:
    """Whether the losses of the likes say by now that a feature wanders."""
    state = planner.state
    if state.wanders is None and state.tried:
        state.wanders = wandering(state.evidence, state.tried[-1], planner.now)


def _worth_trying(planner: Planner) -> dict[str, Plain]:
    """Features to try the champion without, each with the value that stands in its place."""
    champion, state, policy = planner.champion, planner.state, planner.settings.policy
    again = AGAIN * parse_span(planner.settings.monitor.window)
    lately = any(champion.number == one.number or planner.now < one.at + again for one in state.tried)
    training = champion.about.get("training")
    if state.wanders is not None or lately or not _errs_more(planner) or not training or champion.reference is None:
        return {}
    clocks = state.monitor.drift.clocks if state.monitor else []
    relied = relied_on(planner, read_table(planner.store, champion.reference))
    names = worth_trying(relied, clocks, policy, state.window_loss or 0.0)
    if not names:
        return {}
    learned = read_table(planner.store, Digest(training))
    values = {name: typical(learned[name]) for name in names if name in learned.columns}
    return {name: value for name, value in values.items() if value is not None}


def _silent(planner: Planner, shadow: Shadow) -> str:
    """Why a shadow cannot answer although it was trained; '' where it can. Its pipeline may drop constant columns."""
    signature = Signature.of(planner.champion.signature).hiding(shadow.hidden)
    rows = read_table(planner.store, Digest(planner.champion.reference or "")).head(_ASKED)
    try:
        answers = planner.scorer.outputs(shadow.estimator, signature, rows)
    except (ValueError, TypeError, SolventError) as error:
        return f"the model on {rows_of(shadow.span)} cannot answer: {error}".splitlines()[0]
    return "" if np.isfinite(answers).all() else f"the model on {rows_of(shadow.span)} answers with no number"


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
        middle: Plain = known.sort()[known.len() // 2]
        return middle
    return known.cast(pl.String).mode().sort()[0] if known.dtype != pl.Boolean else bool(known.mode().sort()[0])


def _errs_more(planner: Planner) -> bool:
    """Whether an alarm over realised losses stands: of the test over all that is known, or a bad window of late."""
    monitor = planner.state.monitor
    return monitor is not None and (monitor.performance.alarmed or "worse" in monitor.episodes)
