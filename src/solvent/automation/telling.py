"""What people are told of a tick: each cause once, nothing that is silenced, nothing that does not ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from solvent.foundation.clock import iso
from solvent.foundation.settings import Silence
from solvent.lineage.entities import Action, Alert, Decision

Message = dict[str, Any]


def told(
    alerts: Iterable[Alert],
    decisions: Iterable[Decision],
    before: Iterable[Alert],
    *,
    quiet: timedelta,
    silences: Sequence[Silence] = (),
) -> list[Message]:
    """The messages of one model's tick: alerts, then decisions that change something.

    before: alerts of the model on record; one of the same cause within `quiet` before an alert keeps it from being
    told again. What is not told is on record all the same.
    """
    lately: dict[tuple[str, ...], list[Alert]] = {}
    for alert in before:
        if alert.evidence.get("severity") == "alert":
            lately.setdefault(cause_of(alert), []).append(alert)
    messages = []
    for alert in alerts:
        same = [one for one in lately.get(cause_of(alert), []) if one.effect != alert.effect]
        repeated = any(alert.at - quiet < one.at <= alert.at for one in same)
        if alert.evidence.get("severity") == "alert" and not repeated and not silenced(alert, silences):
            messages.append(_of_alert(alert))
            lately.setdefault(cause_of(alert), []).append(alert)
    changes = (one for one in decisions if one.decision.action is not Action.HOLD)
    return [*messages, *map(_of_decision, changes)]


def cause_of(alert: Alert) -> tuple[str, ...]:
    """What tells one trouble from another: version, kind, and the columns, features, slice or gap that it names."""
    named = [alert.cause.get(key) for key in ("column", "breach", "features", "slice", "gap_start")]
    words = [str(one) for each in named for one in (each if isinstance(each, list) else [each]) if one]
    return (str(alert.number), alert.kind, *sorted(words))


def silenced(alert: Alert, silences: Sequence[Silence]) -> bool:
    """Whether somebody asked not to be told of such alerts for now."""
    return any(
        fnmatchcase(alert.model, one.model)
        and fnmatchcase(alert.kind, one.kind)
        and (one.until is None or alert.at < _start(one.until, alert.at))
        for one in silences
    )


def _start(day: str, like: datetime) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=like.tzinfo)


def _of_alert(alert: Alert) -> Message:
    return {
        "type": "alert",
        "kind": alert.kind,
        "model": alert.model,
        "version": alert.number,
        "title": alert.title,
        "cause": alert.cause,
        "at": iso(alert.at),
        "effect": alert.effect,
    }


def _of_decision(made: Decision) -> Message:
    what = made.decision
    return {
        "type": "decision",
        "action": str(what.action),
        "model": what.model,
        "version": what.number,
        "reason": what.reason,
        "by": what.policy or what.actor.name,
        "at": iso(what.at),
        "effect": what.effect or made.key,
    }
