"""Artifacts, their columns, and what contracts said about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, ScalarSelect, Select, func, insert, select, update

from solvent.foundation.clock import from_micros, to_micros
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, ArtifactType, Fact, NodeKind
from solvent.store import schema as t
from solvent.store.facts.base import FactsBase
from solvent.store.facts.database import next_id
from solvent.store.facts.values import from_json, instant, rows_in, to_json
from solvent.store.facts.writing import NewNode, NodeName, Writing, require

COLLECTED = "collected"  # the event that says that an artifact's bytes went because no fact needed them
_INSERT = insert(t.artifact)


class ContractCheck(Fact, frozen=True):
    """What one contract said about one artifact, at one time."""

    contract: Digest
    ok: bool
    violations: list[dict[str, Any]]
    at: datetime


class ArtifactFacts(FactsBase):
    def add_artifact(self, artifact: Artifact) -> None:
        """Record an artifact whose bytes are stored. Recording it again changes nothing."""
        self.add_artifacts([artifact])

    def add_artifacts(self, artifacts: Iterable[Artifact]) -> None:
        """Record several artifacts in one transaction."""
        new = {artifact.digest: artifact for artifact in artifacts}
        with self.writing() as w:
            found = w.find((NodeKind.ARTIFACT, digest) for digest in new)
            record_artifacts(w, ((artifact, w.recorded_at) for artifact in new.values()), found)

    def artifact(self, digest: Digest) -> Artifact | None:
        return self.artifacts([digest]).get(digest)

    def artifacts(self, digests: Collection[Digest]) -> dict[Digest, Artifact]:
        """Those of the artifacts that are known."""
        with self.database.read() as connection:
            rows = rows_in(connection, select_artifacts(), t.node.c.key, list(digests))
        return {Digest(row.key): artifact_from(row) for row in rows}

    def mark_erased(self, digests: Collection[Digest], at: datetime) -> None:
        """The bytes are erased; the digests and all that they are linked to stay. Raises: UnknownFact."""
        with self.writing() as w:
            ids = w.need((NodeKind.ARTIFACT, digest) for digest in digests)
            query = update(t.artifact).where(t.artifact.c.node_id.in_(ids.values()), t.artifact.c.erased_at.is_(None))
            w.connection.execute(query.values(erased_at=to_micros(at)))

    def add_columns(self, owner: str, columns: Iterable[str]) -> None:
        """Column nodes `OWNER#column`, upstream of their owner: what breaks without it hangs below.

        owner: an artifact's digest or a version's name (`bike-demand/3`). Raises: UnknownFact.
        """
        with self.writing() as w:
            found = w.find([(NodeKind.ARTIFACT, owner), (NodeKind.VERSION, owner)])
            kind = NodeKind.VERSION if "/" in owner else NodeKind.ARTIFACT
            owner_id = require(found, (kind, owner))
            new = [NewNode(NodeKind.COLUMN, f"{owner}#{name}", name, w.recorded_at) for name in columns]
            ids = w.find((node.kind, node.key) for node in new)
            w.add_missing(new, ids)
            w.link((column, owner_id, "column") for column in ids.values())

    def add_contract_check(
        self, artifact: Digest, contract: Digest, ok: bool, violations: list[dict[str, Any]], at: datetime
    ) -> None:
        """Keep what a contract said about an artifact. Raises: UnknownFact."""
        with self.writing() as w:
            ids = w.need([(NodeKind.ARTIFACT, artifact)])
            row = {
                "id": next_id(w.connection, t.contract_check.c.id),
                "artifact_id": ids[NodeKind.ARTIFACT, artifact],
                "contract": contract,
                "ok": ok,
                "violations": to_json(violations),
                "at": to_micros(at),
                "recorded_at": w.recorded_at,
            }
            w.connection.execute(insert(t.contract_check), row)

    def contract_checks(self, digests: Collection[Digest]) -> dict[Digest, list[ContractCheck]]:
        """All checks of each artifact, oldest first; an artifact never checked is absent."""
        check = t.contract_check
        query = select(check, t.node.c.key).join(t.node, t.node.c.id == check.c.artifact_id)
        query = query.where(t.node.c.kind == NodeKind.ARTIFACT).order_by(check.c.id)
        checks: dict[Digest, list[ContractCheck]] = {}
        with self.database.read() as connection:
            for row in rows_in(connection, query, t.node.c.key, list(digests)):
                kept = ContractCheck(
                    contract=Digest(row.contract),
                    ok=row.ok,
                    violations=from_json(row.violations),
                    at=from_micros(row.at),
                )
                checks.setdefault(Digest(row.key), []).append(kept)
        return checks


def collected_at() -> ScalarSelect[int]:
    """When an artifact's bytes were last collected, in a query over artifacts."""
    mine = (t.event.c.node_id == t.artifact.c.node_id, t.event.c.name == COLLECTED)
    return select(func.max(t.event.c.at)).where(*mine).correlate(t.artifact).scalar_subquery()


def return_bytes(w: Writing, ids: Collection[int]) -> None:
    """These artifacts' bytes are stored again: one that was collected is there; one that was erased stays erased."""
    gone = select(t.artifact.c.node_id)
    gone = gone.where(t.artifact.c.erased_at.is_not(None), t.artifact.c.erased_at == collected_at())
    back = [row.node_id for row in rows_in(w.connection, gone, t.artifact.c.node_id, ids)]
    if back:
        w.connection.execute(update(t.artifact).where(t.artifact.c.node_id.in_(back)).values(erased_at=None))


def record_artifacts(w: Writing, artifacts: Iterable[tuple[Artifact, int]], found: dict[NodeName, int]) -> None:
    """Insert the artifacts that `found` lacks, each with when it came to be, and complete `found` with them."""
    return_bytes(w, [node_id for (kind, _), node_id in found.items() if kind is NodeKind.ARTIFACT])
    by_digest = {artifact.digest: (artifact, happened_at) for artifact, happened_at in artifacts}
    nodes = [
        NewNode(NodeKind.ARTIFACT, digest, str(artifact.about.get("name", "")), happened_at)
        for digest, (artifact, happened_at) in by_digest.items()
    ]
    rows = [
        {
            "node_id": found[name],
            "content": artifact.content,
            "type": artifact.type.value,
            "format": artifact.format,
            "size": artifact.size,
            "about": to_json(artifact.about),
        }
        for name in w.add_missing(nodes, found)
        for artifact, _ in [by_digest[Digest(name[1])]]
    ]
    if rows:
        w.connection.execute(_INSERT, rows)


def select_artifacts() -> Select[Any]:
    return select(t.artifact, t.node.c.key, t.node.c.recorded_at).join(t.node, t.node.c.id == t.artifact.c.node_id)


def artifact_from(row: Row[Any]) -> Artifact:
    return Artifact(
        digest=Digest(row.key),
        content=Digest(row.content),
        type=ArtifactType(row.type),
        format=row.format,
        size=row.size,
        about=from_json(row.about),
        recorded_at=from_micros(row.recorded_at),
        erased_at=instant(row.erased_at),
    )
