"""What monitors found: measurements and alerts; and the ticks that looked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, or_, select

from solvent.foundation.clock import from_micros, iso, to_micros
from solvent.foundation.errors import UsageError
from solvent.lineage.entities import Alert, Fact, Measurement, NodeKind
from solvent.store import schema as t
from solvent.store.facts.base import FactsBase
from solvent.store.facts.database import next_id
from solvent.store.facts.events import record_event
from solvent.store.facts.values import begins_with, from_json, to_json
from solvent.store.facts.writing import NewNode, Writing


class ClockWentBack(UsageError):
    code = "clock-went-back"


class Tick(Fact, frozen=True):
    """A look at one model at the instant `now`, under one version of the policy; a fact once it has ended."""

    model: str
    now: datetime
    policy: str
    started_at: datetime


class MonitoringFacts(FactsBase):
    def add_measurements(self, measurements: Iterable[Measurement]) -> None:
        """Keep figures. One for the same model, number, name, window and slice again is newer, not instead.

        measured_at None is taken as the time of recording. Raises: UnknownModel.
        """
        with self.writing() as w:
            self._add_measurements(w, measurements)

    def _add_measurements(self, w: Writing, measurements: Iterable[Measurement]) -> None:
        ids: dict[str, int] = {}
        rows = []
        for number, m in enumerate(measurements, next_id(w.connection, t.measurement.c.id)):
            if m.model not in ids:
                ids[m.model] = self.model_id(w.connection, m.model)
            rows.append(_measurement_row(number, ids[m.model], m, w.recorded_at))
        if rows:
            w.connection.execute(insert(t.measurement), rows)

    def measurements(
        self,
        model: str,
        names: str | Iterable[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        latest: bool = True,
        as_of: datetime | None = None,
        known_by: datetime | None = None,
    ) -> list[Measurement]:
        """Figures of windows that start in [since, until), by window, name and slice.

        names: exact names, or prefixes that end in `*`. latest: of figures for the same thing
        only the one measured last. as_of, known_by: only what was measured, recorded by then.
        """
        m = t.measurement
        query = (
            select(m)
            .join(t.model, t.model.c.node_id == m.c.model_id)
            .where(t.model.c.project_id == self.project_id, t.model.c.name == model)
            .order_by(m.c.window_start, m.c.name, m.c.slice, m.c.measured_at, m.c.id)
        )
        query = _within(query, m.c.window_start, since, until)
        if names is not None:
            query = query.where(_named([names] if isinstance(names, str) else list(names)))
        if as_of is not None:
            query = query.where(m.c.measured_at <= to_micros(as_of))
        if known_by is not None:
            query = query.where(m.c.recorded_at <= to_micros(known_by))
        with self.database.read() as connection:
            found = [_measurement(row, model) for row in connection.execute(query)]
        if not latest:
            return found
        return list({(f.number, f.name, f.window_start, f.window_end, f.slice): f for f in found}.values())

    def add_alert(self, alert: Alert) -> bool:
        """Raise an alert; False when its effect was raised before. Raises: UnknownModel, UnknownFact (its version)."""
        with self.writing() as w:
            return self._add_alert(w, alert)

    def _add_alert(self, w: Writing, alert: Alert) -> bool:
        mine = t.alert.c.project_id == self.project_id
        raised = select(t.alert.c.node_id).where(mine, t.alert.c.effect == alert.effect)
        if w.connection.execute(raised).first() is not None:
            return False
        model_id = self.model_id(w.connection, alert.model)
        node_id = w.add([NewNode(NodeKind.ALERT, alert.key, alert.title, to_micros(alert.at))])[0]
        w.connection.execute(insert(t.alert), _alert_row(alert, node_id, model_id, self.project_id))
        if alert.number is not None:
            watched = w.need([(NodeKind.VERSION, f"{alert.model}/{alert.number}")])
            w.link((source, node_id, "watched") for source in watched.values())
        return True

    def alerts(self, model: str | None = None, since: datetime | None = None) -> list[Alert]:
        """Alerts from `since` on, in the order in which they were raised."""
        query = (
            select(t.alert, t.node.c.key, t.model.c.name.label("model"))
            .join(t.node, t.node.c.id == t.alert.c.node_id)
            .join(t.model, t.model.c.node_id == t.alert.c.model_id)
            .where(t.alert.c.project_id == self.project_id)
            .order_by(t.alert.c.at, t.alert.c.node_id)
        )
        if model is not None:
            query = query.where(t.model.c.name == model)
        with self.database.read() as connection:
            return [_alert(row) for row in connection.execute(_within(query, t.alert.c.at, since, None))]

    def start_tick(self, model: str, now: datetime, policy: str) -> Tick:
        """Begin a tick; nothing is recorded until it ends. Raises: ClockWentBack, UnknownModel."""
        last = self.last_tick(model)
        if last is not None and now < last:
            raise ClockWentBack(
                f"the last tick of `{model}` was at {iso(last)}, after {iso(now)}",
                next="a tick never goes back in time",
            )
        return Tick(model=model, now=now, policy=policy, started_at=self._clock())

    def end_tick(
        self,
        tick: Tick,
        *,
        states: dict[str, Any] | None = None,
        about: dict[str, Any] | None = None,
        measurements: Iterable[Measurement] = (),
        alerts: Iterable[Alert] = (),
    ) -> None:
        """The tick is a fact now, and with it, in the same transaction, what it found and the state that it carries on.

        states: as `set_state` takes them, by name. measurements, alerts: as `add_measurements` and `add_alert`
        take them. The state of a tick that ended before stays as it was. Raises: UnknownModel, UnknownFact.
        """
        with self.writing() as w:
            self._add_measurements(w, measurements)
            for alert in alerts:
                self._add_alert(w, alert)
            model_id = self.model_id(w.connection, tick.model)
            same = (t.tick.c.model_id == model_id, t.tick.c.now == to_micros(tick.now), t.tick.c.policy == tick.policy)
            if w.connection.execute(select(t.tick.c.id).where(*same)).first() is not None:
                return
            row = {"id": next_id(w.connection, t.tick.c.id), "model_id": model_id, "policy": tick.policy}
            row |= {"now": to_micros(tick.now), "started_at": to_micros(tick.started_at)}
            w.connection.execute(insert(t.tick), {**row, "recorded_at": w.recorded_at, "about": to_json(about or {})})
            for name, value in (states or {}).items():
                record_event(w, model_id, f"state:{name}", value, to_micros(tick.now))

    def last_tick(self, model: str) -> datetime | None:
        """The clock of the newest tick that ended. Raises: UnknownModel."""
        with self.database.read() as connection:
            newest = select(func.max(t.tick.c.now)).where(t.tick.c.model_id == self.model_id(connection, model))
            now = connection.execute(newest).scalar()
        return None if now is None else from_micros(now)


def _within(query: Select[Any], column: Any, since: datetime | None, until: datetime | None) -> Select[Any]:
    if since is not None:
        query = query.where(column >= to_micros(since))
    if until is not None:
        query = query.where(column < to_micros(until))
    return query


def _named(names: list[str]) -> Any:
    name = t.measurement.c.name
    prefixes = [pattern[:-1] for pattern in names if pattern.endswith("*")]
    exact = [pattern for pattern in names if not pattern.endswith("*")]
    return or_(name.in_(exact), *(begins_with(name, prefix) for prefix in prefixes))


def _measurement_row(id: int, model_id: int, m: Measurement, recorded_at: int) -> dict[str, Any]:
    return {
        "id": id,
        "model_id": model_id,
        "number": m.number,
        "name": m.name,
        "window_start": to_micros(m.window_start),
        "window_end": to_micros(m.window_end),
        "slice": m.slice,
        "value": _number(m.value),
        "unit": m.unit,
        "lower": _number(m.lower),
        "upper": _number(m.upper),
        "level": m.level,
        "rows": m.rows,
        "about": to_json(m.about),
        "measured_at": recorded_at if m.measured_at is None else to_micros(m.measured_at),
        "recorded_at": recorded_at,
    }


def _number(value: float | None) -> float | None:
    """A figure as databases keep it; not a number is no figure."""
    return None if value is None or value != value else float(value)


def _measurement(row: Row[Any], model: str) -> Measurement:
    return Measurement(
        model=model,
        number=row.number,
        name=row.name,
        window_start=from_micros(row.window_start),
        window_end=from_micros(row.window_end),
        value=row.value,
        unit=row.unit,
        lower=row.lower,
        upper=row.upper,
        level=row.level,
        rows=row.rows,
        slice=row.slice,
        about=from_json(row.about),
        measured_at=from_micros(row.measured_at),
    )


def _alert_row(alert: Alert, node_id: int, model_id: int, project_id: int) -> dict[str, Any]:
    return {
        "node_id": node_id,
        "project_id": project_id,
        "model_id": model_id,
        "number": alert.number,
        "kind": alert.kind,
        "at": to_micros(alert.at),
        "window_start": to_micros(alert.window_start),
        "window_end": to_micros(alert.window_end),
        "title": alert.title,
        "cause": to_json(alert.cause),
        "evidence": to_json(alert.evidence),
        "effect": alert.effect,
    }


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        key=row.key,
        model=row.model,
        number=row.number,
        kind=row.kind,
        at=from_micros(row.at),
        window_start=from_micros(row.window_start),
        window_end=from_micros(row.window_end),
        title=row.title,
        cause=from_json(row.cause),
        evidence=from_json(row.evidence),
        effect=row.effect,
    )
