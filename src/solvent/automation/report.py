"""What a tick did, as values."""

from __future__ import annotations

from datetime import datetime

import msgspec

from solvent.lineage.entities import Alert, Decision, Measurement


class ModelTick(msgspec.Struct, frozen=True, kw_only=True):
    """One model's part of a tick.

    windows: (start, end) of those that closed since the last tick; measurements: taken now, late labels included;
    alerts, decisions: of this tick; champion: the version in service afterwards; note: what kept it from more.
    """

    model: str
    champion: int | None
    windows: list[tuple[datetime, datetime]] = msgspec.field(default_factory=list)
    measurements: list[Measurement] = msgspec.field(default_factory=list)
    alerts: list[Alert] = msgspec.field(default_factory=list)
    decisions: list[Decision] = msgspec.field(default_factory=list)
    note: str = ""


class TickReport(msgspec.Struct, frozen=True, kw_only=True):
    """now: the clock that it decided by. undelivered: problems that notifiers met."""

    now: datetime
    models: list[ModelTick]
    undelivered: list[str] = msgspec.field(default_factory=list)
