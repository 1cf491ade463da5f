"""What a step costs beside the user's own work, side by side with Hamilton (with its cache) and Kedro.

    python benchmarks/bench_pipeline.py [--rounds 3] [--steps 2000] [--without-peers]

The same trivial steps, once as a chain and once as a fan: each adds a number to what it is given.
Solvent runs them in warm worker processes and records each durably; Hamilton runs them in its own
process and writes its cache; Kedro runs them in its own process and keeps nothing. Then the same run
again, with nothing to do (Kedro has no such thing), for Solvent also as the command. Each tool has a
process of its own and at most 4 GiB, and they take turns, so that a noisy machine is noisy for all. The
peers live in an environment of their own, made once under the user's cache folder.
Prints milliseconds, ratios, peak memory and the machine; writes results/pipeline.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "solvent-benchmarks" / "pipelines"
MOST_BYTES = 4 << 30
PEERS = ("hamilton", "kedro")

SOLVENT = """
import json, resource, subprocess, sys, time
from pathlib import Path
from solvent.foundation.settings import Settings
from solvent.lineage.entities import Actor
from solvent.pipeline import RunOptions, WorkerPool, load_spec, run_pipeline
from solvent.store import open_store

def main():
    shape, steps, root = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    lines = ["from solvent import step", "", "@step", "def s0(*, turn: int = 0) -> int:", "    return turn", ""]
    for n in range(1, steps):
        above = f"s{n - 1}" if shape == "chain" else "s0"
        lines += ["@step", f"def s{n}({above}: int) -> int:", f"    return {above} + {n}", ""]
    (root / "pipeline.py").write_text("\\n".join(lines))
    state, found = root / ".solvent", {}
    store = open_store(f"sqlite:///{state}/solvent.db", root=state, actor=Actor(kind="person", name="bench"))
    with store, WorkerPool(root) as pool:
        spec = load_spec(root, Settings())
        warm = {"s0": {"turn": 1}}
        run_pipeline(root, spec, store, RunOptions(targets=("s0", "s1"), parameters=warm), pool=pool)
        cpu, started = time.process_time(), time.perf_counter()
        assert run_pipeline(root, spec, store, pool=pool).ok
        found["run"], found["cpu"] = time.perf_counter() - started, time.process_time() - cpu
        started = time.perf_counter()
        run = run_pipeline(root, load_spec(root, Settings()), store, pool=pool)
        found["again"] = time.perf_counter() - started
        assert {step.state for step in run.steps} == {"cached"}
    program = str(Path(sys.executable).parent / "solvent")
    for _ in range(2):  # the first makes this person known to the store
        started = time.perf_counter()
        subprocess.run([program, "run"], cwd=root, check=True, stdout=subprocess.DEVNULL)
        found["command"] = time.perf_counter() - started
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    found["peak"] = max(resource.getrusage(w).ru_maxrss for w in who)
    print(json.dumps(found))

if __name__ == "__main__":
    main()
"""

HAMILTON = """
import importlib, json, logging, resource, sys, time
from pathlib import Path
from hamilton import driver
logging.disable(logging.CRITICAL)
sys.setrecursionlimit(100_000)
shape, steps, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
lines = ["def s0(turn: int) -> int:", "    return turn", ""]
for n in range(1, steps):
    above = f"s{n - 1}" if shape == "chain" else "s0"
    lines += [f"def s{n}({above}: int) -> int:", f"    return {above} + {n}", ""]
(folder / "hamilton_steps.py").write_text("\\n".join(lines))
sys.path.insert(0, str(folder))
module, found = importlib.import_module("hamilton_steps"), {}
for kind in ("run", "again"):
    built = driver.Builder().with_modules(module).with_cache(path=str(folder / "cache")).build()
    cpu, started = time.process_time(), time.perf_counter()
    built.execute([f"s{n}" for n in range(steps)], inputs={"turn": 0})
    found[kind] = time.perf_counter() - started
    found.setdefault("cpu", time.process_time() - cpu)
