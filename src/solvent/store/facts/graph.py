"""The graph itself: nodes by name, edges, and everything upstream or downstream of a node.

A traversal goes breadth first, one query a level, so that each edge is read once and
the nearest nodes are the ones that a limit leaves. It goes from run to run: bytes that
it comes to from a run are shown, but other runs that happened to make or to take equal
bytes are not (see `schema.edge`). A cycle (a step that returns its input unchanged) ends,
since no node is entered twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Column, Connection, Select, or_, select

from solvent.lineage.entities import Edge, Node, NodeKind, Subgraph
from solvent.store import schema as t
from solvent.store.facts.base import FactsBase
from solvent.store.facts.values import begins_with, gathered, many, one_of
from solvent.store.facts.writing import NodeName, UnknownFact, find_nodes

FIND_LIMIT = 50
_numbers = msgspec.json.Decoder(list[int]).decode
_texts = msgspec.json.Decoder(list[str]).decode
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
        """The edges of one level, in columns: near, far, via, role."""
        return gathered((self.near, self.far, t.edge.c.via, t.edge.c.role), sqlite).where(one_of(self.near, sqlite))


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
        with self.database.read() as connection:
            root = find_nodes(connection, self.project_id, [(kind, key)]).get((kind, key))
            if root is None:
                raise UnknownFact(kind, key)
            sqlite = self.database.sqlite
            edges, walk = way.edges(sqlite), _Walk(root, limit, way)
            while walk.level:
                near, far, via, role = connection.execute(edges, {"values": many(walk.level, sqlite)}).one()
                walk.enter(_numbers(near), _numbers(far), _numbers(via), _texts(role))
            nodes = _nodes(connection, walk.onward, sqlite)
        return Subgraph(root=root, nodes=nodes, edges=walk.edges(), truncated=walk.truncated)


class _Walk:
    """A traversal between two queries. Its edges lie in columns: they may be hundreds of thousands.

    level: nodes whose edges are wanted next. onward: nodes reached, and whether the walk goes on from them to
    everything; from bytes that a run made or took it does not go on to the other runs that know them.
    """

    def __init__(self, root: int, limit: int, way: _Way) -> None:
        self.level = [root]
        self.onward = {root: True}
        self.truncated = False
        self._limit = limit
        self._way = way
        self._near: list[int] = []
        self._far: list[int] = []
        self._roles: list[str] = []
        self._left_out: set[int] = set()  # nodes that an edge led to while they were not reached
        self._entered: set[int] = set()
        self._done = {root}  # nodes from which the walk goes on to everything

    def enter(self, nears: list[int], fars: list[int], vias: list[int], roles: list[str]) -> None:
        """Take the edges of this level, and find the next one."""
        onward, shows, stops = self.onward, self._way.shows, self._way.stops
        found: dict[int, None] = {}
        new = set(fars).difference(self._done)  # most edges of a large answer lead to what is done
        for near, far, via in compress(zip(nears, fars, vias, strict=True), map(new.__contains__, fars)):
            known = onward.get(far)
            if known:
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
                if leads_on:
                    self._done.add(far)
        self._keep(nears, fars, roles)
        self._entered.update(self.level)
        self.level = list(found)

    def _keep(self, nears: list[int], fars: list[int], roles: list[str]) -> None:
        if not self._entered.isdisjoint(self.level):  # reached again, in the other way
            new = [near not in self._entered for near in nears]
            nears, fars, roles = list(compress(nears, new)), list(compress(fars, new)), list(compress(roles, new))
        self._near += nears
        self._far += fars
        self._roles += roles

    def edges(self) -> list[Edge]:
        """All edges between nodes that were reached."""
        sources, targets = (self._far, self._near) if self._way is _UP else (self._near, self._far)
        edges = map(Edge, sources, targets, self._roles)
        outside = self._left_out.difference(self.onward)
        return list(compress(edges, (far not in outside for far in self._far))) if outside else list(edges)


def _nodes(connection: Connection, ids: Iterable[int], sqlite: bool) -> list[Node]:
    query = gathered(_node_columns, sqlite).where(one_of(t.node.c.id, sqlite))
    node, kind, key, name, happened, recorded = connection.execute(query, {"values": many(ids, sqlite)}).one()
    rows = zip(
        _numbers(node), _texts(kind), _texts(key), _texts(name), _numbers(happened), _numbers(recorded), strict=True
    )
    return list(map(_node, rows))


def _node(row: Sequence[Any]) -> Node:
    node_id, kind, key, name, happened, recorded = row
    return Node(id=node_id, kind=_KINDS[kind], key=key, name=name, happened_us=happened, recorded_us=recorded)
