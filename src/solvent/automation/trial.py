"""Two versions on the same live rows: a new champion beside the one that it replaced, a canary beside the champion."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from msgspec.structs import replace

from solvent.automation.evidence import SCORED, version_losses
from solvent.automation.rows import served_rows
from solvent.automation.scoring import Scorer
from solvent.automation.state import Trial
from solvent.foundation.settings import PolicySettings
from solvent.lineage.entities import Action, Actor, AliasMove, Decision, ModelVersion
from solvent.monitoring.paired import PairedVerdict, begin_paired, paired_check
from solvent.monitoring.reference import Reference
from solvent.registry.canary import running_canary
from solvent.registry.references import CHAMPION
from solvent.registry.versions import rollback
from solvent.statistics.domain import even_draw

if TYPE_CHECKING:
    from solvent.store import Store

_INSTANT = timedelta(microseconds=1)
_BEGINS = {Action.PROMOTE, Action.WAIVE, Action.APPROVE}


def current_trial(store: Store, moves: Sequence[AliasMove], carried: Trial | None) -> Trial | None:
    """The trial of the present champion, if it came into service by a promotion over another version.

    moves: of all aliases, oldest first.
    """
    moves = [move for move in moves if move.alias == CHAMPION]
    if len(moves) < 2:
        return None
    last, new, old = moves[-1], moves[-1].number, moves[-2].number
    if carried is not None and carried.decision == last.decision:
        return carried
    made = store.facts.decision(last.decision)
    if made is None or made.decision.action not in _BEGINS or new is None or old is None or new == old:
        return None
    return Trial(decision=last.decision, new=new, old=old, since=last.at)


def current_canary(moves: Sequence[AliasMove], champion: int, carried: Trial | None) -> Trial | None:
    """The trial of the version that stands beside the champion. moves: of all aliases, oldest first."""
    running = running_canary(moves)
    if running is None or running.number is None or running.number == champion:
        return None
    if carried is not None and carried.decision == running.decision:
        return carried
    return Trial(decision=running.decision, new=running.number, old=champion, since=running.at)


def continue_trial(
    store: Store,
    model: str,
    trial: Trial,
    reference: Reference | None,
    scorer: Scorer,
    policy: PolicySettings,
    now: datetime,
    *,
    anyone: bool = False,
) -> tuple[Trial, PairedVerdict | None]:
    """Feed the labels that have become known for rows served since the trial began, each once.

    anyone: rows count whoever answered them, not those of the new version alone.
    """
    new, old = store.facts.version(model, trial.new), store.facts.version(model, trial.old)
    if new is None or old is None or reference is None or reference.risk is None:
        return trial, None
    rows = _newly_labelled(store, [old, new], trial, now, anyone=anyone)
    bound, usual = reference.risk.bound, max(reference.risk.mean.value, 1e-12)
    paired = trial.paired or begin_paired(usual, margin=policy.margin * usual)
    known_at = rows["known_at"].dt.epoch("us").to_numpy().astype(np.int64)
    after, verdict = paired_check(
        paired,
        version_losses(rows, old, scorer, bound),
        version_losses(rows, new, scorer, bound),
        known_at,
    )
    return replace(trial, paired=after), verdict


def _newly_labelled(
    store: Store, versions: Sequence[ModelVersion], trial: Trial, now: datetime, *, anyone: bool
) -> pl.DataFrame:
    """Rows since the trial began whose label the test has not taken; an even draw of very many.

    Features are read only of the stretch of time that has such rows.
    """
    taken = trial.paired.until if trial.paired else None
    model = versions[0].model

    def labelled(since: datetime, until: datetime, features: Collection[str]) -> pl.DataFrame:
        rows = served_rows(store, model, since, until, known_by=now, features=features)
        rows = rows.filter(pl.lit(anyone) | (pl.col("version") == trial.new), pl.col("label").is_not_null())
        return rows if taken is None else rows.filter(pl.col("known_at").dt.epoch("us") > taken)

    found = labelled(trial.since, now, ())
    if found.is_empty():
        return found
    features = {name for version in versions for name in version.signature["features"]}
    found = labelled(found["event_time"][0], found["event_time"][-1] + _INSTANT, features)
    return found[even_draw(found.height, SCORED)]


def roll_back(
    store: Store,
    model: str,
    trial: Trial,
    verdict: PairedVerdict,
    *,
    actor: Actor,
    now: datetime,
    policy: str,
    unit: str,
) -> Decision:
    """Put the old version back into service, on this evidence; once per promotion."""
    return rollback(
        store,
        model,
        trial.old,
        actor=actor,
        at=now,
        reason=worse(trial, verdict, unit),
        evidence=figures(trial, verdict),
        policy=policy,
        effect=f"roll-back:{model}:{trial.decision}",
    )


def worse(trial: Trial, verdict: PairedVerdict, unit: str) -> str:
    """In a sentence, why the new version goes."""
    gap, low, high = verdict.difference.value, verdict.difference.lower, verdict.difference.upper
    unit = f" {unit}" if unit else ""
    return (
        f"v{trial.new} loses {gap:.3g}{unit} a row more than v{trial.old} ({low:.3g} to {high:.3g}) "
        f"on {verdict.rows} live outcomes; chance of a wrong alarm at most {verdict.alpha:.0%}"
    )


def figures(trial: Trial, verdict: PairedVerdict) -> dict[str, Any]:
    """The same as evidence."""
    return {
        "difference": verdict.difference.value,
        "lower": verdict.difference.lower,
        "upper": verdict.difference.upper,
        "e_value": verdict.worse_evidence,
        "alpha": verdict.alpha,
        "blocks": verdict.blocks,
        "rows": verdict.rows,
        "promotion": trial.decision,
    }
