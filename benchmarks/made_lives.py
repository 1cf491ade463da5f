"""Lives of a real table in which one thing moves, a little more in each window, and nothing else ages.

The table's rows are shuffled in time. What the windows after the training part then hold is made so that the first
model's loss should stand a quarter above its first one after two thirds of them:

- *inputs move*: rows are drawn towards those that are harder for the model in ways that their features show. A tilt
  exp(s·h) grows evenly with the window; h is the rank (mean 0, deviation 1) of the loss that is
  expected given features, learned on training rows. Draw 0 learns it from all features, later ones from a half of them
  that the seed draws. Rows are real, with their labels, and dealt from decks of like rows: one comes again only where
  the tilt asks for more of its kind than there are.
- *relation moves*: rows stay as they are; a share of labels, growing evenly with the window, changes places.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

RISE = 1.25  # of the first model's loss: the threshold of these lives
REACHED = 2 / 3  # of the life, when the loss should stand there
_DECKS = 50  # of rows that are about equally hard
_STEEPEST = 3.0


def made(folder: Path, room: Path, life: tuple[str, str, float, int], windows: int) -> pl.DataFrame:
    """The table of such a life. life: table, kind, training share, draw; room: a folder to work in."""
    from bench_foresight import TABLES

    name, kind, share, seed = life
    time, target, drop = TABLES[name]
    table = pl.read_parquet(folder / f"{name}.parquet").drop_nulls(target).sort(time)
    table = table.with_columns(table.drop(time).sample(fraction=1.0, shuffle=True, seed=seed))
    table.write_parquet(room / "shuffled.parquet")
    asked = {"time": time, "target": target, "drop": drop, "train": share, "windows": windows}
    cases, bounds = read(room / "shuffled.parquet", asked)
    rng, first = np.random.default_rng(seed), int(bounds[0])
    loss, mixed = judged_halves(cases, first, rng)
    if kind == "inputs move":
        hard = hardness(cases, loss, first, rng, some=seed > 0)
        rows = dealt(hard[first:], bounds - first, steepness(hard[:first], loss), rng)
        rest = table[first:][rows].drop(time)
    else:
        full = (RISE - 1) * loss.mean() / (mixed - loss.mean())
        grown = np.repeat(np.arange(1, len(bounds)) / (len(bounds) - 1) / REACHED, np.diff(bounds))
        moved = np.flatnonzero(rng.random(len(grown)) < full * grown)
        order = np.arange(len(grown))
        order[moved] = rng.permutation(moved)
        rest = table[first:].drop(time).with_columns(table[first:][target][order])
    later = rest.select(table.drop(time).columns).with_columns(table[time][first:])
    return pl.concat([table[:first], later.select(table.columns)])


def read(path: Path, asked: dict[str, Any]) -> tuple[Any, np.ndarray]:
    """The table as `solvent backtest` understands it, and the first row of each window, with the end."""
    from solvent.backtest.columns import understand
    from solvent.backtest.cut import cut
    from solvent.backtest.options import Options
    from solvent.backtest.table import read_table

    options = Options(path=path, **asked)
    cases = understand(read_table(options), options)
    return cases, cut(cases, options).bounds


def judged_halves(cases: Any, first: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Loss of each training row by a model of the other half; its mean were labels exchanged among the rows."""
    from solvent.backtest.models import Learner, losses_of
    from solvent.statistics.losses import multiclass_loss, row_loss, stated_bound

    learner, halves = Learner(cases, "", 0), (np.arange(first // 2), np.arange(first // 2, first))
    outputs = [learner.train(other).outputs(own) for own, other in (halves, halves[::-1])]
    raw = np.concatenate([losses_of(cases, own, output) for own, output in zip(halves, outputs, strict=True)])
    bound, exchanged = stated_bound(cases.metric, raw), rng.permutation(cases.y[:first])
    of_rows = multiclass_loss if cases.task == "multiclass" else row_loss
    mixed = of_rows(cases.metric, exchanged, np.concatenate(outputs))
    return np.minimum(raw, bound), float(np.minimum(mixed, bound).mean())


def hardness(cases: Any, loss: np.ndarray, first: int, rng: np.random.Generator, *, some: bool) -> np.ndarray:
    """Rank of each row's expected loss given its features, mean 0 and deviation 1; training rows out of fold."""
    from scipy.stats import rankdata
    from sklearn.ensemble import HistGradientBoostingRegressor

    own = [at for at, name in enumerate(cases.features) if name not in cases.clocks]
    kept = rng.choice(own, (len(own) + 1) // 2, replace=False) if some else own
    x, odd = cases.x[:, kept], np.arange(len(cases.y)) % 2 == 1
    expected = np.empty(len(cases.y))
    for held in (odd, ~odd):
        learned = HistGradientBoostingRegressor(max_iter=60, learning_rate=0.06, max_leaf_nodes=8, random_state=0)
        expected[held] = learned.fit(x[:first][~held[:first]], loss[~held[:first]]).predict(x[held])
    ranks = rankdata(expected)
    return np.asarray((ranks - ranks.mean()) / max(ranks.std(), 1e-9))


def steepness(hard: np.ndarray, loss: np.ndarray) -> float:
    """The tilt of the last window: so that training rows reach a mean loss of `RISE` at two thirds of it."""
    steps = np.linspace(0, _STEEPEST, 301)[1:]
    reached = [float(np.average(loss, weights=np.exp(step * hard))) >= RISE * loss.mean() for step in steps]
    return float(steps[int(np.argmax(reached))] if any(reached) else _STEEPEST) / REACHED


def dealt(hard: np.ndarray, bounds: np.ndarray, steepest: float, rng: np.random.Generator) -> np.ndarray:
    """Positions of the rows of all windows, in order: from each deck as many as the window's tilt asks for."""
    windows = len(bounds) - 1
    decks = np.array_split(np.argsort(hard, kind="stable"), _DECKS)
    middle = np.array([hard[deck].mean() for deck in decks])
    sizes = [len(deck) for deck in decks]
    stacks = [rng.permutation(deck) for deck in decks]
    found = []
    for window in range(windows):
        chance = sizes * np.exp(steepest * (window + 1) / windows * middle)
        counts = rng.multinomial(int(bounds[window + 1] - bounds[window]), chance / chance.sum())
        rows = []
        for at, count in enumerate(counts):
            while len(stacks[at]) < count:
                stacks[at] = np.concatenate([stacks[at], rng.permutation(decks[at])])
            rows.append(stacks[at][:count])
            stacks[at] = stacks[at][count:]
        found.append(rng.permutation(np.concatenate(rows)))
    return np.concatenate(found)
