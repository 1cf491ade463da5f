"""`--json` keeps its contract: these keys and no others, these types, on every kind of target."""

from __future__ import annotations

import json
from typing import Literal

import msgspec
import polars as pl
import pytest

from backtest.small_tables import TREE, sales
from solvent.backtest.document import document
from solvent.backtest.options import Options
from solvent.backtest.run import backtest

Bounds = tuple[float | None, float | None]


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    """No key beside those that are written here, and none missing."""


class TableFacts(Strict):
    rows: int
    columns: int
    time: str
    target: str
    task: Literal["binary", "multiclass", "regression"]
    span: tuple[str, str]


class ModelFacts(Strict):
    kind: str
    features: list[str]
    train_span: tuple[str, str]


class Shown(Strict):
    name: str
    value: float
    interval: Bounds


class Estimated(Strict):
    value: float | None
    interval: Bounds | None
    abstained: str | None


class Moved(Strict):
    feature: str
    effect: float | None
    unit: str
    matters: float


class Drifted(Strict):
    top: list[Moved]
    joint_auc: float | None
    alert: bool


class Window(Strict):
    index: int
    start: str
    end: str
    rows: int
    metric: Shown
    baseline: float
    estimated: Estimated
    drift: Drifted


class Figure(Strict):
    value: float | None
    interval: Bounds


class Aging(Strict):
    verdict: Literal["stable", "gradual", "abrupt", "erratic"]
    loss_per_month: Figure
    half_life_days: float | None
    time_to_threshold_days: Figure
    evidence: dict[str, object]


class Forecast(Strict):
    made_at: str
    for_window: int
    interval: tuple[float, float]
    value: float
    realised: float | None


class Warned(Strict):
    at: str
    window: int
    kind: Literal["drift", "estimate", "estimate-trend", "performance", "performance-trend"]
    features: list[str]
    evidence: float
    effect: float | None
    lead_windows: int | None
    confirmed: bool


class Retraining(Strict):
    window: int
    span: str
    kind: Literal["drift", "performance", "more_data", "schedule"]
    reason: str


class Policy(Strict):
    name: str
    retrainings: list[Retraining]
    fits: int
    loss: float
    cost: float
    regret: float
    regret_share: float | None


class Priced(Strict):
    price: float
    policies: list[Policy]


class Recommendation(Strict):
    policy: str
    reason: str
    config: str


class Contract(Strict):
    table: TableFacts
    model: ModelFacts
    windows: list[Window]
    aging: Aging
    forecast: list[Forecast]
    warnings: list[Warned]
    policies: list[Policy]
    price_curve: list[Priced]
    recommendation: Recommendation
    assumptions: list[str]
    seconds: float


HIGH = pl.when(pl.col("units") > 33).then(pl.lit("high")).when(pl.col("units") > 29).then(pl.lit("middle"))
SIX = {"windows": 6, "windows_given": True}
TARGETS = {
    "regression": pl.col("units"),
    "binary": pl.col("units") > 31,
    "multiclass": HIGH.otherwise(pl.lit("low")),
}


@pytest.mark.parametrize("task", TARGETS)
def test_the_document_is_the_contract(task, tmp_path, monkeypatch):
    (tmp_path / "contract_trees.py").write_text(TREE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    sales(1500, drift=3.0).drop("shop").with_columns(units=TARGETS[task]).write_parquet("t.parquet")
    model = f"contract_trees:{'regressor' if task == 'regression' else 'classifier'}"
    asked = Options(path="t.parquet", time="time", target="units", model=model, prices=(0.1, 1.0), **SIX)
    found = backtest(asked, lambda _: None)
    told = msgspec.json.decode(json.dumps(document(found), allow_nan=False).encode(), type=Contract)
    assert told.table.task == task and [priced.price for priced in told.price_curve] == [0.1, 1.0]
    lived = [one for one in told.forecast if one.realised is not None]
    assert [one.for_window for one in lived] == [2, 3, 4, 5], "three windows ahead, from the first tick on"
    assert [one.for_window for one in told.forecast if one.realised is None][-3:] == [6, 7, 8]
    for one in lived:
        assert one.realised == told.windows[one.for_window].metric.value
        assert one.made_at == told.windows[one.for_window - 2].start
        assert one.interval[0] <= one.value <= one.interval[1]
    for warning in told.warnings:
        assert warning.confirmed == (warning.lead_windows is not None)
