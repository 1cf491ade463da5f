"""What is remembered of debts: a series of events for each finding, and the current view that they give. Pure.

An audit tells what it saw and where it looked. What changed since the audit before becomes an event: `seen` for the
first time, `allowed` with a reason, `gone`, and `back` when it is owed again. Where nothing changed nothing is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from solvent.lineage.entities import Fact


class FindingEvent(StrEnum):
    """What happened to a finding; the value is stored."""

    SEEN = "seen"
    ALLOWED = "allowed"
    GONE = "gone"
    BACK = "back"


class FindingState(StrEnum):
    """How a finding stands."""

    OPEN = "open"
    ALLOWED = "allowed"
    GONE = "gone"


class Spot(Fact, frozen=True):
    """Where people look: path from the project's folder, raw number of a notebook's cell (0 in other files), line."""

    path: str
    cell: int
    line: int


class Sighting(Fact, frozen=True):
    """A finding as one audit saw it. allowed: the reason that a comment gives; by: who wrote that comment, empty where
    the one who audits is meant.
    """

    fingerprint: str
    rule: str
    spot: Spot
    allowed: str | None = None
    by: str = ""


class ProjectAudit(Fact, frozen=True):
    """What an audit of a whole project saw. rules: codes that looked; unread: files that were not analysed: what was
    there before may still be there; forecast: figures to be scored later, None where no history tells any.
    """

    at: datetime
    rule_set: str
    rules: frozenset[str]
    sightings: list[Sighting]
    unread: frozenset[str] = frozenset()
    git_commit: str | None = None
    forecast: dict[str, Any] | None = None


class FindingRecord(Fact, frozen=True):
    """The current view of one finding.

    first_seen, first_commit: never move. last_seen: by the newest audit that looked there. since, commit: of the
    state that it is in. by, reason: of the last event.
    """

    fingerprint: str
    rule: str
    spot: Spot
    state: FindingState
    first_seen: datetime
    first_commit: str | None
    last_seen: datetime
    since: datetime
    commit: str | None
    by: str
    reason: str = ""


class Change(Fact, frozen=True):
    """What an audit adds: an event, another place, or both."""

    fingerprint: str
    event: FindingEvent | None = None
    spot: Spot | None = None
    reason: str = ""
    by: str = ""


def state_after(event: FindingEvent) -> FindingState:
    return {
        FindingEvent.SEEN: FindingState.OPEN,
        FindingEvent.BACK: FindingState.OPEN,
        FindingEvent.ALLOWED: FindingState.ALLOWED,
        FindingEvent.GONE: FindingState.GONE,
    }[event]


def changes(known: Mapping[str, FindingRecord], audit: ProjectAudit, rule_set_before: str | None) -> Iterator[Change]:
    """What an audit adds to what is known of each finding.

    rule_set_before: of the audit before; under other rules a finding can go without being paid.
    """
    seen = {sighting.fingerprint: sighting for sighting in audit.sightings}
    for fingerprint, sighting in seen.items():
        change = _seen(known.get(fingerprint), sighting)
        if change is not None:
            yield change
    another = rule_set_before is not None and rule_set_before != audit.rule_set
    why = f"rule set {rule_set_before} became {audit.rule_set}" if another else ""
    for fingerprint, record in known.items():
        looked = record.rule in audit.rules and record.spot.path not in audit.unread
        if fingerprint not in seen and record.state is not FindingState.GONE and looked:
            yield Change(fingerprint=fingerprint, event=FindingEvent.GONE, reason=why)


def _seen(record: FindingRecord | None, sighting: Sighting) -> Change | None:
    event = None
    if sighting.allowed is not None:
        if record is None or record.state is not FindingState.ALLOWED or record.reason != sighting.allowed:
            event = FindingEvent.ALLOWED
    elif record is None:
        event = FindingEvent.SEEN
    elif record.state is not FindingState.OPEN:
        event = FindingEvent.BACK
    spot = sighting.spot if record is None or record.spot != sighting.spot else None
    if event is None and spot is None:
        return None
    allowed = event is FindingEvent.ALLOWED
    return Change(
        fingerprint=sighting.fingerprint,
        event=event,
        spot=spot,
        reason=(sighting.allowed or "") if allowed else "",
        by=sighting.by if allowed else "",
    )
