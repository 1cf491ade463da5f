"""The slice where a loss is in excess is found, and luck is not."""

from __future__ import annotations

import numpy as np

from solvent.statistics.slices import excess_slices, in_slice

NAMES = ["age", "shop", "noise"]


def world(seed: int, rows: int = 2400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.uniform(18, 80, rows), rng.integers(0, 5, rows), rng.normal(size=rows)]).astype(float)
    x[rng.uniform(size=rows) < 0.02, 2] = np.nan
    return x, rng.exponential(size=rows) - 1, np.arange(rows) // 50


def test_the_bad_slice_is_found_with_its_bounds_and_its_size() -> None:
    x, excess, blocks = world(0)
    bad = (x[:, 0] > 60) & (x[:, 1] <= 1)
    worst = excess_slices(x, excess + 2.0 * bad, blocks, NAMES)[0]
    assert {bound.feature for bound in worst.bounds} == {"age", "shop"}
    assert worst.excess.lower < 2.0 < worst.excess.upper + 0.2 and worst.carried > 0.7
    assert "age above 60" in str(worst) or "age above 59" in str(worst)
    inside = in_slice(x, NAMES, worst)
    assert (inside & bad).sum() > 0.9 * bad.sum() and (inside & ~bad).sum() < 0.1 * inside.sum()


def test_luck_is_named_no_more_often_than_promised() -> None:
    named = sum(bool(excess_slices(*world(seed, 1200), NAMES, alpha=0.05)) for seed in range(100))
    assert named <= 11  # upper end of what 5% may bring in 100


def test_too_little_says_nothing() -> None:
    x, excess, blocks = world(1)
    assert excess_slices(x[:50], excess[:50], blocks[:50], NAMES) == []
    assert excess_slices(x[:, :0], excess + 5, blocks, []) == []
    assert excess_slices(x, np.zeros(len(x)), blocks, NAMES) == []
    assert excess_slices(x, excess + 5, np.zeros(len(x), dtype=int), NAMES) == []
