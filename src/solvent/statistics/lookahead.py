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


class Planner(msgspec.Struct, frozen=True):
    """How one planner learns.

    horizon: windows that it plans. Memories, each the weight of a window against the next one: ages, for what age
    costs; fresh, for what the spans lose when fresh; live, for the level of the model in service. Doubts, each in
    windows' worth of evidence: straight, that age costs as a straight line; alike, that the spans are alike when
    fresh; usual, that the model in service is like any other of its age.
    """

    horizon: int = 6
    ages: float = 0.9
    fresh: float = 0.7
    live: float = 0.8
    straight: float = 4.0
    alike: float = 0.5
    usual: float = 1.0


USUAL = Planner()


class Learned(msgspec.Struct, frozen=True):
    """What the losses so far say of age.

    table: shape (n_spans, n_ages), loss over the mean of fresh models, not falling with age; base: shape (n_known,),
    that mean in each known window.
    """

    table: Floats
    base: Floats


class Outlook(msgspec.Struct, frozen=True):
    """gain: shape (n_spans,), what retraining on a span now saves over the horizon, its price and the waiting that it
    replaces counted, in the unit of the losses; positive: retrain. keep: loss of the model in service at the next
    windows, less the mean of fresh ones, shape (n_horizon,).
    """

    gain: list[float]
    keep: list[float]


def look_ahead(
    losses: Floats, live: tuple[int, int], tick: int, price: float, planner: Planner = USUAL
) -> Outlook | None:
    """Plan from a loss matrix of what is known.

    losses: shape (n_ticks, n_spans, n_known), summed by window; entries [i, s, w] with w < i are never read. live:
        (tick, span) of the model in service; tick: now; known windows are 0 to n_known - 1. price: of a retraining.
    Returns: None before any window is known.
    """
    if losses.shape[2] == 0:
        return None
    return weigh(learn(losses, tick, planner), losses, live, tick, price, planner)


def learn(losses: Floats, tick: int, planner: Planner) -> Learned:
    """What age costs, as of a tick; the same for every price and every model in service.

    losses: as for `look_ahead`, at least one known window.
    """
    known = losses.shape[2]
    fresh = np.stack([losses[window, :, window] for window in range(known)])
    base = fresh.mean(axis=1)
    ages = planner.horizon + (tick - known) + 2
    return Learned(_by_age(losses, fresh, base, ages, planner), base)


def weigh(
    learned: Learned, losses: Floats, live: tuple[int, int], tick: int, price: float, planner: Planner
) -> Outlook:
    """The cheapest plan that begins with a retraining on each span, against the cheapest that does not."""
    table, horizon = learned.table, planner.horizon
    keep = _ahead_of_live(losses, live, tick, learned, planner)
    served = np.concatenate([np.zeros((len(table), 1)), np.cumsum(table[:, :horizon], axis=1)], axis=1)
    later = _cheapest_from(served, price, horizon)
    ends = np.arange(1, horizon + 1)
    waiting = float((np.cumsum(keep) + later[ends]).min())
    gain = [waiting - price - float((row[ends] + later[ends]).min()) for row in served]
    return Outlook(gain, keep.tolist())


def _by_age(losses: Floats, fresh: Floats, base: Floats, ages: int, planner: Planner) -> Floats:
    """Loss over the mean of fresh models by span and age, shape (n_spans, ages), not falling with age."""
    known, spans = fresh.shape
    weight = planner.fresh ** np.arange(known - 1, -1, -1)
    level = weight @ (fresh - base[:, None]) / (weight.sum() + planner.alike)
    added, counted = np.zeros((spans, ages)), np.zeros(ages)
    for window in range(known):
        age = np.arange(min(window + 1, ages))
        weight_of = planner.ages ** (known - 1 - window)
        added[:, age] += weight_of * (losses[window - age, :, window] - fresh[window]).T
        counted[age] += weight_of
    age = np.arange(ages)
    mean = added / np.maximum(counted, 1e-9)
    slope = np.maximum((counted * age * mean).sum(axis=1) / max(float((counted * age * age).sum()), 1e-9), 0.0)
    trust = counted / (counted + planner.straight)
    smooth = trust * mean + (1 - trust) * slope[:, None] * age
    return np.asarray(level[:, None] + np.maximum.accumulate(smooth, axis=1))


def _ahead_of_live(losses: Floats, live: tuple[int, int], tick: int, learned: Learned, planner: Planner) -> Floats:
    """Loss of the model in service over the mean of fresh ones at the next windows, shape (horizon,)."""
    since, span = live
    table, base = learned.table, learned.base
    known, last = len(base), table.shape[1] - 1
    slope = max(float(table[span, -1] - table[span, 0]) / last, 0.0)

    def usual(age: Counts) -> Floats:
        return np.asarray(table[span, np.minimum(age, last)] + slope * np.maximum(age - last, 0))

    expected = usual(tick - since + np.arange(planner.horizon))
    if since >= known:
        return expected
    windows = np.arange(since, known)
    off = losses[since, span, windows] - base[windows] - usual(windows - since)
    weight = planner.live ** (known - 1 - windows)
    return np.asarray(expected + float(weight @ off) / (float(weight.sum()) + planner.usual))


def _cheapest_from(served: Floats, price: float, horizon: int) -> Floats:
    """Cost of the best plan from each window on that begins with a retraining, shape (horizon + 1,), 0 at the end."""
    cheapest = np.zeros(horizon + 1)
    for start in range(horizon - 1, -1, -1):
        stops = np.arange(start + 1, horizon + 1)
        cheapest[start] = price + float((served[:, stops - start].min(axis=0) + cheapest[stops]).min())
    return cheapest
