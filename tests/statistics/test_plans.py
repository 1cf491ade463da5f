"""Plans against all of them, one by one."""

from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.statistics.plans import Planning, ahead

HORIZON, SPANS = 5, 2
GRID = ahead(HORIZON, SPANS)
SIZE = HORIZON + len(GRID.start)


def every_plan(expected, price, spans=(0, 1)):
    """(ticks and spans of the retrainings, cost, served) of all plans."""
    for count in range(HORIZON + 1):
        for days in combinations(range(HORIZON), count):
            for chosen in product(spans, repeat=count):
                marks = [*zip(days, chosen, strict=True), (HORIZON, 0)]
                served = list(range(marks[0][0]))
                for (start, span), (until, _) in pairwise(marks):
                    served += GRID.at[start, span, start:until].tolist()
                yield marks[:-1], price * count + sum(expected[served]), served


@given(st.integers(0, 1000), st.floats(0.1, 20))
@settings(deadline=None, max_examples=25)
def test_no_plan_is_cheaper(seed, price):
    expected = np.random.default_rng(seed).uniform(0, 10, SIZE)
    planning = Planning(expected, GRID, price)
    plans = list(every_plan(expected, price))
    assert planning.best().cost == pytest.approx(min(cost for _, cost, _ in plans))
    waits = [cost for made, cost, _ in plans if not made or made[0][0] > 0]
    assert planning.waiting().cost == pytest.approx(min(waits))
    for span in range(SPANS):
        begins = [cost for made, cost, _ in plans if made and made[0] == (0, span)]
        assert planning.beginning(span).cost == pytest.approx(min(begins))
        alone = Planning(expected, GRID, price, [span]).best()
        assert alone.cost == pytest.approx(min(cost for _, cost, _ in every_plan(expected, price, (span,))))


@given(st.integers(0, 1000), st.floats(0.1, 20))
@settings(deadline=None, max_examples=25)
def test_a_plan_serves_one_model_in_each_window_and_costs_what_they_lose(seed, price):
    expected = np.random.default_rng(seed).uniform(0, 10, SIZE)
    windows = np.concatenate([np.arange(HORIZON), GRID.window])
    for plan in (Planning(expected, GRID, price).waiting(), Planning(expected, GRID, price).beginning(1)):
        assert windows[plan.served].tolist() == list(range(HORIZON))
        models = {(GRID.start[at - HORIZON], GRID.span[at - HORIZON]) for at in plan.served if at >= HORIZON}
        assert plan.cost == pytest.approx(sum(expected[plan.served]) + price * len(models))
