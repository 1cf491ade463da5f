"""The costs of retraining, against brute force and their laws."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from solvent.statistics.retraining import (
    BadSchedule,
    best_schedule_in_hindsight,
    every,
    excess_worth,
    oracle,
    regret_share,
    schedule_cost,
)

matrices = st.tuples(st.integers(1, 5), st.integers(1, 2)).flatmap(
    lambda shape: arrays(float, (shape[0], shape[1], shape[0]), elements=st.integers(0, 50).map(float))
)
prices = st.integers(0, 60).map(float)


def aging(windows: int, rate: float = 1.0) -> np.ndarray:
    """One span; each window of age costs `rate` more than 10."""
    age = np.arange(windows)[None, :] - np.arange(windows)[:, None]
    return (10 + rate * np.maximum(age, 0)).astype(float)[:, None, :]


def all_schedules(windows: int, spans: int):
    for count in range(windows):
        for ticks in combinations(range(1, windows), count):
            for chosen in product(range(spans), repeat=count):
                yield list(zip(ticks, chosen, strict=True))


@given(matrices, prices)
@settings(deadline=None, max_examples=40)
def test_the_oracle_is_the_cheapest_of_all_schedules(losses, price):
    _, spans, windows = losses.shape
    cheapest = min(schedule_cost(losses, plan, price) for plan in all_schedules(windows, spans))
    assert oracle(losses, price).cost == pytest.approx(cheapest)
    assert oracle(losses, price).cost <= best_schedule_in_hindsight(losses, price).cost + 1e-9


@given(matrices, prices)
@settings(deadline=None, max_examples=40)
def test_hindsight_finds_the_best_interval_and_span_and_tells_how_it_is_priced(losses, price):
    _, spans, windows = losses.shape
    best = best_schedule_in_hindsight(losses, price)
    choices = [every(k, span, windows) for k in range(1, windows + 1) for span in range(spans)]
    assert best.cost == pytest.approx(min(schedule_cost(losses, plan, price) for plan in choices))
    assert best.cost == pytest.approx(schedule_cost(losses, best.retrainings, price))


def test_linear_aging_is_cut_when_the_accumulated_excess_equals_the_price():
    losses = aging(12)
    assert schedule_cost(losses, [], 3.0) == 120 + sum(range(12))
    assert schedule_cost(losses, every(3, 0, 12), 3.0) == 120 + 4 * 3 + 3 * 3.0
    best = best_schedule_in_hindsight(losses, 3.0)
    assert (best.every, best.cost) == (3, 141.0)  # k = sqrt(2 × price ÷ rate) ≈ 2.4, and 3 divides the life
    assert oracle(losses, 3.0).cost == 141.0


def test_where_nothing_ages_never_is_best_and_a_tie_goes_to_fewer_retrainings():
    assert best_schedule_in_hindsight(aging(8, rate=0), 0.5).retrainings == []
    assert best_schedule_in_hindsight(aging(8, rate=0), 0.0).every is None
    assert oracle(aging(8, rate=0), 0.0).retrainings == []


def test_the_span_is_chosen_too_and_the_first_model_keeps_its_own():
    losses = np.stack([aging(6)[:, 0], aging(6)[:, 0] - 5], axis=1)
    best = oracle(losses, 1.0, first=0)
    assert best.retrainings[0] == (1, 1)
    assert schedule_cost(losses, [], 1.0, first=1) == schedule_cost(losses, [], 1.0, first=0) - 6 * 5


@pytest.mark.parametrize("plan", [[(0, 0)], [(3, 0), (2, 0)], [(2, 0), (2, 0)], [(6, 0)]])
def test_a_schedule_that_does_not_fit_its_matrix_is_refused(plan):
    with pytest.raises(BadSchedule, match="retraining at tick"):
        schedule_cost(aging(6), plan, 1.0)


def test_entries_before_a_model_existed_are_never_read():
    losses = aging(7)
    for tick in range(7):
        losses[tick, :, :tick] = np.nan
    assert math.isfinite(oracle(losses, 2.0).cost)
    assert math.isfinite(best_schedule_in_hindsight(losses, 2.0).cost)


def test_regret_share_runs_from_the_oracle_to_never():
    assert (regret_share(10, 20, 10), regret_share(20, 20, 10)) == (0, 1)
    assert math.isnan(regret_share(10, 10, 10))


def test_excess_is_weighed_by_hand():
    windows = [np.array([1.0, 3.0]), np.array([2.0, 2.0])]
    worth = excess_worth(windows, horizon=8, recent=8)
    spread = np.array([1, 3, 2, 2]).std(ddof=1)
    assert (worth.accumulated, worth.expected) == (8, 32)
    assert worth.expected_error == pytest.approx(spread * 8 / 2 * math.sqrt(4))
    assert worth.uncertainty == pytest.approx(0.5 * 5 * spread * math.sqrt(4))
    assert worth.worth == pytest.approx(0.5 * 40 - 0.5 * worth.uncertainty)


def test_only_the_recent_windows_are_carried_forward():
    windows = [np.full(7, 0.0)] * 5 + [np.full(7, 1.0)] * 2
    assert excess_worth(windows, horizon=3, recent=2).expected == 21
    assert excess_worth(windows, horizon=3, recent=7).expected == pytest.approx(6)


def test_without_blocks_nothing_is_worth_a_retraining():
    assert excess_worth([]).worth == -math.inf
    assert excess_worth([np.array([9.0, 9.0, 9.0])]).worth == -math.inf
    assert excess_worth([np.zeros(7)] * 20).worth == 0


@given(st.lists(arrays(float, 7, elements=st.floats(-5, 5)), min_size=1, max_size=12), st.floats(0.1, 10))
@settings(deadline=None, max_examples=50)
def test_worth_has_the_unit_of_its_losses(windows, factor):
    once, scaled = excess_worth(windows), excess_worth([factor * window for window in windows])
    assert scaled.worth == pytest.approx(factor * once.worth, rel=1e-6, abs=1e-6)
    assert once.worth <= 0.5 * (once.accumulated + once.expected) + 1e-9
