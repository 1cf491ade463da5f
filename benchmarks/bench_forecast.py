"""How forecasts of a model's loss do against 'it stays as it is', on real tables.

    python benchmarks/bench_forecast.py [FOLDER]

FOLDER holds the tables below as NAME.parquet; without it, the bundled bicycles alone are shown and nothing is kept.
training shares and three window counts: one model is trained and never again, and its loss is foretold three windows
ahead at every tick.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import warnings
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from solvent.backtest.columns import understand
from solvent.backtest.cut import cut
from solvent.backtest.matrix import FIT_ROWS, sample
from solvent.backtest.models import Learner, losses_of
from solvent.backtest.options import Options
from solvent.backtest.reference import judge
from solvent.backtest.table import read_table
from solvent.statistics.forecast import PERSISTENCE, score, walk_forward

RESULT = Path(__file__).parent / "results" / "forecast.json"
TABLES = {
    "bike_dc": ("time", "count", ()),
    "elec2": ("time", "price_up", ()),
    "metro_traffic": ("time", "traffic_volume", ()),
    "bank_marketing": ("date", "subscribed", ()),
    "nycflights13": ("scheduled", "late", ("arr_delay",)),
}
TRAIN, WINDOWS = (0.15, 0.25, 0.4), (20, 30, 50)


def course_of(
    path: Path, name: str, train: float, windows: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], float]:
    """Mean loss of each window, how many are known at each tick, and the loss that the reference promises."""
    time, target, drop = TABLES[name]
    asked = Options(path=path, time=time, target=target, drop=drop, train=train, windows=windows, windows_given=True)
    cases = understand(read_table(asked), asked)
    course = cut(cases, asked)
    learner = Learner(cases, "", seed=0)
    reference = judge(learner, course, fit_rows=FIT_ROWS, seed=0)
    model = learner.train(sample(np.arange(course.trained_by[0]), FIT_ROWS))
    rows = np.arange(course.bounds[0], course.bounds[-1])
    losses = np.minimum(losses_of(cases, rows, model.outputs(rows)), reference.bound)
    sums = np.add.reduceat(losses, course.bounds[:-1] - course.bounds[0])
    return sums / np.diff(course.bounds), np.append(course.known, course.windows), reference.risk.value


def measured(path: Path, name: str) -> dict[str, float]:
    inside = count = 0
    ratios, shares = [], []
    for train, windows in product(TRAIN, WINDOWS):
        losses, known, start = course_of(path, name, train, windows)
        own = score(walk_forward(losses, known, start), losses)
        still = score(walk_forward(losses, known, start, smoothing=PERSISTENCE), losses)
        inside, count = inside + own.inside, count + own.count
        ratios.append(own.score / still.score)
        shares.append(own.inside / own.count)
    return {
        "coverage": round(inside / count, 3),
        "coverage_lowest": round(min(shares), 3),
        "coverage_highest": round(max(shares), 3),
        "score_to_persistence_median": round(float(np.median(ratios)), 3),
        "forecasts": count,
    }


def pooled(found: dict[str, dict[str, float]]) -> dict[str, Any]:
    """The tables' figures and their medians."""

    def median(key: str) -> float:
        return round(float(np.median([one[key] for one in found.values()])), 3)

    return {
        "machine": {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()},
        "promise": 0.8,
        "tables": found,
        "coverage_median": median("coverage"),
        "score_to_persistence_median": median("score_to_persistence_median"),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(str(files("solvent.demo"))) / "data"
    found: dict[str, dict[str, float]] = {}
    for name in TABLES:
        if (folder / f"{name}.parquet").exists():
            found[name] = measured(folder / f"{name}.parquet", name)
            sys.stdout.write(f"{name}: {found[name]}\n")
            sys.stdout.flush()
            if len(sys.argv) > 1:
                RESULT.write_text(json.dumps(pooled(found), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
