"""What every part of `Facts` stands on: the database, who writes, in which project, by which clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, insert, select

from solvent.foundation.clock import to_micros
from solvent.foundation.errors import UsageError, nearest
from solvent.lineage.entities import Actor
from solvent.store import schema as t
from solvent.store.facts.database import Database, next_id
from solvent.store.facts.writing import Writing


class UnknownModel(UsageError):
    code = "unknown-model"


class FactsBase:
    """Holds the database, the actor and project that facts are recorded under, and the clock of recording."""

    def __init__(self, database: Database, *, project: str, actor: Actor, clock: Callable[[], datetime]) -> None:
        self.database = database
        self.project = project
        self.actor = actor
        self._clock = clock
        self.project_id, self.actor_id = self._register()

    def recorded_now(self) -> int:
        return to_micros(self._clock())

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One write transaction; everything in it is kept or nothing is."""
        with self.database.write() as connection:
            yield Writing(
                self.database,
                connection,
                project_id=self.project_id,
                actor_id=self.actor_id,
                recorded_at=self.recorded_now(),
            )

    def _register(self) -> tuple[int, int]:
        find_project = select(t.project.c.id).where(t.project.c.name == self.project)
        find_actor = select(t.actor.c.id).where(t.actor.c.kind == self.actor.kind, t.actor.c.name == self.actor.name)
        with self.database.read() as connection:
            project_id = connection.execute(find_project).scalar()
            actor_id = connection.execute(find_actor).scalar()
        if project_id is not None and actor_id is not None:
            return project_id, actor_id
        with self.database.write() as connection:
            project_id = connection.execute(find_project).scalar()
            actor_id = connection.execute(find_actor).scalar()
            if project_id is None:
                project_id = next_id(connection, t.project.c.id)
                row = {"id": project_id, "name": self.project, "created_at": self.recorded_now()}
                connection.execute(insert(t.project), row)
            if actor_id is None:
                actor_id = next_id(connection, t.actor.c.id)
                connection.execute(insert(t.actor), {"id": actor_id, "kind": self.actor.kind, "name": self.actor.name})
        return project_id, actor_id

    def actor_in(self, w: Writing, actor: Actor) -> int:
        """Someone else's id, for facts that came from another store."""
        known = select(t.actor.c.id).where(t.actor.c.kind == actor.kind, t.actor.c.name == actor.name)
        found: int | None = w.connection.execute(known).scalar()
        if found is None:
            found = next_id(w.connection, t.actor.c.id)
            w.connection.execute(insert(t.actor), {"id": found, "kind": actor.kind, "name": actor.name})
        return found

    def model_id(self, connection: Connection, name: str) -> int:
        """The node of a model. Raises: UnknownModel."""
        found = self.find_model_id(connection, name)
        if found is None:
            names = select(t.model.c.name).where(t.model.c.project_id == self.project_id)
            known = list(connection.execute(names).scalars())
            hint = nearest(name, known, "`solvent models list` lists the models")
            raise UnknownModel(f"no model `{name}` in this project", next=hint)
        return found

    def find_model_id(self, connection: Connection, name: str) -> int | None:
        query = select(t.model.c.node_id).where(t.model.c.project_id == self.project_id, t.model.c.name == name)
        found: int | None = connection.execute(query).scalar()
        return found
