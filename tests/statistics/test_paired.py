"""Paired differences over blocks, Holm's procedure, calibration error."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from solvent.statistics.paired import calibration_error, holm, paired_difference


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=30, unique=True))
@settings(deadline=None, max_examples=50)
def test_rows_that_are_their_own_blocks_give_the_t_test(values):
    values = np.array(values)
    difference = paired_difference(values, np.arange(len(values)))
    reference = ttest_1samp(values, 0.5, alternative="greater")
    interval = reference.confidence_interval(0.95)
    assert difference.p_above(0.5) == pytest.approx(reference.pvalue, abs=1e-9)
    assert difference.bound(0.95) == pytest.approx(interval.low, rel=1e-6, abs=1e-6)


def test_equal_rows_of_one_block_count_once():
    values = np.array([1.0, 2.0, 4.0])
    once = paired_difference(values, np.arange(3))
    repeated = paired_difference(np.repeat(values, 24), np.repeat(np.arange(3), 24))
    assert repeated.error == pytest.approx(once.error)
    assert (repeated.blocks, repeated.rows) == (3, 72)


def test_one_block_or_none_says_nothing():
    one = paired_difference(np.array([5.0, 6.0]), np.array([0, 0]))
    assert (one.bound(0.05), one.bound(0.95), one.p_above(0)) == (math.inf, -math.inf, 1.0)
    assert math.isnan(paired_difference(np.array([]), np.array([], dtype=int)).mean)


def test_a_difference_without_spread_is_certain():
    sure = paired_difference(np.full(8, 2.0), np.arange(8))
    assert (sure.p_above(1.9), sure.p_above(2.0), sure.bound(0.05)) == (0.0, 1.0, 2.0)


def test_holm_rejects_step_by_step():
    assert holm({"a": 0.01, "b": 0.02, "c": 0.04}, 0.05) == {"a", "b", "c"}
    assert holm({"a": 0.02, "b": 0.02, "c": 0.04}, 0.05) == set()
    assert holm({}, 0.05) == set()


def test_calibration_error_by_hand():
    probability = np.array([0.1, 0.1, 0.9, 0.9])
    assert calibration_error(probability, np.array([0, 0, 1, 1]), bins=2) == pytest.approx(0.1)
    assert calibration_error(probability, np.array([1, 1, 0, 0]), bins=2) == pytest.approx(0.9)
    assert math.isnan(calibration_error(np.array([]), np.array([])))
