"""How far columns moved, held against how much the left varies by itself."""

import numpy as np
import polars as pl
import pytest

from solvent.data.compare import compare_tables
from solvent.data.compare.sample import SAMPLE


def shift(left, right, column="x"):
    found = compare_tables(pl.DataFrame({column: left}).lazy(), pl.DataFrame({column: right}).lazy())
    return found.shifts[0]


def test_an_effect_is_in_standard_deviations_of_the_left():
    rng = np.random.default_rng(1)
    found = shift(rng.normal(10, 2, 20_000), rng.normal(11, 2, 20_000))
    assert found.effect == pytest.approx(0.5, abs=0.05) and found.unit == "sd" and found.beyond
    assert (round(found.left.mean), round(found.right.mean)) == (10, 11)


def test_tables_of_one_distribution_do_not_move():
    moved = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        sides = [
            pl.DataFrame(
                {"x": rng.normal(size=2000), "k": rng.choice(list("abc"), 2000), "n": rng.poisson(3, 2000)}
            ).lazy()
            for _ in range(2)
        ]
        moved += len(compare_tables(*sides).moved)
    assert moved == 0


def test_a_seasons_swing_is_what_the_left_varies_by_itself():
    """The left is a year in order of time; another month of it moves no further than its own eighths do."""
    rng = np.random.default_rng(2)
    day = np.arange(8760) / 24
    temperature = 15 + 10 * np.sin(2 * np.pi * day / 365) + rng.normal(0, 2, 8760)
    july = temperature[4400:5100]
    found = shift(temperature, july)
    assert found.effect > 0.5 and not found.beyond
    assert shift(temperature, july + 25).beyond


def test_categories_name_the_new_and_the_gone():
    rng = np.random.default_rng(3)
    found = shift(rng.choice(["a", "b", "old"], 4000), rng.choice(["a", "b", "new"], 4000))
    assert found.beyond and (found.new, found.gone) == (["new"], ["old"])
    assert found.picture is not None and sum(found.picture.right) == pytest.approx(1)


def test_a_rising_missing_rate_is_told():
    rng = np.random.default_rng(4)
    values = rng.normal(size=4000)
    holes = [None if i % 10 == 0 else v for i, v in enumerate(values)]
    found = shift(values.tolist(), holes)
    assert found.missing_beyond and not found.beyond and found.right.missing == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([5] * 200, [5] * 200),
        ([5] * 200, [6] * 200),
        ([None] * 50, [1.0] * 50),
        ([float("inf")] * 100, [1.0] * 100),
        ([1, 2, 3], [4, 5, 6]),
        ([], [1, 2]),
        ([b"x"] * 20, [b"y"] * 20),
    ],
)
def test_odd_columns_compare(left, right):
    found = shift(left, right)
    assert found.effect is None or np.isfinite(found.effect)


def test_a_constant_that_became_another_moved():
    assert shift([5] * 200, [6] * 200).effect > 0


def test_large_tables_are_sampled_evenly():
    rng = np.random.default_rng(5)
    left = pl.DataFrame({"x": rng.normal(size=3 * SAMPLE)})
    found = compare_tables(left.lazy(), left.with_columns(pl.col("x") + 1).lazy())
    assert found.sampled == (SAMPLE, SAMPLE) and found.shifts[0].effect == pytest.approx(1, abs=0.02)
