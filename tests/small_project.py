"""A small project that fits in milliseconds, and a world around it that moves by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from solvent.automation.promotion import register_run
from solvent.lineage.entities import Actor, ModelVersion
from solvent.pipeline import RunOptions, run_pipeline
from solvent.project import Project
from solvent.registry.package import LoadedModel, load_version
from solvent.registry.references import resolve

START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday
BEGIN = START + timedelta(weeks=8)  # of service
MODEL = "demand"

PIPELINE = """
import polars as pl
from sklearn.linear_model import Ridge
from solvent import model, source, step

sales = source("sales/*.parquet", time="time", known_at="known_at")

@step
def features(sales: pl.LazyFrame) -> pl.DataFrame:
    return sales.select("sale", "time", "price", "size", "units").sort("time").collect()

@step
def train(features: pl.DataFrame, *, test_days: int = 7) -> pl.DataFrame:
    return features.filter(pl.col("time") <= pl.col("time").max() - pl.duration(days=test_days))

@step
def test(features: pl.DataFrame, *, test_days: int = 7) -> pl.DataFrame:
    return features.filter(pl.col("time") > pl.col("time").max() - pl.duration(days=test_days))

@step
def fit(train: pl.DataFrame, *, alpha: float = 1e-6) -> Ridge:
    return Ridge(alpha=alpha).fit(train.select("price", "size"), train["units"])

demand = model(estimator=fit, evaluation=test, features=features, task="regression", target="units",
               metric="mae", time="time", id="sale")
"""

SETTINGS = """
[monitor]
window = "1w"
unit = "units"
cycle = "0d"

[policy]
rule = "compare"
rollout = "0.2 windows"
fit = 0
spans = ["all", "4w"]
cooldown = "1w"
margin = 0.05

[notify]
file = "notices.jsonl"
"""


def rows(week: int, *, level: float = 0.0, seed: int = 0) -> pl.DataFrame:
    """One week of hourly sales, `week` weeks after START. level: added to every label, as a relation that moved."""
    rng = np.random.default_rng(1000 * seed + week)
    begin = START + timedelta(weeks=week)
    hours = [begin + timedelta(hours=hour) for hour in range(168)]
    price, size = rng.uniform(5, 15, 168), rng.uniform(0, 1, 168)
    return pl.DataFrame(
        {
            "sale": [f"{hour:%Y-%m-%dT%H}" for hour in hours],
            "time": hours,
            "price": price,
            "size": size,
            "units": 50 - 2 * price + 10 * size + level + rng.normal(0, 1, 168),
            "known_at": [hour + timedelta(hours=1) for hour in hours],
        },
        schema_overrides={"time": pl.Datetime("us", "UTC"), "known_at": pl.Datetime("us", "UTC")},
    )


def make_project(root: Path, settings: str = SETTINGS) -> Path:
    """The project with eight weeks of history."""
    (root / "sales").mkdir(parents=True)
    (root / "pipeline.py").write_text(PIPELINE)
    (root / "solvent.toml").write_text(settings)
    pl.concat([rows(week) for week in range(8)]).write_parquet(root / "sales" / "history.parquet")
    return root


def end(week: int) -> datetime:
    """Of a week of service."""
    return START + timedelta(weeks=week + 1)


def fitted(project: Project, at: datetime, **parameters: float) -> list[ModelVersion]:
    """Versions that the pipeline gives, run as of an instant."""
    options = RunOptions(as_of=at, parameters={"fit": parameters} if parameters else {})
    run = run_pipeline(project.root, project.spec, project.store, options)
    assert run.ok, run.document()
    return register_run(project, run, at=at, actor=Actor(kind="person", name="tester"))


def serve_week(
    project: Project, week: int, table: pl.DataFrame, *, labels: bool = True, given: pl.DataFrame | None = None
) -> LoadedModel:
    """Answer a week's rows with the champion, log them and their outcomes, deliver them as a file.

    given: what callers send of them, where that is less.
    """
    store = project.store
    loaded = load_version(store, resolve(store, f"{MODEL}@champion"))
    log_answers(project, loaded, table if given is None else given)
    if labels:
        store.log.append_outcomes(
            MODEL,
            {
                "prediction_id": table["sale"],
                "label": table["units"],
                "happened_at": table["time"],
                "known_at": table["known_at"],
            },
        )
    table.write_parquet(project.root / "sales" / f"week-{week:03}.parquet")
    return loaded


def log_answers(project: Project, loaded: LoadedModel, table: pl.DataFrame) -> None:
    """Log the answers of a loaded version to rows, as the endpoint does."""
    count, signature = table.height, loaded.signature
    given = [name for name in [*signature.features, *signature.extras] if name in table.columns]
    batch = {
        "prediction_id": table["sale"],
        "request_id": ["r"] * count,
        "event_time": table["time"],
        "answered_at": table["time"],
        "version": [loaded.version.number] * count,
        "output": loaded.predict(table).output,
        "output_classes": [None] * count,
        "flags": [[]] * count,
        **{f"f_{name}": table[name] for name in given},
    }
    project.store.log.append_predictions(MODEL, batch)