found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps(found))
"""

KEDRO = """
import json, logging, resource, sys, time
logging.disable(logging.CRITICAL)
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import node, pipeline
from kedro.runner import SequentialRunner
shape, steps = sys.argv[1], int(sys.argv[2])
def first(turn):
    return turn
def make(n):
    def step(above):
        return above + n
    step.__name__ = f"s{n}"
    return step
nodes = [node(first, "turn", "s0", name="s0")]
nodes += [node(make(n), f"s{n - 1}" if shape == "chain" else "s0", f"s{n}", name=f"s{n}") for n in range(1, steps)]
whole, catalog = pipeline(nodes), DataCatalog({"turn": MemoryDataset(0)})
cpu, started = time.process_time(), time.perf_counter()
SequentialRunner().run(whole, catalog)
found = {"run": time.perf_counter() - started, "cpu": time.process_time() - cpu}
found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps(found))
"""
SCRIPTS = {"solvent": SOLVENT, "hamilton": HAMILTON, "kedro": KEDRO}


def peers_python() -> Path | None:
    """The interpreter of an environment with the peers, made on first use; None where it cannot be made."""
    python = CACHE / "bin" / "python"
    if (CACHE / "ready").exists():
        return python
    uv = shutil.which("uv")
    make = [uv, "venv", "--clear", str(CACHE)] if uv else [sys.executable, "-m", "venv", "--clear", str(CACHE)]
    install = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install", "-q"]
    for command in (make, [*install, "sf-hamilton>=1.90,<2", "kedro>=1.7,<2"]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            print(f"the peers cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
            return None
    (CACHE / "ready").touch()
    return python


def measure(tool: str, python: Path, shape: str, steps: int) -> dict[str, float]:
    """One run of one tool in a process of its own, in a folder of its own on the disk of the user's cache."""
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
        done = subprocess.run(
            [str(python), "-c", SCRIPTS[tool], shape, str(steps), folder],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES)),
        )
    if done.returncode:
        raise RuntimeError(f"{tool}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def summary(found: list[dict[str, float]], steps: int) -> dict[str, float]:
    """Medians over the rounds."""
    middle = {kind: statistics.median(round_[kind] for round_ in found) for kind in found[0]}
    figures = {
        "ms a step": 1000 * middle["run"] / steps,
        "cpu ms a step, own process": 1000 * middle["cpu"] / steps,
        "peak MiB": middle["peak"] / (1 << 20 if sys.platform == "darwin" else 1024),
    }
    figures |= {"nothing to do, s": middle["again"]} if "again" in middle else {}
    figures |= {"`solvent run` with nothing to do, s": middle["command"]} if "command" in middle else {}
    return {name: round(figure, 3) for name, figure in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--without-peers", action="store_true")
    asked = parser.parse_args()
    peers = None if asked.without_peers else peers_python()
    tools = {"solvent": Path(sys.executable)} | (dict.fromkeys(PEERS, peers) if peers else {})
    shapes = {}
    for shape in ("chain", "fan"):
        found: dict[str, list[dict[str, float]]] = {tool: [] for tool in tools}
        for _ in range(asked.rounds):
            for tool, python in tools.items():
                found[tool].append(measure(tool, python, shape, asked.steps))
        figures = {tool: summary(rounds, asked.steps) for tool, rounds in found.items()}
        ours = figures["solvent"]["ms a step"]
        ratios = {tool: round(figures[tool]["ms a step"] / ours, 2) for tool in figures if tool != "solvent"}
        shapes[shape] = {**figures, "ms a step, times Solvent's": ratios}
    load = os.getloadavg()[0]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}"
    result = {"machine": machine, "at": time.strftime("%Y-%m-%d"), "steps": asked.steps, "rounds": asked.rounds}
    result |= {"most GiB for each": MOST_BYTES >> 30, **shapes}
    print(json.dumps(result, indent=1))
    target = Path(__file__).parent / "results" / "pipeline.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
