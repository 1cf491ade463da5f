"""How far two samples are apart, in units that people can read."""

from __future__ import annotations

import numpy as np

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.merged import Merged


def wasserstein(reference: Floats, window: Floats) -> float:
    """Mean distance that probability mass must travel between two samples.

    reference, window: shape (n,) and (m,), finite.
    Returns: in the unit of the values, >= 0; divide by the reference's standard deviation
        to compare features. A point value: fewer rows make it larger.
    Raises: ValueError, a side has no rows or a value is not finite.
    Source: area between the two distribution functions (Vallender 1974).

    >>> wasserstein(np.array([0.0, 1.0]), np.array([2.0, 3.0]))
    2.0
    """
    return Merged.of(reference, window).distances()[0]


def kolmogorov_smirnov(reference: Floats, window: Floats) -> float:
    """Largest gap between the two distribution functions.

    reference, window: shape (n,) and (m,), finite.
    Returns: in [0, 1], no unit. A point value: fewer rows make it larger.
    Raises: ValueError, a side has no rows or a value is not finite.

    >>> kolmogorov_smirnov(np.array([0.0, 1.0]), np.array([2.0, 3.0]))
    1.0
    """
    return Merged.of(reference, window).distances()[1]


def jensen_shannon(reference: Counts, window: Counts) -> float:
    """Distance between the category shares of two samples.

    reference, window: shape (n_categories,), rows per category; position i is the same category in both.
    Returns: in [0, 1], base 2, no unit; 0 same shares, 1 no category in common.
        A point value: fewer rows make it larger, so compare windows of one size.
    Raises: ValueError, shapes differ, a count is negative, or a side has no rows.
    Source: Lin 1991; Endres and Schindelin 2003 (the root is a metric).

    >>> round(jensen_shannon(np.array([50, 50]), np.array([100, 0])), 3)
    0.558
    """
    p, q = _shares(reference, window)
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return float(np.sqrt(min(max(divergence, 0.0), 1.0)))


def missing_difference(missing_reference: int, reference: int, missing_window: int, window: int) -> float:
    """Change of the missing rate, window less reference, in [-1, 1].

    Raises: ValueError, a side has no rows.
    """
    if reference <= 0 or window <= 0:
        raise ValueError("a missing rate needs rows on both sides")
    return missing_window / window - missing_reference / reference


def binned_wasserstein(reference: Counts, window: Counts, widths: Floats) -> Floats:
    """Wasserstein distance between histograms on the same edges, each bin's mass at its middle.

    reference, window: shape (..., n_bins), rows per bin; widths: shape (n_bins - 1,), distances
        between successive bin middles.
    Returns: shape (...), in the unit of the widths; NaN where a side has no rows. Differs from
        `wasserstein` by at most half the widest bin on each side.
    """
    f = np.cumsum(_normalised(reference), axis=-1)
    g = np.cumsum(_normalised(window), axis=-1)
    return np.asarray(np.sum(np.abs(f - g)[..., :-1] * widths, axis=-1))


def binned_kolmogorov_smirnov(reference: Counts, window: Counts) -> Floats:
    """Largest gap between the distribution functions at the edges of shared bins, shape (...), NaN without rows.

    reference, window: shape (..., n_bins). At most `kolmogorov_smirnov` of the values themselves.
    """
    gaps = np.cumsum(_normalised(reference), axis=-1) - np.cumsum(_normalised(window), axis=-1)
    return np.asarray(np.max(np.abs(gaps), axis=-1))


def binned_jensen_shannon(reference: Counts, window: Counts) -> Floats:
    """`jensen_shannon` row by row.

    reference, window: shape (..., n_categories). Returns: shape (...), NaN where a side has no rows.
    """
    p, q = _normalised(reference), _normalised(window)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(p > 0, p * np.log2(p / middle), 0.0).sum(axis=-1)
        right = np.where(q > 0, q * np.log2(q / middle), 0.0).sum(axis=-1)
    empty = np.isnan(p).any(axis=-1) | np.isnan(q).any(axis=-1)
    distance = np.sqrt(np.clip((left + right) / 2, 0.0, 1.0))
    return np.asarray(np.where(empty, np.nan, distance))


def _shares(reference: Counts, window: Counts) -> tuple[Floats, Floats]:
    if reference.shape != window.shape:
        raise ValueError(f"category counts of shapes {reference.shape} and {window.shape} do not match")
    if (reference < 0).any() or (window < 0).any():
        raise ValueError("a count is negative")
    if reference.sum() == 0 or window.sum() == 0:
        raise ValueError("a distance needs rows on both sides")
    return reference / reference.sum(), window / window.sum()


def _relative_entropy(p: Floats, q: Floats) -> float:
    some = p > 0
    return float(np.sum(p[some] * np.log2(p[some] / q[some])))


def _normalised(counts: Counts) -> Floats:
    total = counts.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(counts / total)
