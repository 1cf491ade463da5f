"""Frames become segments: a Parquet blob, then the fact that catalogues it, then the log file goes.

Killed at any instruction, the next sealing ends with every row exactly once: a
segment's fact says which bytes of which files are in it (its pieces).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec
import polars as pl

from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, ArtifactType, ModelVersion, Segment
from solvent.store import disk
from solvent.store.log import tables
from solvent.store.log.columns import OUTCOMES, PREDICTIONS
from solvent.store.log.folder import DAMAGED, LogFile, LogFolder
from solvent.store.log.frames import BrokenHeader, Frames
from solvent.store.objects import ObjectStore

SEGMENT_BYTES = 32 << 20  # of frames; a segment is closed once it holds more
_TYPES = {PREDICTIONS: ArtifactType.PREDICTIONS, OUTCOMES: ArtifactType.OUTCOMES}


class SegmentFacts(Protocol):
    """What the log needs of the facts; each call is one transaction."""

    def add_segment(self, segment: Segment, artifact: Artifact) -> Any:
        """Catalogue a segment."""

    def segments(
        self, model: str, kind: str, since: datetime | None = None, until: datetime | None = None
    ) -> Sequence[Segment]:
        """Segments that may hold rows from `since` to `until` and were not dropped; too many are fine."""

    def versions(self, model: str) -> Sequence[ModelVersion]:
        """The versions that are registered."""

    def drop_segments(self, digests: Collection[Digest]) -> Any:
        """Take segments out of the catalogue."""


@dataclass(frozen=True)
class Damage:
    """Bytes of a log file that hold no whole frame although something whole follows; end None: to the end."""

    path: Path
    start: int
    end: int | None


@dataclass
class SealReport:
    """What a sealing did. segments: new ones. removed: log files that are gone. damage: what could not be kept."""

    segments: list[Segment] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(segment.rows for segment in self.segments)


@dataclass(frozen=True)
class _Piece:
    """What one file adds to a segment. final: the file has no writer, nothing will follow."""

    path: Path
    start: int
    frames: Frames
    final: bool

    def about(self) -> dict[str, Any]:
        return {"file": self.path.stem, "from": self.start, "to": self.frames.end}


def sealed_ends(segments: Iterable[Segment]) -> dict[str, int]:
    """How far each log file is sealed: file id → byte after its last piece."""
    ends: dict[str, int] = {}
    for segment in segments:
        for piece in segment.about.get("pieces", ()):
            ends[piece["file"]] = max(ends.get(piece["file"], 0), piece["to"])
    return ends


def seal(folder: LogFolder, facts: SegmentFacts, objects: ObjectStore, now: datetime) -> SealReport:
    """Seal every whole frame of a folder that no segment has; remove files that have no writer.

    Raises: NewerLog; OSError and the errors of `facts` and `objects`, after which a repetition completes the work.
    """
    report = SealReport()
    if not folder.files():
        return report
    with folder.sealing():
        known = facts.segments(folder.model, folder.kind)
        damaged = {hole["file"] for segment in known for hole in segment.about.get("damage", ())}
        for group in _grouped(_pieces(folder, sealed_ends(known), report)):
            filled = [piece for piece in group if piece.frames.payloads]
            if filled:
                report.segments.append(_publish(folder, filled, facts, objects, now))
            for piece in group:
                report.damage += [Damage(piece.path, *hole) for hole in piece.frames.damage]
                if piece.final:
                    _retire(piece.path, report, damaged=bool(piece.frames.damage) or piece.path.stem in damaged)
        if report.removed:
            disk.sync_folder(folder.path)
    return report


def _pieces(folder: LogFolder, ends: dict[str, int], report: SealReport) -> Iterator[_Piece]:
    """What each file holds behind its last piece, one file at a time."""
    for path in folder.files():
        try:
            file = path.open("rb")
        except FileNotFoundError:  # its writer could not begin it, and took it away
            continue
        with file:
            log_file = LogFile(path, file)
            final = log_file.abandoned()  # asked before reading: a file without a writer no longer grows
            try:
                start, frames = log_file.read(ends.get(log_file.id, 0))
            except BrokenHeader:
                if final:
                    _retire_headless(log_file, report)
                continue
        if final or frames.payloads:
            yield _Piece(path, start, frames, final)


def _grouped(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Pieces for one segment each."""
    group: list[_Piece] = []
    size = 0
    for piece in pieces:
        group.append(piece)
        size += piece.frames.end - piece.start
        if size >= SEGMENT_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _publish(
    folder: LogFolder, pieces: Sequence[_Piece], facts: SegmentFacts, objects: ObjectStore, now: datetime
) -> Segment:
    """The blob first, the fact about it second."""
    table = tables.from_frames(folder.kind, [payload for piece in pieces for payload in piece.frames.payloads])
    origin = [piece.about() for piece in pieces]
    data = tables.to_parquet(folder.kind, table, {"solvent.pieces": msgspec.json.encode(origin).decode()})
    digest = objects.put_bytes(data)
    columns = {name: str(dtype) for name, dtype in table.schema.items()}
    about: dict[str, Any] = {"pieces": origin, "columns": columns}
    if folder.kind == PREDICTIONS:
        known = {version.number for version in facts.versions(folder.model)}
        about["versions"] = sorted(
            known & set(table.get_column("version").unique())
        )  # a log from elsewhere may name others
    if folder.kind == OUTCOMES:
        about["recorded_until"] = table.select(pl.col("recorded_at").to_physical().max()).item()
    holes = [{"file": p.path.stem, "from": start, "to": end} for p in pieces for start, end in p.frames.damage]
    if holes:
        about["damage"] = holes
    time = table.get_column(tables.TIME[folder.kind])
    first, last = time.min(), time.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        raise TypeError(f"a segment's times run from {first!r} to {last!r}")
    segment = Segment(
        digest=digest,
        kind=folder.kind,
        model=folder.model,
        rows=table.height,
        first=first,
        last=last,
        sealed_at=now,
        about=about,
    )
    facts.add_segment(
        segment,
        Artifact(
            digest=digest,
            content=digest,  # the writer is canonical: equal rows of equal origin are equal bytes
            type=_TYPES[folder.kind],
            format="parquet",
            size=len(data),
            about={"rows": table.height, "columns": columns},
            recorded_at=now,
        ),
    )
    return segment


def _retire(path: Path, report: SealReport, *, damaged: bool) -> None:
    """A file whose rows are all in segments goes; one that was damaged is kept aside as evidence."""
    if damaged:
        disk.replace(path, path.with_suffix(DAMAGED))
    else:
        disk.unlink(path)
    report.removed.append(path)


def _retire_headless(file: LogFile, report: SealReport) -> None:
    """A file without a writer and without a whole header, under its lock: an unborn one goes, others are kept aside."""
    size = file.path.stat().st_size
    if size:
        report.damage.append(Damage(file.path, 0, None))
    _retire(file.path, report, damaged=size > 0)
