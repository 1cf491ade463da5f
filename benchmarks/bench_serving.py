"""How fast the endpoint answers, beside a bare Starlette app and `mlflow models serve`, with the same model.

    python benchmarks/bench_serving.py [--rounds 5] [--without-mlflow]

All three take the same request (one row, JSON `dataframe_split`), make a DataFrame of it, ask the
same gradient boosting of 100 trees on 12 features, and answer JSON; ours also checks the contract
and logs before it answers. The bare app predicts on one thread, as ours does: with more it is slower.
One load process, keep-alive connections on loopback, a bounded number of requests; the three take
turns within one run, so that a noisy machine is noisy for all.
MLflow lives in an environment of its own, made once under the user's cache folder.
Prints p50, p99, requests a second, ratios and the machine; writes results/serving.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

COLUMNS = [f"x{number}" for number in range(12)]
REQUESTS = {1: 400, 16: 1600}  # connections → requests of one turn
WARM = 100
BAR = 1.5  # times the bare app's
START_SECONDS = 180.0
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "solvent-benchmarks" / "mlflow"

SOLVENT = """
import sys
from pathlib import Path
from solvent.lineage.entities import Actor
from solvent.serving.server import serve
from solvent.store import open_store
root = Path(sys.argv[1])
with open_store(f"sqlite:///{root}/solvent.db", root=root, actor=Actor(kind="person", name="bench")) as store:
    serve(store, "bench@champion", port=int(sys.argv[2]))
"""

BARE = """
import sys
import polars as pl, skops.io, uvicorn
from threadpoolctl import threadpool_limits
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
trusted = skops.io.get_untrusted_types(file=sys.argv[1])
model = skops.io.load(sys.argv[1], trusted=trusted)
async def invocations(request):
    split = (await request.json())["dataframe_split"]
    table = pl.DataFrame(split["data"], schema=split["columns"], orient="row")
    return JSONResponse({"predictions": model.predict(table).tolist()})
