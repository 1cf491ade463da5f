"""What the statistics promise, by simulation: false alarms where nothing happens, intervals that hold, power.

`tests/promises` draws a little of it in every run of the suite, `make calibrate` all of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import beta, rankdata
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from solvent.statistics.blocks import HOUR
from solvent.statistics.estimation import learn_loss
from solvent.statistics.losses import row_loss, stated_bound

LEVEL = 0.9
SHIFTS = (0.0, 0.7, 1.5)


@dataclass(frozen=True)
class Rate:
    """hits of trials, and what was promised of them. most: the promise is an upper bound (a rate of alarms), else a
    lower one (a coverage). note: what else was seen."""

    name: str
    hits: int
    trials: int
    promise: float
    most: bool
    note: str = ""

    @property
    def interval(self) -> tuple[float, float]:
        """95%, Clopper and Pearson."""
        low = float(beta.ppf(0.025, self.hits, self.trials - self.hits + 1)) if self.hits else 0.0
        high = float(beta.ppf(0.975, self.hits + 1, self.trials - self.hits)) if self.hits < self.trials else 1.0
        return low, high

    @property
    def kept(self) -> bool:
        """Whether what was seen is no evidence against the promise."""
        return self.interval[0] <= self.promise if self.most else self.interval[1] >= self.promise


@dataclass(frozen=True)
class Told:
    """One window's estimate beside what was realised. shift: how far the inputs were moved, in deviations."""

    held: bool
    width: float
    error: float
    shift: float
    abstained: bool


def shifted_windows(
    x: np.ndarray, y: np.ndarray, task: str, metric: str, *, seed: int, windows: int, reference: int = 1500
) -> Iterator[Told]:
    """A real table in which only inputs move: rows shuffled in time, then drawn so that one feature, a threshold of
    one, the output, or a sum of two is tilted by up to 1.5 deviations."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    x, y, learn = x[order], y[order], len(y) // 3
    with threadpool_limits(1):
        kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
        model = kind(max_iter=60, random_state=0).fit(x[:learn], y[:learn])
        output = model.predict(x) if task == "regression" else model.predict_proba(x)[:, 1]
    held, rest = np.arange(learn, learn + reference), np.arange(learn + reference, len(y))
    raw = row_loss(metric, y, output)
    bound = stated_bound(metric, raw[held])
    loss = np.minimum(raw, bound)
    known = learn_loss(task, metric, y[held], output[held], held * HOUR, bound=bound, block=24 * HOUR, features=x[held])
    assert known is not None
    for number in range(windows):
        shift = SHIFTS[number % len(SHIFTS)]
        tilt = _direction(x[rest], output[rest], number % 4, rng)
        chance = np.exp(shift * tilt)
        rows = rest[rng.choice(len(rest), min(400, len(rest) // 4), replace=False, p=chance / chance.sum())]
        found = known.estimate(output[rows], np.arange(len(rows)) * HOUR, features=x[rows], level=LEVEL)
        true = float(loss[rows].mean())
        yield Told(
            held=found.loss.lower <= true <= found.loss.upper,
            width=(found.loss.upper - found.loss.lower) / 2 / true,
            error=(found.loss.value - true) / true,
            shift=shift,
            abstained=bool(found.abstains),
        )


def _direction(x: np.ndarray, output: np.ndarray, kind: int, rng: np.random.Generator) -> np.ndarray:
    one, other = (rankdata(np.nan_to_num(x[:, rng.integers(x.shape[1])])) for _ in range(2))
    tilt = (one, (one > 0.8 * len(one)) * 1.0, rankdata(output), one + other)[kind]
    spread = float(tilt.std())
    return (tilt - tilt.mean()) / (spread if spread > 0 else 1.0) * rng.choice([-1, 1])


def as_case(table: pl.DataFrame, target: str, leave: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Features as numbers, categories by the rank of their text, and the target."""
    columns = [
        (table[name] if table[name].dtype.is_numeric() else table[name].cast(pl.String).rank("dense"))
        .cast(pl.Float64)
        .fill_null(math.nan)
        .to_numpy()
        for name in table.columns
        if name not in (target, *leave)
    ]
    return np.column_stack(columns), table[target].cast(pl.Float64).to_numpy()


Draw = Callable[[np.random.Generator, int, float], tuple[np.ndarray, np.ndarray, np.ndarray]]


def coverage(name: str, told: list[Told]) -> Rate:
    """The estimate's intervals on windows that it did not abstain from; promised are 85% where 90% is said."""
    seen = [one for one in told if not one.abstained]
    by_shift = {shift: np.mean([one.held for one in seen if one.shift == shift]) for shift in SHIFTS}
    width, error = np.median([one.width for one in seen]), np.sqrt(np.mean([one.error**2 for one in seen]))
    note = f"half width {width:.1%} of the loss, error {error:.1%}, abstained from {len(told) - len(seen)}; by shift "
    note += ", ".join(f"{shift:g}: {share:.2f}" for shift, share in by_shift.items())
    return Rate(name, sum(one.held for one in seen), len(seen), 0.85, most=False, note=note)


def as_json(rates: list[Rate]) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "hits": one.hits,
            "trials": one.trials,
            "rate": round(one.hits / one.trials, 5),
            "interval": [round(bound, 5) for bound in one.interval],
            "promise": one.promise,
            "kept": one.kept,
            "note": one.note,
        }
        for one in rates
    ]
