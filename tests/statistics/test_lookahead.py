"""Planning ahead: against brute force, on worlds that age as stated."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aging_worlds import aging
from solvent.statistics.lookahead import USUAL, look_ahead


def cheapest_plan(ages, rate, price, *, now):
    """All plans for the horizon: loss beyond a fresh model's of the model that is `ages` old, retrained or not."""
    best = np.inf
    for count in range(USUAL.horizon + 1):
        for days in combinations(range(USUAL.horizon), count):
            if now != (0 in days):
                continue
            marks, cost = [*days, USUAL.horizon], price * len(days)
            cost += sum(rate * (ages + h) for h in range(marks[0]))
            cost += sum(rate * h for a, b in pairwise(marks) for h in range(b - a))
            best = min(best, cost)
    return best


@given(st.integers(1, 9), st.floats(0.5, 20), st.floats(1, 200))
@settings(deadline=None, max_examples=60)
def test_the_gain_is_that_of_the_best_plan_where_ageing_is_a_line(ages, rate, price):
    windows = 10
    found = look_ahead(aging(windows, rate), (windows - ages, 0), windows, price)
    expected = cheapest_plan(ages, rate, price, now=False) - cheapest_plan(ages, rate, price, now=True)
    assert found.gain[0] == pytest.approx(expected, abs=1e-6 * (rate + price) + 1e-6)


def test_the_span_that_is_ahead_when_fresh_is_named():
    found = look_ahead(aging(12, 1.0, better=20.0), (0, 0), 12, 10.0)
    assert found.gain[1] > found.gain[0] and found.gain[1] > 0


def test_where_nothing_ages_no_price_is_paid():
    for seed in range(20):
        found = look_ahead(aging(12, 0.0, seed=seed), (0, 0), 12, 20.0)
        assert max(found.gain) < 0


def test_before_any_window_is_known_nothing_is_said():
    assert look_ahead(np.zeros((1, 2, 0)), (0, 0), 0, 1.0) is None


@given(arrays(float, (8, 2, 7), elements=st.floats(1, 100)), st.integers(0, 6))
@settings(deadline=None, max_examples=30)
def test_entries_before_a_model_was_made_are_never_read(losses, live):
    """The last model is of now and has no window behind it."""
    broken = losses.copy()
    for tick in range(8):
        broken[tick, :, :tick] = np.nan
    assert look_ahead(broken, (live, 0), 7, 5.0) == look_ahead(losses, (live, 0), 7, 5.0)
