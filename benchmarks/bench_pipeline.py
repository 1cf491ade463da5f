"""What a pipeline costs beside the user's own work: a run with nothing to do, and each step on warm workers.

`python benchmarks/bench_pipeline.py` prints the figures and writes `results/pipeline.json`.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from solvent.foundation.settings import Settings
from solvent.lineage.entities import Actor
from solvent.pipeline import RunOptions, WorkerPool, load_spec, plan_pipeline, run_pipeline
from solvent.store import open_store

STEPS = 20
REPEATS = 7


def chain(steps: int) -> str:
    """A pipeline of `steps` steps in a row that do nothing."""
    lines = ["from solvent import step", "", "@step", "def s0(*, turn: int = 0) -> int:", "    return turn", ""]
    for number in range(1, steps):
        lines += ["@step", f"def s{number}(s{number - 1}: int) -> int:", f"    return s{number - 1} + 1", ""]
    return "\n".join(lines)


def median_of(action: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median seconds of an action."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def measure(root: Path) -> dict[str, float]:
    """All figures, in milliseconds."""
    (root / "pipeline.py").write_text(chain(STEPS))
    state = root / ".solvent"
    turns = iter(range(1, 1000))
    actor = Actor(kind="person", name="bench")
    with open_store(f"sqlite:///{state / 'solvent.db'}", root=state, actor=actor) as store, WorkerPool(root) as pool:
        started = time.perf_counter()
        spec = load_spec(root, Settings())
        read = time.perf_counter() - started
        started = time.perf_counter()
        run_pipeline(root, spec, store, pool=pool)
        first = time.perf_counter() - started

        def change() -> None:
            options = RunOptions(parameters={"s0": {"turn": next(turns)}})
            assert run_pipeline(root, spec, store, options, pool=pool).ok

        warm = median_of(change)
        idle = median_of(lambda: run_pipeline(root, spec, store, pool=pool))
        plan = median_of(lambda: plan_pipeline(root, spec, store))
        cached = median_of(lambda: load_spec(root, Settings()))
    figures = {
        "reading the pipeline in a child process": read,
        "reading the pipeline from the cache": cached,
        f"planning {STEPS} fresh steps": plan,
        f"a run of {STEPS} fresh steps": idle,
        f"the first run of {STEPS} steps, workers started": first,
        "each executed step on warm workers": warm / STEPS,
    }
    return {name: round(1000 * seconds, 2) for name, seconds in figures.items()}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    for name, milliseconds in figures.items():
        print(f"{milliseconds:10.2f} ms  {name}")
    print(f"on {machine}")
    target = Path(__file__).parent / "results" / "pipeline.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({"machine": machine, "milliseconds": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
