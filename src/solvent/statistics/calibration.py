"""Functions of one figure, learned as steps: calibrated probabilities, and mean losses by the size of an output."""

from __future__ import annotations

import msgspec
import numpy as np
from scipy.optimize import isotonic_regression

from solvent.statistics.arrays import Floats

_BINS = 10


class StepFunction(msgspec.Struct, frozen=True):
    """A function of the output, constant between edges. edges: shape (k,); values: shape (k + 1,)."""

    edges: list[float]
    values: list[float]

    def __call__(self, at: Floats) -> Floats:
        return np.asarray(self.values)[np.searchsorted(self.edges, at, side="right")]


def isotonic(at: Floats, target: Floats) -> StepFunction:
    """Nondecreasing least-squares fit as a step function (pool adjacent violators), then shrunk off 0 and 1.

    at, target: shape (n,). Each step of k rows is moved towards the overall mean as if by one more row.
    Source: Robertson, Wright and Dykstra 1988.

    >>> isotonic(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 1.0]))(np.array([2.5])).tolist()
    [0.5]
    """
    order = np.argsort(at, kind="stable")
    x, y = np.asarray(at)[order], np.asarray(target, dtype=float)[order]
    groups, starts, counts = np.unique(x, return_index=True, return_counts=True)
    pooled = isotonic_regression(np.add.reduceat(y, starts) / counts, weights=counts)
    first, rows = pooled.blocks[:-1], pooled.weights
    mean = float(y.mean())
    values = (pooled.x[first] * rows + mean) / (rows + 1)
    edges = (groups[first[1:] - 1] + groups[first[1:]]) / 2
    return StepFunction(edges.tolist(), values.tolist())


def binned_mean(at: Floats, target: Floats, bins: int = _BINS) -> StepFunction:
    """Mean of the target by quantile bins of `at`, both of shape (n,)."""
    edges = np.unique(np.quantile(at, np.linspace(0, 1, bins + 1)[1:-1]))
    which = np.searchsorted(edges, at, side="right")
    rows = np.bincount(which, minlength=len(edges) + 1)
    sums = np.bincount(which, weights=target, minlength=len(edges) + 1)
    overall = float(target.mean())
    values = np.where(rows > 0, sums / np.maximum(rows, 1), overall)
    return StepFunction(edges.tolist(), values.tolist())
