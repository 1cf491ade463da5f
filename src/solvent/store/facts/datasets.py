"""Versions of datasets: which artifact a name meant, since when, and who said so."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row, Select, func, insert, select

from solvent.foundation.clock import from_micros, to_micros
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Actor, Artifact, DatasetVersion, NodeKind
from solvent.store import schema as t
from solvent.store.facts.artifacts import record_artifacts
from solvent.store.facts.base import FactsBase
from solvent.store.facts.database import next_id
from solvent.store.facts.values import from_json, to_json
from solvent.store.facts.writing import Writing


class DatasetFacts(FactsBase):
    def add_dataset_version(self, version: DatasetVersion, artifact: Artifact) -> DatasetVersion:
        """Record the next version of a dataset and its artifact together. Returns: it, with number and recorder.

        The number is the store's to give. Where the dataset's newest version is this artifact already,
        nothing is recorded and that version is returned.
        """
        with self.writing() as w:
            newest = _newest(w, version.name)
            if newest is not None and newest.artifact == version.artifact:
                return newest
            key = (NodeKind.ARTIFACT, str(artifact.digest))
            found = w.find([key])
            record_artifacts(w, [(artifact, to_micros(version.at))], found)
            number = newest.number + 1 if newest else 1
            insert_version(w, version, number, found[key])
        recorded = from_micros(w.recorded_at)
        return msgspec.structs.replace(version, number=number, actor=self.actor, recorded_at=recorded)

    def dataset_versions(self, name: str) -> list[DatasetVersion]:
        """All versions of a dataset, oldest first; none where nobody added it."""
        query = _select(self.project_id).where(t.dataset_version.c.name == name)
        with self.database.read() as connection:
            return [_version(row) for row in connection.execute(query.order_by(t.dataset_version.c.number))]

    def dataset_version(self, name: str, number: int) -> DatasetVersion | None:
        query = _select(self.project_id).where(t.dataset_version.c.name == name, t.dataset_version.c.number == number)
        with self.database.read() as connection:
            row = connection.execute(query).one_or_none()
        return _version(row) if row else None

    def datasets(self) -> list[DatasetVersion]:
        """The newest version of every dataset of the project, by name."""
        version = t.dataset_version
        newest = (
            select(version.c.name, func.max(version.c.number).label("number"))
            .where(version.c.project_id == self.project_id)
            .group_by(version.c.name)
            .subquery()
        )
        query = _select(self.project_id).join(
            newest, (newest.c.name == version.c.name) & (newest.c.number == version.c.number)
        )
        with self.database.read() as connection:
            return [_version(row) for row in connection.execute(query.order_by(version.c.name))]

    def dataset_artifacts(self) -> set[Digest]:
        """The artifacts of all dataset versions, of every project that shares the store: they are kept."""
        query = select(t.node.c.key).join(t.dataset_version, t.dataset_version.c.artifact_id == t.node.c.id).distinct()
        with self.database.read() as connection:
            return {Digest(key) for key in connection.execute(query).scalars()}


def _newest(w: Writing, name: str) -> DatasetVersion | None:
    query = _select(w.project_id).where(t.dataset_version.c.name == name)
    row = w.connection.execute(query.order_by(t.dataset_version.c.number.desc()).limit(1)).one_or_none()
    return _version(row) if row else None


def _select(project_id: int) -> Select[Any]:
    version = t.dataset_version
    return (
        select(version, t.node.c.key, t.actor.c.kind.label("actor_kind"), t.actor.c.name.label("actor_name"))
        .join(t.node, t.node.c.id == version.c.artifact_id)
        .join(t.actor, t.actor.c.id == version.c.actor_id)
        .where(version.c.project_id == project_id)
    )


def _version(row: Row[Any]) -> DatasetVersion:
    return DatasetVersion(
        name=row.name,
        number=row.number,
        artifact=Digest(row.key),
        files=row.files,
        size=row.size,
        at=from_micros(row.at),
        message=row.message,
        url=row.url,
        changes=from_json(row.changes),
        actor=Actor(kind=row.actor_kind, name=row.actor_name),
        recorded_at=from_micros(row.recorded_at),
    )


def insert_version(w: Writing, version: DatasetVersion, number: int, artifact_id: int) -> None:
    """Record a version under its number, by whom this write is."""
    row = {
        "id": next_id(w.connection, t.dataset_version.c.id),
        "project_id": w.project_id,
        "name": version.name,
        "number": number,
        "artifact_id": artifact_id,
        "files": version.files,
        "size": version.size,
        "message": version.message,
        "url": version.url,
        "changes": to_json(version.changes),
        "at": to_micros(version.at),
        "recorded_at": w.recorded_at,
        "actor_id": w.actor_id,
    }
    w.connection.execute(insert(t.dataset_version), row)
