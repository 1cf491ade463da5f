"""The measuring half of a tick: windows that closed, labels that came, alerts with their cause."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from solvent.automation.evidence import (
    GRACE,
    bound_of,
    every_feature,
    excuse,
    fresh_losses,
    fresh_pair,
    window_evidence,
)
from solvent.automation.rows import FEATURE, served_rows
from solvent.automation.scoring import Scorer
from solvent.automation.shadows import freshest
from solvent.automation.state import LoopState, Shadow
from solvent.foundation.clock import to_micros
from solvent.foundation.ids import uuid7
from solvent.foundation.settings import ModelSettings
from solvent.lineage.entities import Alert, Measurement, ModelVersion, Segment
from solvent.monitoring.assess import Assessment, assess_window, update_realised
from solvent.monitoring.policy import Window as Evidence
from solvent.monitoring.reference import Reference
from solvent.monitoring.settings import AlertDraft, MonitorSettings
from solvent.monitoring.state import MonitorState
from solvent.monitoring.windows import MONDAY, Window, closed_windows
from solvent.statistics.domain import MOST_ROWS, even_draw, joint_drift
from solvent.store.log.columns import PREDICTIONS

if TYPE_CHECKING:
    from solvent.store import Store

ROWS_AT_ONCE = 1_000_000  # of several windows; one alone may have more


class Watched(msgspec.Struct, kw_only=True):
    """What measuring one model brought: closed windows, measurements, drafts of alerts."""

    windows: list[Window] = msgspec.field(default_factory=list)
    measurements: list[Measurement] = msgspec.field(default_factory=list)
    drafts: list[AlertDraft] = msgspec.field(default_factory=list)


class Watch:
    """One model at one tick. state is changed in place; nothing is written to the store.

    sample: rows of the champion's evaluation data that windows are told from.
    """

    def __init__(
        self,
        store: Store,
        champion: ModelVersion,
        reference: Reference,
        sample: pl.DataFrame,
        state: LoopState,
        settings: MonitorSettings,
        user: ModelSettings,
        scorer: Scorer,
        now: datetime,
    ) -> None:
        self.store = store
        self.champion = champion
        self.reference = reference
        self.bound = bound_of(reference)
        self.sample = sample
        self.state = state
        self.settings = settings
        self.user = user
        self.scorer = scorer
        self.now = now
        self.result = Watched()

    def run(self, also: Iterable[ModelVersion] = ()) -> Watched:
        """Measure every window that closed, then what has become known of the windows before.

        also: versions whose evidence goes on besides the champion's (the one that a rollback would restore).
        """
        versions = [self.champion, *also]
        closed = self._closed()
        late = self._recent(closed)
        segments = self._segments([*late, *closed])
        features = self._features(versions)
        with ThreadPoolExecutor(1) as beside:
            for window, rows in self._read(closed, segments, features):
                joint = beside.submit(self._joint, window, rows)
                self._assess(window, rows)
                self.result.measurements += joint.result()
                self._weigh(window, rows, versions)
                self._learn(window, rows, measure=False)
        for window, rows in self._read([w for w in late if self._open(w, segments)], segments, ()):
            if self._more_labels(window, rows):
                self._catch_up(window, rows, versions, features)
        self._mark()
        if closed:
            self.state.until = closed[-1].end
            self.result.windows = closed
        self.state.seen = self.now
        return self.result

    def _closed(self) -> list[Window]:
        if self.state.begun is None:
            first = _first_event(self.store, self.champion.model)
            if first is None:
                return []
            self.state.begun = first - (first - MONDAY) % self.settings.width
        return closed_windows(self.state.until or self.state.begun, self.now, self.settings.width)

    def _recent(self, closed: list[Window]) -> list[Window]:
        """Windows that an earlier tick closed and whose labels may still come."""
        end = closed[0].start if closed else self.state.until
        starts = [end - (i + 1) * self.settings.width for i in range(GRACE)] if end else []
        return [
            Window(s, s + self.settings.width) for s in reversed(starts) if self.state.begun and s >= self.state.begun
        ]

    def _segments(self, windows: Sequence[Window]) -> list[Segment]:
        """What is sealed of these windows."""
        if not windows:
            return []
        return self.store.facts.segments(self.champion.model, PREDICTIONS, windows[0].start, windows[-1].end)

    def _open(self, window: Window, segments: Iterable[Segment]) -> bool:
        """Whether there may be news of a window: a label was missing, or rows were sealed since the last tick."""
        seen = self.state.seen
        late = seen is None or any(s.sealed_at > seen for s in segments if touches(s, window))
        return late or not self.state.settled(window.start)

    def _features(self, versions: Iterable[ModelVersion]) -> list[str]:
        """Whatever a monitor or a version reads of a row."""
        own = [name for version in versions for name in every_feature(version)]
        return sorted({*own, *self.reference.contract.by_name()})

    def _read(
        self, windows: Sequence[Window], segments: Sequence[Segment], features: Collection[str]
    ) -> Iterator[tuple[Window, pl.DataFrame]]:
        """The rows of each window, each read once, a bounded number at a time."""
        model = self.champion.model
        for together in batched(windows, segments):
            since, until = together[0].start, together[-1].end
            rows = served_rows(self.store, model, since, until, known_by=self.now, features=features)
            times = rows["event_time"].to_physical().to_numpy()
            for window in together:
                low, high = np.searchsorted(times, [to_micros(window.start), to_micros(window.end)])
                yield window, rows[int(low) : int(high)]

    def _catch_up(
        self, window: Window, rows: pl.DataFrame, versions: Sequence[ModelVersion], features: Collection[str]
    ) -> None:
        """Take a window's late labels; its features are read again only for what cannot do without them."""

        def whole() -> pl.DataFrame:
            return served_rows(
                self.store, self.champion.model, window.start, window.end, known_by=self.now, features=features
            )

        foreign = len(versions) > 1 or bool((rows["version"] != self.champion.number).any())
        partly = self.reference.risk is not None and self.reference.risk.model is not None and rows["label"].has_nulls()
        complete = bool(self._compared(window, self.champion)) or foreign or partly
        if complete:
            rows = whole()
        self._weigh(window, rows, versions)
        self._learn(window, rows, measure=True, whole=None if complete else whole)

    def _assess(self, window: Window, rows: pl.DataFrame) -> None:
        found = assess_window(
            rows,
            self.reference,
            self.state.monitor,
            model=self.champion.model,
            number=self.champion.number,
            window=window,
            now=self.now,
            settings=self.settings,
        )
        self._take(found.measurements, found.alert_drafts)
        self.state.monitor = found.state

    def _joint(self, window: Window, rows: pl.DataFrame) -> list[Measurement]:
        """How well a classifier tells the window from the evaluation rows, functions of the clock left aside."""
        names = [name for name in self.reference.tracks if f"{FEATURE}{name}" in rows.columns]
        names = [name for name in names if f"{FEATURE}{name}" in self.sample.columns]
        if not names:
            return []
        columns = [f"{FEATURE}{name}" for name in names]
        drawn = rows[even_draw(rows.height, MOST_ROWS)]
        found = joint_drift(*as_numbers(self.sample.select(columns), drawn.select(columns)))
        if found is None:
            return []
        by_importance = sorted(zip(names, found.importance, strict=True), key=lambda item: -item[1])
        return [
            Measurement(
                model=self.champion.model,
                number=self.champion.number,
                name="joint-drift",
                window_start=window.start,
                window_end=window.end,
                value=found.auc,
                unit="AUC",
                rows=rows.height,
                about={"importance": dict(by_importance)},
                measured_at=self.now,
            )
        ]

    def _weigh(self, window: Window, rows: pl.DataFrame, versions: Iterable[ModelVersion]) -> None:
        """Put the window's evidence in the place of what was known of it before."""
        for version in versions:
            if version.created_at > window.start and version.number != self.champion.number:
                continue
            new = window_evidence(
                rows,
                version,
                self._compared(window, version),
                self.scorer,
                self.bound,
                start=window.start,
                end=window.end,
            )
            self._replace(new)
            if version.number == self.champion.number:
                self._measure_fresh(window, new)

    def _compared(self, window: Window, version: ModelVersion) -> list[Shadow]:
        """The shadows whose losses belong beside a version's; a plan needs them once a window."""
        shadows = [shadow for shadow in self.state.shadows if shadow.made_at <= window.start]
        others = [shadow for shadow in shadows if shadow.estimator != version.artifact]
        if self.user.policy.rule == "plan":
            return others if version.number == self.champion.number else []
        fresh, tried = freshest(shadows, window.start), self.state.tried[-1:]
        beside = [one for one in others if any(pair.beside(one.made_at, one.span) for pair in tried)]
        return [*fresh, *(shadow for shadow in beside if shadow not in fresh)]

    def _replace(self, new: Evidence) -> None:
        kept = [e for e in self.state.evidence if (e.start, e.version) != (new.start, new.version)]
        self.state.evidence = sorted([*kept, new], key=lambda e: (e.start, e.version))
        if self.state.window_loss is None and new.labelled:
            self.state.window_loss = new.loss * new.rows / new.labelled

    def _measure_fresh(self, window: Window, evidence: Evidence) -> None:
        for shadow in fresh_losses(evidence):
            self.result.measurements.append(
                Measurement(
                    model=self.champion.model,
                    number=self.champion.number,
                    name="loss.fresh",
                    window_start=window.start,
                    window_end=window.end,
                    value=shadow.loss / evidence.labelled,
                    unit=self.user.monitor.unit,
                    rows=evidence.labelled,
                    slice=shadow.span,
                    about={"made_at": shadow.made_at, "live": evidence.loss / evidence.labelled},
                    measured_at=self.now,
                )
            )

    def _learn(
        self, window: Window, rows: pl.DataFrame, *, measure: bool, whole: Callable[[], pl.DataFrame] | None = None
    ) -> None:
        """Hand the labels to the sequential test. whole: gets the same rows with the features that these lack."""
        if self.state.monitor is None or rows.is_empty():
            return
        found = self._updated(self.state.monitor, window, self._own(rows), measure)
        if whole is not None and any(draft.kind == "performance" for draft in found.alert_drafts):
            rows = self._own(whole())  # the cause lies in the features
            found = self._updated(self.state.monitor, window, rows, measure)
        self._take(found.measurements, found.alert_drafts)
        self.state.monitor = found.state

    def _own(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Without what a version on trial answered, which is no evidence against the champion."""
        trial = self.state.canary
        return rows if trial is None else rows.filter(pl.col("version") != trial.new)

    def _updated(self, state: MonitorState, window: Window, rows: pl.DataFrame, measure: bool) -> Assessment:
        number = self.champion.number
        mine = next((e for e in self.state.evidence if (e.start, e.version) == (window.start, number)), None)
        return update_realised(
            rows,
            self.reference,
            state,
            model=self.champion.model,
            number=number,
            window=window,
            now=self.now,
            settings=self.settings,
            fresh=fresh_pair(mine) if mine else None,
            measure=measure,
        )

    def _more_labels(self, window: Window, rows: pl.DataFrame) -> bool:
        known = rows["label"].is_not_null().sum() if rows.height else 0
        before = [e.labelled for e in self.state.evidence if e.start == window.start]
        return bool(known > max(before, default=0))

    def _mark(self) -> None:
        """Leave windows under a broken contract, a gap or a shock out of the evidence."""
        if self.state.monitor is not None:
            ends = [(to_micros(e.start), to_micros(e.end)) for e in self.state.evidence]
            self.state.evidence = excuse(self.state.evidence, self.state.monitor.spans, ends)

    def _take(self, measurements: list[Measurement], drafts: list[AlertDraft]) -> None:
        unit = self.user.monitor.unit
        self.result.measurements += [
            msgspec.structs.replace(m, unit=unit) if unit and m.name.startswith("loss.") else m for m in measurements
        ]
        self.result.drafts += drafts


def batched(windows: Sequence[Window], segments: Sequence[Segment]) -> Iterator[list[Window]]:
    """Neighbouring windows that are read together, since no more than so many rows are sealed of them."""
    together: list[Window] = []
    for window in windows:
        wider = [*together, window]
        apart = bool(together) and together[-1].end != window.start
        many = sum(s.rows for s in segments if any(touches(s, w) for w in wider)) > ROWS_AT_ONCE
        if together and (apart or many):
            yield together
            wider = [window]
        together = wider
    if together:
        yield together


def touches(segment: Segment, window: Window) -> bool:
    """Whether a segment may hold rows of a window."""
    return segment.first < window.end and segment.last >= window.start


def as_numbers(before: pl.DataFrame, now: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two tables of the same columns as numbers, NaN where missing; categories by the rank of their text."""
    both = pl.concat([before, now], how="vertical_relaxed").with_columns(
        pl.col(name).cast(pl.String).rank("dense") for name, dtype in before.schema.items() if not _numeric(dtype)
    )
    numbers = both.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return numbers[: before.height], numbers[before.height :]


def _numeric(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or dtype == pl.Boolean


def alert_of(draft: AlertDraft, model: str, number: int | None, now: datetime) -> Alert:
    """The fact that a draft becomes."""
    return Alert(
        key=uuid7(),
        model=model,
        number=number,
        kind=draft.kind,
        at=now,
        window_start=draft.window_start,
        window_end=draft.window_end,
        title=draft.title,
        cause=draft.cause,
        evidence={**draft.evidence, "severity": draft.severity},
        effect=draft.effect,
    )


def _first_event(store: Store, model: str) -> datetime | None:
    first = store.log.scan_predictions(model).select(pl.col("event_time").min()).collect().item()
    return first if first is None else first.astimezone(UTC)
