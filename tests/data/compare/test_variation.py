"""Blocks of the left, in time and in order, and what they make of a shift."""

import numpy as np
import polars as pl
import pytest

from solvent.data.compare.shift import Rule, column_shift, shifts
from solvent.data.compare.variation import CHANCE, LEAST_BLOCKS, MOST_BLOCKS, in_order, in_time

HOUR = 3_600_000_000


@pytest.mark.parametrize(("rows", "other"), [(100, 100), (1000, 100), (5000, 100), (10**6, 100), (3, 5), (100, 0)])
def test_blocks_are_as_large_as_the_right_where_enough_fit(rows, other):
    variation = in_order(rows, other)
    sizes = [stop - start for start, stop in variation.bounds]
    assert LEAST_BLOCKS <= len(sizes) <= MOST_BLOCKS
    assert variation.bounds[0][0] >= 0 and variation.bounds[-1][1] == rows
    if other and rows > MOST_BLOCKS * other:
        assert set(sizes) == {other}, "some of them, no larger than the right"
    if other and rows >= LEAST_BLOCKS * other:
        assert min(sizes) >= other, "smaller blocks would not vary by less"


def test_blocks_in_time_follow_time_whatever_the_order_of_rows():
    micros = np.arange(1000) * HOUR
    shuffled = np.random.default_rng(1).permutation(1000)
    sorted_, mixed = in_time(micros, 100), in_time(micros[shuffled], 100)
    assert sorted_.order is None and sorted_.bounds == mixed.bounds
    assert (micros[shuffled][mixed.order] == micros).all()
    assert (sorted_.natural.blocks, sorted_.natural.rows) == (10, 100)
    assert sorted_.natural.days == pytest.approx(100 / 24, rel=0.01)


def test_a_limit_does_not_hang_on_the_order_of_rows():
    rng = np.random.default_rng(4)
    micros, right = np.arange(6720) * HOUR, weeks(1, rng)
    order = rng.permutation(6720)
    values = weeks(0, rng, 40)
    sides = [(values, micros), (values[order], micros[order])]
    limits = [
        column_shift(pl.Series("x", v), pl.Series("x", right), Rule(in_time(m, len(right)), 0.05)).limit
        for v, m in sides
    ]
    assert limits[0] == pytest.approx(limits[1]) and limits[0] > 1, "weeks differ, whole or shuffled"


def test_a_gap_in_time_is_no_block():
    micros = np.concatenate([np.arange(500), np.arange(2000, 2500)]) * HOUR
    sizes = [stop - start for start, stop in in_time(micros, 50).bounds]
    assert min(sizes) >= max(sizes) / 2 and sum(sizes) >= 900


def weeks(level, rng, count=1):
    """Hourly values with a level of each week's own."""
    return np.concatenate([level + rng.normal(0, 1) + rng.normal(0, 1, 168) for _ in range(count)])


def test_weeks_that_differ_are_no_drift_in_time_and_are_by_chance():
    rng = np.random.default_rng(2)
    left, right = pl.Series("x", weeks(0, rng, 40)), pl.Series("x", weeks(1, rng))
    in_weeks = in_time(np.arange(len(left)) * HOUR, len(right))
    assert in_weeks.natural.blocks == 40
    assert not column_shift(left, right, Rule(in_weeks, 0.05)).beyond
    assert column_shift(left, right, Rule(CHANCE, 0.05)).beyond
    assert column_shift(left, pl.Series("x", weeks(6, rng)), Rule(in_weeks, 0.05)).beyond


def test_like_tables_drift_no_oftener_than_the_level():
    """Twelve columns, a hundred comparisons of like tables; floors of zero, so that the limits alone hold."""
    drifted = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        sides = [
            {f"n{i}": pl.Series(f"n{i}", rng.standard_t(3, 300)) for i in range(6)}
            | {f"c{i}": pl.Series(f"c{i}", rng.choice(list("abcde"), 300)) for i in range(3)}
            | {f"m{i}": pl.Series(f"m{i}", [None if h else 1.0 for h in rng.random(300) < 0.2]) for i in range(3)}
            for _ in range(2)
        ]
        rule = Rule(CHANCE, 0.05, 0.0, 0.0, 0.0, seed)
        drifted += any(s.moved for s in shifts(sides[0].__getitem__, sides[1].__getitem__, list(sides[0]), rule))
    assert drifted <= 0.05 * 100 + 3 * np.sqrt(0.05 * 100)


def test_a_shift_of_three_tenths_is_seen_in_a_thousand_rows():
    seen = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        left, right = (pl.Series("x", rng.normal(mean, 1, 1000)) for mean in (0, 0.3))
        seen += column_shift(left, right, Rule(CHANCE, 0.05 / 50)).beyond
    assert seen >= 38


def test_missing_values_move_by_blocks_too():
    rng = np.random.default_rng(3)
    holes = np.concatenate([rng.random(100) < rate for rate in rng.uniform(0, 0.2, 30)])
    left = pl.Series("x", np.where(holes, np.nan, 1.0))
    rule = Rule(in_order(len(left), 100), 0.01)
    kept, lost = (pl.Series("x", np.where(rng.random(100) < rate, np.nan, 1.0)) for rate in (0.15, 0.6))
    assert not column_shift(left, kept, rule).missing_beyond and column_shift(left, lost, rule).missing_beyond
    assert column_shift(left, kept, Rule(CHANCE, 0.01)).missing_limit < column_shift(left, kept, rule).missing_limit


def test_few_rows_are_not_judged_by_blocks():
    left, right = pl.Series("x", np.arange(30.0)), pl.Series("x", np.arange(30.0) + 500)
    found = column_shift(left, right, Rule(in_order(30, 30)))
    assert found.effect > 10 and found.limit is None and not found.beyond
