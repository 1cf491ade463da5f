"""A version on trial beside the champion: begun and withdrawn by decision, ended by any move of the champion.

Its share of requests may be nought: then it is a shadow, judged on the rows that the champion answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from solvent.foundation.errors import UsageError
from solvent.lineage.entities import Action, Actor, AliasMove, Decision, ModelVersion, NewDecision, NodeKind
from solvent.registry.references import CANARY, CHAMPION, require_model
from solvent.registry.versions import AlreadyThere, Verdict, check_gate, promote

if TYPE_CHECKING:
    from solvent.store import Store


class NoCanary(UsageError):
    code = "no-canary"


class BadShare(UsageError):
    code = "bad-share"


def running_canary(moves: Sequence[AliasMove]) -> AliasMove | None:
    """The move that put the present canary on trial; None without one.

    moves: of the canary or of all aliases of a model, in the order in which they were decided.
    """
    last = next((move for move in reversed(moves) if move.alias == CANARY), None)
    return last if last is not None and last.number is not None else None


def share_of(store: Store, move: AliasMove) -> float:
    """The part of the requests that a canary answers, in [0, 1)."""
    made = store.facts.decision(move.decision)
    return float(made.decision.evidence.get("share", 0.0)) if made else 0.0


def begin_canary(
    store: Store,
    version: ModelVersion,
    share: float,
    *,
    actor: Actor,
    at: datetime,
    gate: Verdict,
    waiver: str | None = None,
    policy: str | None = None,
    effect: str | None = None,
) -> Decision:
    """Put a version on trial, by a gate that passed or by a person's written waiver.

    share: of the requests that it answers, in [0, 1).
    Raises: BadShare, UnknownModel, UnknownVersion, ClosedGate, AlreadyThere.
    """
    if not 0 <= share < 1:
        raise BadShare(f"{share:g} is no share of requests", next="0 to less than 1, such as 0.1")
    if effect is None and store.facts.alias(version.model, CHAMPION) == version.number:
        raise AlreadyThere(f"{version.name} is {CHAMPION} already")
    check_gate(version, gate, waiver)
    return promote(
        store,
        version.model,
        version.number,
        actor=actor,
        at=at,
        gate=gate,
        waiver=waiver,
        alias=CANARY,
        evidence={"share": share},
        policy=policy,
        effect=effect,
    )


def withdraw_canary(
    store: Store,
    model: str,
    *,
    actor: Actor,
    at: datetime,
    reason: str,
    evidence: dict[str, Any] | None = None,
    policy: str | None = None,
    effect: str | None = None,
) -> Decision:
    """End the trial of the present canary; the champion answers everything. Raises: UnknownModel, NoCanary."""
    require_model(store, model)
    running = running_canary(store.facts.alias_moves(model, CANARY))
    if running is None and effect is None:
        raise NoCanary(f"no version of `{model}` is on trial", next=f"`solvent models show {model}` lists them")
    number = running.number if running else None
    decision = NewDecision(
        action=Action.REFUSE,
        actor=actor,
        at=at,
        reason=reason,
        model=model,
        number=number,
        policy=policy,
        evidence={"alias": CANARY, **(evidence or {})},
        rests_on=[(NodeKind.VERSION, f"{model}/{number}")] if running else [],
        effect=effect,
    )
    return store.facts.move_alias(model, CANARY, None, decision, endpoint=f"{model}@{CANARY}")
