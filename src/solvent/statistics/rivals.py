"""Retraining policies of the literature, simplified to what a loss matrix holds.

Both compare every span, so both pay for a fresh model of each span at each tick, as Solvent's own policies do.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from scipy.special import ndtri

from solvent.statistics.arrays import Counts, Floats

PERIODS = (1, 2, 3, 4, 6, 8, 12)
_STEPS = 12  # thresholds tried of each kind
HORIZON = 8  # windows that the forecast reaches
LEVEL = 0.75  # chance that a retraining saves more than its price, before it is made
_RIDGE = 1e-6


class Rules(msgspec.Struct, frozen=True):
    """Candidates of CARA, one a position: limit on the last window's loss, on the sum since, on the age; and span."""

    last: Floats
    total: Floats
    age: Floats
    span: Counts

    def fire(self, last: Floats, total: Floats, age: Floats) -> Floats:
        """Which of them retrain."""
        return np.asarray((last > self.last) | (total > self.total) | (age >= self.age))


def cara(losses: Floats, live: tuple[int, int], tick: int, price: float) -> int | None:
    """The span to retrain on now, None to keep.

    losses: shape (tick + 1, n_spans, n_known), summed by window; live: (tick, span) of the model in service; price: of
        a retraining.
    Source: Mahadevan and Mathioudakis 2024 (Knowledge-Based Systems 293): a threshold on the staleness cost, on its
    sum since the last training, or a period, whichever costs least over a batch that is known. Simplified, in its
    favour: the batch is all that is known by each tick, not one at the start, and the span is chosen along. Left out:
    the similarity of queries to data; all rows of a labelled window count alike.
    """
    known = losses.shape[2]
    if known < 2:
        return None
    rules = _candidates(losses)
    best = int(np.argmin(_lived(losses, rules, tick - known, price)))
    since, span = live
    served = losses[since, span, since:known]
    last = float(served[-1]) if len(served) else -math.inf
    fired = rules.fire(np.array(last), np.array(served.sum()), np.array(float(tick - since)))
    return int(rules.span[best]) if fired[best] else None


def _candidates(losses: Floats) -> Rules:
    ticks, spans, known = losses.shape
    reach = np.arange(min(ticks, known))[:, None] <= np.arange(known)[None, :]
    seen = losses[: len(reach)].transpose(0, 2, 1)[reach]
    never = np.full(_STEPS, np.inf)
    last = np.quantile(seen, np.linspace(0.3, 1, _STEPS))
    total = float(seen.mean()) * np.geomspace(0.5, known, _STEPS)
    ages = np.array(PERIODS, dtype=float)
    one = [
        np.concatenate([last, never, np.full(len(ages), np.inf)]),
        np.concatenate([never, total, np.full(len(ages), np.inf)]),
        np.concatenate([never, never, ages]),
    ]
    every = [np.tile(column, spans) for column in one]
    return Rules(every[0], every[1], every[2], np.repeat(np.arange(spans), len(one[0])))


def _lived(losses: Floats, rules: Rules, late: int, price: float) -> Floats:
    """Cost of each rule over the known windows, labels known `late` windows after their own."""
    known = losses.shape[2]
    so_far = np.concatenate([np.zeros((*losses.shape[:2], 1)), np.cumsum(losses, axis=2)], axis=2)
    since, span = np.zeros(len(rules.span), dtype=int), np.zeros(len(rules.span), dtype=int)
    cost = losses[since, span, 0].copy()
    for tick in range(1, known):
        labelled = np.maximum(tick - late, since)
        total = so_far[since, span, labelled] - so_far[since, span, since]
        last = np.where(labelled > since, losses[since, span, labelled - 1], -np.inf)
        fired = rules.fire(last, total, (tick - since).astype(float))
        since, span = np.where(fired, tick, since), np.where(fired, rules.span, span)
        cost += losses[since, span, tick] + price * fired
    return np.asarray(cost)


def forecast_saving(losses: Floats, live: tuple[int, int], tick: int) -> Floats:
    """What a model of each span would save over the horizon, shape (n_spans,): the lower bound at `LEVEL`.

    losses, live, tick: as for `cara`.
    Source: Regol et al. 2025 (ICML, PMLR 267): the loss of the model of tick i in window j is forecast with its
    uncertainty from the losses known, and a quantile decides. Simplified: a Gaussian regression on time, span and age
    in place of a Beta, no measure of the features' shift among its inputs, a horizon of eight windows for that of the
    study, whose end a policy is not told.
    """
    ticks, spans, known = losses.shape
    if known < 2:
        return np.full(spans, -np.inf)
    tick_of, span_of, window_of = (axis.ravel() for axis in np.indices((min(ticks, known), spans, known)))
    seen = window_of >= tick_of
    tick_of, span_of, window_of = tick_of[seen], span_of[seen], window_of[seen]
    x = _inputs(tick_of, span_of, window_of, spans)
    y = losses[tick_of, span_of, window_of]
    inverse = np.linalg.inv(x.T @ x + _RIDGE * len(x) * np.eye(x.shape[1]))
    weights = inverse @ (x.T @ y)
    spread = float(((y - x @ weights) ** 2).sum()) / max(len(x) - x.shape[1], 1)
    ahead = np.arange(tick, tick + HORIZON)
    keep = _inputs(np.full(HORIZON, live[0]), np.full(HORIZON, live[1]), ahead, spans).sum(axis=0)
    bounds = []
    for span in range(spans):
        renew = _inputs(np.full(HORIZON, tick), np.full(HORIZON, span), ahead, spans).sum(axis=0)
        saved = keep - renew
        error = math.sqrt(spread * (float(saved @ inverse @ saved) + 2 * HORIZON))
        bounds.append(float(saved @ weights) - float(ndtri(LEVEL)) * error)
    return np.array(bounds)


def _inputs(tick: Counts, span: Counts, window: Counts, spans: int) -> Floats:
    """A column of ones, time, and for each span its level and what it adds with age."""
    age = (window - tick).astype(float)
    own = span[:, None] == np.arange(spans)[None, :]
    return np.column_stack([np.ones(len(age)), window.astype(float), own[:, 1:], own * age[:, None]])