app = Starlette(routes=[Route("/invocations", invocations, methods=["POST"])])
threadpool_limits(1)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning")
"""

MLFLOW_MODEL = """
import sys
import mlflow, numpy as np, pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
table = pd.read_csv(sys.argv[1])
features = table.drop(columns="y")
model = HistGradientBoostingRegressor(max_iter=100, random_state=7).fit(features, table["y"])
trees = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
mlflow.sklearn.save_model(model, sys.argv[2], input_example=features.head(1), skops_trusted_types=[trees])
"""


def training_table() -> pl.DataFrame:
    rng = np.random.default_rng(7)
    table = pl.DataFrame({name: rng.normal(size=5000).round(4) for name in COLUMNS})
    return table.with_columns(y=table["x0"] + table["x1"] * table["x2"] + rng.normal(size=5000))


def fit(table: pl.DataFrame):
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(max_iter=100, random_state=7).fit(table[COLUMNS], table["y"])


def prepare_solvent(root: Path, table: pl.DataFrame, data: bytes) -> None:
    """A store with the model as champion."""
    from solvent.data.modelfile import content_digest
    from solvent.foundation.clock import wall_clock
    from solvent.lineage.entities import Actor, Artifact, ArtifactType
    from solvent.registry.register import register
    from solvent.store import open_store

    @dataclass(frozen=True)
    class Declaration:
        name: str = "bench"
        task: str = "regression"
        target: str = "y"
        metric: str = "mae"
        time: str | None = None
        id: str | None = None

    actor = Actor(kind="person", name="bench")
    with open_store(f"sqlite:///{root}/solvent.db", root=root, actor=actor) as store:
        digest = store.objects.put_bytes(data)
        store.facts.add_artifact(
            Artifact(
                digest=digest, content=content_digest(data), type=ArtifactType.MODEL, format="skops", size=len(data)
            )
        )
        register(
            store,
            Declaration(),
            estimator=digest,
            run=None,
            features=table,
            evaluation=table.tail(500),
            actor=actor,
            at=wall_clock(),
        )


def mlflow_python() -> Path | None:
    """The interpreter of an environment with MLflow, made on first use; None where it cannot be made."""
    python = CACHE / "bin" / "python"
    if (CACHE / "ready").exists():
        return python
    uv = shutil.which("uv")
    make = [uv, "venv", "--clear", str(CACHE)] if uv else [sys.executable, "-m", "venv", "--clear", str(CACHE)]
    install = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install", "-q"]
    import sklearn

    for command in (make, [*install, "mlflow>=3,<4", f"scikit-learn=={sklearn.__version__}", "httptools", "uvloop"]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            print(f"mlflow cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
            return None
    (CACHE / "ready").touch()
    return python


@dataclass(frozen=True)
class Target:
    """A running server. group: its process group."""

    port: int
    group: int

    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far: what a noisy machine does not change."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it ended meanwhile
                fields = stat.read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12]) if int(fields[2]) == self.group else 0
        return ticks / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[Target]:
    """A server in a process group of its own, up when its port answers."""
    tools = {**os.environ, "PATH": f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"}  # mlflow calls uvicorn
    with log.open("w") as notes:
        process = subprocess.Popen(command, stdout=notes, stderr=notes, start_new_session=True, env=tools)
        try:
            wait_for(process, port, log)
            yield Target(port, process.pid)
        finally:
            with suppress(ProcessLookupError):  # it could not start
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def wait_for(process: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            asyncio.run(load(port, 1, 1))
        except (OSError, asyncio.IncompleteReadError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text()[-2000:]) from error
            time.sleep(0.2)
        else:
            return


def bodies(count: int) -> list[bytes]:
    rng = np.random.default_rng(11)
    rows = rng.normal(size=(count, len(COLUMNS))).round(4).tolist()
    return [json.dumps({"dataframe_split": {"columns": COLUMNS, "data": [row]}}).encode() for row in rows]


async def load(port: int, connections: int, requests: int) -> tuple[list[float], float]:
    """Ask `requests` times over so many connections. Returns: seconds of each answer, seconds in all."""
    head = (
        "POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    )
    sent = iter([head.format(len(body)).encode() + body for body in bodies(requests)])
    seconds: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for message in sent:
            start = time.perf_counter()
            writer.write(message)
            header = await reader.readuntil(b"\r\n\r\n")
            length = int(header.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            seconds.append(time.perf_counter() - start)
            if b" 200 " not in header.split(b"\r\n")[0]:
                raise RuntimeError(body[:500])
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    return seconds, time.perf_counter() - start


def turn(port: int, connections: int) -> tuple[list[float], float]:
    """One turn of load, from a process of its own."""
    command = [sys.executable, __file__, "--load", str(port), str(connections)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return answer["seconds"], answer["elapsed"]


@dataclass
class Figures:
    """What one server did at one number of connections, over all turns."""

    latencies: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu: float = 0.0

    def take(self, target: Target, connections: int) -> None:
        before = target.cpu_seconds()
        seconds, elapsed = turn(target.port, connections)
        self.cpu += target.cpu_seconds() - before
        self.latencies += seconds
        self.rates.append(len(seconds) / elapsed)

    def summary(self) -> dict[str, float]:
        p50, p99 = (float(v) * 1e3 for v in np.quantile(self.latencies, [0.5, 0.99]))
        requests = len(self.latencies) + WARM * len(self.rates)
        return {
            "p50_ms": round(p50, 2),
            "p99_ms": round(p99, 2),
            "requests_per_second": round(statistics.median(self.rates)),
            "cpu_ms_per_request": round(1e3 * self.cpu / requests, 3),
        }


def measure(targets: dict[str, Target], rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """Turns of every server at every number of connections, interleaved."""
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in targets}
    for connections in REQUESTS:
        figures = {name: Figures() for name in targets}
        for number in range(rounds):
            print(f"{connections} connections, round {number + 1} of {rounds}", file=sys.stderr)
            for name, target in targets.items():
                figures[name].take(target, connections)
        for name in targets:
            found[name][str(connections)] = figures[name].summary()
    return found


def machine() -> dict[str, str | int | None]:
    from importlib.metadata import version

    names = ("polars", "scikit-learn", "starlette", "uvicorn", "httptools")
    return {
        "cpus": os.cpu_count(),
        "load": str(os.getloadavg()[0]),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in names),
    }


def commands(folder: Path, with_mlflow: bool) -> dict[str, list[str]]:
    """How each server is started, up to its port, which `{port}` stands for."""
    from solvent.data.modelfile import dump_model

    table = training_table()
    data = dump_model(fit(table))
    (folder / "model.skops").write_bytes(data)
    prepare_solvent(folder / "store", table, data)
    started = {
        "solvent": [sys.executable, "-c", SOLVENT, str(folder / "store"), "{port}"],
        "bare": [sys.executable, "-c", BARE, str(folder / "model.skops"), "{port}"],
    }
    python = mlflow_python() if with_mlflow else None
    if python is not None:
        table.write_csv(folder / "table.csv")
        model = str(folder / "mlflow-model")
        subprocess.run(
            [str(python), "-c", MLFLOW_MODEL, str(folder / "table.csv"), model], capture_output=True, check=True
        )
        serve = ["models", "serve", "-m", model, "-p", "{port}", "--env-manager", "local"]
        started["mlflow"] = [str(python), "-m", "mlflow", *serve]
    return started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-mlflow", action="store_true")
    parser.add_argument("--load", nargs=2, type=int, metavar=("PORT", "CONNECTIONS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.load:
        port, connections = given.load
        asyncio.run(load(port, connections, WARM))
        seconds, elapsed = asyncio.run(load(port, connections, REQUESTS[connections]))
        print(json.dumps({"seconds": seconds, "elapsed": elapsed}))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end with us
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        targets = {}
        for name, command in commands(folder, not given.without_mlflow).items():
            port = free_port()
            filled = [part.format(port=port) if part == "{port}" else part for part in command]
            targets[name] = stack.enter_context(running(filled, port, folder / f"{name}.log"))
        found = measure(targets, given.rounds)
    report(found)


def report(found: dict[str, dict]) -> None:
    ratios = {}
    for connections in map(str, REQUESTS):
        for name, figures in found.items():
            line = figures[connections]
            print(
                f"{connections:>3} connections  {name:<8} p50 {line['p50_ms']:>7.2f} ms   p99 {line['p99_ms']:>7.2f} ms"
                f"   {line['requests_per_second']:>6} requests/s   {line['cpu_ms_per_request']:>6.2f} ms CPU"
            )
        for name in found.keys() - {"solvent"}:
            for figure in ("p50_ms", "cpu_ms_per_request"):
                ratio = found["solvent"][connections][figure] / found[name][connections][figure]
                ratios[f"{figure} at {connections}, solvent/{name}"] = round(ratio, 3)
    for name, ratio in sorted(ratios.items()):
        print(f"{name}: {ratio}")
    bare = [ratio for name, ratio in ratios.items() if name.startswith("p50") and name.endswith("/bare")]
    print(f"bar: at most {BAR} times bare, logging included: {'met' if max(bare) <= BAR else 'MISSED'}")
    result = {"machine": machine(), "servers": found, "ratios": ratios, "bar": BAR, "met": max(bare) <= BAR}
    print(json.dumps(result["machine"]))
    target = Path(__file__).parent / "results" / "serving.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
