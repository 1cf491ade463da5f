"""Facts as documents that another store can take in: pipeline runs with all that they made, dataset versions.

A document says the same wherever it is written: it holds when things happened and who
caused them, and neither surrogate keys nor when this store learned of it. Taking one
in is one transaction, and doing so again changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select

from solvent.foundation.clock import to_micros
from solvent.foundation.errors import Unexpected
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Actor, Artifact, DatasetVersion, Fact, NodeKind, Run, RunStatus
from solvent.store import schema as t
from solvent.store.facts.artifacts import artifact_from, record_artifacts, select_artifacts
from solvent.store.facts.base import FactsBase
from solvent.store.facts.database import next_id
from solvent.store.facts.datasets import DatasetFacts, insert_version
from solvent.store.facts.recording import write_events
from solvent.store.facts.runs import load_runs
from solvent.store.facts.values import from_json, rows_in, to_json
from solvent.store.facts.writing import NodeName, Writing

FORMAT = 1
PIPELINE = "pipeline"  # the step of a run that only holds others together
_DOCUMENTS = ("code", "environment")  # tags of a run that stand for artifacts


class BadDocument(Unexpected):
    """A document of facts that cannot be read."""

    code = "bad-document"


class Made(Fact, frozen=True):
    """An artifact with when it came to be, in microseconds."""

    artifact: Artifact
    at: int


class Link(Fact, frozen=True, array_like=True):
    """An edge by the names of its ends."""

    source: tuple[NodeKind, str]
    target: tuple[NodeKind, str]
    role: str
    via: int


class Check(Fact, frozen=True):
    """What a contract said about an artifact."""

    artifact: Digest
    contract: Digest
    ok: bool
    violations: list[dict[str, Any]]
    at: int


class RunsDocument(Fact, frozen=True):
    """A pipeline run with its steps, or a run of its own. actors: who caused each run, in order."""

    key: str
    runs: list[Run]
    actors: list[Actor]
    artifacts: list[Made]
    links: list[Link]
    checks: list[Check]
    format: int = FORMAT


class DatasetDocument(Fact, frozen=True):
    """A dataset version; its number is each store's own to give."""

    version: DatasetVersion
    artifact: Artifact
    format: int = FORMAT


def read_document(data: bytes, kind: type[RunsDocument] | type[DatasetDocument]) -> Any:
    """A document from its bytes. Raises: BadDocument."""
    try:
        document = msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise BadDocument(f"this is no document of facts: {error}", next="push it again") from error
    if document.format != FORMAT:
        raise BadDocument(f"format {document.format} is newer than this Solvent", next="upgrade Solvent")
    return document


