"""A store, and small real models to put into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from solvent.data.modelfile import content_digest, dump_model
from solvent.lineage.entities import Actor, Artifact, ArtifactType
from solvent.store import open_store

NOW = datetime(2012, 5, 1, tzinfo=UTC)
TESTER = Actor(kind="person", name="tester")


@dataclass(frozen=True)
class Declaration:
    """What `model(...)` says."""

    name: str = "bike-demand"
    task: str = "regression"
    target: str = "count"
    metric: str = "mae"
    time: str | None = "time"
    id: str | None = "ride"


@pytest.fixture
def store(tmp_path):
    with open_store(f"sqlite:///{tmp_path}/solvent.db", root=tmp_path, actor=TESTER) as opened:
        yield opened


@pytest.fixture(scope="session")
def rides() -> pl.DataFrame:
    rng = np.random.default_rng(7)
    rows = 400
    temp = rng.uniform(-5, 35, rows)
    hour = np.arange(rows) % 24
    count = 10 + temp + 3 * hour + rng.normal(0, 1, rows)
    return pl.DataFrame(
        {
            "ride": [f"r{row}" for row in range(rows)],
            "time": pl.datetime_range(
                datetime(2012, 1, 1), datetime(2012, 12, 31), "1h", time_unit="us", eager=True
            ).head(rows),
            "temp": temp,
            "hour": hour,
            "station": rng.choice(["north", "south"], rows),
            "count": count,
            "busy": count > np.median(count),
            "level": np.select([count < 40, count < 70], ["low", "middle"], "high"),
        }
    )


@pytest.fixture(scope="session")
def regressor(rides):
    return HistGradientBoostingRegressor(max_iter=8, random_state=0).fit(rides[["temp", "hour"]], rides["count"])


@pytest.fixture(scope="session")
def classifier(rides):
    return HistGradientBoostingClassifier(max_iter=8, random_state=0).fit(rides[["temp", "hour"]], rides["busy"])


@pytest.fixture
def keep(store):
    """Store an estimator as a fit step would; gives its digest."""

    def kept(estimator, format: str = "skops"):
        data = dump_model(estimator)
        digest = store.objects.put_bytes(data)
        content = content_digest(data)
        store.facts.add_artifact(
            Artifact(digest=digest, content=content, type=ArtifactType.MODEL, format=format, size=len(data))
        )
        return digest

    return kept
