"""Both distances from one sort, against SciPy and the definition, whatever the numbers are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import wasserstein_distance

from solvent.statistics import merged
from solvent.statistics.merged import Merged, deviation
from solvent.statistics.profiles import histogram

grid = st.integers(-20, 20).map(lambda k: k / 4)
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
samples = st.one_of(grid, numbers).flatmap(
    lambda _: arrays(float, st.integers(1, 60), elements=st.one_of(grid, numbers), fill=st.nothing())
)


@given(samples, samples)
@settings(deadline=None, max_examples=60)
def test_distances_agree_with_scipy(left, right):
    wasserstein, ks = Merged.of(left, right).distances()
    assert wasserstein == pytest.approx(wasserstein_distance(left, right), rel=1e-9, abs=1e-9)
    below = [np.mean(side[:, None] <= np.concatenate([left, right]), axis=0) for side in (left, right)]
    assert ks == pytest.approx(np.max(np.abs(below[0] - below[1])), abs=1e-12)


def test_pieces_add_up_to_the_whole(monkeypatch):
    rng = np.random.default_rng(1)
    left, right = rng.normal(size=500).round(1), rng.normal(0.3, 2, 333).round(1)
    whole = Merged.of(left, right)
    monkeypatch.setattr(merged, "_PIECE", 7)
    pieces = Merged.of(left, right)
    assert pieces.distances() == pytest.approx(whole.distances(), rel=1e-12)
    assert (pieces.late == whole.late).all() and (pieces.values == whole.values).all()
    assert deviation(left) == pytest.approx(left.std())
    assert deviation(left * 1e200) == pytest.approx(left.std() * 1e200), "where squares are no floats"


@given(samples, samples, st.lists(grid, max_size=6, unique=True).map(sorted))
@settings(deadline=None, max_examples=60)
def test_counts_are_the_histograms_of_both(left, right, edges):
    edges = np.array(edges, dtype=float)
    for counts, side in zip(Merged.of(left, right).counts(edges), (left, right), strict=True):
        assert counts.tolist() == histogram(side, edges).tolist()


def test_quantiles_are_each_sides_own():
    rng = np.random.default_rng(2)
    left, right = rng.normal(size=1000), rng.normal(9, 1, 50)
    for share in (0.005, 0.3, 1.0):
        wanted = [np.quantile(side, share, method="inverted_cdf") for side in (left, right)]
        assert Merged.of(left, right).quantiles(share) == pytest.approx(wanted, abs=0.2)
    assert Merged.of(left, right).quantiles(1.0) == pytest.approx((left.max(), right.max()))


def test_few_distinct_values_have_a_bin_each():
    edges, gaps = Merged.of(np.array([1.0, 1, 4]), np.array([2.0, 4])).quantile_bins(100)
    assert edges.tolist() == [2, 4] and gaps.tolist() == [1, 2]
    edges, gaps = Merged.of(np.repeat([0.0, 1], [990, 10]), np.zeros(1000)).quantile_bins(100)
    assert edges.tolist() == [1] and gaps.tolist() == [1], "a rare value keeps its bin"


@pytest.mark.parametrize(("left", "right"), [([], [1.0]), ([1.0], []), ([np.nan], [1.0]), ([1.0], [np.inf])])
def test_a_side_without_finite_rows_is_refused(left, right):
    with pytest.raises(ValueError, match="a distance needs"):
        Merged.of(np.array(left), np.array(right))