class ExchangeFacts(FactsBase):
    def finished_groups(self) -> list[str]:
        """Keys of what documents are made of, oldest first: pipeline runs with steps, and runs that have no parent."""
        ended = t.run.c.status != RunStatus.RUNNING
        mine = (t.run.c.project_id == self.project_id, ended)
        step = t.run.alias("step")
        has_steps = select(step.c.node_id).where(step.c.parent_id == t.run.c.node_id).exists()
        alone = t.run.c.step != PIPELINE
        query = select(t.node.c.key).join(t.run, t.run.c.node_id == t.node.c.id)
        query = query.where(*mine, t.run.c.parent_id.is_(None), has_steps | alone).order_by(t.node.c.id)
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def known_runs(self, keys: Collection[str]) -> set[str]:
        """Those of the runs that this store knows."""
        query = select(t.node.c.key).where(t.node.c.kind == NodeKind.RUN, t.node.c.project_id == self.project_id)
        with self.database.read() as connection:
            return {row.key for row in rows_in(connection, query, t.node.c.key, keys)}

    def export_runs(self, key: str) -> RunsDocument:
        """The document of a pipeline run or of a run of its own."""
        with self.database.read() as connection:
            ids = _family(connection, key, self.project_id)
            loaded = load_runs(connection, ids)
            runs = [_portable(loaded[node_id]) for node_id in ids]
            artifacts = _artifact_ids(connection, ids, runs)
            links = list(_links(connection, [*ids, *artifacts], set(ids)))
            made = sorted(_made(connection, artifacts), key=lambda made: made.artifact.digest)
            checks = sorted(_checks(connection, artifacts), key=lambda check: (check.artifact, check.at))
            return RunsDocument(
                key=key, runs=runs, actors=_actors(connection, ids), artifacts=made, links=links, checks=checks
            )

    def import_runs(self, document: RunsDocument) -> bool:
        """Record what a document says. Returns: whether anything of it was new."""
        with self.writing() as w:
            known = w.find((NodeKind.RUN, run.start.key) for run in document.runs)
            new = [
                (run, actor)
                for run, actor in zip(document.runs, document.actors, strict=True)
                if (NodeKind.RUN, run.start.key) not in known
            ]
            if not new:
                return False
            ours = w.actor_id
            for run, actor in new:
                w.actor_id = self.actor_in(w, actor)
                if run is new[0][0]:
                    found = w.find((NodeKind.ARTIFACT, made.artifact.digest) for made in document.artifacts)
                    record_artifacts(w, ((made.artifact, made.at) for made in document.artifacts), found)
                start = msgspec.structs.replace(run.start, inputs={}, makers={})
                write_events(w, self.project_id, [start, *([run.end] if run.end else [])])
            w.actor_id = ours
            self._link(w, document.links)
            self._check(w, document.checks)
        return True

    def _link(self, w: Writing, links: list[Link]) -> None:
        """The edges whose ends are known here."""
        found = w.find({end for link in links for end in (link.source, link.target)})
        for via in (t.PLAIN, t.OUTPUT, t.INPUT):
            w.link(
                (
                    (found[link.source], found[link.target], link.role)
                    for link in links
                    if link.via == via and link.source in found and link.target in found
                ),
                via,
            )

    def _check(self, w: Writing, checks: list[Check]) -> None:
        found = w.find((NodeKind.ARTIFACT, check.artifact) for check in checks)
        row = t.contract_check.c
        query = select(row.artifact_id, row.contract, row.at)
        known = {tuple(r) for r in rows_in(w.connection, query, row.artifact_id, list(found.values()))} if found else ()
        free = next_id(w.connection, row.id)
        new = [
            {
                "artifact_id": found[NodeKind.ARTIFACT, check.artifact],
                "contract": check.contract,
                "ok": check.ok,
                "violations": to_json(check.violations),
                "at": check.at,
                "recorded_at": w.recorded_at,
            }
            for check in checks
            if (found[NodeKind.ARTIFACT, check.artifact], check.contract, check.at) not in known
        ]
        if new:
            w.connection.execute(insert(t.contract_check), [{"id": free + i, **row} for i, row in enumerate(new)])

    def import_dataset(self, document: DatasetDocument) -> bool:
        """Record a dataset version under the next free number. Returns: whether it was new."""
        version, here = document.version, t.dataset_version.c
        actor = version.actor or self.actor
        with self.writing() as w:
            found: dict[NodeName, int] = w.find([(NodeKind.ARTIFACT, version.artifact)])
            ours, w.actor_id = w.actor_id, self.actor_in(w, actor)
            record_artifacts(w, [(document.artifact, to_micros(version.at))], found)
            artifact = found[NodeKind.ARTIFACT, version.artifact]
            mine = (here.project_id == self.project_id, here.name == version.name)
            same = (here.artifact_id == artifact, here.at == to_micros(version.at))
            if w.connection.execute(select(here.id).where(*mine, *same)).first() is not None:
                return False
            last = w.connection.execute(select(func.max(here.number)).where(*mine)).scalar() or 0
            insert_version(w, version, last + 1, artifact)
            w.actor_id = ours
        return True


def dataset_documents(facts: DatasetFacts, artifacts: dict[Digest, Artifact]) -> Iterator[DatasetDocument]:
    """A document for every dataset version; `artifacts` of all of them."""
    for newest in facts.datasets():
        for version in facts.dataset_versions(newest.name):
            portable = msgspec.structs.replace(version, number=0, recorded_at=None)
            yield DatasetDocument(version=portable, artifact=plain(artifacts[version.artifact]))


