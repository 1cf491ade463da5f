"""A feature whose relation wanders: found by its latest windows, on what is known, and what leaving it out saves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.statistics.wandering import saved, wanders_since

KNOWN = np.arange(12)


def test_it_is_known_once_three_of_the_last_four_windows_say_so():
    whole, without = np.full(12, 10.0), np.full(12, 12.0)
    without[5:] = 6.0
    # windows 4 to 7 save -2, 4, 4, 4 of 40: the last of them is labelled at tick 8
    assert wanders_since(whole, without, KNOWN) == 8


def test_late_labels_tell_later():
    whole, without = np.full(12, 10.0), np.where(np.arange(12) < 3, 11.0, 5.0)
    late = np.maximum(KNOWN - 2, 0)
    assert wanders_since(whole, without, late) == wanders_since(whole, without, KNOWN) + 2


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=50)
def test_a_feature_that_helps_is_never_named(seed):
    """Leaving it out costs 10% on average, and windows differ by as much as that."""
    rng = np.random.default_rng(seed)
    whole = rng.uniform(5, 15, 40)
    without = whole * rng.normal(1.1, 0.05, 40)
    assert wanders_since(whole, without, np.arange(40)) is None


@given(st.integers(2, 9), st.integers(0, 100))
@settings(deadline=None, max_examples=30)
def test_nothing_depends_on_windows_that_are_not_labelled(tick, seed):
    rng = np.random.default_rng(seed)
    whole, without = rng.uniform(5, 15, (2, 12))
    found = wanders_since(whole, without, KNOWN)
    whole[tick:], without[tick:] = 1.0, 100.0
    again = wanders_since(whole, without, KNOWN)
    assert again == found if found is not None and found <= tick else again is None or again > tick


def test_what_is_saved_is_a_share_with_an_interval_that_covers():
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        whole = rng.uniform(8, 12, 20)
        found = saved(whole, whole * rng.normal(0.7, 0.1, 20), seed=seed)
        held += found.lower <= 0.3 <= found.upper
    assert held >= 170, "90% of 200, less chance"
    assert saved(np.full(6, 4.0), np.full(6, 3.0)).value == pytest.approx(0.25)
    assert np.isnan(saved(np.zeros(0), np.zeros(0)).value)
