"""How far two tables differ when nothing has happened: the largest distance that natural variation would allow."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri, stdtrit

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.distances import binned_jensen_shannon, binned_wasserstein


def natural_limit(distances: Floats, level: float) -> float:
    """The distance that one more like window exceeds with probability `level` at most.

    distances: shape (n,), n >= 2, >= 0, of like windows to their pool; level: in (0, 0.1].
    Returns: their root mean square times the two-sided quantile of Student's t with n degrees of freedom,
        widened for the pool's own luck. A distance is about the norm of a Gaussian vector; among all with one mean
        square, the one with a single direction has the longest tail, and for that one the quantile is exact. Others
        are held to more than the level promises.
    Source: Székely and Bakirov 2003 (extremal probabilities for Gaussian quadratic forms).

    >>> round(natural_limit(np.array([0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1, 0.2]), 0.01), 2)
    0.56
    """
    known = len(distances)
    spread = math.sqrt(float(np.mean(np.square(distances))) * (1 + 1 / known))
    return spread * float(stdtrit(known, 1 - level / 2))


def drawn_distances(reference: Counts, window: Counts, gaps: Floats | None, *, draws: int, seed: int) -> Floats:
    """Distances between two tables of these sizes drawn from both tables together: what chance alone does.

    reference, window: shape (n_bins,), rows per bin; gaps: shape (n_bins - 1,), between bin middles, for Wasserstein,
        None for Jensen–Shannon. Rows are taken as exchangeable. Returns: shape (draws,). Same seed, same answer.
    """
    chance = np.random.default_rng(seed)
    n, m = int(reference.sum()), int(window.sum())
    shares = (reference + window) / (n + m)
    ours, theirs = (chance.multinomial(rows, shares, size=draws) for rows in (n, m))
    return binned_jensen_shannon(ours, theirs) if gaps is None else binned_wasserstein(ours, theirs, gaps)


def rate_limit(reference: tuple[int, int], window: tuple[int, int], level: float) -> float:
    """By how much the share of some rows may differ between two tables by chance, at `level`.

    reference, window: such rows and all rows, each with rows. Rows are taken as exchangeable.
    """
    (some, n), (others, m) = reference, window
    share = (some + others) / (n + m)
    return math.sqrt(share * (1 - share) * (1 / n + 1 / m)) * float(ndtri(1 - level / 2))
