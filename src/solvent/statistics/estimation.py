"""Performance without labels: what the loss should be if only the inputs have changed.

Sees covariate shift; cannot see concept drift. The interval covers the sampling of
the window and the error of the loss model, both learned from blocks of the reference
that the loss model had not seen.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from scipy.special import stdtrit

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.blocks import block_means
from solvent.statistics.losses import row_loss
from solvent.statistics.sequential import Interval

_BINS = 10
_FOLDS = 5


class StepFunction(msgspec.Struct, frozen=True):
    """A function of the output, constant between edges. edges: shape (k,); values: shape (k + 1,)."""

    edges: list[float]
    values: list[float]

    def __call__(self, at: Floats) -> Floats:
        return np.asarray(self.values)[np.searchsorted(self.edges, at, side="right")]


class LossModel(msgspec.Struct, frozen=True):
    """Expected loss of a row from its output alone, learned on the reference.

    task, metric: as declared; step: calibrated probability (binary) or mean loss (regression) by output.
    residuals: realised less expected loss of reference blocks, out of fold; block: their length in microseconds.
    bound: losses are clipped there.
    """

    task: str
    metric: str
    step: StepFunction
    residuals: list[float]
    block: int
    bound: float

    def expected(self, output: Floats) -> Floats:
        """Expected loss of each row, shape as `output`."""
        return _expected(self.task, self.metric, self.step, output, self.bound)

    def estimate(self, output: Floats, micros: Counts, *, level: float = 0.9) -> Interval:
        """Mean loss of a window, in the metric's (unrooted) unit.

        output, micros: shape (n,), finite. Infinite bounds where the reference has fewer than four blocks.
        """
        if len(output) == 0:
            return Interval(math.nan, math.nan, math.nan, level)
        value = float(self.expected(output).mean())
        residuals = np.array(self.residuals)
        n = len(residuals)
        if n < 4:
            return Interval(value, 0.0, math.inf, level)
        blocks = max(len(np.unique(micros // self.block)), 1)
        spread = float(residuals.std(ddof=1)) * math.sqrt(1 / blocks + 1 / n)
        reach = float(stdtrit(n - 1, (1 + level) / 2)) * spread
        middle = value + float(residuals.mean())
        return Interval(max(middle, 0.0), max(middle - reach, 0.0), max(middle + reach, 0.0), level)


def learn_loss(
    task: str, metric: str, label: Floats, output: Floats, micros: Counts, *, bound: float, block: int
) -> LossModel | None:
    """A loss model from labelled reference rows; None with fewer than 30 of them or an unknown task.

    label, output, micros: shape (n,), finite; block: microseconds. Binary: confidence-based estimation
        (CBPE) with probabilities calibrated by isotonic regression; regression: direct loss estimation,
        the mean loss by tenths of the output.
    """
    if len(label) < 30 or task not in ("binary", "regression"):
        return None
    loss = np.minimum(row_loss(metric, label, output), bound)
    target = label if task == "binary" else loss
    fold = (micros // block) % _FOLDS
    expected = np.full(len(label), np.nan)
    for part in np.unique(fold):
        inside = fold == part
        if inside.all():
            continue
        step = _fit(task, output[~inside], target[~inside])
        expected[inside] = _expected(task, metric, step, output[inside], bound)
    seen = np.isfinite(expected)
    residuals, _, _ = block_means(loss[seen] - expected[seen], micros[seen], block)
    return LossModel(task, metric, _fit(task, output, target), residuals.tolist(), block, bound)


def _fit(task: str, output: Floats, target: Floats) -> StepFunction:
    return isotonic(output, target) if task == "binary" else binned_mean(output, target)


def _expected(task: str, metric: str, step: StepFunction, output: Floats, bound: float) -> Floats:
    if task == "regression":
        return step(output)
    p = step(output)
    ones, zeros = np.ones_like(output), np.zeros_like(output)
    mixed = p * row_loss(metric, ones, output) + (1 - p) * row_loss(metric, zeros, output)
    return np.asarray(np.minimum(mixed, bound))


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
    sums = np.add.reduceat(y, starts)
    pooled: list[tuple[float, float, int]] = []  # sum, rows, first group
    for index, (total, rows) in enumerate(zip(sums.tolist(), counts.tolist(), strict=True)):
        block = (total, float(rows), index)
        while pooled and pooled[-1][0] * block[1] >= block[0] * pooled[-1][1]:
            before = pooled.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2])
        pooled.append(block)
    mean = float(y.mean())
    values = [(total + mean) / (rows + 1) for total, rows, _ in pooled]
    edges = [float(groups[first - 1] + groups[first]) / 2 for _, _, first in pooled[1:]]
    return StepFunction(edges, values)


def binned_mean(at: Floats, target: Floats, bins: int = _BINS) -> StepFunction:
    """Mean of the target by quantile bins of `at`, both of shape (n,)."""
    edges = np.unique(np.quantile(at, np.linspace(0, 1, bins + 1)[1:-1]))
    which = np.searchsorted(edges, at, side="right")
    rows = np.bincount(which, minlength=len(edges) + 1)
    sums = np.bincount(which, weights=target, minlength=len(edges) + 1)
    overall = float(target.mean())
    values = np.where(rows > 0, sums / np.maximum(rows, 1), overall)
    return StepFunction(edges.tolist(), values.tolist())
