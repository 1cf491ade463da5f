"""Whether a retraining pays, by planning the next windows ahead with what age has cost lately.

From the losses of models of every age a table of loss by span and age is learned, recent windows counting more; the
model in service has its own level on top. Then the cheapest plan for the next windows is found by dynamic programming,
once with a retraining now and once without. In contrast to the excess rule it knows that what is retrained now ages
too, and that it may wait.
"""

from __future__ import annotations

import msgspec
import numpy as np

from solvent.statistics.arrays import Counts, Floats

HORIZON = 6  # windows that are planned
_AGE_MEMORY = 0.9  # weight of a window against the next one, for what age costs
_FRESH_MEMORY = 0.7  # likewise for what the spans lose when fresh: which one is ahead changes quickly
_LIVE_MEMORY = 0.8  # likewise for the level of the model in service
_SMOOTHING = 4.0  # windows' worth of a straight line that a single age's mean is drawn to
_ALIKE = 0.5  # windows' worth of 'the spans are alike when fresh'
_PRIOR = 1.0  # windows' worth of 'the model in service is like any other of its age'


class Outlook(msgspec.Struct, frozen=True):
    """gain: shape (n_spans,), what retraining on a span now saves over the horizon, its price and the waiting that it
    replaces counted, in the unit of the losses; positive: retrain. keep: loss of the model in service at the next
    windows, less the mean of fresh ones, shape (n_horizon,).
    """

    gain: list[float]
    keep: list[float]


def look_ahead(
    losses: Floats, live: tuple[int, int], tick: int, price: float, *, horizon: int = HORIZON
) -> Outlook | None:
    """Plan from a loss matrix of what is known.

    losses: shape (n_ticks, n_spans, n_known), summed by window; entries [i, s, w] with w < i are never read. live:
        (tick, span) of the model in service; tick: now; known windows are 0 to n_known - 1. price: of a retraining.
    Returns: None before any window is known.
    """
    known = losses.shape[2]
    if known == 0:
        return None
    fresh = np.stack([losses[window, :, window] for window in range(known)])
    base = fresh.mean(axis=1)
    ages = horizon + (tick - known) + 2
    table = _by_age(losses, fresh, base, ages)
    keep = _ahead_of_live(losses, live, tick, base, table, horizon)
    served = np.concatenate([np.zeros((len(table), 1)), np.cumsum(table[:, :horizon], axis=1)], axis=1)
    later = _cheapest_from(served, price, horizon)
    ends = np.arange(1, horizon + 1)
    waiting = float((np.cumsum(keep) + later[ends]).min())
    gain = [waiting - price - float((row[ends] + later[ends]).min()) for row in served]
    return Outlook(gain, keep.tolist())


def _by_age(losses: Floats, fresh: Floats, base: Floats, ages: int) -> Floats:
    """Loss over the mean of fresh models by span and age, shape (n_spans, ages), not falling with age."""
    known, spans = fresh.shape
    weight = _FRESH_MEMORY ** np.arange(known - 1, -1, -1)
    level = weight @ (fresh - base[:, None]) / (weight.sum() + _ALIKE)
    added, counted = np.zeros((spans, ages)), np.zeros(ages)
    for window in range(known):
        age = np.arange(min(window + 1, ages))
        weight_of = _AGE_MEMORY ** (known - 1 - window)
        added[:, age] += weight_of * (losses[window - age, :, window] - fresh[window]).T
        counted[age] += weight_of
    age = np.arange(ages)
    mean = added / np.maximum(counted, 1e-9)
    slope = np.maximum((counted * age * mean).sum(axis=1) / max(float((counted * age * age).sum()), 1e-9), 0.0)
    trust = counted / (counted + _SMOOTHING)
    smooth = trust * mean + (1 - trust) * slope[:, None] * age
    return np.asarray(level[:, None] + np.maximum.accumulate(smooth, axis=1))


def _ahead_of_live(
    losses: Floats, live: tuple[int, int], tick: int, base: Floats, table: Floats, horizon: int
) -> Floats:
    """Loss of the model in service over the mean of fresh ones at the next windows, shape (horizon,)."""
    since, span = live
    known, last = len(base), table.shape[1] - 1
    slope = max(float(table[span, -1] - table[span, 0]) / last, 0.0)

    def usual(age: Counts) -> Floats:
        return np.asarray(table[span, np.minimum(age, last)] + slope * np.maximum(age - last, 0))

    expected = usual(tick - since + np.arange(horizon))
    if since >= known:
        return expected
    windows = np.arange(since, known)
    off = losses[since, span, windows] - base[windows] - usual(windows - since)
    weight = _LIVE_MEMORY ** (known - 1 - windows)
    return np.asarray(expected + float(weight @ off) / (float(weight.sum()) + _PRIOR))


def _cheapest_from(served: Floats, price: float, horizon: int) -> Floats:
    """Cost of the best plan from each window on that begins with a retraining, shape (horizon + 1,), 0 at the end."""
    cheapest = np.zeros(horizon + 1)
    for start in range(horizon - 1, -1, -1):
        stops = np.arange(start + 1, horizon + 1)
        cheapest[start] = price + float((served[:, stops - start].min(axis=0) + cheapest[stops]).min())
    return cheapest
