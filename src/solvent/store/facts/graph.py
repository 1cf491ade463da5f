"""The graph itself: nodes by name, edges, and everything upstream or downstream of a node.

A traversal goes breadth first, one query a level, so that each edge is read once and
the nearest nodes are the ones that a limit leaves. It goes from run to run: bytes that
it comes to from a run are shown, but other runs that happened to make or to take equal
bytes are not (see `schema.edge`). A cycle (a step that returns its input unchanged) ends,
since no node is entered twice.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Column, Select, or_, select

from solvent.lineage.entities import Edge, Node, NodeKind, Subgraph
from solvent.store import schema as t
from solvent.store.facts.base import FactsBase
from solvent.store.facts.values import begins_with, many, one_of, rows_in
from solvent.store.facts.writing import NodeName, UnknownFact, find_nodes

FIND_LIMIT = 50
_KINDS = {kind.value: kind for kind in NodeKind}
_node_columns = (t.node.c.id, t.node.c.kind, t.node.c.key, t.node.c.name, t.node.c.happened_at, t.node.c.recorded_at)


class _Way(NamedTuple):
    """A direction. near, far: an edge's ends in it. shows: via of an edge on which bytes are reached from a run;
    stops: via of an edge on which the walk does not go on from such bytes."""

    near: Column[int]
    far: Column[int]
    shows: int
    stops: int

    def edges(self, sqlite: bool) -> Select[Any]:
        """The edges of one level: near, far, role, via."""
        return select(self.near, self.far, t.edge.c.role, t.edge.c.via).where(one_of(self.near, sqlite))


_UP = _Way(near=t.edge.c.target_id, far=t.edge.c.source_id, shows=t.INPUT, stops=t.OUTPUT)
_DOWN = _Way(near=t.edge.c.source_id, far=t.edge.c.target_id, shows=t.OUTPUT, stops=t.INPUT)


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

    def _reached(self, kind: NodeKind, key: str, limit: int, way: _Way) -> Subgraph:
        with self.database.read() as connection, _no_collection():
            root = find_nodes(connection, self.project_id, [(kind, key)]).get((kind, key))
            if root is None:
                raise UnknownFact(kind, key)
            sqlite = self.database.sqlite
            edges, walk = way.edges(sqlite), _Walk(root, limit, way)
            while walk.level:
                walk.enter(connection.execute(edges, {"values": many(walk.level, sqlite)}).all())
            nodes = [_node(row) for row in rows_in(connection, select(*_node_columns), t.node.c.id, walk.onward)]
        return Subgraph(root=root, nodes=nodes, edges=walk.edges(), truncated=walk.truncated)


class _Walk:
    """A traversal between two queries.

    level: nodes whose edges are wanted next. onward: nodes reached, and whether the walk goes on from them to
    everything; from bytes that a run made or took it does not go on to the other runs that know them.
    """

    def __init__(self, root: int, limit: int, way: _Way) -> None:
        self.level = [root]
        self.onward = {root: True}
        self.truncated = False
        self._limit = limit
        self._way = way
        self._edges: list[Edge] = []
        self._left_out: set[int] = set()  # nodes that an edge led to while they were not reached
        self._entered: set[int] = set()

    def enter(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take the edges of this level, and find the next one."""
        onward, shows, stops = self.onward, self._way.shows, self._way.stops
        found: dict[int, None] = {}
        for near, far, _, via in rows:
            known = onward.get(far)
            if known:  # most edges of a large answer
                continue
            if not onward[near] and via == stops:
                self._left_out.add(far)
                continue
            leads_on = onward[near] and via != shows
            if known is None and len(onward) == self._limit:
                self.truncated = True
                self._left_out.add(far)
            elif known is None or leads_on:
                onward[far] = leads_on
                found[far] = None
        self._keep(rows)
        self._entered.update(self.level)
        self.level = list(found)

    def _keep(self, rows: Sequence[Sequence[Any]]) -> None:
        if not self._entered.isdisjoint(self.level):  # reached again, in the other way
            rows = [row for row in rows if row[0] not in self._entered]
        if self._way is _UP:
            self._edges += [Edge(far, near, role) for near, far, role, _ in rows]
        else:
            self._edges += [Edge(near, far, role) for near, far, role, _ in rows]

    def edges(self) -> list[Edge]:
        """All edges between nodes that were reached."""
        outside = self._left_out.difference(self.onward)
        if not outside:
            return self._edges
        return [edge for edge in self._edges if edge.source not in outside and edge.target not in outside]


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
    node_id, kind, key, name, happened, recorded = row
    return Node(id=node_id, kind=_KINDS[kind], key=key, name=name, happened_us=happened, recorded_us=recorded)
