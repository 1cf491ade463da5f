"""Forecasts know nothing of the future, cover what they promise, and are scored by a proper score."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.statistics.forecast import LEVEL, PERSISTENCE, Forecast, interval_score, score, walk_forward


def at_once(losses):
    return np.arange(len(losses) + 1)


@given(st.lists(st.floats(0.01, 100), min_size=6, max_size=30), st.integers(1, 5), st.integers(0, 3), st.data())
@settings(deadline=None, max_examples=60)
def test_the_future_changes_no_forecast_made_before_it(values, ahead, delay, data):
    losses = np.array(values)
    known = np.maximum(at_once(losses) - delay, 0)
    tick = data.draw(st.integers(0, len(losses)))
    other = losses.copy()
    other[known[tick] :] = 7.0
    made, again = (walk_forward(one, known, 1.0, ahead=ahead) for one in (losses, other))
    assert made[: tick + 1] == again[: tick + 1]
    assert [one.window for one in made] == [at + ahead - 1 for at in range(len(losses) + 1)]
    assert all(one.lower < one.value < one.upper for one in made)


@given(st.floats(0.001, 1000))
@settings(deadline=None, max_examples=20)
def test_the_unit_of_the_loss_does_not_matter(factor):
    losses = np.exp(np.random.default_rng(0).normal(0, 0.3, 20))
    for one, other in zip(
        walk_forward(losses, at_once(losses), 1.0), walk_forward(losses * factor, at_once(losses), factor), strict=True
    ):
        assert (other.value, other.upper) == pytest.approx((one.value * factor, one.upper * factor))


def test_persistence_says_the_last_loss_and_a_rise_moves_it():
    losses = np.array([1.0, 2.0, 4.0, 3.0])
    still = walk_forward(losses, at_once(losses), 1.5, smoothing=PERSISTENCE)
    assert [one.value for one in still] == pytest.approx([1.5, 1.0, 2.0, 4.0, 3.0])
    risen = walk_forward(losses, at_once(losses), 1.5, smoothing=PERSISTENCE, rise=np.full(5, math.log(1.1)), ahead=2)
    assert risen[-1].value == pytest.approx(3.0 * 1.1**2)


@pytest.mark.parametrize("kind", ["level", "walk", "line"])
def test_four_in_five_intervals_hold(kind):
    """Pooled over many courses of 40 windows: noise about a level, a random walk, a steady rise."""
    inside = count = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        steps = rng.normal(0, 0.2, 40)
        logs = {"level": steps, "walk": np.cumsum(steps), "line": 0.03 * np.arange(40) + steps}[kind]
        found = score(walk_forward(np.exp(logs), at_once(logs), 1.0), np.exp(logs))
        inside, count = inside + found.inside, count + found.count
    assert 0.72 <= inside / count <= 0.9


def test_noise_about_a_level_is_foretold_better_than_by_persistence():
    ratios = []
    for seed in range(20):
        losses = np.exp(np.random.default_rng(seed).normal(0, 0.3, 30))
        own, still = (walk_forward(losses, at_once(losses), 1.0, **more) for more in ({}, {"smoothing": PERSISTENCE}))
        ratios.append(score(own, losses).score / score(still, losses).score)
    assert np.median(ratios) < 0.9


def test_the_score_is_least_for_the_true_quantiles():
    draws = np.random.default_rng(1).normal(0, 1, 20_000)
    edges = np.quantile(draws, [0.1, 0.9])
    true = np.mean([interval_score(*edges, draw) for draw in draws])
    for low, high in [(-1.0, 1.0), (-2.0, 2.0), (-1.28, 2.0), (0.0, 1.28)]:
        assert np.mean([interval_score(low, high, draw) for draw in draws]) > true
    assert LEVEL == 0.8


def test_nothing_to_score():
    ahead = [Forecast(0, 9, 1.0, 0.5, 2.0)]
    assert score(ahead, np.ones(3)).count == 0 and math.isnan(score(ahead, np.ones(3)).score)
