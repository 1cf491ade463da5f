"""One write in progress: finding and adding the nodes and edges that a fact needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert, select

from solvent.foundation.errors import UsageError
from solvent.lineage.entities import NodeKind
from solvent.store import schema as t
from solvent.store.facts.database import Database, next_id
from solvent.store.facts.values import many, one_of

NodeName = tuple[NodeKind, str]  # what a node is found by: kind and key

_CONTENT = frozenset({NodeKind.ARTIFACT, NodeKind.RECIPE})
_COLUMN_OF_ARTIFACT = re.compile(r"[0-9a-f]{64}#")
_select = select(t.node.c.id, t.node.c.kind, t.node.c.key, t.node.c.project_id)
_FIND = {sqlite: _select.where(one_of(t.node.c.key, sqlite)) for sqlite in (True, False)}
_INSERT = insert(t.node)
_NOUNS = {NodeKind.RUN: "`solvent runs list`", NodeKind.VERSION: "`solvent models list`"}


class UnknownFact(UsageError):
    code = "unknown-fact"

    def __init__(self, kind: NodeKind, key: str) -> None:
        super().__init__(
            f"the store knows no {kind.value} `{key}`",
            next=f"{_NOUNS.get(kind, '`solvent lineage`')} shows what it knows",
        )


class NewNode(NamedTuple):
    kind: NodeKind
    key: str
    name: str
    happened_at: int


def scope(kind: NodeKind, key: str, project_id: int) -> int:
    """The project that a node belongs to: content is shared, whatever people or processes did is not."""
    shared = kind in _CONTENT or (kind is NodeKind.COLUMN and _COLUMN_OF_ARTIFACT.match(key))
    return t.SHARED_PROJECT if shared else project_id


def find_nodes(connection: Connection, project_id: int, wanted: Iterable[NodeName]) -> dict[NodeName, int]:
    """Ids of those nodes that exist."""
    names = set(wanted)
    found = {}
    sqlite = connection.dialect.name == "sqlite"
    for row in connection.execute(_FIND[sqlite], {"values": many({key for _, key in names}, sqlite)}):
        name = (NodeKind(row.kind), row.key)
        if name in names and row.project_id == scope(*name, project_id):
            found[name] = row.id
    return found


class Writing:
    """Adds nodes and edges inside the one write transaction that holds it."""

    def __init__(
        self, database: Database, connection: Connection, *, project_id: int, actor_id: int, recorded_at: int
    ) -> None:
        self.connection = connection
        self.project_id = project_id
        self.actor_id = actor_id
        self.recorded_at = recorded_at
        self._database = database
        self._next_node: int | None = None

    def find(self, wanted: Iterable[NodeName]) -> dict[NodeName, int]:
        return find_nodes(self.connection, self.project_id, wanted)

    def need(self, wanted: Iterable[NodeName]) -> dict[NodeName, int]:
        """Ids of nodes that must exist. Raises: UnknownFact, for the first that does not."""
        names = list(wanted)
        found = self.find(names) if names else {}
        for name in names:
            require(found, name)
        return found

    def add(self, nodes: list[NewNode]) -> list[int]:
        """Insert nodes that do not exist yet; their ids, in order."""
        if not nodes:
            return []
        if self._next_node is None:
            self._next_node = next_id(self.connection, t.node.c.id)
        ids = list(range(self._next_node, self._next_node + len(nodes)))
        self._next_node += len(nodes)
        self.connection.execute(
            _INSERT,
            [
                {
                    "id": node_id,
                    "project_id": scope(new.kind, new.key, self.project_id),
                    "kind": new.kind.value,
                    "key": new.key,
                    "name": new.name,
                    "happened_at": new.happened_at,
                    "recorded_at": self.recorded_at,
                    "actor_id": self.actor_id,
                }
                for node_id, new in zip(ids, nodes, strict=True)
            ],
        )
        return ids

    def add_missing(self, nodes: Iterable[NewNode], found: dict[NodeName, int]) -> set[NodeName]:
        """Insert those of the nodes that `found` lacks, complete `found` with them, return their names."""
        missing = {(new.kind, new.key): new for new in nodes if (new.kind, new.key) not in found}
        found.update(zip(missing, self.add(list(missing.values())), strict=True))
        return set(missing)

    def link(self, edges: Iterable[tuple[int, int, str]], via: int = t.PLAIN) -> None:
        """Edges source → target with a role; those that exist already stay as they are."""
        rows = [{"source_id": source, "target_id": target, "role": role, "via": via} for source, target, role in edges]
        if rows:
            self.insert_missing(t.edge, rows)

    def insert_missing(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Rows of a table; those whose key is there already stay as they are."""
        self.connection.execute(self._database.insert_missing(table), rows)


def require(found: Mapping[NodeName, int], name: NodeName) -> int:
    """The id of a node that must exist. Raises: UnknownFact."""
    if name not in found:
        raise UnknownFact(*name)
    return found[name]
