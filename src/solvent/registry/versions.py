"""Moving models through their life: register, promote, roll back. Every move of an alias is a decision."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from solvent.foundation.errors import Refusal, UsageError
from solvent.lineage.entities import Action, Actor, Decision, ModelVersion, NewDecision, NodeKind
from solvent.registry.references import CANARY, CHAMPION, UnknownVersion, require_model

if TYPE_CHECKING:
    from solvent.store import Store

FIRST = "first version, nothing to compare it with"


class Verdict(Protocol):
    """What a gate says; `gate.py` makes them."""

    @property
    def passed(self) -> bool: ...
    @property
    def reason(self) -> str: ...
    def as_evidence(self) -> dict[str, Any]: ...


class ClosedGate(Refusal):
    code = "closed-gate"


class NoGate(UsageError):
    code = "no-gate"


class AlreadyThere(UsageError):
    code = "already-there"


class NothingBefore(Refusal):
    code = "nothing-before"


def register_version(store: Store, version: ModelVersion, *, actor: Actor) -> ModelVersion:
    """Record a version (its number is assigned) and return it; a model's first version becomes champion.

    The same artifact, run and signature registered again are the same version. Killed between
    the two facts, a model has a version and no champion; the next registration repairs that.
    """
    known = store.facts.versions(version.model)
    same = [v for v in known if (v.artifact, v.run, v.signature) == (version.artifact, version.run, version.signature)]
    kept = same[-1] if same else store.facts.add_version(version)
    if store.facts.alias(version.model, CHAMPION) is None:
        first = known[0] if known else kept
        _move(
            store,
            first.model,
            first.number,
            NewDecision(
                action=Action.PROMOTE,
                actor=actor,
                at=version.created_at,
                reason=FIRST,
                model=first.model,
                number=first.number,
                rests_on=[(NodeKind.VERSION, first.name)],
                effect=f"first-champion:{first.model}",
            ),
        )
    return kept


def promote(
    store: Store,
    model: str,
    number: int,
    *,
    actor: Actor,
    at: datetime,
    gate: Verdict | None = None,
    waiver: str | None = None,
    alias: str = CHAMPION,
    evidence: dict[str, Any] | None = None,
    policy: str | None = None,
    effect: str | None = None,
) -> Decision:
    """Point an alias at a version, by a gate that passed or by a person's written waiver.

    The alias `champion` needs one of the two; any other alias moves freely.
    effect: makes the promotion happen once, whoever repeats it.
    Raises: UnknownModel, UnknownVersion, NoGate, ClosedGate, AlreadyThere.
    """
    version = _version(store, model, number)
    if effect is None and store.facts.alias(model, alias) == number:
        raise AlreadyThere(f"{version.name} is {alias} already")
    if alias == CHAMPION:
        check_gate(version, gate, waiver)
    reason = f"waived: {waiver}" if waiver else gate.reason if gate else f"named {alias}"
    decision = NewDecision(
        action=Action.WAIVE if waiver else Action.PROMOTE,
        actor=actor,
        at=at,
        reason=reason,
        model=model,
        number=number,
        policy=policy,
        evidence={"alias": alias, **({"gate": gate.as_evidence()} if gate else {}), **(evidence or {})},
        rests_on=[(NodeKind.VERSION, version.name)],
        effect=effect,
    )
    return _move(store, model, number, decision, alias)


def rollback(
    store: Store,
    model: str,
    to: int | None = None,
    *,
    actor: Actor,
    at: datetime,
    reason: str,
    evidence: dict[str, Any] | None = None,
    policy: str | None = None,
    effect: str | None = None,
) -> Decision:
    """Point `champion` back at an earlier version; without `to`, at the one that the current one replaced.

    Raises: UnknownModel, UnknownVersion, NothingBefore, AlreadyThere.
    """
    require_model(store, model)
    current = store.facts.alias(model, CHAMPION)
    target = previous_champion(store, model) if to is None else _version(store, model, to).number
    if effect is None and target == current:
        raise AlreadyThere(f"{model}/{target} is {CHAMPION} already")
    touched = [number for number in (current, target) if number is not None]
    decision = NewDecision(
        action=Action.ROLL_BACK,
        actor=actor,
        at=at,
        reason=reason,
        model=model,
        number=target,
        policy=policy,
        evidence={"from": current, "to": target, **(evidence or {})},
        rests_on=[(NodeKind.VERSION, f"{model}/{number}") for number in dict.fromkeys(touched)],
        effect=effect,
    )
    return _move(store, model, target, decision)


def previous_champion(store: Store, model: str) -> int:
    """The version that the current champion replaced; a version that was rolled back is never it.

    Raises: NothingBefore.
    """
    stood: list[int] = []
    for move in store.facts.alias_moves(model, CHAMPION):
        made = store.facts.decision(move.decision)
        back = made is not None and made.decision.action == Action.ROLL_BACK
        if back and move.number in stood:
            del stood[stood.index(move.number) + 1 :]
        elif move.number is not None and (not stood or stood[-1] != move.number):
            stood.append(move.number)
    if len(stood) < 2:
        raise NothingBefore(
            f"no version of `{model}` was {CHAMPION} before the current one", next="name one: `--to NUMBER`"
        )
    return stood[-2]


def _move(store: Store, model: str, number: int, decision: NewDecision, alias: str = CHAMPION) -> Decision:
    """The alias, its decision and the deployment (where the model answers by that name) in one transaction.

    Any move of the champion ends the trial of a canary, which was beside another.
    """
    ends = {CANARY: f"{model}@{CANARY}"} if alias == CHAMPION else {}
    return store.facts.move_alias(model, alias, number, decision, endpoint=f"{model}@{alias}", ends=ends)


def _version(store: Store, model: str, number: int) -> ModelVersion:
    require_model(store, model)
    version = store.facts.version(model, number)
    if version is None:
        raise UnknownVersion(model, number, store.facts.versions(model))
    return version


def check_gate(version: ModelVersion, gate: Verdict | None, waiver: str | None) -> None:
    """Raises: NoGate, ClosedGate, where neither a gate nor a waiver lets the version pass."""
    if waiver:
        return
    if gate is None:
        raise NoGate(
            f"{version.name} has not been compared with the {CHAMPION}",
            next='`solvent tick` compares it; `--waive "REASON"` promotes it without',
        )
    if not gate.passed:
        raise ClosedGate(
            f"{version.name} may not replace the {CHAMPION}: {gate.reason}",
            next='`--waive "REASON"` promotes it all the same, on record',
        )
