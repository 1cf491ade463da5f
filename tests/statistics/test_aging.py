"""Aging, on worlds whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.statistics.aging import age_curve, excess_of, half_life, judge_aging, time_to_threshold

WINDOWS, MEMORY, WORLDS = 30, 8, 60


def losses(kind, seed, *, noise=0.05, rate=0.03, luck=0.05):
    """Losses of models made before each window, trained on the last MEMORY windows, whose luck neighbours share."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, luck * MEMORY**0.5, WINDOWS + MEMORY)
    own = np.array([rows[k : k + MEMORY].mean() for k in range(WINDOWS)])
    season = 1 + 0.5 * np.sin(np.arange(WINDOWS) / 3)
    made, window = np.indices((WINDOWS, WINDOWS))
    age = window - made
    added = {
        "stable": np.zeros_like(age),
        "gradual": rate * age,
        "abrupt": np.where(window >= 14, 1 - np.clip((made - 14) / MEMORY, 0, 1), 0),
        "erratic": rng.normal(0, 0.04, age.shape) * age,
    }[kind]
    return season + own[:, None] + added + rng.normal(0, noise, age.shape)


def judged(kind, seed, **more):
    matrix = losses(kind, seed, **more)
    return judge_aging(excess_of(matrix, np.ones(WINDOWS)), np.diagonal(matrix), memory=MEMORY, draws=200, seed=seed)


@pytest.mark.parametrize("kind", ["stable", "gradual", "abrupt", "erratic"])
def test_the_verdict_is_the_worlds(kind):
    verdicts = [judged(kind, seed).verdict for seed in range(WORLDS)]
    assert verdicts.count(kind) >= 0.9 * WORLDS


@pytest.mark.parametrize("rate", [0.0, 0.03])
def test_the_slopes_interval_covers(rate):
    found = [judged("gradual", seed, rate=rate).slope for seed in range(WORLDS)]
    assert sum(slope.lower <= rate <= slope.upper for slope in found) >= 0.85 * WORLDS
    assert np.mean([slope.value for slope in found]) == pytest.approx(rate, abs=0.003)


def test_a_step_is_dated():
    found = judged("abrupt", 3)
    assert abs(found.step - 14) <= 1 and found.step_size == pytest.approx(1, rel=0.3)


def test_a_hard_season_that_hits_fresh_models_too_is_no_age():
    matrix = losses("stable", 1)
    harder = matrix + 5 * (np.arange(WINDOWS) > 20)[None, :]
    rows = np.ones(WINDOWS)
    assert excess_of(harder, rows)[np.triu_indices(WINDOWS)] == pytest.approx(
        excess_of(matrix, rows)[np.triu_indices(WINDOWS)]
    )


def test_luck_that_old_models_share_less_of_is_not_erratic():
    """Nothing ages, and models differ by the rows that they happened to see, of which young ones share most."""
    verdicts = [judged("stable", seed, noise=0.005, luck=0.1).verdict for seed in range(WORLDS)]
    assert verdicts.count("erratic") <= 0.1 * WORLDS


def test_significant_but_tiny_is_stable():
    assert judged("gradual", 0, noise=1e-6, rate=1e-4).verdict == "stable"


@given(st.floats(0.01, 1000))
@settings(deadline=None, max_examples=20)
def test_the_unit_does_not_matter(factor):
    matrix, rows = losses("gradual", 5), np.full(WINDOWS, 3)
    one = judge_aging(excess_of(matrix, rows), np.diagonal(matrix) / 3, memory=MEMORY, draws=50)
    scaled = judge_aging(excess_of(factor * matrix, rows), factor * np.diagonal(matrix) / 3, memory=MEMORY, draws=50)
    assert scaled.verdict == one.verdict and scaled.slope.value == pytest.approx(factor * one.slope.value)
    assert scaled.share == pytest.approx(one.share)


def test_entries_before_a_model_was_made_are_never_read():
    matrix = losses("gradual", 2)
    broken = matrix.copy()
    broken[np.tril_indices(WINDOWS, -1)] = np.nan
    rows = np.ones(WINDOWS)
    assert judge_aging(excess_of(broken, rows), np.diagonal(matrix), memory=MEMORY, draws=50) == judge_aging(
        excess_of(matrix, rows), np.diagonal(matrix), memory=MEMORY, draws=50
    )


def line(rate, windows=20):
    made, window = np.indices((windows, windows))
    return np.where(window >= made, rate * (window - made), np.nan)


def test_quantiles_by_age_end_where_few_models_are_left():
    curve = age_curve(line(2.0))
    assert curve.ages == list(range(1, 18)) and curve.models[0] == 19 and curve.models[-1] == 3
    assert curve.middle == [2.0 * age for age in curve.ages] == curve.lower == curve.upper


def test_half_of_the_skill_is_lost_where_the_line_says_so():
    assert half_life(line(2.0), skill=10) == pytest.approx(2.5)
    assert half_life(line(2.0), skill=1000) is None, "the table does not reach so far"
    assert half_life(line(2.0), skill=-1) is None, "no skill to lose"
    assert half_life(-line(2.0), skill=10) is None


def test_time_to_threshold_counts_models_that_never_cross_as_long_as_they_were_seen():
    assert time_to_threshold(line(1.0), 4.6) == (5.0, 5.0, 5.0), "5 and 6 together exceed 4.6"
    assert time_to_threshold(line(1.0), 100) == (None, None, None)
    half = line(1.0, 40)
    half[2::3] = 0.0 * half[2::3]
    low, middle, high = time_to_threshold(half, 4.6)
    assert (low, middle, high) == (5.0, 5.0, None), "two of three fell at five, the others are good for ever"
