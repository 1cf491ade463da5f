"""The two lives as monitoring must see them: real weeks, a small model, no story built in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from real_tables import WEEK, between, bikes, flights
from solvent.monitoring.assess import assess_window, build_reference, update_realised
from solvent.monitoring.settings import MonitorSettings
from solvent.monitoring.state import MonitorState, decode_state, encode_state
from solvent.monitoring.windows import Window

sklearn = pytest.importorskip("sklearn.ensemble")


def matrix(table: pl.DataFrame, features: list[str]) -> np.ndarray:
    return np.column_stack(
        [
            (table[name].to_physical() if table[name].dtype == pl.Categorical else table[name])
            .cast(pl.Float64)
            .to_numpy()
            for name in features
        ]
    )


class Told:
    """A model fitted once, then watched week by week."""

    def __init__(self, table: pl.DataFrame, time: str, target: str, task: str, metric: str) -> None:
        self.table, self.time, self.target, self.task, self.metric = table, time, target, task, metric
        self.features = [name for name in table.columns if name not in (time, target)]
        self.kinds: list[tuple[str, str, str]] = []

    def live(self, born: datetime, evaluated: datetime, start: datetime, end: datetime) -> list[tuple[str, str, str]]:
        """Fit on [born, evaluated), hold to [evaluated, start), live until `end`.

        Returns: week, kind and severity of each draft.
        """
        table, time = self.table, self.time
        fitted = between(table, time, born, evaluated).drop_nulls(self.target)
        kind = sklearn.HistGradientBoostingRegressor
        if self.task == "binary":
            kind = sklearn.HistGradientBoostingClassifier
        model = kind(max_iter=60, random_state=0).fit(
            matrix(fitted, self.features), fitted[self.target].cast(pl.Float64).to_numpy()
        )
        rows = self.answered(model)
        signature = {
            "task": self.task,
            "target": self.target,
            "metric": self.metric,
            "time": time,
            "features": {name: str(table[name].dtype) for name in self.features},
        }
        held_to = build_reference(
            between(rows, "event_time", evaluated, start),
            signature,
            history=between(rows, "event_time", born, evaluated),
        )
        state: MonitorState | None = None
        while start + WEEK <= end:
            now = (start + WEEK).replace(tzinfo=UTC)
            frame = between(rows, "event_time", start, start + WEEK)
            common = {
                "model": "m",
                "number": 1,
                "window": Window(start.replace(tzinfo=UTC), now),
                "now": now,
                "settings": MonitorSettings(),
            }
            found = assess_window(frame, held_to, state, **common)
            learned = update_realised(frame, held_to, found.state, **common)
            state = decode_state(encode_state(learned.state))
            drafts = found.alert_drafts + learned.alert_drafts
            self.kinds += [(f"{start:%Y-%m-%d}", draft.kind, draft.severity) for draft in drafts]
            start += WEEK
        return self.kinds

    def answered(self, model: Any) -> pl.DataFrame:
        """The whole table as the log would hold it."""
        table, x = self.table, matrix(self.table, self.features)
        output = model.predict(x) if self.task == "regression" else model.predict_proba(x)[:, 1]
        return table.select(
            pl.col(self.time).alias("event_time"),
            pl.Series("output", output),
            pl.col(self.target).cast(pl.Float64).alias("label"),
            *[pl.col(name).alias(f"f_{name}") for name in self.features],
        )


def test_the_hurricanes_are_a_gap_and_a_shock_and_the_ageing_of_the_bikes_is_told() -> None:
    life = Told(bikes(), "time", "count", "regression", "rmse")
    told = life.live(datetime(2011, 1, 1), datetime(2011, 6, 3), datetime(2011, 7, 1), datetime(2012, 12, 31))
    alerts = [(week, kind) for week, kind, severity in told if severity == "alert"]
    assert {("2012-10-26", "gap"), ("2012-10-26", "shock"), ("2011-08-26", "gap")} <= set(alerts)
    assert {week for week, kind in alerts if kind == "gap"} == {"2011-08-26", "2012-10-26"}
    assert {kind for week, kind in alerts if week < "2012-01-01"} >= {"performance"}
    assert not {kind for _, kind in alerts} & {"contract", "volume"}


def test_a_year_of_flights_breaks_and_drifts_nowhere_and_its_worse_weeks_are_told() -> None:
    life = Told(flights(), "scheduled", "late", "binary", "log_loss")
    told = life.live(datetime(2013, 1, 1), datetime(2013, 2, 8), datetime(2013, 3, 1), datetime(2013, 12, 29))
    assert {kind for _, kind, severity in told if severity == "alert"} <= {"performance"}
    assert {kind for _, kind, severity in told if severity == "note"} >= {"unseen-season", "worse"}
