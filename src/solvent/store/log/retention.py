"""Growth has a bound: whole segments go once they are old. Decisions, digests and edges stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from solvent.store.log.folder import LogFolder
from solvent.store.log.sealing import SegmentFacts
from solvent.store.objects import ObjectStore


@dataclass(frozen=True)
class Expired:
    """What left the log. bytes: of the blobs."""

    segments: int = 0
    rows: int = 0
    bytes: int = 0

    def __add__(self, other: Expired) -> Expired:
        return Expired(self.segments + other.segments, self.rows + other.rows, self.bytes + other.bytes)


def expire(folder: LogFolder, facts: SegmentFacts, objects: ObjectStore, before: datetime) -> Expired:
    """Drop the segments whose last row lies before `before`: the fact first, then the blob.

    A segment stays while a log file that it has a piece of is there, since its fact is
    what keeps those rows from being read and sealed again.
    """
    if not folder.path.is_dir():
        return Expired()
    with folder.sealing():
        files = {path.stem for path in folder.files()}
        old = [
            segment
            for segment in facts.segments(folder.model, folder.kind, until=before)
            if segment.last < before and not any(piece["file"] in files for piece in segment.about.get("pieces", ()))
        ]
        if not old:
            return Expired()
        size = sum(objects.size(segment.digest) or 0 for segment in old)
        facts.drop_segments([segment.digest for segment in old])
        for segment in old:
            objects.delete(segment.digest)
    return Expired(len(old), sum(segment.rows for segment in old), size)
