"""What retraining costs and what it is worth.

Two questions. Looking back: what would a given, the best fixed, or the ideal sequence
of retrainings have cost, from a matrix of losses. Looking forward: what is a fresh
model worth now, from the realised, paired excess of the live model over fresh ones.

A loss matrix has shape (n_ticks, n_spans, n_windows): entry [i, s, w] is the loss,
summed over all rows of window w, of the model trained at tick i on span s. Tick i comes
just before window i; tick 0 is the first model. Entries with w < i are never read.
A schedule is the list of its retrainings as (tick, span index), ticks from 1 on, rising.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from solvent.statistics.arrays import Floats

Schedule = list[tuple[int, int]]

LEAST_BLOCKS = 4  # fewer differences than this do not show their own spread


class BadSchedule(ValueError):
    """A schedule that its loss matrix cannot price."""


class Costed(msgspec.Struct, frozen=True):
    """A schedule with its total cost, in the unit of the losses.

    every: the fixed interval in ticks that it follows, None where it follows none.
    """

    cost: float
    retrainings: Schedule
    every: int | None = None


class Excess(msgspec.Struct, frozen=True):
    """What keeping the live model has cost and would cost against fresh ones.

    accumulated: realised so far; expected: over the horizon, with its standard error;
    worth: the share of both that a decision counts, less the caution; uncertainty: the
    standard error of that share. All in one unit; without enough blocks the errors
    are infinite and worth is -infinity. windows, blocks: how many of each it rests on.
    """

    accumulated: float
    expected: float
    expected_error: float
    worth: float
    uncertainty: float
    windows: int
    blocks: int


def excess_worth(
    windows: Sequence[Floats], *, horizon: float = 8, recent: int = 8, weight: float = 0.5, caution: float = 0.5
) -> Excess:
    """Weigh the excess accumulated and the excess expected against their uncertainty.

    windows: per window since the live model was made, oldest first: shape (n_blocks,), each block's
        loss of the live model less that of a fresh one on the same rows. Pairing cancels season and
        difficulty; a block is long enough that neighbouring blocks are independent.
    horizon: windows ahead; the expected part is the mean of the last `recent` windows times this.
    weight: share of both parts that counts: the accumulated part alone would wait for a jump to be
        paid for, the expected part alone would retrain at every jump that may pass.
    caution: standard errors taken off.
    Returns: an Excess; zeros (and no worth) from no window.
    """
    blocks = [np.asarray(window, dtype=float) for window in windows]
    total = sum(len(block) for block in blocks)
    if not blocks:
        return Excess(0.0, 0.0, math.inf, -math.inf, math.inf, 0, 0)
    sums = np.array([block.sum() for block in blocks])
    sizes = np.array([len(block) for block in blocks])
    share = np.zeros(len(blocks))
    share[-recent:] = horizon / min(recent, len(blocks))
    accumulated, expected = float(sums.sum()), float(share @ sums)
    if total < LEAST_BLOCKS:
        return Excess(accumulated, expected, math.inf, -math.inf, math.inf, len(blocks), total)
    spread = float(np.concatenate(blocks).std(ddof=1))
    counted = weight * (1 + share)
    error = spread * math.sqrt(float(sizes @ counted**2))
    expected_error = spread * math.sqrt(float(sizes @ share**2))
    worth = float(counted @ sums) - caution * error
    return Excess(accumulated, expected, expected_error, worth, error, len(blocks), total)


def schedule_cost(losses: Floats, retrainings: Iterable[tuple[int, int]], price: float, *, first: int = 0) -> float:
    """Loss over all windows of the models that a schedule serves, plus its price.

    losses: a loss matrix; price: of one retraining, in its unit; first: span index of the model of tick 0.
    Raises: BadSchedule, ticks not rising, or outside the matrix.
    """
    _, _, windows = losses.shape
    cost, live, since = 0.0, (0, first), 0
    for tick, span in retrainings:
        if not (max(since, 1) <= tick < windows and tick < losses.shape[0]) or (tick == since and since):
            raise BadSchedule(f"retraining at tick {tick} after tick {since}, in {windows} windows")
        cost += float(losses[live[0], live[1], since:tick].sum()) + price
        live, since = (tick, span), tick
    return cost + float(losses[live[0], live[1], since:].sum())


def every(ticks: int, span: int, windows: int) -> Schedule:
    """Retrain every so many ticks on one span, the first time after so many windows.

    >>> every(3, 0, 8)
    [(3, 0), (6, 0)]
    """
    return [(tick, span) for tick in range(ticks, windows, ticks)]


def best_schedule_in_hindsight(
    losses: Floats, price: float, *, first: int = 0, intervals: Iterable[int] | None = None
) -> Costed:
    """The cheapest of never and every k-th tick, k and span both chosen knowing the outcome.

    intervals: the k to choose from; all from 1 to the number of windows by default (the last is 'never').
    Returns: the longest interval and the first span among equals: fewer retrainings win a tie.
    """
    _, spans, windows = losses.shape
    choices = sorted(set(intervals if intervals is not None else range(1, windows + 1)) | {windows}, reverse=True)
    best: Costed | None = None
    for interval in choices:
        for span in range(spans):
            plan = every(interval, span, windows)
            cost = schedule_cost(losses, plan, price, first=first)
            if best is None or cost < best.cost:
                best = Costed(cost, plan, interval if plan else None)
    if best is None:
        raise BadSchedule("a loss matrix needs a window and a span")
    return best


def oracle(losses: Floats, price: float, *, first: int = 0) -> Costed:
    """The cheapest schedule of all, by dynamic programming over when each model is replaced, and by what.

    No policy can do better on this matrix. Time: ticks² × spans.
    """
    ticks, spans, windows = losses.shape
    ahead = np.full(windows + 1, np.inf)  # cheapest cost from tick t on, its retraining included
    ahead[windows] = 0.0
    chosen = [0] * (windows + 1)  # the span taken at tick t
    replaced = np.full((windows, spans), windows)  # when the model of (tick, span) is replaced
    for tick in range(min(ticks, windows) - 1, -1, -1):
        for span in range(spans) if tick else (first,):
            served = np.cumsum(losses[tick, span, tick:])
            total = served + ahead[tick + 1 :]
            stop = len(total) - 1 - int(np.argmin(total[::-1]))  # the latest among equals
            replaced[tick, span] = tick + 1 + stop
            if total[stop] + price < ahead[tick]:
                ahead[tick], chosen[tick] = float(total[stop]) + price, span
    plan: Schedule = []
    at, span = 0, first
    while replaced[at, span] < windows:
        at = int(replaced[at, span])
        span = chosen[at]
        plan.append((at, span))
    return Costed(schedule_cost(losses, plan, price, first=first), plan)


def regret_share(cost: float, never: float, ideal: float) -> float:
    """Share of the avoidable cost that was not avoided: 0 as the oracle, 1 as never retraining, above 1 worse.

    Total costs hide policies behind irreducible loss; this does not. NaN where nothing was avoidable.

    >>> regret_share(cost=11.0, never=20.0, ideal=10.0)
    0.1
    """
    avoidable = never - ideal
    return (cost - ideal) / avoidable if avoidable > 0 else math.nan
