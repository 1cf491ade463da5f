"""Distances against SciPy, and their laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from solvent.statistics.distances import (
    binned_jensen_shannon,
    binned_kolmogorov_smirnov,
    binned_wasserstein,
    jensen_shannon,
    kolmogorov_smirnov,
    missing_difference,
    wasserstein,
)
from solvent.statistics.profiles import bin_gaps, edges_of, histogram

samples = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60).map(np.array)
counts = st.lists(st.integers(0, 1000), min_size=4, max_size=4).map(np.array).filter(lambda c: c.sum() > 0)


@given(samples, samples)
def test_wasserstein_agrees_with_scipy_and_keeps_its_laws(a: np.ndarray, b: np.ndarray) -> None:
    distance = wasserstein(a, b)
    assert distance == pytest.approx(wasserstein_distance(a, b), rel=1e-6, abs=1e-6)
    assert distance == pytest.approx(wasserstein(b, a), rel=1e-9) and wasserstein(a, a) == 0
    assert wasserstein(a, a + 3) == pytest.approx(3, rel=1e-6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # SciPy's p-value, which is not looked at
@given(samples, samples)
def test_kolmogorov_smirnov_agrees_with_scipy(a: np.ndarray, b: np.ndarray) -> None:
    assert kolmogorov_smirnov(a, b) == pytest.approx(ks_2samp(a, b, method="exact").statistic, abs=1e-9)


@given(counts, counts, st.integers(1, 100))
def test_jensen_shannon_agrees_with_scipy_and_keeps_its_laws(a: np.ndarray, b: np.ndarray, k: int) -> None:
    distance = jensen_shannon(a, b)
    assert distance == pytest.approx(jensenshannon(a, b, base=2), abs=1e-6)
    assert 0 <= distance <= 1 and distance == pytest.approx(jensen_shannon(b, a * k), abs=1e-6)
    assert binned_jensen_shannon(a, b) == pytest.approx(distance, abs=1e-6)


@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-3, 3))
def test_binned_wasserstein_is_within_a_bin_of_the_exact_one(seed: int, spread: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    reference = rng.normal(size=2000)
    window = np.clip(shift + spread * rng.normal(size=300), reference.min(), reference.max())
    edges = edges_of(reference)
    binned = float(binned_wasserstein(histogram(reference, edges), histogram(window, edges), bin_gaps(edges)))
    assert binned == pytest.approx(wasserstein(reference, window), abs=float(np.diff(edges).max()))


@pytest.mark.parametrize("bad", [np.array([]), np.array([np.nan]), np.array([np.inf])])
def test_a_distance_needs_finite_rows(bad: np.ndarray) -> None:
    for distance in (wasserstein, kolmogorov_smirnov):
        with pytest.raises(ValueError, match="distance needs"):
            distance(np.array([1.0]), bad)


def test_category_distances_refuse_what_has_no_answer() -> None:
    with pytest.raises(ValueError, match="shapes"):
        jensen_shannon(np.array([1]), np.array([1, 2]))
    with pytest.raises(ValueError, match="negative"):
        jensen_shannon(np.array([1, -1]), np.array([1, 2]))
    with pytest.raises(ValueError, match="rows on both sides"):
        jensen_shannon(np.array([0, 0]), np.array([1, 2]))
    with pytest.raises(ValueError, match="rows on both sides"):
        missing_difference(0, 0, 1, 2)


def test_missing_difference_is_window_less_reference() -> None:
    assert missing_difference(1, 10, 3, 10) == pytest.approx(0.2)


def test_binned_kolmogorov_smirnov_is_at_most_the_exact_one() -> None:
    rng = np.random.default_rng(0)
    reference, window = rng.normal(size=2000), 0.5 + rng.normal(size=300)
    edges = edges_of(reference)
    binned = float(binned_kolmogorov_smirnov(histogram(reference, edges), histogram(window, edges)))
    exact = kolmogorov_smirnov(reference, window)
    assert binned <= exact + 1e-12 and binned == pytest.approx(exact, abs=0.03)


def test_an_empty_window_has_no_binned_distance() -> None:
    empty, some = np.zeros(3, dtype=np.int64), np.array([1, 2, 3])
    assert np.isnan(binned_wasserstein(some, empty, np.ones(2))) and np.isnan(binned_jensen_shannon(some, empty))
