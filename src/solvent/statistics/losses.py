"""Losses of single rows, by the metric's name."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np

from solvent.foundation.errors import UsageError, nearest
from solvent.statistics.arrays import Floats

_SURE = 1e-3  # probabilities are clipped to [this, 1 - this]: a log loss of at most 6.9


class UnknownMetric(UsageError):
    code = "unknown-metric"


class Metric(msgspec.Struct, frozen=True):
    """A metric as the mean of a row's loss.

    tasks: what it applies to; bound: largest loss of a row, None where the reference must state it;
    rooted: people are shown the square root of the mean. unit: of what is shown, `target` is the target's.
    """

    name: str
    tasks: tuple[str, ...]
    loss: Callable[[Floats, Floats], Floats]
    bound: float | None
    unit: str
    rooted: bool = False

    def shown(self, mean_loss: float) -> float:
        """The figure that people read."""
        return math.sqrt(max(mean_loss, 0.0)) if self.rooted else mean_loss


def _absolute(label: Floats, output: Floats) -> Floats:
    return np.abs(label - output)


def _squared(label: Floats, output: Floats) -> Floats:
    return np.asarray((label - output) ** 2)


def _log_loss(label: Floats, output: Floats) -> Floats:
    """Binary: output is the probability of class 1. Multiclass: output is that of the label's class, label all 1."""
    p = np.clip(output, _SURE, 1 - _SURE)
    return np.asarray(-np.where(label > 0.5, np.log(p), np.log1p(-p)))


def _error(label: Floats, output: Floats) -> Floats:
    return np.asarray((output >= 0.5) != (label > 0.5), dtype=float)


_METRICS = {
    metric.name: metric
    for metric in (
        Metric("mae", ("regression",), _absolute, None, "target"),
        Metric("mse", ("regression",), _squared, None, "target²"),
        Metric("rmse", ("regression",), _squared, None, "target", rooted=True),
        Metric("log_loss", ("binary", "multiclass"), _log_loss, -math.log(_SURE), "nats"),
        Metric("brier", ("binary",), _squared, 1.0, "probability²"),
        Metric("error", ("binary", "multiclass"), _error, 1.0, "share"),
        Metric("accuracy", ("binary", "multiclass"), _error, 1.0, "share"),
    )
}


_ALIASES = {
    "logloss": "log_loss",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "brier_score": "brier",
}


def metric_named(name: str) -> Metric:
    """The metric of that name; `accuracy` counts errors, since a loss grows when things get worse.

    Raises: UnknownMetric, naming the nearest.
    """
    try:
        return _METRICS[_ALIASES.get(name, name)]
    except KeyError:
        hint = nearest(name, list(_METRICS), f"known are {', '.join(_METRICS)}")
        raise UnknownMetric(f"no metric `{name}`", next=hint) from None


def row_loss(metric: str, label: Floats, output: Floats) -> Floats:
    """Loss of each row, unclipped.

    label, output: shape (n,), float; a class is 0 or 1 and the output its probability. For more
        classes pass `multiclass_loss`. NaN in either gives NaN.
    Raises: UnknownMetric.

    >>> row_loss("mae", np.array([3.0]), np.array([1.0])).tolist()
    [2.0]
    """
    label, output = np.asarray(label, dtype=float), np.asarray(output, dtype=float)
    losses, unknown = metric_named(metric).loss(label, output), np.isnan(label) | np.isnan(output)
    return np.where(unknown, np.nan, losses) if unknown.any() else losses


def multiclass_loss(metric: str, label: Floats, probabilities: Floats) -> Floats:
    """Loss of each row with several classes, `log_loss` or `error`.

    label: shape (n,), class positions as float, NaN unknown; probabilities: shape (n, n_classes).
    """
    known = ~np.isnan(label)
    at = np.where(known, label, 0).astype(int)
    right = probabilities[np.arange(len(label)), at]
    if metric_named(metric).loss is _error:
        losses = (probabilities.argmax(axis=1) != at).astype(float)
    else:
        losses = -np.log(np.clip(right, _SURE, 1 - _SURE))
    return np.asarray(np.where(known, losses, np.nan))


def stated_bound(metric: str, losses: Floats) -> float:
    """Where losses are clipped for tests: the metric's own bound, or from the reference's losses.

    losses: shape (n,), the reference's. Without an own bound: twenty times their mean, or their largest
        99.5% quantile, whichever is more; 1 where the reference has no loss at all.
    """
    own = metric_named(metric).bound
    if own is not None:
        return own
    finite = losses[np.isfinite(losses)]
    if len(finite) == 0 or float(finite.max()) == 0.0:
        return 1.0
    return max(20 * float(finite.mean()), float(np.quantile(finite, 0.995)))