def plain(artifact: Artifact) -> Artifact:
    """An artifact without what only this store knows of it."""
    return msgspec.structs.replace(artifact, recorded_at=None, erased_at=None)


def _family(connection: Connection, key: str, project_id: int) -> list[int]:
    """A run and its steps that ended, parents first."""
    parent = select(t.node.c.id).where(
        t.node.c.key == key, t.node.c.kind == NodeKind.RUN, t.node.c.project_id == project_id
    )
    top: int = connection.execute(parent).scalar_one()
    steps = select(t.run.c.node_id).where(t.run.c.parent_id == top, t.run.c.status != RunStatus.RUNNING)
    return [top, *connection.execute(steps.order_by(t.run.c.node_id)).scalars()]


def _portable(run: Run) -> Run:
    if run.end is None:
        return run
    outputs = {name: plain(artifact) for name, artifact in run.end.outputs.items()}
    return msgspec.structs.replace(run, end=msgspec.structs.replace(run.end, outputs=outputs))


def _artifact_ids(connection: Connection, runs: list[int], loaded: list[Run]) -> list[int]:
    """What the runs took, made and kept beside, and the files that those are made of."""
    digests = {digest for run in loaded for digest in run.start.inputs.values()}
    digests |= {Digest(run.start.tags[tag]) for run in loaded for tag in _DOCUMENTS if tag in run.start.tags}
    digests |= {artifact.digest for run in loaded if run.end for artifact in run.end.outputs.values()}
    query = select(t.node.c.id).where(t.node.c.kind == NodeKind.ARTIFACT)
    reached = {row.id for row in rows_in(connection, query, t.node.c.key, digests)}
    edges = select(t.edge.c.source_id).join(t.artifact, t.artifact.c.node_id == t.edge.c.source_id)
    frontier = reached
    while frontier:
        above = {row.source_id for row in rows_in(connection, edges, t.edge.c.target_id, frontier)}
        frontier = above - reached - set(runs)
        reached = reached | frontier
    return sorted(reached)


def _made(connection: Connection, ids: list[int]) -> Iterator[Made]:
    query = select_artifacts().add_columns(t.node.c.happened_at)
    for row in rows_in(connection, query, t.artifact.c.node_id, ids):
        yield Made(artifact=plain(artifact_from(row)), at=row.happened_at)


def _links(connection: Connection, targets: list[int], runs: set[int]) -> Iterator[Link]:
    """Edges from artifacts and runs to these runs, and from artifacts to these artifacts."""
    source, target = t.node.alias("source"), t.node.alias("target")
    query = (
        select(
            t.edge, source.c.kind, source.c.key, target.c.kind.label("target_kind"), target.c.key.label("target_key")
        )
        .join(source, source.c.id == t.edge.c.source_id)
        .join(target, target.c.id == t.edge.c.target_id)
        .where(source.c.kind.in_([NodeKind.ARTIFACT, NodeKind.RUN]))
        .order_by(target.c.key, source.c.key, t.edge.c.role)
    )
    for row in rows_in(connection, query, t.edge.c.target_id, targets):
        if row.target_id in runs or row.kind == NodeKind.ARTIFACT:
            ends = (NodeKind(row.kind), row.key), (NodeKind(row.target_kind), row.target_key)
            yield Link(source=ends[0], target=ends[1], role=row.role, via=row.via)


def _checks(connection: Connection, artifacts: list[int]) -> Iterator[Check]:
    query = select(t.contract_check, t.node.c.key).join(t.node, t.node.c.id == t.contract_check.c.artifact_id)
    for row in rows_in(connection, query, t.contract_check.c.artifact_id, artifacts):
        yield Check(
            artifact=Digest(row.key),
            contract=Digest(row.contract),
            ok=row.ok,
            violations=from_json(row.violations),
            at=row.at,
        )


def _actors(connection: Connection, ids: list[int]) -> list[Actor]:
    query = select(t.node.c.id, t.actor.c.kind, t.actor.c.name).join(t.actor, t.actor.c.id == t.node.c.actor_id)
    found = {row.id: Actor(kind=row.kind, name=row.name) for row in rows_in(connection, query, t.node.c.id, ids)}
    return [found[node_id] for node_id in ids]
