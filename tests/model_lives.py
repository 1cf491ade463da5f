"""A small model's life for tests of the monitors: hourly rows with a daily pattern, and what befalls them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl

from solvent.monitoring.assess import Assessment, assess_window, build_reference, update_realised
from solvent.monitoring.reference import Reference
from solvent.monitoring.settings import MonitorSettings
from solvent.monitoring.state import MonitorState, decode_state, encode_state
from solvent.monitoring.windows import Window

START = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = timedelta(weeks=1)
SIGNATURE = {
    "task": "regression",
    "target": "demand",
    "metric": "rmse",
    "time": "time",
    "features": {"hour": "Int64", "temp": "Float64", "kind": "String"},
}
NO_CYCLE = MonitorSettings(cycle=timedelta(0))


def rows(weeks: int, *, seed: int = 0, first: int = 0) -> pl.DataFrame:
    """Hours of `weeks` weeks from week `first` on, with the output of a good model and its label."""
    rng = np.random.default_rng([seed, first + 1000])
    hours = weeks * 168
    start = (START + first * WEEK).replace(tzinfo=None)
    hour = np.arange(hours) % 24
    temp = 15 + rng.normal(size=hours) * 4 + np.repeat(rng.normal(size=weeks * 7), 24)
    output = 100 + 60 * np.sin(hour / 24 * 2 * np.pi) + 2 * temp
    return pl.DataFrame(
        {
            "event_time": [start + timedelta(hours=i) for i in range(hours)],
            "output": output,
            "label": output + 20 * rng.normal(size=hours),
            "f_hour": hour,
            "f_temp": temp,
            "f_kind": rng.choice(["a", "b", "c"], p=[0.6, 0.3, 0.1], size=hours),
        }
    )


def reference(weeks: int = 10, settings: MonitorSettings = NO_CYCLE, *, frame: pl.DataFrame | None = None) -> Reference:
    """Of the weeks before week 0, or of these rows."""
    return build_reference(rows(weeks, first=-weeks) if frame is None else frame, SIGNATURE, settings=settings)


def window(number: int) -> Window:
    return Window(START + number * WEEK, START + (number + 1) * WEEK)


class Life:
    """Weeks one after another, state carried as JSON like a tick does."""

    def __init__(self, held_to: Reference, settings: MonitorSettings = NO_CYCLE) -> None:
        self.reference, self.settings = held_to, settings
        self.state: MonitorState | None = None
        self.told: list[tuple[int, str, str, str]] = []  # week, kind, severity, title
        self.assessments: list[Assessment] = []
        self.learned: list[Assessment] = []

    def live(self, number: int, frame: pl.DataFrame) -> Assessment:
        """Week `number` with these rows; labels are known at once where the frame has no `known_at`."""
        at = window(number)
        common = {"model": "demand", "number": 1, "window": at, "now": at.end, "settings": self.settings}
        found = assess_window(frame, self.reference, self.state, **common)
        learned = update_realised(frame, self.reference, found.state, **common)
        self.state = decode_state(encode_state(learned.state))
        drafts = found.alert_drafts + learned.alert_drafts
        msgspec.json.encode([found.measurements, learned.measurements, drafts])  # the store keeps them as JSON
        self.told += [(number, draft.kind, draft.severity, draft.title) for draft in drafts]
        self.assessments.append(found)
        self.learned.append(learned)
        return found

    @property
    def alerts(self) -> list[tuple[int, str]]:
        return [(week, kind) for week, kind, severity, _ in self.told if severity == "alert"]
