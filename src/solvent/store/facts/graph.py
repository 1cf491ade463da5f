"""The graph itself: nodes by name, edges, and everything upstream or downstream of a node.

A traversal is one recursive query per direction. It goes from run to run: bytes that
it comes to from a run are shown, but other runs that happened to make or to take equal
bytes are not (see `schema.edge`). `UNION` drops what was reached before, so a cycle (a
step that returns its input unchanged) ends, and the queue is first in, first out: with
a limit the nearest nodes are the ones returned.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Select, TextClause, or_, select, text

from solvent.foundation.clock import from_micros
from solvent.lineage.entities import Edge, Node, NodeKind, Subgraph
from solvent.store import schema as t
from solvent.store.facts.base import FactsBase
from solvent.store.facts.values import begins_with, rows_in
from solvent.store.facts.writing import NodeName, UnknownFact, find_nodes

FIND_LIMIT = 50
_UP = text("""
WITH RECURSIVE
  reached(id, onward) AS (
    SELECT CAST(:root AS BIGINT), 1
    UNION SELECT edge.source_id, CASE WHEN edge.via = 2 THEN 0 ELSE onward END
    FROM reached JOIN edge ON edge.target_id = reached.id WHERE onward = 1 OR edge.via <> 1
  ),
  nearest(id, onward) AS (SELECT id, onward FROM reached LIMIT :most)
SELECT nearest.id, onward, onward = 1 OR edge.via <> 1, edge.source_id, edge.target_id, edge.role
FROM nearest LEFT JOIN edge ON edge.target_id = nearest.id
""")
_DOWN = text("""
WITH RECURSIVE
  reached(id, onward) AS (
    SELECT CAST(:root AS BIGINT), 1
    UNION SELECT edge.target_id, CASE WHEN edge.via = 1 THEN 0 ELSE onward END
    FROM reached JOIN edge ON edge.source_id = reached.id WHERE onward = 1 OR edge.via <> 2
  ),
  nearest(id, onward) AS (SELECT id, onward FROM reached LIMIT :most)
SELECT nearest.id, onward, onward = 1 OR edge.via <> 2, edge.source_id, edge.target_id, edge.role
FROM nearest LEFT JOIN edge ON edge.source_id = nearest.id
""")
_KINDS = {kind.value: kind for kind in NodeKind}
_node_columns = (t.node.c.id, t.node.c.kind, t.node.c.key, t.node.c.name, t.node.c.happened_at, t.node.c.recorded_at)


class GraphFacts(FactsBase):
    def add_edges(self, edges: Iterable[tuple[NodeName, NodeName, str]]) -> None:
        """Edges (source, target, role) between nodes that exist. Raises: UnknownFact."""
        wanted = list(edges)
        with self.writing() as w:
            ids = w.need(name for source, target, _ in wanted for name in (source, target))
            w.link((ids[source], ids[target], role) for source, target, role in wanted)

    def node(self, kind: NodeKind, key: str) -> Node | None:
        with self.database.read() as connection:
            found = find_nodes(connection, self.project_id, [(kind, key)])
            row = connection.execute(select(*_node_columns).where(t.node.c.id.in_(found.values()))).first()
        return None if row is None else _node(row)

    def find(self, text: str) -> list[Node]:
        """Nodes whose key begins with the text or whose name is the text, newest first, at most 50."""
        query = (
            self._mine()
            .where(or_(begins_with(t.node.c.key, text), t.node.c.name == text))
            .order_by(t.node.c.id.desc())
            .limit(FIND_LIMIT)
        )
        with self.database.read() as connection:
            return [_node(row) for row in connection.execute(query)]

    def _mine(self) -> Select[Any]:
        return select(*_node_columns).where(t.node.c.project_id.in_([t.SHARED_PROJECT, self.project_id]))

    def ancestors(self, kind: NodeKind, key: str, limit: int = 100_000) -> Subgraph:
        """Everything that a node came of, and the edges between; with a limit the nearest. Raises: UnknownFact."""
        return self._reached(kind, key, limit, _UP)

    def descendants(self, kind: NodeKind, key: str, limit: int = 100_000) -> Subgraph:
        """Everything that came of a node, and the edges between; with a limit the nearest. Raises: UnknownFact."""
        return self._reached(kind, key, limit, _DOWN)

    def _reached(self, kind: NodeKind, key: str, limit: int, walk: TextClause) -> Subgraph:
        with self.database.read() as connection, _no_collection():
            root = find_nodes(connection, self.project_id, [(kind, key)]).get((kind, key))
            if root is None:
                raise UnknownFact(kind, key)
            rows = connection.execute(walk, {"root": root, "most": limit}).all()
            passed = {row[0] for row in rows if row[1]}
            shown = {row[0] for row in rows if not row[1]}
            ids = passed | shown
            nodes = [_node(row) for row in rows_in(connection, select(*_node_columns), t.node.c.id, ids)]
            edges = [
                Edge(source=source, target=target, role=role)
                for _, _, _, source, target, role in rows
                if source in ids and target in ids
            ]
            if passed & shown:  # the walk came to a node in both ways, and so twice to its edges
                edges = list(dict.fromkeys(edges))
            cut = len(passed) + len(shown) == limit and any(
                walked and not (source in ids and target in ids)
                for _, _, walked, source, target, _ in rows
                if source is not None  # a node without further edges
            )
        return Subgraph(root=root, nodes=nodes, edges=edges, truncated=cut)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hundreds of thousands of new values without a cycle among them: looking for cycles took 40% of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _node(row: Sequence[Any]) -> Node:
    node_id, kind, key, name, happened_at, recorded_at = row
    return Node(
        id=node_id,
        kind=_KINDS[kind],
        key=key,
        name=name,
        happened_at=from_micros(happened_at),
        recorded_at=from_micros(recorded_at),
    )
