"""Sealed pieces of the prediction log: which artifact covers what."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update

from solvent.foundation.clock import from_micros, to_micros
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, NodeKind, Segment
from solvent.store import schema as t
from solvent.store.facts.artifacts import record_artifacts
from solvent.store.facts.base import FactsBase
from solvent.store.facts.values import from_json, to_json


class SegmentFacts(FactsBase):
    def add_segment(self, segment: Segment, artifact: Artifact) -> None:
        """Record a sealed segment and its artifact together; again, it changes nothing.

        Versions whose answers it holds, listed as `versions` in segment.about, become upstream of it.
        Raises: UnknownModel, UnknownFact (a version).
        """
        versions = [(NodeKind.VERSION, f"{segment.model}/{number}") for number in segment.about.get("versions", ())]
        name = (NodeKind.ARTIFACT, str(segment.digest))
        with self.writing() as w:
            model_id = self.model_id(w.connection, segment.model)
            found = w.find([name])
            record_artifacts(w, [(artifact, to_micros(segment.sealed_at))], found)
            row = {
                "artifact_id": found[name],
                "model_id": model_id,
                "kind": segment.kind,
                "rows": segment.rows,
                "first": to_micros(segment.first),
                "last": to_micros(segment.last),
                "sealed_at": to_micros(segment.sealed_at),
                "about": to_json(segment.about),
            }
            w.connection.execute(self.database.insert_missing(t.segment), row)
            w.link((source, found[name], "answered") for source in w.need(versions).values())

    def segments(
        self, model: str, kind: str, since: datetime | None = None, until: datetime | None = None
    ) -> list[Segment]:
        """Segments that may hold rows from `since` to `until`, both included, by their first row; dropped ones not."""
        segment = t.segment
        query = (
            select(segment, t.node.c.key)
            .join(t.node, t.node.c.id == segment.c.artifact_id)
            .join(t.model, t.model.c.node_id == segment.c.model_id)
            .where(t.model.c.project_id == self.project_id, t.model.c.name == model)
            .where(segment.c.kind == kind, segment.c.dropped_at.is_(None))
            .order_by(segment.c.first, segment.c.artifact_id)
        )
        if since is not None:
            query = query.where(segment.c.last >= to_micros(since))
        if until is not None:
            query = query.where(segment.c.first <= to_micros(until))
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        return [
            Segment(
                digest=Digest(row.key),
                kind=row.kind,
                model=model,
                rows=row.rows,
                first=from_micros(row.first),
                last=from_micros(row.last),
                sealed_at=from_micros(row.sealed_at),
                about=from_json(row.about),
            )
            for row in rows
        ]

    def drop_segments(self, digests: Collection[Digest]) -> None:
        """Retention let these segments go; that they were there stays known. Raises: UnknownFact."""
        with self.writing() as w:
            ids = w.need((NodeKind.ARTIFACT, digest) for digest in digests)
            query = update(t.segment).where(t.segment.c.artifact_id.in_(ids.values()), t.segment.c.dropped_at.is_(None))
            w.connection.execute(query, {"dropped_at": w.recorded_at})
