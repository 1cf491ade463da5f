"""Debts that audits found: what happened to each, where it stands now, and what audits foretold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select

from solvent.foundation.clock import from_micros, to_micros
from solvent.foundation.ids import uuid7
from solvent.lineage.entities import Fact, NodeKind
from solvent.lineage.findings import (
    Change,
    FindingEvent,
    FindingRecord,
    FindingState,
    ProjectAudit,
    Spot,
    changes,
    state_after,
)
from solvent.store import schema as t
from solvent.store.facts.base import FactsBase
from solvent.store.facts.database import next_id
from solvent.store.facts.events import latest_event, record_event
from solvent.store.facts.values import from_json, rows_in, to_json
from solvent.store.facts.writing import NewNode, Writing

_WHAT, _PLACE, _SCORE = "finding", "place", "score"


class StoredForecast(Fact, frozen=True):
    """What an audit foretold. key: of the audit."""

    key: str
    at: datetime
    git_commit: str | None
    rule_set: str
    figures: dict[str, Any]


class FindingFacts(FactsBase):
    def record_audit(self, audit: ProjectAudit) -> list[Change]:
        """Keep what an audit of the whole project saw: the audit with its forecast, and an event for each finding
        that stands otherwise than before. Returns: what changed.
        """
        with self.writing() as w:
            known = {record.fingerprint: record for record in self._records(w.connection)}
            before = w.connection.execute(self._audits(t.audit.c.rule_set).limit(1)).scalar()
            changed = list(changes(known, audit, before))
            at = to_micros(audit.at)
            audit_id = w.add([NewNode(NodeKind.AUDIT, uuid7(), f"audit by rule set {audit.rule_set}", at)])[0]
            row = {"node_id": audit_id, "project_id": self.project_id, "at": at, "git_commit": audit.git_commit}
            row |= {"rule_set": audit.rule_set, "rules": to_json(sorted(audit.rules))}
            row |= {"unread": to_json(sorted(audit.unread))}
            forecast = None if audit.forecast is None else to_json(audit.forecast)
            w.connection.execute(insert(t.audit), {**row, "forecast": forecast})
            if changed:
                _append(w, changed, _finding_ids(w, audit, known, changed, audit_id), audit, known)
        return changed

    def findings(self, states: Collection[FindingState] = tuple(FindingState)) -> list[FindingRecord]:
        """The current view of every finding in these states, by place and rule."""
        with self.database.read() as connection:
            found = [record for record in self._records(connection) if record.state in states]
        return sorted(found, key=lambda r: (r.spot.path, r.spot.cell, r.spot.line, r.rule, r.fingerprint))

    def last_audit(self) -> datetime | None:
        """When this project was audited last; None where it never was."""
        with self.database.read() as connection:
            at = connection.execute(self._audits(t.audit.c.at).limit(1)).scalar()
        return None if at is None else from_micros(at)

    def finding_events(self, fingerprint: str) -> list[tuple[FindingEvent, datetime]]:
        """What happened to a finding and when, in the order in which it was recorded."""
        query = (
            select(t.event.c.value, t.event.c.at)
            .join(t.node, t.node.c.id == t.event.c.node_id)
            .where(t.node.c.key == fingerprint, t.node.c.kind == NodeKind.FINDING, t.event.c.name == _WHAT)
            .where(t.node.c.project_id == self.project_id)
            .order_by(t.event.c.id)
        )
        with self.database.read() as connection:
            return [(FindingEvent(from_json(r.value)["event"]), from_micros(r.at)) for r in connection.execute(query)]

    def forecasts(self, until: datetime | None = None, limit: int = 1) -> list[StoredForecast]:
        """What the newest audits foretold that are no younger than an instant, newest first."""
        a = t.audit.c
        query = self._audits(t.node.c.key, a.at, a.git_commit, a.rule_set, a.forecast).where(a.forecast.is_not(None))
        query = query.join(t.node, t.node.c.id == a.node_id)
        if until is not None:
            query = query.where(a.at <= to_micros(until))
        with self.database.read() as connection:
            return [_forecast(row) for row in connection.execute(query.limit(limit))]

    def record_score(self, audit: str, score: Mapping[str, Any], at: datetime) -> None:
        """How well an audit's forecast did; the same score again changes nothing. Raises: UnknownFact."""
        with self.writing() as w:
            node_id = w.need([(NodeKind.AUDIT, audit)])[NodeKind.AUDIT, audit]
            if latest_event(w.connection, node_id, _SCORE) != from_json(to_json(score)):
                record_event(w, node_id, _SCORE, score, to_micros(at))

    def newest_score(self) -> tuple[datetime, dict[str, Any]] | None:
        """The score that was recorded last, with the time of the forecast that it is of."""
        query = (
            select(t.audit.c.at, t.event.c.value)
            .join(t.event, t.event.c.node_id == t.audit.c.node_id)
            .where(t.audit.c.project_id == self.project_id, t.event.c.name == _SCORE)
            .order_by(t.event.c.id.desc())
        )
        with self.database.read() as connection:
            row = connection.execute(query.limit(1)).first()
        return None if row is None else (from_micros(row.at), from_json(row.value))

    def _audits(self, *columns: Any) -> Select[Any]:
        """Audits of this project, newest first."""
        mine = select(*columns).select_from(t.audit).where(t.audit.c.project_id == self.project_id)
        return mine.order_by(t.audit.c.at.desc(), t.audit.c.node_id.desc())

    def _records(self, connection: Connection) -> list[FindingRecord]:
        latest = (
            select(func.max(t.event.c.id))
            .join(t.finding, t.finding.c.node_id == t.event.c.node_id)
            .where(t.finding.c.project_id == self.project_id, t.event.c.name.in_([_WHAT, _PLACE]))
            .group_by(t.event.c.node_id, t.event.c.name)
        )
        query = (
            select(t.finding, t.node.c.key, t.event.c.name, t.event.c.value, t.event.c.at, t.actor.c.name.label("who"))
            .join(t.node, t.node.c.id == t.finding.c.node_id)
            .join(t.event, t.event.c.node_id == t.finding.c.node_id)
            .join(t.actor, t.actor.c.id == t.event.c.actor_id)
            .where(t.event.c.id.in_(latest))
        )
        what: dict[int, Row[Any]] = {}
        place: dict[int, Spot] = {}
        for row in connection.execute(query):
            if row.name == _PLACE:
                place[row.node_id] = msgspec.convert(from_json(row.value), Spot)
            else:
                what[row.node_id] = row
        looked = _Looked(connection, self._audits(t.audit.c.at, t.audit.c.rules, t.audit.c.unread))
        return [_record(row, place[node_id], looked) for node_id, row in what.items()]


