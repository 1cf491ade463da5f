"""Decisions as people read them: a short title, who decided, why."""

from __future__ import annotations

from solvent.governance.report.life import Ruling
from solvent.lineage.entities import Action, Actor, Decision, NewDecision

CHAMPION = "champion"


def ruling_of(decision: Decision) -> Ruling:
    """A decision with its title, ready to be told."""
    new = decision.decision
    return Ruling(
        key=decision.key,
        at=new.at,
        action=new.action,
        title=title_of(new),
        by=by_whom(new.actor, new.policy),
        reason=new.reason or ("" if decision.salt else "the reason was erased; its commitment stays in the chain"),
        position=decision.position,
        hash=decision.hash,
        number=new.number,
        evidence=new.evidence,
    )


def by_whom(actor: Actor, policy: str | None) -> str:
    """`policy bikes/3`, or the name of a person."""
    if actor.kind in ("policy", "scheduler"):
        return f"policy {policy or actor.name}"
    return actor.name


def title_of(new: NewDecision) -> str:
    """What was done, in a few words: `promoted v3`, `rolled back to v2`, `retrained on the last 10 weeks`."""
    move = new.evidence.get("move") or {}
    to, alias = move.get("to", new.number), move.get("alias", CHAMPION)
    match new.action:
        case Action.PROMOTE:
            part = f" for {share:.0%} of the requests" if (share := new.evidence.get("share")) else ""
            return f"promoted v{to}" if alias == CHAMPION else f"made v{to} {alias}{part}"
        case Action.ROLL_BACK:
            return f"rolled back to v{to}" if to else "rolled back"
        case Action.RETRAIN:
            return f"retrained on {span}" if (span := _span(new)) else "retrained"
        case Action.REFUSE:
            return f"refused v{new.number}" if new.number else "refused a candidate"
        case Action.HOLD:
            return "held"
        case Action.APPROVE:
            return f"approved v{new.number}" if new.number else "approved"
        case Action.WAIVE:
            return f"promoted v{to} with a waiver" if move else "waived"
        case Action.ERASE:
            return "erased"


def _span(new: NewDecision) -> str:
    span = str(new.evidence.get("span") or "")
    if span == "all":
        return "all rows"
    return f"the last {_length(span)}" if span[:1].isdigit() else span


def _length(span: str) -> str:
    """`10w` as `10 weeks`."""
    units = {"h": "hours", "d": "days", "w": "weeks", "mo": "months"}
    digits = span.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = units.get(span[len(digits) :])
    return f"{digits} {unit}" if unit else span
