"""Sealed pieces of the prediction log: which artifact covers what."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, select, update

from solvent.foundation.clock import from_micros, to_micros
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, NodeKind, Segment
from solvent.store import schema as t
from solvent.store.facts.artifacts import record_artifacts
from solvent.store.facts.base import FactsBase
from solvent.store.facts.values import from_json, to_json

_FIRST, _LAST = -(1 << 63), (1 << 63) - 1  # of what a column of instants can hold
_FIND = (  # asked several times a tick and model: composing it anew would take longer than the answer
    select(t.segment, t.node.c.key)
    .join(t.node, t.node.c.id == t.segment.c.artifact_id)
    .join(t.model, t.model.c.node_id == t.segment.c.model_id)
    .where(t.model.c.project_id == bindparam("project"), t.model.c.name == bindparam("model"))
    .where(t.segment.c.kind == bindparam("kind"), t.segment.c.dropped_at.is_(None))
    .where(t.segment.c.last >= bindparam("since"), t.segment.c.first <= bindparam("until"))
    .order_by(t.segment.c.first, t.segment.c.artifact_id)
)


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
        asked = {"project": self.project_id, "model": model, "kind": kind}
        asked |= {"since": _FIRST if since is None else to_micros(since)}
        asked |= {"until": _LAST if until is None else to_micros(until)}
        with self.database.read() as connection:
            rows = connection.execute(_FIND, asked).all()
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
