"""A store with a small real model in it, and the endpoint in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from solvent.data.modelfile import content_digest, dump_model
from solvent.foundation.clock import wall_clock
from solvent.lineage.entities import Actor, Artifact, ArtifactType
from solvent.registry.register import register
from solvent.store import Store, open_store

NOW = datetime(2012, 5, 1, tzinfo=UTC)
TESTER = Actor(kind="person", name="tester")
SERVER = """
import sys
from pathlib import Path
from solvent.foundation.errors import SolventError
from solvent.foundation.clock import wall_clock
from solvent.lineage.entities import Actor
from solvent.serving.server import serve
from solvent.store import open_store

root, reference, options = Path(sys.argv[1]), sys.argv[2], eval(sys.argv[3])
with open_store(f"sqlite:///{root}/solvent.db", root=root, actor=Actor(kind="person", name="server")) as store:
    try:
        serve(store, reference, **options)
    except SolventError as error:
        print(f"error[{error.code}]: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
"""


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
def root(tmp_path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(root):
    with opened(root) as store:
        yield store


def opened(root: Path) -> Store:
    return open_store(f"sqlite:///{root}/solvent.db", root=root, actor=TESTER)


@pytest.fixture(scope="session")
def rides() -> pl.DataFrame:
    rng = np.random.default_rng(7)
    rows = 400
    temp, hour = rng.uniform(-5, 35, rows).round(2), np.arange(rows) % 24
    station = rng.choice(["north", "south"], rows)
    count = 10 + temp + 3 * hour + rng.normal(0, 1, rows)
    times = pl.datetime_range(datetime(2012, 1, 1), datetime(2012, 12, 31), "1h", time_unit="us", eager=True)
    return pl.DataFrame(
        {
            "ride": [f"r{row}" for row in range(rows)],
            "time": times.head(rows),
            "temp": temp,
            "hour": hour,
            "station": pl.Series(station).cast(pl.Enum(["north", "south"])),
            "count": count,
            "busy": count > np.median(count),
        }
    )


FEATURES = ["temp", "hour", "station"]


def keep(store: Store, estimator):
    """Store an estimator as a fit step would; gives its digest."""
    data = dump_model(estimator)
    digest = store.objects.put_bytes(data)
    store.facts.add_artifact(
        Artifact(digest=digest, content=content_digest(data), type=ArtifactType.MODEL, format="skops", size=len(data))
    )
    return digest


def make_version(store: Store, rides: pl.DataFrame, declared: Declaration | None = None, seed: int = 0):
    """Fit and register one more version of `bike-demand`, or of the model that is declared."""
    declared = declared or Declaration()
    kind = HistGradientBoostingRegressor if declared.task == "regression" else HistGradientBoostingClassifier
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    estimator = make_pipeline(
        make_column_transformer((encoder, ["station"]), remainder="passthrough"),
        kind(max_iter=5 + seed, random_state=seed),
    )
    estimator.fit(rides[FEATURES], rides[declared.target])
    return register(
        store,
        declared,
        estimator=keep(store, estimator),
        run=None,
        features=rides.head(300).drop("busy" if declared.target == "count" else "count"),
        evaluation=rides.tail(100),
        actor=TESTER,
        at=NOW,
    )


@pytest.fixture
def make(store, rides):
    """`make_version` in this test's store."""
    return partial(make_version, store, rides)


@dataclass
class Server:
    """A running endpoint."""

    url: str
    process: subprocess.Popen
    client: httpx.Client
    said: list[str]

    def ask(self, rows: list[dict] | bytes, path: str = "/invocations", **headers: str) -> httpx.Response:
        if isinstance(rows, bytes):
            return self.client.post(path, content=rows, headers={"content-type": "application/json", **headers})
        return self.client.post(path, json={"dataframe_records": rows}, headers=headers)


@contextmanager
def served(root: Path, reference: str = "bike-demand@champion", **options):
    """Start an endpoint on a free port; SIGKILL at the end where it still runs."""
    command = [sys.executable, "-c", SERVER, str(root), reference, repr({"port": 0, **options})]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    up = threading.Event()

    def listen() -> None:
        for line in process.stderr:
            said.append(line)
            if "answers at http" in line:
                up.set()
        up.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    up.wait(60)
    lines = [line for line in said if "answers at http" in line]
    try:
        assert lines, "".join(said)
        url = lines[0].split("answers at ")[1].strip()
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            yield Server(url, process, client, said)
    finally:
        process.kill()
        process.wait()
        listener.join()
        process.stderr.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory, rides):
    """One endpoint for all tests of a module that only ask it, with its store."""
    root = tmp_path_factory.mktemp("shared")
    with opened(root) as store:
        make_version(store, rides)
        with served(root, replay=True) as server:
            yield server, store


@pytest.fixture
def endpoint(shared):
    return shared[0]


@pytest.fixture
def log(shared):
    """The rows that the shared endpoint logged from now on."""
    began = wall_clock()
    return lambda: shared[1].log.scan_predictions("bike-demand").filter(pl.col("answered_at") >= began).collect()
