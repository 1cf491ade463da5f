"""Draw every promise of the statistics at length, and write what came of it for the documentation.

    python tests/promises/calibrate.py [--share S] [TABLE.parquet:TIME:TARGET[:LEFT,OUT] ...]

share: of the full number of draws (1 takes about five minutes on two cores). Tables beside the two that come with
Solvent: rows are shuffled in time, so that nothing ages, and drawn so that only inputs move. Writes
`benchmarks/results/calibration.json`, which `make docs` draws.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from calibration import (
    Rate,
    as_case,
    as_json,
    bets_that_got_rich,
    coverage,
    dates_that_held,
    drift_power,
    powered_that_held,
    quiet_drift,
    quiet_losses,
    quiet_table,
    quiet_trend,
    sequences_that_missed,
    shifted_windows,
    true_intervals_condemned,
)
from real_tables import bikes, flights

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "calibration.json"
NULLS = (("independent", 4), ("independent", 12), ("autocorrelated", 8), ("seasonal", 26), ("long tailed", 8))
SIZES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5)
Table = tuple[str, pl.DataFrame, str, tuple[str, ...]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("tables", nargs="*")
    options = parser.parse_args()
    tables: list[Table] = [
        ("bikes", bikes(), "count", ("time",)),
        ("flights, a sixteenth", flights().drop_nulls("late"), "late", ("scheduled",)),
        *(_named(text) for text in options.tables),
    ]
    started = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:  # polars does not bear forks
        parts = {
            "false alarms": [pool.submit(_quiet, kind, known, options.share) for kind, known in NULLS]
            + [pool.submit(_shuffled, table, options.share) for table in tables]
            + [pool.submit(_sequential, options.share)],
            "coverage": [pool.submit(_covered, table, options.share) for table in tables]
            + [pool.submit(_other_intervals, options.share)],
            "power": [pool.submit(_power, kind, options.share) for kind in ("independent", "autocorrelated")],
        }
        found = {name: [rate for job in jobs for rate in job.result()] for name, jobs in parts.items()}
    document: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "seconds": round(time.perf_counter() - started),
        "share": options.share,
        **{name: as_json(rates) for name, rates in found.items()},
    }
    for rates in found.values():
        for rate in rates:
            low, high = rate.interval
            word = "" if rate.kept or "Kolmogorov" in rate.name else "  BROKEN"
            print(f"{rate.name:60} {rate.hits / rate.trials:7.4f} ({low:.4f} to {high:.4f}){word}  {rate.note}")
    RESULT.write_text(json.dumps(document, indent=1) + "\n")
    return 0 if all(r.kept or "Kolmogorov" in r.name for rates in found.values() for r in rates) else 1


def _draws(count: int, share: float) -> int:
    return max(round(count * share), 2)


def _named(text: str) -> Table:
    path, time_column, target, *left = text.split(":")
    leave = (time_column, *(left[0].split(",") if left else ()))
    return Path(path).stem, pl.read_parquet(path).drop_nulls(target), target, leave


def _quiet(kind: str, known: int, share: float) -> list[Rate]:
    return list(quiet_drift(kind, known, _draws(240, share)))


def _shuffled(table: Table, share: float) -> list[Rate]:
    name, frame, target, leave = table
    x, _ = as_case(_thinned(frame), target, leave)
    rate = quiet_table(x, seeds=_draws(20, share))
    return [Rate(f"{rate.name}: {name}", rate.hits, rate.trials, rate.promise, most=True)]


def _sequential(share: float) -> list[Rate]:
    kinds = ("even", "skewed", "rare")
    return [
        *(sequences_that_missed(kind, _draws(2000, share)) for kind in kinds),
        *(bets_that_got_rich(kind, _draws(4000, share)) for kind in kinds),
        quiet_losses(_draws(300, share)),
        *(
            quiet_trend(kind, _draws(200, share), limit=limit)
            for kind in ("independent", "autocorrelated", "seasonal")
            for limit in (1.0, 2.0, 3.0)
        ),
        *(true_intervals_condemned(shared, _draws(2000, share)) for shared in (0.0, 0.5, 0.9)),
    ]


def _covered(table: Table, share: float) -> list[Rate]:
    name, frame, target, leave = table
    x, y = as_case(_thinned(frame), target, leave)
    binary = len(np.unique(y)) == 2
    task, metric = ("binary", "log_loss") if binary else ("regression", "mae")
    seeds = range(_draws(30, share))
    told = [one for seed in seeds for one in shifted_windows(x, y, task, metric, seed=seed, windows=6)]
    return [coverage(f"loss without labels: {name}", told)]


def _other_intervals(share: float) -> list[Rate]:
    dated = [dates_that_held(_draws(2000, share), size=size, lag=lag) for size in (1.0, 2.0) for lag in (0.0, 0.4)]
    return dated + [powered_that_held(_draws(1000, share), skill=skill) for skill in (1.0, 0.0)]


def _power(kind: str, share: float) -> list[Rate]:
    return [drift_power(size, _draws(60, share), kind=kind) for size in SIZES]


def _thinned(frame: pl.DataFrame, most: int = 15_000) -> pl.DataFrame:
    return frame.gather_every(max(frame.height // most, 1))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    raise SystemExit(main())