class _Looked:
    """When an audit looked last for a rule in a file; audits are read as far back as is asked for."""

    def __init__(self, connection: Connection, newest_first: Select[Any]) -> None:
        self._rows = iter(connection.execute(newest_first))
        self._read: list[tuple[datetime, set[str], set[str]]] = []

    def at(self, rule: str, path: str) -> datetime | None:
        for when, rules, unread in self._read:
            if rule in rules and path not in unread:
                return when
        for row in self._rows:
            when, rules, unread = from_micros(row.at), set(from_json(row.rules)), set(from_json(row.unread))
            self._read.append((when, rules, unread))
            if rule in rules and path not in unread:
                return when
        return None


def _finding_ids(
    w: Writing, audit: ProjectAudit, known: Mapping[str, FindingRecord], changed: Iterable[Change], audit_id: int
) -> dict[str, int]:
    """Nodes of the findings that change, by fingerprint; those that are new are added."""
    rules = {sighting.fingerprint: sighting.rule for sighting in audit.sightings}
    names = [change.fingerprint for change in changed]
    new, at = [name for name in names if name not in known], to_micros(audit.at)
    made = w.add([NewNode(NodeKind.FINDING, name, rules[name], at) for name in new])
    rows = [
        {"node_id": node_id, "project_id": w.project_id, "rule": rules[name], "first_seen_at": at}
        for name, node_id in zip(new, made, strict=True)
    ]
    if rows:
        w.connection.execute(insert(t.finding), [{**row, "git_commit": audit.git_commit} for row in rows])
        w.link((audit_id, node_id, "found") for node_id in made)
    old = [name for name in names if name in known]
    query = select(t.node.c.id, t.node.c.key).where(t.node.c.kind == NodeKind.FINDING)
    query = query.where(t.node.c.project_id == w.project_id)
    ids = {row.key: row.id for row in rows_in(w.connection, query, t.node.c.key, old)} if old else {}
    return ids | dict(zip(new, made, strict=True))


def _append(
    w: Writing,
    changed: Iterable[Change],
    ids: Mapping[str, int],
    audit: ProjectAudit,
    known: Mapping[str, FindingRecord],
) -> None:
    rows: list[tuple[int, str, dict[str, Any]]] = []
    for change in changed:
        node_id = ids[change.fingerprint]
        if change.event is not None:
            value: dict[str, Any] = {"event": change.event.value, "reason": change.reason, "by": change.by}
            value |= {"commit": audit.git_commit, "rule_set": audit.rule_set}
            if change.event is FindingEvent.GONE:
                value["last_seen"] = to_micros(known[change.fingerprint].last_seen)
            rows.append((node_id, _WHAT, value))
        if change.spot is not None:
            rows.append((node_id, _PLACE, msgspec.to_builtins(change.spot)))
    when = {"at": to_micros(audit.at), "recorded_at": w.recorded_at, "actor_id": w.actor_id}
    free = next_id(w.connection, t.event.c.id)
    w.connection.execute(
        insert(t.event),
        [
            {"id": free + i, "node_id": node_id, "name": name, "value": to_json(value), **when}
            for i, (node_id, name, value) in enumerate(rows)
        ],
    )


def _record(row: Row[Any], spot: Spot, looked: _Looked) -> FindingRecord:
    value, since = from_json(row.value), from_micros(row.at)
    last = from_micros(value["last_seen"]) if "last_seen" in value else looked.at(row.rule, spot.path)
    return FindingRecord(
        fingerprint=row.key,
        rule=row.rule,
        spot=spot,
        state=state_after(FindingEvent(value["event"])),
        first_seen=from_micros(row.first_seen_at),
        first_commit=row.git_commit,
        last_seen=last or since,
        since=since,
        commit=value["commit"],
        by=value["by"] or row.who,
        reason=value["reason"],
    )


def _forecast(row: Row[Any]) -> StoredForecast:
    return StoredForecast(
        key=row.key,
        at=from_micros(row.at),
        git_commit=row.git_commit,
        rule_set=row.rule_set,
        figures=from_json(row.forecast),
    )
