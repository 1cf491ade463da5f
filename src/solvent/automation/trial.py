"""The first weeks of a new champion: on the same live rows, is it worse than the version that it replaced?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from solvent.automation.evidence import SCORED, version_losses
from solvent.automation.rows import served_rows
from solvent.automation.scoring import Scorer
from solvent.automation.state import Trial
from solvent.foundation.settings import PolicySettings
from solvent.lineage.entities import Action, Actor, AliasMove, Decision, ModelVersion
from solvent.monitoring.paired import PairedVerdict, begin_paired, paired_check
from solvent.monitoring.reference import Reference
from solvent.registry.versions import rollback
from solvent.statistics.domain import even_draw

if TYPE_CHECKING:
    from solvent.store import Store

_INSTANT = timedelta(microseconds=1)
_BEGINS = {Action.PROMOTE, Action.WAIVE, Action.APPROVE}


def current_trial(store: Store, moves: Sequence[AliasMove], carried: Trial | None) -> Trial | None:
    """The trial of the present champion, if it came into service by a promotion over another version.

    moves: the champion's, oldest first.
    """
    if len(moves) < 2:
        return None
    last, new, old = moves[-1], moves[-1].number, moves[-2].number
    if carried is not None and carried.decision == last.decision:
        return carried
    made = store.facts.decision(last.decision)
    if made is None or made.decision.action not in _BEGINS or new is None or old is None or new == old:
        return None
    return Trial(decision=last.decision, new=new, old=old, since=last.at)


def continue_trial(
    store: Store, model: str, trial: Trial, reference: Reference, scorer: Scorer, policy: PolicySettings, now: datetime
) -> tuple[Trial, PairedVerdict | None]:
    """Feed the labels that have become known for rows served since the promotion, each once."""
    new, old = store.facts.version(model, trial.new), store.facts.version(model, trial.old)
    if new is None or old is None or reference.risk is None:
        return trial, None
    rows = _newly_labelled(store, old, trial, now)
    bound, usual = reference.risk.bound, max(reference.risk.mean.value, 1e-12)
    paired = trial.paired or begin_paired(usual, margin=policy.margin * usual)
    known_at = rows["known_at"].dt.epoch("us").to_numpy().astype(np.int64)
    after, verdict = paired_check(
        paired,
        version_losses(rows, old, scorer, bound),
        version_losses(rows, new, scorer, bound),
        known_at,
    )
    return Trial(decision=trial.decision, new=trial.new, old=trial.old, since=trial.since, paired=after), verdict


def _newly_labelled(store: Store, old: ModelVersion, trial: Trial, now: datetime) -> pl.DataFrame:
    """Rows that the new version answered and whose label the test has not taken; an even draw of very many.

    Features are read only of the stretch of time that has such rows.
    """
    taken = trial.paired.until if trial.paired else None

    def labelled(since: datetime, until: datetime, features: Collection[str]) -> pl.DataFrame:
        rows = served_rows(store, old.model, since, until, known_by=now, features=features)
        rows = rows.filter(pl.col("version") == trial.new, pl.col("label").is_not_null())
        return rows if taken is None else rows.filter(pl.col("known_at").dt.epoch("us") > taken)

    found = labelled(trial.since, now, ())
    if found.is_empty():
        return found
    found = labelled(found["event_time"][0], found["event_time"][-1] + _INSTANT, old.signature["features"])
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
    gap, low, high = verdict.difference.value, verdict.difference.lower, verdict.difference.upper
    unit = f" {unit}" if unit else ""
    reason = (
        f"v{trial.new} loses {gap:.3g}{unit} a row more than v{trial.old} did ({low:.3g} to {high:.3g}) "
        f"on {verdict.rows} live outcomes; chance of a wrong alarm at most {verdict.alpha:.0%}"
    )
    evidence = {
        "difference": gap,
        "lower": low,
        "upper": high,
        "e_value": verdict.worse_evidence,
        "alpha": verdict.alpha,
        "blocks": verdict.blocks,
        "rows": verdict.rows,
        "promotion": trial.decision,
    }
    return rollback(
        store,
        model,
        trial.old,
        actor=actor,
        at=now,
        reason=reason,
        evidence=evidence,
        policy=policy,
        effect=f"roll-back:{model}:{trial.decision}",
    )
