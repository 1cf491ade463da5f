"""What facts still need the bytes of, and the note that bytes were collected.

Everything that a kept fact came of is kept with it: the walk goes up the lineage graph
from each root, over all projects that share the database. Digests in evidence, causes
and state are found by their form, so a fact that gains a field is still heard.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, func, insert, or_, select, text, update

from solvent.lineage.digests import Digest
from solvent.lineage.entities import NodeKind, RunStatus
from solvent.store import schema as t
from solvent.store.facts.artifacts import COLLECTED, collected_at, return_bytes
from solvent.store.facts.base import FactsBase
from solvent.store.facts.database import next_id
from solvent.store.facts.values import many, rows_in
from solvent.store.facts.writing import Writing

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_TREE = '%"tree":true%'
_UP = """
WITH RECURSIVE reached(id, onward) AS (
  SELECT CAST(value AS BIGINT), 1 FROM {roots}
  UNION SELECT edge.source_id, CASE WHEN edge.via = 2 THEN 0 ELSE onward END
  FROM reached JOIN edge ON edge.target_id = reached.id WHERE onward = 1 OR edge.via <> 1
)
SELECT DISTINCT id FROM reached
"""  # as in `graph`, from many roots
_WALK = {
    True: text(_UP.format(roots="json_each(:roots)")),
    False: text(_UP.format(roots="unnest(CAST(:roots AS BIGINT[])) AS roots(value)")),
}


class Reason(StrEnum):
    """Why bytes stay, the strongest first."""

    ALIAS = "alias"
    DEPLOYMENT = "deployment"
    DECISION = "decision"
    LOG = "prediction log"
    DATASET = "dataset version"
    RUNNING = "running"
    NEWEST = "newest runs"


class Needed(NamedTuple):
    """An object that a fact needs. tree: it is a folder, which names other objects."""

    digest: Digest
    reason: Reason
    tree: bool


class KeepingFacts(FactsBase):
    def needed(self, connection: Connection, keep_runs: int) -> Iterator[Needed]:
        """Every object that a reachable fact needs, once, with the strongest reason; what a tree names is not told.

        keep_runs: so many newest finished runs of each step keep what they made.
        """
        seen: set[int] = set()
        told: set[str] = set()
        for reason, roots in _roots(connection, keep_runs):
            new = _above(connection, roots) - seen
            seen |= new
            for digest, tree in _objects(connection, new):
                if digest not in told:
                    told.add(digest)
                    yield Needed(Digest(digest), reason, tree)

    def erased_by_decision(self, connection: Connection) -> set[Digest]:
        """Artifacts whose bytes must not be here: a decision erased them."""
        marked = or_(collected_at().is_(None), collected_at() != t.artifact.c.erased_at)
        query = select(t.node.c.key).join(t.artifact, t.artifact.c.node_id == t.node.c.id)
        query = query.where(t.artifact.c.erased_at.is_not(None), marked)
        return {Digest(key) for key in connection.execute(query).scalars()}

    def known_blobs(self, connection: Connection, digests: Collection[Digest]) -> set[Digest]:
        """Those of the digests that a fact knows by name: artifacts and logs of runs."""
        artifacts = select(t.node.c.key).where(t.node.c.kind == NodeKind.ARTIFACT)
        known = {Digest(row.key) for row in rows_in(connection, artifacts, t.node.c.key, digests)}
        return known | {Digest(row.log) for row in rows_in(connection, select(t.run.c.log), t.run.c.log, digests)}

    def collected(self) -> set[Digest]:
        """Artifacts whose bytes were collected and did not return."""
        query = select(t.node.c.key).join(t.artifact, t.artifact.c.node_id == t.node.c.id)
        query = query.where(t.artifact.c.erased_at.is_not(None), t.artifact.c.erased_at == collected_at())
        with self.database.read() as connection:
            return {Digest(key) for key in connection.execute(query).scalars()}

    def mark_collected(self, w: Writing, digests: Collection[Digest]) -> None:
        """Say in a write that these bytes go: a run that made them is no cached run any more."""
        query = select(t.node.c.id).join(t.artifact, t.artifact.c.node_id == t.node.c.id)
        query = query.where(t.artifact.c.erased_at.is_(None))
        ids = [row.id for row in rows_in(w.connection, query, t.node.c.key, digests)]
        if not ids:
            return
        free = next_id(w.connection, t.event.c.id)
        when = {"at": w.recorded_at, "recorded_at": w.recorded_at, "actor_id": w.actor_id}
        events = [
            {"id": free + i, "node_id": node, "name": COLLECTED, "value": "true", **when} for i, node in enumerate(ids)
        ]
        w.connection.execute(insert(t.event), events)
        mark = update(t.artifact).where(t.artifact.c.node_id.in_(select(t.event.c.node_id).where(t.event.c.id >= free)))
        w.connection.execute(mark.values(erased_at=w.recorded_at))

    def bytes_returned(self, digests: Collection[Digest]) -> None:
        """The bytes of these artifacts are here again; what a decision erased stays erased."""
        with self.writing() as w:
            query = select(t.node.c.id).where(t.node.c.kind == NodeKind.ARTIFACT)
            return_bytes(w, [row.id for row in rows_in(w.connection, query, t.node.c.key, digests)])


def _roots(connection: Connection, keep_runs: int) -> Iterator[tuple[Reason, set[int]]]:
    """Nodes that are kept for their own sake, by reason."""
    yield Reason.ALIAS, _ids(connection, _newest_of(t.alias_move, t.alias_move.c.alias))
    yield Reason.DEPLOYMENT, _ids(connection, _newest_of(t.deployment, t.deployment.c.endpoint))
    yield Reason.DECISION, _decided(connection)
    yield Reason.LOG, _ids(connection, select(t.segment.c.artifact_id).where(t.segment.c.dropped_at.is_(None)))
    yield Reason.DATASET, _ids(connection, select(t.dataset_version.c.artifact_id))
    running = select(t.run.c.node_id).where(t.run.c.status == RunStatus.RUNNING)
    steps = select(t.run.c.node_id).where(t.run.c.parent_id.in_(running))
    yield Reason.RUNNING, _with_outputs(connection, _ids(connection, running) | _ids(connection, steps))
    done = t.run.c.status == RunStatus.DONE
    finished = _ids(connection, _newest_runs(keep_runs).where(done))
    versions = select(t.version.c.node_id)  # registered from them, with contract and reference
    made = {row.node_id for row in rows_in(connection, versions, t.version.c.run_id, finished)}
    yield Reason.NEWEST, _with_outputs(connection, finished) | made | _ids(connection, _newest_runs(1))


def _ids(connection: Connection, query: Select[Any]) -> set[int]:
    return {found for found in connection.execute(query).scalars() if found is not None}


def _newest_of(table: Table, name: ColumnElement[str]) -> Select[Any]:
    """The version that each alias or endpoint of each model means now."""
    order = table.c.id if "id" in table.c else table.c.node_id
    last = select(func.max(order)).group_by(table.c.model_id, name)
    return select(table.c.version_id).where(order.in_(last))


def _newest_runs(count: int) -> Select[Any]:
    """So many newest runs of each step of each project, of those that a condition leaves."""
    place = func.row_number().over(
        partition_by=(t.run.c.project_id, t.run.c.step, t.run.c.status), order_by=t.run.c.node_id.desc()
    )
    ranked = select(t.run.c.node_id, place.label("place")).subquery()
    newest = select(ranked.c.node_id).where(ranked.c.place <= count)
    return select(t.run.c.node_id).where(t.run.c.node_id.in_(newest))


def _with_outputs(connection: Connection, runs: set[int]) -> set[int]:
    query = select(t.edge.c.target_id).where(t.edge.c.via == t.OUTPUT)
    return runs | {row.target_id for row in rows_in(connection, query, t.edge.c.source_id, runs)}


def _decided(connection: Connection) -> set[int]:
    """Decisions, alerts, every version that an alias ever meant, and the artifacts whose digests stand in evidence,
    causes or what monitoring carries on."""
    texts: list[Select[Any]] = [
        select(t.decision.c.evidence),
        select(t.alert.c.evidence),
        select(t.alert.c.cause),
        select(t.event.c.value).where(t.event.c.name.like("state:%")),
        select(t.tick.c.about),
        select(t.measurement.c.about).where(func.length(t.measurement.c.about) > 64),
    ]
    digests = {
        found for query in texts for text in connection.execute(query).scalars() for found in _DIGEST.findall(text)
    }
    query = select(t.node.c.id).where(t.node.c.kind == NodeKind.ARTIFACT)
    named = {row.id for row in rows_in(connection, query, t.node.c.key, digests)}
    nodes = (t.decision.c.node_id, t.alert.c.node_id, t.alias_move.c.version_id)
    return named.union(*(_ids(connection, select(column)) for column in nodes))


def _above(connection: Connection, roots: set[int]) -> set[int]:
    """The roots and everything that they came of."""
    sqlite = connection.dialect.name == "sqlite"
    return set(connection.execute(_WALK[sqlite], {"roots": many(roots, sqlite)}).scalars())


def _objects(connection: Connection, ids: set[int]) -> Iterator[tuple[str, bool]]:
    """Digests of the bytes that these nodes stand for or speak of; whether each is a tree."""
    artifacts = select(t.node.c.key, t.artifact.c.about.like(_TREE).label("tree"))
    artifacts = artifacts.join(t.artifact, t.artifact.c.node_id == t.node.c.id)
    for row in rows_in(connection, artifacts, t.node.c.id, ids):
        yield row.key, bool(row.tree)
    spoken: list[tuple[Select[Any], Column[int]]] = [
        (select(t.contract_check.c.contract), t.contract_check.c.artifact_id),
        (select(t.run.c.log), t.run.c.node_id),
        (select(t.run.c.tags), t.run.c.node_id),
        (select(t.version.c.about), t.version.c.node_id),
        (select(t.version.c.signature), t.version.c.node_id),
    ]
    for query, owner in spoken:
        for row in rows_in(connection, query, owner, ids):
            yield from ((digest, False) for digest in _DIGEST.findall(row[0] or ""))
