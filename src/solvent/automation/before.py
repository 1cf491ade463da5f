"""What a tick sees of decisions: all but its own, so that one that was killed half way decides the same again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from solvent.lineage.entities import AliasMove, Decision

if TYPE_CHECKING:
    from solvent.store import Store


def decisions_before(store: Store, model: str, now: datetime, policy: str) -> list[Decision]:
    """A model's decisions, oldest first, without those that this policy made at `now`."""
    made = store.facts.decisions(model=model)
    return [one for one in made if (one.decision.policy, one.decision.at) != (policy, now)]


def moves_before(store: Store, model: str, now: datetime, policy: str) -> list[AliasMove]:
    """The moves of a model's aliases, oldest first, without those that this policy made at `now`."""
    keys = {one.key for one in decisions_before(store, model, now, policy)}
    return [move for move in store.facts.alias_moves(model) if move.decision in keys]
