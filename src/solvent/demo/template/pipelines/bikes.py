"""Bike demand: how many bicycles will be rented in Washington DC in a given hour?

Each function is a step, its name is what it makes, and its positional parameters
are what it takes. They stay ordinary functions: call them in a test.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_absolute_error

from solvent import model, source, step

# An hour's rentals are known when the hour is over: a run as of some date sees no later row.
rides = source("data/rides/*.parquet", time="time", known_at="known_at")

SEASONS = pl.Enum(["spring", "summer", "fall", "winter"])
WEATHER = pl.Enum(["Clear", "Mist", "Light Rain", "Heavy Rain"])  # missing in one hour of fourteen
CALENDAR = ["hour", "weekday", "month", "holiday", "workingday"]
AIR = ["temp", "feels_like", "humidity", "windspeed"]
FEATURES = [*CALENDAR, *AIR, "season", "weather"]


@step
def clean(rides: pl.LazyFrame) -> pl.DataFrame:
    return rides.unique("time", keep="last").sort("time").collect()


@step
def features(clean: pl.DataFrame) -> pl.DataFrame:
    """What is known when an hour begins, and beside it what came of it."""
    return clean.select(
        pl.col("time").dt.strftime("%Y-%m-%dT%H").alias("ride_hour"),
        "time",
        pl.col(CALENDAR + AIR).cast(pl.Float64),
        pl.col("season").cast(SEASONS),
        pl.col("weather").cast(WEATHER),
        pl.col("count").cast(pl.Float64),
    )


class Split(NamedTuple):
    train: pl.DataFrame
    test: pl.DataFrame


@step
def split(features: pl.DataFrame, *, test_days: int = 7) -> Split:
    """By time, never at random: the last days are the test."""
    is_test = pl.col("time") > pl.col("time").max() - pl.duration(days=test_days)
    return Split(train=features.filter(~is_test), test=features.filter(is_test))


@step
def fit(train: pl.DataFrame, *, trees: int = 60, seed: int = 7) -> HistGradientBoostingRegressor:
    estimator = HistGradientBoostingRegressor(
        loss="poisson",
        max_iter=trees,
        learning_rate=0.2,
        max_leaf_nodes=16,
        min_samples_leaf=15,
        max_features=0.7,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=seed,
    )
    return estimator.fit(train.select(FEATURES), train["count"])


@step
def evaluate(fit: HistGradientBoostingRegressor, test: pl.DataFrame) -> dict[str, float]:
    return {"mae": mean_absolute_error(test["count"], fit.predict(test.select(FEATURES)))}


bike_demand = model(
    estimator=fit,
    evaluation=split.test,
    features=features,
    task="regression",
    target="count",
    metric="mae",
    time="time",
    id="ride_hour",
)
