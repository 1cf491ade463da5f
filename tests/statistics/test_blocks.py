"""Blocks in time and what is resampled from them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from solvent.statistics.blocks import DAY, HOUR, autocorrelation, block_length, block_means, grouped
from solvent.statistics.bootstrap import block_bootstrap, predictive_interval


@given(st.lists(st.tuples(st.integers(0, 10), st.floats(-100, 100)), max_size=60))
def test_block_means_weighted_by_rows_give_the_mean_of_all(rows: list[tuple[int, float]]) -> None:
    micros = np.sort(np.array([at for at, _ in rows], dtype=np.int64)) * HOUR
    values = np.array([value for _, value in rows], dtype=float)
    means, starts, counts = block_means(values, micros, 3 * HOUR)
    assert counts.sum() == len(rows) and (starts % (3 * HOUR) == 0).all()
    if rows:
        assert np.average(means, weights=counts) == pytest.approx(values.mean(), abs=1e-9)


def test_independent_rows_need_an_hour_and_dependent_ones_more() -> None:
    rng, hours = np.random.default_rng(0), np.arange(24 * 60) * HOUR
    noise = rng.normal(size=len(hours))
    assert block_length(noise, hours) == HOUR
    assert block_length(np.asarray(lfilter([1], [1, -0.9], noise)), hours) >= DAY


def test_a_daily_pattern_needs_whole_days() -> None:
    hours = np.arange(24 * 60) * HOUR
    pattern = np.sin(np.arange(24 * 60) / 24 * 2 * np.pi)
    assert block_length(pattern + 0.3 * np.random.default_rng(0).normal(size=len(hours)), hours) >= DAY


def test_autocorrelation_of_what_does_not_vary_is_zero() -> None:
    assert autocorrelation(np.ones(50)) == 0 and autocorrelation(np.array([1.0])) == 0


def test_bootstrap_covers_a_mean_and_says_what_it_cannot() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        found = block_bootstrap(rng.normal(3, 1, size=12), np.ones(12, dtype=np.int64))
        hits += found.lower <= 3 <= found.upper
    assert hits >= 165  # of 200 at 90%: five standard errors of luck
    assert math.isinf(block_bootstrap(np.array([1.0]), np.array([5])).upper)
    assert math.isnan(block_bootstrap(np.array([]), np.array([], dtype=np.int64)).value)


def test_predictive_interval_covers_the_next_mean() -> None:
    rng = np.random.default_rng(2)
    draws = rng.normal(size=(400, 9))
    inside = 0
    for row in draws:
        low, high = predictive_interval(row[:8], level=0.9)
        inside += low <= row[8] <= high
    assert 0.85 <= inside / 400 <= 0.95
    assert predictive_interval(np.array([1.0])) == (-math.inf, math.inf)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30), st.sampled_from([1, 1_000_000]))
def test_grouped_answers_as_numpy_does(keys: list[int], apart: int) -> None:
    given_keys = np.array(keys) * apart
    ours, numpys = grouped(given_keys), np.unique(given_keys, return_inverse=True, return_counts=True)
    assert all((mine == theirs).all() for mine, theirs in zip(ours, numpys, strict=True))
