"""A project and a world for `bench_rules.py`: does the price of electricity rise in the next half hour?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from solvent.demo.world import World

PIPELINE = """
from typing import NamedTuple

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

from solvent import model, source, step

market = source("data/market/*.parquet", time="time", known_at="known_at")
FEATURES = ["half_hour", "weekday", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"]


@step
def features(market: pl.LazyFrame) -> pl.DataFrame:
    return market.select("key", "time", pl.col(FEATURES).cast(pl.Float64), "price_up").sort("time").collect()


class Split(NamedTuple):
    train: pl.DataFrame
    test: pl.DataFrame


@step
def split(features: pl.DataFrame, *, test_days: int = 28) -> Split:
    is_test = pl.col("time") > pl.col("time").max() - pl.duration(days=test_days)
    return Split(train=features.filter(~is_test), test=features.filter(is_test))


@step
def fit(train: pl.DataFrame, *, seed: int = 7) -> HistGradientBoostingClassifier:
    estimator = HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=seed)
    return estimator.fit(train.select(FEATURES), train["price_up"])


price_up = model(estimator=fit, evaluation=split.test, features=features, task="binary", target="price_up",
                 metric="log_loss", time="time", id="key")
"""
SETTINGS = """
[retention]
log = "2000d"

[monitor]
window = "1w"
unit = "nats"

[policy]
rollout = "0.5 windows"
fit = "0.005 windows"
spans = ["all", "13w"]
"""


def write_electricity(folder: Path) -> None:
    """The project, without its data."""
    (folder / "pipeline.py").write_text(PIPELINE)
    (folder / "solvent.toml").write_text(SETTINGS)


@dataclass(frozen=True)
class Electricity(World):
    """Half hours of New South Wales (`elec2`); what an hour was is known when it is over."""

    @classmethod
    def load(cls, table: Path) -> Electricity:
        """From the quarter of the table on, in weeks."""
        raw = pl.read_parquet(table).sort("time").with_columns(pl.col("time").dt.replace_time_zone("UTC"))
        time = pl.col("time")
        rows = raw.with_columns(key=time.dt.strftime("%Y-%m-%dT%H:%M"), known_at=time + pl.duration(minutes=30))
        start = datetime(1996, 12, 30, tzinfo=UTC)
        return cls(
            rows,
            start,
            (rows["time"][-1] - start).days // 7,
            model="price-up",
            title="Electricity, New South Wales",
            noun="half hours",
            id="key",
            time="time",
            target="price_up",
        )

    def found(self, folder: Path) -> list[Path]:
        return [_write(self.rows.filter(pl.col("known_at") <= pl.lit(self.start)), folder, "history")]

    def deliver(self, folder: Path, week: int) -> list[Path]:
        return [_write(self._during(week), folder, f"week-{week:03}")]


def _write(rows: pl.DataFrame, folder: Path, name: str) -> Path:
    path = folder / "market" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(path)
    return path
