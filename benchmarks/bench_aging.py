"""Which share of models degrades with age, in the design of the study that found 91%, on open tables.

    python benchmarks/bench_aging.py FOLDER [--jobs N] [--only NAME …]

After Vela et al. 2022 (Scientific Reports 12, 11654): four families of models, each trained on randomly placed windows
of one length and scored at every later age. *Degrades as in the study*: the error relative to the model's own first
window rises with age (the slope's 90% interval, over training times, lies above zero). *Ages*: it loses to a model of
the same family trained just before the same rows (`statistics.aging`), so that a season or a hard week is no age. The
interval of a share is Wilson's with tables as the unit, for the families of one table lean on each other.
FOLDER holds the tables of `bench_foresight.py`. Prints, and writes `benchmarks/results/aging.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from bench_foresight import TABLES
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from solvent.backtest.columns import Cases, understand
from solvent.backtest.cut import cut
from solvent.backtest.matrix import sample
from solvent.backtest.models import losses_of
from solvent.backtest.options import Options
from solvent.backtest.table import read_table
from solvent.statistics.aging import excess_of, judge_aging
from solvent.statistics.losses import stated_bound

RESULT = Path(__file__).parent / "results" / "aging.json"
TRAIN = 0.25  # length of a training window, as a share of the rows
WINDOWS = 24
TIMES = 16  # training times drawn for the study's figure
FIT_ROWS, SCORE_ROWS = 3_000, 300
LEAST_AGES = 3
LEVEL_Z = 1.645
FAMILIES = {
    "linear": (lambda: Ridge(), lambda: LogisticRegression(max_iter=500)),
    "forest": (
        lambda: RandomForestRegressor(60, min_samples_leaf=3, random_state=0),
        lambda: RandomForestClassifier(60, min_samples_leaf=3, random_state=0),
    ),
    "boosting": (
        lambda: HistGradientBoostingRegressor(max_iter=80, max_leaf_nodes=16, random_state=0),
        lambda: HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=16, random_state=0),
    ),
    "network": (
        lambda: MLPRegressor(hidden_layer_sizes=(32,), max_iter=150, early_stopping=True, random_state=0),
        lambda: MLPClassifier(hidden_layer_sizes=(32,), max_iter=150, early_stopping=True, random_state=0),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=sorted(TABLES), default=list(TABLES))
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(asked.jobs) as pool:
        cases = list(pool.map(aged, [(asked.folder, t, f) for t in asked.only for f in FAMILIES]))
    shares = {
        "degrades as in the study": share([case["degrades"] for case in cases], len(asked.only)),
        "ages against a fresh model": share(
            [case["verdict"] in ("gradual", "abrupt") for case in cases], len(asked.only)
        ),
    }
    for case in cases:
        print(
            f"  {case['table']:16}{case['family']:10}{case['verdict']:9} relative error {case['relative']:.2f} when old"
        )
    for what, (value, low, high) in shares.items():
        print(f"{what}: {value:.0%} of {len(cases)} (90% interval {low:.0%} to {high:.0%}); the study found 91%")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    RESULT.write_text(json.dumps({"machine": machine, "shares": shares, "cases": cases}, indent=1) + "\n")


def aged(case: tuple[Path, str, str]) -> dict[str, object]:
    """One family on one table."""
    folder, name, family = case
    time, target, drop = TABLES[name]
    options = Options(
        path=folder / f"{name}.parquet", time=time, target=target, drop=drop, train=TRAIN, windows=WINDOWS
    )
    cases = understand(read_table(options), options)
    course = cut(cases, options)
    rows = np.concatenate([sample(course.rows(window), SCORE_ROWS) for window in range(course.windows)])
    window_of = np.searchsorted(course.bounds, rows, side="right") - 1
    first, losses, bound = int(course.trained_by[0]), np.full((course.windows, course.windows), np.nan), 0.0
    for tick in range(course.windows):
        until, ahead = int(course.trained_by[tick]), window_of >= tick
        model = trained(cases, family, sample(np.arange(until - first, until), FIT_ROWS))
        raw = losses_of(cases, rows[ahead], outputs(cases, model, rows[ahead]))
        bound = bound or stated_bound(cases.metric, raw[window_of[ahead] == 0])
        sums = np.bincount(window_of[ahead], np.minimum(raw, bound), course.windows)
        losses[tick, tick:] = (sums / np.bincount(window_of, minlength=course.windows))[tick:]
    counts = np.ones(course.windows)
    memory = max(round(first / float(np.mean(np.diff(course.bounds)))), 1)
    filled = np.nan_to_num(losses)
    aging = judge_aging(excess_of(filled, counts), np.diagonal(losses), memory=memory)
    slope, old = relative_error(losses)
    print(f"aged: {name}, {family}", flush=True)
    return {
        "table": name,
        "family": family,
        "degrades": bool(slope[0] > 0),
        "relative": round(old, 3),
        "slope_interval": [round(end, 5) for end in slope],
        "verdict": aging.verdict,
        "added_at_middle_age": round(aging.share, 4),
    }


def trained(cases: Cases, family: str, rows: np.ndarray) -> tuple:
    number = cases.task == "regression"
    estimator = FAMILIES[family][0 if number else 1]()
    coded = np.flatnonzero(cases.categorical)
    plain = np.flatnonzero(~cases.categorical)
    filled = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    hot = OneHotEncoder(handle_unknown="ignore", max_categories=20, sparse_output=False)
    model = make_pipeline(ColumnTransformer([("plain", filled, plain), ("coded", hot, coded)]), estimator)
    y = cases.y[rows] if number else cases.y[rows].astype(int)
    scale = (float(y.mean()), float(y.std()) or 1.0) if number else (0.0, 1.0)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a network that is not yet at rest, a category that only one window has
        model.fit(cases.x[rows], (y - scale[0]) / scale[1] if number else y)
    return model, scale


def outputs(cases: Cases, fitted: tuple, rows: np.ndarray) -> np.ndarray:
    model, (middle, spread) = fitted
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if cases.task == "regression":
            return np.asarray(model.predict(cases.x[rows]), dtype=float) * spread + middle
        chances = model.predict_proba(cases.x[rows])
    full = np.zeros((len(rows), len(cases.classes)))
    full[:, model.classes_] = chances
    return full[:, 1] if cases.task == "binary" else full


def relative_error(losses: np.ndarray) -> tuple[list[float], float]:
    """The slope's 90% interval in age, of error over that in the first window; and the median of the older half."""
    windows = len(losses)
    generator = np.random.default_rng(0)
    times = np.sort(generator.choice(windows - LEAST_AGES, min(TIMES, windows - LEAST_AGES), replace=False))
    age = np.arange(windows)[None, :] - times[:, None]
    relative = np.where(age >= 0, losses[times] / losses[times, times][:, None], np.nan)
    used = age >= 1
    above = np.where(used, age * (relative - 1), 0.0).sum(axis=1)
    below = np.where(used, age**2, 0).sum(axis=1)
    drawn = generator.integers(0, len(times), (2_000, len(times)))
    slopes = above[drawn].sum(axis=1) / below[drawn].sum(axis=1)
    return np.quantile(slopes, [0.05, 0.95]).tolist(), float(np.median(relative[age > age.max() / 2]))


def share(found: list[bool], tables: int) -> list[float]:
    """Share, and the ends of Wilson's 90% interval with as many units as tables."""
    value, z2 = float(np.mean(found)), LEVEL_Z**2
    middle = (value + z2 / (2 * tables)) / (1 + z2 / tables)
    reach = LEVEL_Z / (1 + z2 / tables) * np.sqrt(value * (1 - value) / tables + z2 / (4 * tables**2))
    return [round(value, 4), round(max(middle - float(reach), 0.0), 4), round(min(middle + float(reach), 1.0), 4)]


if __name__ == "__main__":
    main()
