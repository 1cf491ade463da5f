"""The log as lazy tables: sealed segments and, behind them, what is not sealed yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

import polars as pl

from solvent.foundation.clock import from_micros
from solvent.lineage.entities import Segment
from solvent.store.log import tables
from solvent.store.log.columns import OUTCOMES, PREDICTIONS
from solvent.store.log.errors import CorruptFrame
from solvent.store.log.folder import LogFile, LogFolder
from solvent.store.log.frames import BrokenHeader, Frames
from solvent.store.log.sealing import SegmentFacts, sealed_ends
from solvent.store.objects import ObjectStore

_INSTANT_STEP = timedelta(microseconds=1)
TailReader = Callable[[Collection[LogFile], dict[str, int]], list[pl.DataFrame]]  # files, sealed ends → unsealed rows


def scan_predictions(
    folder: LogFolder, facts: SegmentFacts, objects: ObjectStore, since: datetime | None, until: datetime | None
) -> pl.LazyFrame:
    """Rows with `since <= event_time < until`, duplicates included.

    Raises: CorruptFrame, NewerLog; Missing where a segment's bytes are gone.
    """
    rows = _scan(folder, facts, objects, since, until)
    time = pl.col(tables.TIME[PREDICTIONS])
    if since is not None:
        rows = rows.filter(time >= since)
    if until is not None:
        rows = rows.filter(time < until)
    return rows


def scan_outcomes(
    folder: LogFolder,
    facts: SegmentFacts,
    objects: ObjectStore,
    known_by: datetime | None,
    ids: Iterable[str] | None = None,
) -> pl.LazyFrame:
    """Rows with `known_at <= known_by`, every revision of every prediction id (or of these), numbered.

    Raises: as `scan_predictions`.
    """
    return with_revisions(_known(folder, facts, objects, known_by, ids))


def latest_outcomes(
    folder: LogFolder,
    facts: SegmentFacts,
    objects: ObjectStore,
    known_by: datetime | None,
    ids: Iterable[str] | None = None,
    tails: TailReader | None = None,
    since: datetime | None = None,
) -> pl.LazyFrame:
    """One row a prediction id (or one of these): its highest revision known by then, and beside it its first label.

    since: segments all of whose outcomes were known and written before are not opened.
    Returns: the columns of outcomes (of the latest revision), first_label, first_known_at; in no order.
    Raises: as `scan_predictions`.
    """
    rows = _known(folder, facts, objects, known_by, ids, tails, since).collect()
    once = rows.with_columns(pl.col("revision").fill_null(0), first_label="label", first_known_at="known_at")
    if not tables.has_duplicates(rows["prediction_id"]):
        return once.lazy()
    corrected = rows["prediction_id"].is_duplicated()  # few: numbering everything would cost most of the time
    several = latest(with_revisions(rows.filter(corrected).lazy()))
    return pl.concat([once.filter(~corrected).lazy(), several.select(once.columns)])


def _known(
    folder: LogFolder,
    facts: SegmentFacts,
    objects: ObjectStore,
    known_by: datetime | None,
    ids: Iterable[str] | None,
    tails: TailReader | None = None,
    since: datetime | None = None,
) -> pl.LazyFrame:
    """Outcomes as they were written, known by then, of these prediction ids where any are given."""
    until = None if known_by is None else known_by + _INSTANT_STEP
    rows = _scan(folder, facts, objects, None, until, tails, since)
    rows = rows if ids is None else _of(rows, ids)
    return rows if known_by is None else rows.filter(pl.col(tables.TIME[OUTCOMES]) <= known_by)


def with_revisions(outcomes: pl.LazyFrame) -> pl.LazyFrame:
    """Outcomes in order of (known_at, recorded_at, writing); a revision that was not given is counted from 0."""
    counted = pl.int_range(pl.len(), dtype=pl.Int32).over("prediction_id")
    return outcomes.sort("known_at", "recorded_at", maintain_order=True).with_columns(
        revision=pl.coalesce("revision", counted)
    )


def latest(outcomes: pl.LazyFrame) -> pl.LazyFrame:
    """One row a prediction id: its highest revision, and beside it its first label.

    outcomes: numbered, already cut at the T that is asked about.
    Returns: the columns of outcomes (of the latest revision), first_label, first_known_at.
    """
    rest = [name for name in tables.SCHEMAS[OUTCOMES] if name != "prediction_id"]
    return (
        outcomes.sort("revision", "known_at", "recorded_at", maintain_order=True)
        .group_by("prediction_id", maintain_order=True)
        .agg(
            *[pl.col(name).last() for name in rest],
            first_label=pl.col("label").first(),
            first_known_at=pl.col("known_at").first(),
        )
    )


def logged_ids(
    folder: LogFolder, facts: SegmentFacts, objects: ObjectStore, ids: Iterable[str], tails: TailReader
) -> set[str]:
    """Those of the prediction ids that the log has. Raises: as `scan_predictions`."""
    sealed, unsealed = _parts(folder, facts, objects, None, None, tails)
    parts = [part.select("prediction_id") for part in (*sealed, *(tail.lazy() for tail in unsealed))]
    return set(_of(pl.concat(parts), ids).collect()["prediction_id"]) if parts else set()


def _of(rows: pl.LazyFrame, ids: Iterable[str]) -> pl.LazyFrame:
    wanted = pl.LazyFrame({"prediction_id": pl.Series(ids, dtype=pl.String).unique()})
    return rows.join(wanted, on="prediction_id", how="semi")


def _scan(
    folder: LogFolder,
    facts: SegmentFacts,
    objects: ObjectStore,
    since: datetime | None,
    until: datetime | None,
    tails: TailReader | None = None,
    written_since: datetime | None = None,
) -> pl.LazyFrame:
    """All rows of the segments that overlap [since, until), and of every frame behind them."""
    reader = tails or partial(_tails, folder.kind)
    sealed, unsealed = _parts(folder, facts, objects, since, until, reader, written_since)
    return _unified(folder.kind, [*sealed, *(tail.lazy() for tail in unsealed if tail.height)])


def _parts(
    folder: LogFolder,
    facts: SegmentFacts,
    objects: ObjectStore,
    since: datetime | None,
    until: datetime | None,
    tails: TailReader,
    written_since: datetime | None = None,
) -> tuple[list[pl.LazyFrame], list[pl.DataFrame]]:
    """What is sealed, overlaps [since, until) and is not wholly from before `written_since`; what is not sealed yet."""
    with folder.opened() as files:  # opened first, facts second: what is sealed meanwhile is not missed
        # Where files are open, ends of all: their frames behind the overlapping segments may be sealed elsewhere.
        wanted = (None, None) if files else (since, until)
        known = facts.segments(folder.model, folder.kind, *wanted)
        segments = [s for s in known if _overlaps(s, since, until) and _reaches(s, written_since)]
        unsealed = tails(files, sealed_ends(known))
    return list(_sealed(sorted(segments, key=_order_of_writing), objects)), unsealed


def _overlaps(segment: Segment, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or segment.last >= since) and (until is None or segment.first <= until)


def _reaches(segment: Segment, instant: datetime | None) -> bool:
    """Whether it holds outcomes that became known, or were written, from `instant` on: late ones carry old times.

    They were written by the time of sealing, which in a replay is the earlier of two clocks.
    """
    if instant is None or max(segment.last, segment.sealed_at) < instant:
        return instant is None
    recorded = segment.about.get("recorded_until")
    return segment.last >= instant or recorded is None or from_micros(recorded) >= instant


def _order_of_writing(segment: Segment) -> tuple[datetime, str, int]:
    first = segment.about["pieces"][0]
    return segment.sealed_at, first["file"], first["from"]


def _tails(kind: str, files: Collection[LogFile], ends: dict[str, int]) -> list[pl.DataFrame]:
    found = [frames_behind(file, ends.get(file.id, 0)) for file in files]
    return [tables.from_frames(kind, frames.payloads) for frames in found if frames.payloads]


def frames_behind(file: LogFile, sealed: int) -> Frames:
    """The whole frames behind a byte of a file. Raises: CorruptFrame, NewerLog."""
    try:
        _, frames = file.read_if_begun(sealed)
    except BrokenHeader:
        raise CorruptFrame(file.path, [(0, file.path.stat().st_size)]) from None
    if frames.damage:
        raise CorruptFrame(file.path, frames.damage)
    return frames


def _sealed(segments: Sequence[Segment], objects: ObjectStore) -> Iterator[pl.LazyFrame]:
    """One scan per run of segments with the same columns."""
    for _, alike in groupby(segments, key=lambda segment: segment.about["columns"]):
        paths = [objects.path(segment.digest) for segment in alike]
        yield pl.scan_parquet(paths, glob=False, hive_partitioning=False)


def _unified(kind: str, parts: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """The parts, one after the other, with the columns of all of them: null where a part lacks one."""
    schemas = [part.collect_schema() for part in parts]
    features = {name for schema in schemas for name in schema} - set(tables.SCHEMAS[kind])
    target = tables.SCHEMAS[kind] | {
        name: tables.common([schema[name] for schema in schemas if name in schema]) for name in sorted(features)
    }
    if not parts:
        return pl.LazyFrame(schema=target)
    casts = [
        part.with_columns(pl.col(name).cast(target[name]) for name in schema if schema[name] != target[name])
        for part, schema in zip(parts, schemas, strict=True)
    ]
    return pl.concat(casts, how="diagonal").select(*target)
