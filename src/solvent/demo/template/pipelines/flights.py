"""Flight delay: will this flight from New York arrive more than 15 minutes late?

All that the model looks at is known an hour before departure. January and
February come as a file; later training rows are the predictions that Solvent
logged, joined with the outcomes that came back.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score

from solvent import model, source, step

# The airline's report of an arrival reaches us days later: a run as of some date sees no later report.
departures = source("data/flights/*.parquet", time="scheduled", known_at="known_at")

ORIGINS = pl.Enum(["EWR", "JFK", "LGA"])
CARRIERS = pl.Enum(["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"])
FLIGHT = ["minute_of_day", "weekday", "distance", "sched_arr_time"]
WEATHER = ["temp", "wind_speed", "precip", "pressure", "visib"]
FEATURES = [*FLIGHT, *WEATHER, "carrier", "origin"]


@step
def clean(departures: pl.LazyFrame) -> pl.DataFrame:
    """Cancelled and diverted flights have no arrival, so no label."""
    return departures.drop_nulls("late").unique("flight_id", keep="last").sort("scheduled", "flight_id").collect()


@step
def features(clean: pl.DataFrame) -> pl.DataFrame:
    return clean.select(
        "flight_id",
        "scheduled",
        pl.col(FLIGHT + WEATHER).cast(pl.Float64),
        pl.col("carrier").cast(CARRIERS),
        pl.col("origin").cast(ORIGINS),
        "late",
    )


class Split(NamedTuple):
    train: pl.DataFrame
    test: pl.DataFrame


@step
def split(features: pl.DataFrame, *, test_days: int = 14) -> Split:
    """By time, never at random: the last days are the test."""
    is_test = pl.col("scheduled") > pl.col("scheduled").max() - pl.duration(days=test_days)
    return Split(train=features.filter(~is_test), test=features.filter(is_test))


@step
def fit(train: pl.DataFrame, *, rows: int = 20_000, trees: int = 30, seed: int = 7) -> HistGradientBoostingClassifier:
    """More rows than these teach it little more and cost time."""
    drawn = train.sample(min(rows, train.height), seed=seed)
    estimator = HistGradientBoostingClassifier(
        max_iter=trees,
        learning_rate=0.15,
        max_leaf_nodes=15,
        min_samples_leaf=100,
        l2_regularization=1.0,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=seed,
    )
    return estimator.fit(drawn.select(FEATURES), drawn["late"])


@step
def evaluate(fit: HistGradientBoostingClassifier, test: pl.DataFrame) -> dict[str, float]:
    late = fit.predict_proba(test.select(FEATURES))[:, 1]
    return {"log_loss": log_loss(test["late"], late), "auc": roc_auc_score(test["late"], late)}


flight_delay = model(
    estimator=fit,
    evaluation=split.test,
    features=features,
    task="binary",
    target="late",
    metric="log_loss",
    time="scheduled",
    id="flight_id",
)
