"""A change of a mean is dated, and the interval of the date holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from solvent.statistics.changepoint import date_change

series = st.lists(st.floats(-100, 100), min_size=4, max_size=30).map(np.array)


@given(series, st.floats(0.1, 10), st.floats(-50, 50))
def test_the_place_is_that_of_least_squares_in_any_unit(values: np.ndarray, scale: float, shift: float) -> None:
    found = date_change(values)
    if found is None:
        assert np.ptp(values) == 0
        return
    squares = [
        ((values[:at] - values[:at].mean()) ** 2).sum() + ((values[at:] - values[at:].mean()) ** 2).sum()
        for at in range(1, len(values))
    ]
    assert squares[found.at - 1] == pytest.approx(min(squares), rel=1e-6, abs=1e-6)
    assert found.earliest <= found.at <= found.latest
    moved = date_change(shift + scale * values)
    assert moved is None or squares[moved.at - 1] == pytest.approx(min(squares), rel=1e-4, abs=1e-4)


def test_nothing_to_date() -> None:
    assert date_change(np.ones(20)) is None and date_change(np.arange(3.0)) is None


@pytest.mark.parametrize("lag", [0.0, 0.4])
@pytest.mark.parametrize("size", [1.0, 2.0])
def test_the_interval_of_the_date_holds_as_often_as_it_says(lag: float, size: float) -> None:
    rng, held, widths = np.random.default_rng(5), 0, []
    for _ in range(300):
        true = int(rng.integers(15, 46))
        noise = lfilter([1], [1, -lag], rng.normal(size=80))[20:] * np.sqrt(1 - lag**2)
        found = date_change(noise + size * (np.arange(60) >= true), level=0.9)
        assert found is not None
        held += found.earliest <= true <= found.latest
        widths.append(found.latest - found.earliest)
    assert held / 300 >= 0.86 and np.median(widths) < 30
