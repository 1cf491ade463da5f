"""Profiles merge: partitions together say what one pass says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.statistics.profiles import Moments, bin_gaps, edges_of, histogram

values = st.lists(st.one_of(st.floats(-1e5, 1e5), st.just(math.nan), st.just(math.inf)), max_size=40).map(
    lambda v: np.array(v, dtype=float)
)


def close(a: Moments, b: Moments) -> bool:
    exact = (a.rows, a.missing, a.finite, a.low, a.high) == (b.rows, b.missing, b.finite, b.low, b.high)
    return (
        exact
        and a.mean == pytest.approx(b.mean, abs=1e-6)
        and a.squares == pytest.approx(b.squares, rel=1e-6, abs=1e-3)
    )


@given(values, values, values)
def test_moments_merge_associatively_commutatively_and_to_one_pass(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    x, y, z = Moments.of(a), Moments.of(b), Moments.of(c)
    assert close((x + y) + z, x + (y + z)) and close(x + y, y + x)
    assert close(x + y + z, Moments.of(np.concatenate([a, b, c])))
    assert close(x + Moments(), x)


@given(values, st.sampled_from([1.0, 1e-300, 1e300]), st.data())
def test_a_histogram_counts_as_comparing_one_by_one_does(sample: np.ndarray, unit: float, data: st.DataObject) -> None:
    scaled = np.concatenate([sample * unit, [-math.inf, math.inf]])
    candidates = [float(v) for v in scaled if math.isfinite(v)] or [0.0]
    edges = np.unique(data.draw(st.lists(st.sampled_from(candidates), min_size=1, max_size=6)))
    present = scaled[~np.isnan(scaled)]
    bins = np.searchsorted(edges, present, side="right")
    assert histogram(scaled, edges).tolist() == np.bincount(bins, minlength=len(edges) + 1).tolist()


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=50).map(np.array))
def test_deviation_agrees_with_numpy(sample: np.ndarray) -> None:
    assert Moments.of(sample).deviation == pytest.approx(float(sample.std(ddof=1)), abs=1e-9)


def test_deviation_of_one_row_is_not_a_number() -> None:
    assert math.isnan(Moments.of(np.array([1.0])).deviation) and math.isnan(Moments().deviation)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=200).map(np.array), values)
def test_histograms_add_up_and_lose_no_row(reference: np.ndarray, window: np.ndarray) -> None:
    edges = edges_of(reference)
    assert (np.diff(edges) > 0).all() and len(bin_gaps(edges)) == len(edges)
    left, right = histogram(window[:7], edges), histogram(window[7:], edges)
    assert (left + right == histogram(window, edges)).all()
    assert left.sum() + right.sum() == (~np.isnan(window)).sum()


def test_a_repeated_value_lies_inside_one_bin() -> None:
    reference = np.concatenate([np.zeros(900), np.linspace(0.1, 5, 100)])
    assert histogram(np.zeros(10), edges_of(reference)).max() == 10
    assert not np.isin(0.0, edges_of(reference))
