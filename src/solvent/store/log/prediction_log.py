"""`PredictionLog`: the whole log behind one object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal, Self

from solvent.foundation.clock import wall_clock
from solvent.store.log.columns import OUTCOMES, PREDICTIONS, Batch, encode
from solvent.store.log.folder import LogFolder, models
from solvent.store.log.writer import LogWriter
from solvent.store.objects import ObjectStore

if TYPE_CHECKING:
    import polars as pl

    from solvent.store.log.retention import Expired
    from solvent.store.log.sealing import SealReport, SegmentFacts
    from solvent.store.log.tails import Tails

Durability = Literal["process", "full"]
Kind = Literal["predictions", "outcomes"]


class PredictionLog:
    """Predictions and outcomes of models, append-only.

    root: the folder `log/`. durability: what an acknowledged row survives, the death of
    the process or also a power cut. clock: says when an outcome was recorded, nothing else.
    Any number of processes and threads may append, read and seal at once.
    """

    def __init__(
        self,
        root: Path,
        facts: SegmentFacts,
        objects: ObjectStore,
        *,
        durability: Durability = "process",
        clock: Callable[[], datetime] = wall_clock,
        rotate_bytes: int = 32 << 20,
        rotate_seconds: float = 3600.0,
    ) -> None:
        self.root = root
        self.durability = durability
        self._facts = facts
        self._objects = objects
        self._clock = clock
        self._rotate_bytes = rotate_bytes
        self._rotate_seconds = rotate_seconds
        self._writers: dict[tuple[str, str], LogWriter] = {}
        self._tails: dict[tuple[str, str], Tails] = {}
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave all open files to the next sealer. The log can be used again."""
        with self._lock:
            writers = list(self._writers.values())
        for writer in writers:
            writer.leave()

    def append_predictions(self, model: str, batch: Batch) -> int:
        """Log answered rows; acknowledged when it returns.

        batch: columns of one length: prediction_id, event_time, answered_at, version, output,
            and where wanted request_id, output_classes, flags and `f_NAME` per feature.
        Returns: rows. Raises: BadBatch, NotLogged; then nothing of the batch counts as logged.
        """
        return self._append(PREDICTIONS, model, batch)

    def append_outcomes(self, model: str, batch: Batch) -> int:
        """Log what became known about predictions, also of ones that the log does not have.

        batch: columns of one length: prediction_id, label, happened_at, known_at, and where wanted
            recorded_at (else the clock's now) and revision (else counted by the reader).
        Returns: rows. Raises: as `append_predictions`.
        """
        return self._append(OUTCOMES, model, self.outcomes_recorded(batch))

    def outcomes_recorded(self, batch: Batch) -> Batch:
        """The batch with `recorded_at`, by the clock where it lacks one."""
        if "recorded_at" in batch or "prediction_id" not in batch:
            return batch
        return {**batch, "recorded_at": [self._clock()] * len(batch["prediction_id"])}

    def append_payloads(self, kind: str, model: str, payloads: Sequence[bytes]) -> None:
        """Log batches that `columns.encode` packed, all with one write. Raises: NotLogged."""
        self._writer(kind, model).append(payloads)

    def seal(self, model: str, kind: Kind, *, now: datetime) -> SealReport:
        """Make segments of everything logged so far, by this process and by others, living or dead.

        Safe to repeat, to run twice at once, and to kill. Look at the report's `damage`.
        """
        from solvent.store.log import sealing

        self._writer(kind, model).leave()
        return sealing.seal(LogFolder(self.root, kind, model), self._facts, self._objects, now)

    def scan_predictions(
        self, model: str, since: datetime | None = None, until: datetime | None = None
    ) -> pl.LazyFrame:
        """Rows with `since <= event_time < until`, sealed or not; columns in `docs/reference/format.md`.

        Duplicate prediction ids are kept; rows come in no promised order. A feature that some rows
        were logged without is null there.
        Collect before the next `expire`. Raises: CorruptFrame, NewerLog, Missing.
        """
        from solvent.store.log import reading

        folder = LogFolder(self.root, PREDICTIONS, model)
        return reading.scan_predictions(folder, self._facts, self._objects, since, until)

    def scan_outcomes(
        self, model: str, known_by: datetime | None = None, ids: Iterable[str] | None = None
    ) -> pl.LazyFrame:
        """Every revision with `known_at <= known_by`, in order of becoming known. Raises: as `scan_predictions`.

        ids: of the predictions that are asked about; a few of many are found much faster than all.
        """
        from solvent.store.log import reading

        return reading.scan_outcomes(LogFolder(self.root, OUTCOMES, model), self._facts, self._objects, known_by, ids)

    def latest_outcomes(
        self,
        model: str,
        known_by: datetime | None = None,
        ids: Iterable[str] | None = None,
        since: datetime | None = None,
    ) -> pl.LazyFrame:
        """One row per prediction id: the latest revision known by then, with first_label and first_known_at.

        ids: as in `scan_outcomes`; whoever asks so often parses each unsealed row once. since: segments all of
        whose outcomes were known and written before are not opened.
        """
        from solvent.store.log import reading, tables

        tails = None if ids is None else self._tails_of(OUTCOMES, model, tuple(tables.SCHEMAS[OUTCOMES]))
        folder = LogFolder(self.root, OUTCOMES, model)
        return reading.latest_outcomes(folder, self._facts, self._objects, known_by, ids, tails, since)

    def logged_ids(self, model: str, ids: Iterable[str]) -> set[str]:
        """Those of the prediction ids that the log has. Raises: as `scan_predictions`."""
        from solvent.store.log import reading

        tails = self._tails_of(PREDICTIONS, model, ("prediction_id",))
        return reading.logged_ids(LogFolder(self.root, PREDICTIONS, model), self._facts, self._objects, ids, tails)

    def expire(self, model: str, before: datetime) -> Expired:
        """Drop segments, of predictions and of outcomes, that lie wholly before `before`."""
        from solvent.store.log.retention import Expired, expire

        return sum(
            (
                expire(LogFolder(self.root, kind, model), self._facts, self._objects, before)
                for kind in (PREDICTIONS, OUTCOMES)
            ),
            start=Expired(),
        )

    def models(self) -> list[str]:
        """Models that something was ever logged for."""
        return sorted({*models(self.root, PREDICTIONS), *models(self.root, OUTCOMES)})

    def _append(self, kind: str, model: str, batch: Batch) -> int:
        rows, payload = encode(kind, batch)
        if rows:
            self.append_payloads(kind, model, [payload])
        return rows

    def _writer(self, kind: str, model: str) -> LogWriter:
        key = (kind, model)
        with self._lock:
            if key not in self._writers:
                self._writers[key] = LogWriter(
                    LogFolder(self.root, kind, model),
                    synced=self.durability == "full",
                    rotate_bytes=self._rotate_bytes,
                    rotate_seconds=self._rotate_seconds,
                )
            return self._writers[key]

    def _tails_of(self, kind: str, model: str, columns: tuple[str, ...]) -> Tails:
        from solvent.store.log.tails import Tails

        with self._lock:
            return self._tails.setdefault((kind, model), Tails(kind, columns))
