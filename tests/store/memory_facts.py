"""Segment facts in memory, for tests of the log that need no database."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, ModelVersion, Segment


class MemoryFacts:
    """Keeps what it is told, as one transaction would."""

    def __init__(self) -> None:
        self.catalogue: dict[Digest, Segment] = {}
        self.artifacts: dict[Digest, Artifact] = {}
        self.dropped: list[Digest] = []

    def add_segment(self, segment: Segment, artifact: Artifact) -> None:
        self.catalogue.setdefault(segment.digest, segment)
        self.artifacts.setdefault(artifact.digest, artifact)

    def segments(
        self, model: str, kind: str, since: datetime | None = None, until: datetime | None = None
    ) -> list[Segment]:
        return [
            segment
            for segment in self.catalogue.values()
            if (segment.model, segment.kind) == (model, kind)
            and (since is None or segment.last >= since)
            and (until is None or segment.first <= until)
        ]

    def versions(self, model: str) -> list[ModelVersion]:
        return []

    def drop_segments(self, digests: Collection[Digest]) -> None:
        for digest in digests:
            del self.catalogue[digest]
            self.dropped.append(digest)
