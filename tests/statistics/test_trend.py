"""A run of figures that rises to a limit is told beforehand, and one that does not is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.statistics.trend import AHEAD, LEAST, MEMORY, approach

SURE = 0.0025
figures = st.lists(st.floats(-5, 5), min_size=0, max_size=30).map(np.array)


def test_a_straight_line_is_told_to_the_figure() -> None:
    found = approach(np.arange(10.0), 13.5, sure=SURE)
    assert found is not None and (found.soonest, found.due, found.latest) == (5, 5, 5)
    assert found.rise == pytest.approx(1.0) and found.p < 1e-9


@given(figures, st.floats(-5, 5), st.floats(0.1, 10), st.floats(-50, 50))
def test_what_is_told_is_the_same_in_any_unit_and_in_order(
    values: np.ndarray, limit: float, scale: float, shift: float
) -> None:
    found, moved = (
        approach(v, to, sure=0.05) for v, to in ((values, limit), (shift + scale * values, shift + scale * limit))
    )
    if found is None or moved is None:
        return
    assert moved.p == pytest.approx(found.p, rel=1e-3, abs=1e-6) and abs(moved.due - found.due) <= 1
    assert found.rise > 0 and found.p <= 0.05 and found.soonest <= found.due <= AHEAD
    assert found.latest is None or found.latest >= found.due


def test_too_few_none_of_late_and_what_falls_is_left_alone() -> None:
    line = np.arange(10.0)
    assert approach(line[: LEAST - 1], 6.0, sure=SURE) is None
    assert approach(np.append(line, np.nan), 12.0, sure=SURE) is None, "the last window told nothing"
    assert approach(-line, 5.0, sure=SURE) is None and approach(np.ones(10), 0.5, sure=SURE) is None
    assert approach(line, 9 + AHEAD + 0.5, sure=SURE) is None, "further than a line is believed"
    assert approach(np.where(np.arange(10) % 3 == 1, np.nan, line), 12.0, sure=SURE) is not None, "gaps are no figures"


def test_a_swing_that_was_seen_before_is_no_trend() -> None:
    swing = np.sin(np.arange(60) / 24 * 2 * np.pi)
    seen = [at for at in range(60) if approach(swing[: at + 1], 1.2, sure=SURE) is not None]
    assert seen and max(seen) < 24 + MEMORY, "told in its first cycle, which nobody had seen, and not in its second"


@pytest.mark.parametrize("noise", [0.5, 1.0])
def test_the_interval_of_the_way_holds(noise: float) -> None:
    rng, held, told = np.random.default_rng(2), 0, 0
    for _ in range(400):
        found = approach(np.arange(12) + noise * rng.normal(size=12), 16.5, sure=SURE, level=0.8)
        if found is not None:
            told += 1
            held += found.soonest <= 6 and (found.latest is None or found.latest >= 6)
    assert told > 300 and held / told > 0.75
