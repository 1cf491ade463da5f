"""A drift report on 1,000,000 + 1,000,000 rows of 25 columns, beside Evidently and NannyML: same tables, same run.

    python benchmarks/bench_drift.py [--rows 1000000] [--rounds 3] [--evidently PYTHON] [--nannyml PYTHON]

PYTHON is the interpreter of an environment that holds the peer; without it the peer is left out, and the result says
so. 20 numeric and 5 categorical columns, a third of them moved. Every contender is a process of its own that loads
the tables as pandas', warms up on 2,000 rows, and then does the work once; contenders take turns, the least of the
rounds counts (Evidently, which takes minutes, has one). Memory is the peak of the process during the work, less what
it held before. `solvent.compare` is timed in its parts: drift by column, the contract (on at most 100,000 rows a
side), the joint classifier (on 1,000 rows a side). Estimation without labels: the accuracy of 10 windows of the second
table from its probabilities, as CBPE does; beside it from probabilities and features, which CBPE does not look at.
Prints figures, ratios and the machine; writes results/drift.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parent / "results" / "drift.json"
BARS = {"evidently": 30.0, "nannyml": 5.0, "nannyml-estimation": 5.0}  # a peer's seconds over ours, at least
MEMORY_BAR = 1 / 3  # our memory beyond the data over Evidently's, at most
NUMBERS, CATEGORIES, WINDOWS, WARM = 20, 5, 10, 2_000
ONCE = ("evidently",)  # it takes minutes
OURS = {"evidently": "solvent", "nannyml": "solvent", "nannyml-estimation": "solvent-estimation"}


def make(folder: Path, rows: int) -> None:
    """Two tables as Parquet, readable by every contender."""
    import numpy as np
    import polars as pl

    for side, moved in (("reference", 0.0), ("current", 0.2)):
        rng = np.random.default_rng(int(10 * moved))
        columns: dict[str, Any] = {}
        for i in range(NUMBERS):
            shift = moved if i % 3 == 0 else 0.0
            values = rng.normal(shift, 1, rows)
            kinds = (lambda v: v, np.exp, lambda v: np.round(v * 10), lambda v: np.where(v > 2, np.nan, v))
            columns[f"n{i}"] = kinds[i % 4](values)
        for i in range(CATEGORIES):
            names = np.array([f"kind {j}" for j in range(4 + 8 * i)])
            weights = np.linspace(1, 2 + (moved if i % 3 == 0 else 0), len(names))
            columns[f"c{i}"] = names[rng.choice(len(names), rows, p=weights / weights.sum())]
        columns["proba"] = rng.beta(2, 2, rows)
        columns["label"] = (rng.random(rows) < columns["proba"]).astype(np.int64)
        columns["pred"] = (columns["proba"] > 0.5).astype(np.int64)
        pl.DataFrame(columns).write_parquet(folder / f"{side}.parquet")


def load(folder: Path) -> tuple[Any, Any]:
    import pandas as pd

    return pd.read_parquet(folder / "reference.parquet"), pd.read_parquet(folder / "current.parquet")


def features(table: Any) -> Any:
    return table.drop(columns=["proba", "label", "pred"])


def with_solvent() -> Callable[[Any, Any], dict[str, float]]:
    import solvent

    def work(reference: Any, current: Any) -> dict[str, float]:
        return dict(solvent.compare(reference, current).seconds)

    return lambda reference, current: work(features(reference), features(current))


def with_evidently() -> Callable[[Any, Any], dict[str, float]]:
    from evidently import Report
    from evidently.presets import DataDriftPreset

    def work(reference: Any, current: Any) -> dict[str, float]:
        Report([DataDriftPreset()]).run(features(current), features(reference)).dict()
        return {}

    return work


def with_nannyml() -> Callable[[Any, Any], dict[str, float]]:
    import nannyml

    def work(reference: Any, current: Any) -> dict[str, float]:
        names = list(features(reference).columns)
        calculator = nannyml.UnivariateDriftCalculator(column_names=names, chunk_number=WINDOWS)
        calculator.fit(reference).calculate(current).to_df()
        return {}

    return work


def with_nannyml_estimation() -> Callable[[Any, Any], dict[str, float]]:
    import nannyml

    def work(reference: Any, current: Any) -> dict[str, float]:
        cbpe = nannyml.CBPE(
            problem_type="classification_binary",
            y_pred_proba="proba",
            y_pred="pred",
            y_true="label",
            metrics=["accuracy"],
            chunk_number=WINDOWS,
        )
        cbpe.fit(reference).estimate(current).to_df()
        return {}

    return work


def with_solvent_estimation() -> Callable[[Any, Any], dict[str, float]]:
    import numpy as np

    from solvent.statistics.estimation import learn_loss

    def work(reference: Any, current: Any) -> dict[str, float]:
        rows = len(reference)
        micros = np.arange(rows) * 1_000_000
        block = max(rows // 100, 1) * 1_000_000
        label, output = reference["label"].to_numpy(float), reference["proba"].to_numpy()
        model = learn_loss("binary", "error", label, output, micros, bound=1.0, block=block)
        assert model is not None
        for window in np.array_split(np.arange(len(current)), WINDOWS):
            model.estimate(current["proba"].to_numpy()[window], micros[window])
        return {}

    return work


def with_solvent_estimation_by_features() -> Callable[[Any, Any], dict[str, float]]:
    """As monitoring estimates: each window's rows are weighed by their features too, which CBPE does not look at."""
    import numpy as np

    from solvent.statistics.domain import even_draw
    from solvent.statistics.estimation import MOST_WINDOW, learn_loss

    def work(reference: Any, current: Any) -> dict[str, float]:
        names = list(features(reference).columns)
        known = {name: sorted(reference[name].unique()) for name in names if name.startswith("c")}

        def matrix(table: Any) -> Any:
            coded = (table[n].map({k: i for i, k in enumerate(known[n])}) if n in known else table[n] for n in names)
            return np.column_stack([one.to_numpy(float) for one in coded])

        rows = even_draw(len(reference), 10_000)
        learned, micros, block = reference.iloc[rows], rows * 1_000_000, max(len(reference) // 100, 1) * 1_000_000
        label, output = learned["label"].to_numpy(float), learned["proba"].to_numpy()
        table = matrix(learned)
        model = learn_loss("binary", "error", label, output, micros, bound=1.0, block=block, features=table)
        assert model is not None
        for window in np.array_split(np.arange(len(current)), WINDOWS):
            some = window[even_draw(len(window), MOST_WINDOW)]
            drawn = current.iloc[some]
            output = drawn["proba"].to_numpy()
            model.estimate(output, some * 1_000_000, features=matrix(drawn), rows=len(window))
        return {}

    return work


CONTENDERS = {
    "solvent": with_solvent,
    "evidently": with_evidently,
    "nannyml": with_nannyml,
    "solvent-estimation": with_solvent_estimation,
    "solvent-estimation-by-features": with_solvent_estimation_by_features,
    "nannyml-estimation": with_nannyml_estimation,
}


def child(name: str, folder: Path) -> None:
    """One contender in this process: seconds, processor seconds, megabytes beyond the data."""
    import warnings

    warnings.simplefilter("ignore")
    work = CONTENDERS[name]()
    reference, current = load(folder)
    work(reference.head(WARM).copy(), current.head(WARM).copy())
    held = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    began, spent = time.perf_counter(), time.process_time()
    parts = work(reference, current)
    seconds, processor = time.perf_counter() - began, time.process_time() - spent
    more = resident("VmHWM") - held
    print(json.dumps({"seconds": seconds, "processor": processor, "megabytes": more, **parts}))


def resident(what: str) -> float:
    """Megabytes that this process holds (VmRSS), or held at most (VmHWM)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) / 1000


def run(python: str, name: str, folder: Path) -> dict[str, float]:
    command = [python, str(Path(__file__).resolve()), "--child", name, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def version(python: str, package: str) -> str:
    program = f"from importlib.metadata import version; print(version('{package}'))"
    return subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--evidently")
    parser.add_argument("--nannyml")
    parser.add_argument("--child", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.folder)
        return
    pythons = {"solvent": sys.executable, "evidently": given.evidently, "nannyml": given.nannyml}
    chosen = {name: python for name in CONTENDERS if (python := pythons[name.partition("-")[0]]) is not None}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
    with tempfile.TemporaryDirectory() as place:
        make(Path(place), given.rows)
        for number in range(given.rounds):
            for name, python in chosen.items():
                if number and name in ONCE:
                    continue
                rounds[name].append(run(python, name, Path(place)))
                print(name, json.dumps({k: round(v, 3) for k, v in rounds[name][-1].items()}), flush=True)
    figures = {n: {k: round(min(one[k] for one in runs), 3) for k in runs[0]} for n, runs in rounds.items()}
    result = {"machine": machine(pythons), "rows": given.rows, "rounds": given.rounds, "figures": figures}
    result |= judged(figures)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def judged(figures: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Ratios against the bars. Ours is drift by column, as the peers' reports are; the parts beside it are told."""
    ratios: dict[str, dict[str, Any]] = {}
    for peer, bar in BARS.items():
        if peer not in figures:
            ratios[peer] = {"note": "not installed here"}
            continue
        ours = figures[OURS[peer]]
        seconds = ours.get("drift", ours["seconds"])
        times = figures[peer]["seconds"] / seconds
        ratios[peer] = {"times": round(times, 1), "bar": bar, "met": times >= bar}
        if peer == "nannyml-estimation":
            own = figures["solvent-estimation-by-features"]["seconds"]
            ratios[peer]["times_by_features"] = round(figures[peer]["seconds"] / own, 1)
        for what in ("seconds", "processor"):  # processor seconds are what a busy machine changes least
            ratios[peer][f"times_all_parts_{what}"] = round(figures[peer][what] / ours[what], 1)
    if "evidently" in figures:
        share = figures["solvent"]["megabytes"] / figures["evidently"]["megabytes"]
        ratios["memory"] = {"share_of_evidently": round(share, 3), "bar": round(MEMORY_BAR, 3)}
        ratios["memory"]["met"] = share <= MEMORY_BAR
    return {"ratios": ratios}


def machine(pythons: dict[str, str | None]) -> dict[str, Any]:
    peers = {n: version(p, n) if p else "not installed here" for n, p in pythons.items() if n != "solvent"}
    return {
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "platform": platform.platform(),
        "python": platform.python_version(),
        **{name: version(sys.executable, name) for name in ("numpy", "polars", "pandas")},
        **peers,
    }


if __name__ == "__main__":
    main()
