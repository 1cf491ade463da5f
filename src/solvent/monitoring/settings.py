"""What a user may set about monitoring, and what an assessment hands back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from solvent.lineage.entities import Measurement

Severity = Literal["alert", "note"]


class MonitorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One model's monitoring.

    width: of a window. false_alarms_per_year: the promise over everything watched, shared
        evenly by drift and performance. level: of every interval. tolerance: share by which the risk may
        exceed the reference's upper bound before that counts as worse. drift_floor_number (standard
        deviations) and drift_floor_category (Jensen–Shannon): smaller effects never alert.
    cycle: until this much time has been seen, drift may be a season, and is a note; zero: alert at once.
    abstain: share of rows outside the reference's support from which no loss is estimated.
    """

    width: timedelta = timedelta(weeks=1)
    false_alarms_per_year: float = 1.0
    level: float = 0.9
    tolerance: float = 0.1
    drift_floor_number: float = 0.25
    drift_floor_category: float = 0.1
    cycle: timedelta = timedelta(days=365)
    abstain: float = 0.2
    least_rows: int = 20

    @property
    def windows_per_false_alarm(self) -> float:
        """Average run length, in windows, that each half of the promise is held to."""
        windows_per_year = timedelta(days=365.25) / self.width
        return max(2 * windows_per_year / self.false_alarms_per_year, 2.0)


class AlertDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An alert before it has a key and a time of record.

    kind: contract, gap, volume, shock, drift, estimate-trend, unseen-season, performance, worse, recovered, estimator;
    severity: a note is told and not sent. cause: kind and sentence, and what it rests on; evidence:
    test, effect size, interval, and the false-alarm rate that it was held to; effect: unique per episode.
    """

    kind: str
    severity: Severity
    title: str
    window_start: datetime
    window_end: datetime
    effect: str
    cause: dict[str, Any] = msgspec.field(default_factory=dict)
    evidence: dict[str, Any] = msgspec.field(default_factory=dict)


class Findings(msgspec.Struct, kw_only=True):
    """What one monitor has to say."""

    measurements: list[Measurement] = msgspec.field(default_factory=list)
    drafts: list[AlertDraft] = msgspec.field(default_factory=list)

    def add(self, other: Findings) -> None:
        self.measurements += other.measurements
        self.drafts += other.drafts


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whose window is looked at: the model, its version's number, the window's ends."""

    model: str
    number: int | None
    start: datetime
    end: datetime

    def measurement(self, name: str, value: float | None, unit: str, **more: Any) -> Measurement:
        """A measurement of this window; figures that are not finite become None."""
        for bound in ("lower", "upper"):
            if more.get(bound) is not None and not _finite(more[bound]):
                more[bound] = None
        return Measurement(
            model=self.model,
            number=self.number,
            name=name,
            window_start=self.start,
            window_end=self.end,
            value=value if value is not None and _finite(value) else None,
            unit=unit,
            **more,
        )

    def draft(self, kind: str, severity: Severity, title: str, key: str = "", **more: Any) -> AlertDraft:
        """A draft about this window; `key` tells episodes of one kind apart."""
        start = f"{self.start:%Y-%m-%dT%H:%M}"
        effect = "/".join(part for part in (self.model, str(self.number), kind, key, start) if part)
        return AlertDraft(
            kind=kind,
            severity=severity,
            title=title,
            window_start=self.start,
            window_end=self.end,
            effect=effect,
            **more,
        )


def _finite(value: float) -> bool:
    return value == value and abs(value) != float("inf")
