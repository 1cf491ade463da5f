"""Drift against natural variation: how unusual is a window among the windows before it?

The null is the window-to-window variation itself. A window's distance to the pool of
the others is compared with the same distance of each earlier window; evidence is
carried from window to window by one e-detector per feature, and the alarm rests on
their weighted average, so that one promise covers every feature that is watched.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtr

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.distances import binned_jensen_shannon, binned_wasserstein

LEAST_WINDOWS = 4  # below that nothing is known of natural variation
LAG = 4  # windows that wait before they join the reference: a drift must not hide behind its own first weeks
_FREEDOM = 6
_LEAST_P = 1e-12


def pool_distances(windows: Counts, gaps: Floats | None) -> Floats:
    """Distance of each window to the pool of all the others.

    windows: shape (n_windows, n_bins), rows per bin; gaps: shape (n_bins - 1,), distances
        between bin middles for Wasserstein, None for categories (Jensen–Shannon).
    Returns: shape (n_windows,); NaN where a side has no rows.
    """
    rest = windows.sum(axis=0, keepdims=True) - windows
    if gaps is None:
        return binned_jensen_shannon(rest, windows)
    return binned_wasserstein(rest, windows, gaps)


def conformal_p(distances: Floats) -> float:
    """Rank of the last distance among all: (1 + how many earlier ones are as large) / n. Never below 1/n.

    >>> conformal_p(np.array([1.0, 2.0, 3.0, 9.0]))
    0.25
    """
    earlier, last = distances[:-1], distances[-1]
    return float(1 + np.sum(earlier >= last)) / len(distances)


def predictive_p(distances: Floats) -> float:
    """Upper tail of the last distance under a predictive Student t of the earlier log-distances.

    distances: shape (n,), n >= LEAST_WINDOWS + 1, >= 0. Widened for the fitted mean and spread; at most six
        degrees of freedom, since log-distances have longer tails than the normal however many windows there
        are; the spread is taken no smaller than a tenth, lest windows that happen to agree see drift in a trifle.
    Returns: in [1e-12, 1]. Unlike the rank it can be small with few windows.
    """
    floor = max(float(np.max(distances)), 1e-12) * 1e-6
    logs = np.log(np.maximum(distances, floor))
    earlier, n = logs[:-1], len(logs) - 1
    spread = max(float(earlier.std(ddof=1)), 0.1) * math.sqrt(1 + 1 / n)
    tail = float(stdtr(min(n - 1, _FREEDOM), -(float(logs[-1]) - float(earlier.mean())) / spread))
    return min(max(tail, _LEAST_P), 1.0)


def e_value(p: float) -> float:
    """A p-value as an e-value: the mean of κ·p^(κ-1) over κ in (0, 1).

    Source: Vovk and Wang 2021. Its expectation is at most 1 under the null.

    >>> round(e_value(0.001), 1), round(e_value(1.0), 2)
    (20.8, 0.5)
    """
    p = min(max(p, _LEAST_P), 1.0)
    if p > 1 - 1e-6:
        return 0.5
    log_p = math.log(p)
    return (1 - p + p * log_p) / (p * log_p * log_p)


def detector_step(evidence: float, e: float) -> float:
    """One window more in a Shiryaev–Roberts e-detector, (M + 1)·e; it starts at 0."""
    return min((evidence + 1.0) * e, 1e300)


def average_evidence(evidence: Floats, weights: Floats) -> float:
    """Weighted average of e-detectors: an e-detector itself, whatever their dependence.

    evidence: shape (n_features,); weights: shape (n_features,), >= 0, set before the windows.
    """
    if len(evidence) == 0 or weights.sum() <= 0:
        return 0.0
    return float(np.sum(weights / weights.sum() * evidence))


def named_by_e_bh(evidence: Floats, steps: Counts, alpha: float = 0.1) -> list[int]:
    """Which features an alarm names: e-BH keeps the false ones among the named below `alpha` on average.

    evidence: shape (n,), of e-detectors; steps: shape (n,), windows that each has seen. A detector that sums over
        possible starts has an expectation of one for each, so evidence over steps is an e-value.
    Returns: their positions, the strongest first.
    Source: Wang and Ramdas 2022.
    """
    evidence, n = evidence / np.maximum(steps, 1), len(evidence)
    order = np.argsort(-evidence, kind="stable")
    ranks = np.arange(1, n + 1)
    enough = np.flatnonzero(evidence[order] >= n / (alpha * ranks))
    return [int(at) for at in order[: enough[-1] + 1]] if len(enough) else []
