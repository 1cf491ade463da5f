"""What may change, as a series of events with a current view: declarations, carried state, tags."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from solvent.foundation.clock import to_micros
from solvent.store import schema as t
from solvent.store.facts.base import FactsBase
from solvent.store.facts.database import next_id
from solvent.store.facts.values import from_json, to_json
from solvent.store.facts.writing import Writing


class EventFacts(FactsBase):
    def set_state(self, model: str, name: str, value: Any, at: datetime) -> None:
        """What a model's monitoring carries from one tick to the next, from `at` on. Raises: UnknownModel."""
        with self.writing() as w:
            record_event(w, self.model_id(w.connection, model), f"state:{name}", value, to_micros(at))

    def state(self, model: str, name: str, before: datetime | None = None) -> Any:
        """The newest state, or the newest one set for an instant before `before`; None when there is none.

        `before` lets a tick that died half way be repeated: it starts where the tick before it ended.
        """
        with self.database.read() as connection:
            model_id = self.model_id(connection, model)
            return latest_event(connection, model_id, f"state:{name}", before)


def record_event(w: Writing, node_id: int, name: str, value: Any, at: int) -> None:
    w.connection.execute(
        insert(t.event),
        {
            "id": next_id(w.connection, t.event.c.id),
            "node_id": node_id,
            "name": name,
            "value": to_json(value),
            "at": at,
            "recorded_at": w.recorded_at,
            "actor_id": w.actor_id,
        },
    )


def latest_event(connection: Connection, node_id: int, name: str, before: datetime | None = None) -> Any:
    query = select(t.event.c.value).where(t.event.c.node_id == node_id, t.event.c.name == name)
    if before is not None:
        query = query.where(t.event.c.at < to_micros(before))
    value = connection.execute(query.order_by(t.event.c.at.desc(), t.event.c.id.desc()).limit(1)).scalar()
    return None if value is None else from_json(value)
