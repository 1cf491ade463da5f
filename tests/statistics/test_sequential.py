"""Betting: known behaviour, carried state, degenerate input. The rates are held in tests/promises."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.statistics.sequential import Bets, ChangeDetector, confidence_sequence, mean_interval

units = st.lists(st.floats(0, 1), max_size=60).map(lambda v: np.array(v, dtype=float))


def test_bounds_close_in_on_the_mean() -> None:
    values = np.random.default_rng(0).beta(2, 6, size=2000)
    lower, upper = confidence_sequence(values, level=0.95)
    assert lower[-1] < 0.25 < upper[-1] and upper[-1] - lower[-1] < 0.05
    assert (np.diff(lower) >= 0).all() and (np.diff(upper) <= 0).all()


@given(units, st.floats(-5, 5), st.floats(0.1, 10))
def test_bounds_move_with_the_unit(values: np.ndarray, shift: float, scale: float) -> None:
    lower, upper = confidence_sequence(values)
    lower_too, upper_too = confidence_sequence(shift + scale * values, low=shift, high=shift + scale)
    assert lower_too == pytest.approx(shift + scale * lower, abs=scale / 100)
    assert upper_too == pytest.approx(shift + scale * upper, abs=scale / 100)
    assert (lower <= upper).all() and (lower >= 0).all() and (upper <= 1).all()


def test_no_values_bound_nothing() -> None:
    assert confidence_sequence(np.array([]))[0].shape == (0,)
    found = mean_interval(np.array([]), low=0, high=2)
    assert (found.lower, found.upper) == (0, 2) and np.isnan(found.value)


@given(units, st.sampled_from([0.5, 0.9, 0.99]), st.integers(1, 40))
def test_an_interval_is_the_end_of_the_sequence(values: np.ndarray, level: float, times: int) -> None:
    values = np.tile(np.append(values, 0.3), times)
    lower, upper = confidence_sequence(2 * values - 1, low=-1, high=1, level=level)
    found, mean = mean_interval(2 * values - 1, low=-1, high=1, level=level), (2 * values - 1).mean()
    assert (found.lower, found.upper) == (min(lower[-1], mean), max(upper[-1], mean))


def test_impossible_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="low < high"):
        confidence_sequence(np.array([1.0]), low=1, high=1)
    with pytest.raises(ValueError, match="low < high"):
        mean_interval(np.array([1.0]), low=1, high=1)
    with pytest.raises(ValueError, match="no mean can be"):
        Bets.against(0.0)
    with pytest.raises(ValueError, match="no mean can be"):
        ChangeDetector.against(0.0, threshold=10)


@given(units, st.integers(0, 60))
def test_evidence_is_the_same_however_the_values_are_fed(values: np.ndarray, cut: int) -> None:
    once = Bets.against(0.4).fed(values)
    state = msgspec.json.decode(msgspec.json.encode(Bets.against(0.4).fed(values[:cut])), type=Bets)
    twice = state.fed(values[cut:])
    assert (
        twice.evidence == pytest.approx(once.evidence)
        and twice.peak == pytest.approx(once.peak)
        and twice.count == once.count
    )
    detector = ChangeDetector.against(0.4, threshold=5)
    first = msgspec.json.decode(msgspec.json.encode(detector.fed(values[:cut])), type=ChangeDetector)
    assert first.fed(values[cut:]).alarm_at == detector.fed(values).alarm_at


def test_a_change_is_found_soon_and_only_after_it() -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.exponential(1.0, 200), rng.exponential(2.0, 100)])
    alarm = ChangeDetector.against(1.2, threshold=500).fed(values).alarm_at
    assert alarm is not None and 200 <= alarm < 260


def test_a_constant_at_the_null_is_no_evidence() -> None:
    assert Bets.against(0.5).fed(np.full(500, 0.5)).evidence == pytest.approx(1.0)
    assert Bets.against(0.5).fed(np.zeros(500)).evidence < 1e-3
