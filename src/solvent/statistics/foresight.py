"""Whether to retrain now, on which rows, and which further model is worth training just to know better.

From the losses of the few models that were trained, `loss_process` foretells those of every model that could be made in
the windows to come; the cheapest plan says what to do now. Where a plan that seems dearer could turn out to be the
cheaper one, a *shadow* may pay: a model as it would have been trained some windows ago, scored on the windows since,
whose labels are known. It is trained where the value of what it would tell exceeds what its fit costs, so where nothing
can change, nothing is spent.
Source: the value of one more observation, as in the knowledge gradient (Frazier, Powell and Dayanik 2008).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.special import ndtr

from solvent.statistics.arrays import Counts, Flags, Floats
from solvent.statistics.loss_process import Entries, Posterior, Prior, learn
from solvent.statistics.plans import Ahead, Plan, Planning, ahead

HORIZON = 12  # windows planned
REMEMBERED = 24  # windows whose losses are looked at
MODELS = 40  # newest models whose losses are looked at
ENTRIES = 500  # newest losses that are looked at; the time for a decision grows with their cube
BACK = (1, 3, 6)  # windows ago for which shadows are considered
PATIENCE = 4.0  # how often over what one shadow tells is used: at later ticks again
_LEAST = 1e-4  # of the usual loss, below which a window's loss counts as this much


class Situation(msgspec.Struct, frozen=True):
    """What is known at a tick.

    tick, live: as in `replay.Known`. losses: shape (tick + 1, n_spans, n_known), summed by window, NaN where not known;
    made: shape (tick + 1, n_spans), the models that were trained; only their losses are read. rows: shape (tick + 1,
    n_spans), training rows. price: of a retraining, fit: of a shadow on all rows, and usual: the loss that a window was
    expected to have before any was known, all in one unit. fewer: how many spans, the last ones, are of models that do
    not know a feature.
    """

    tick: int
    live: tuple[int, int]
    losses: Floats
    made: Flags
    rows: Counts
    price: float
    fit: float
    usual: float
    fewer: int = 0

    @property
    def whole(self) -> int:
        """How many spans know every feature."""
        return len(self.losses[0]) - self.fewer


class Advice(msgspec.Struct, frozen=True):
    """shadow: (tick, span) to train and then ask again, or None. span: to retrain on now, None to keep; saves: what
    that saves over the horizon, price paid, against the best that does not retrain now.
    """

    shadow: tuple[int, int] | None
    span: int | None
    saves: float


def advise(seen: Situation, prior: Prior, *, shadows: bool = True) -> Advice:
    """shadows: whether one may be trained before deciding."""
    spans = seen.losses.shape[1]
    grid = ahead(HORIZON, spans)
    candidates = _candidates(seen) if shadows else []
    known, told = _known(seen)
    belief = learn(prior, known, told, _ahead(seen, grid), _further(seen, candidates))
    expected = seen.usual * belief.expected()
    planning = Planning(expected, grid, seen.price)
    waiting, beginnings = planning.waiting(), [planning.beginning(span) for span in range(spans)]
    if candidates:
        alone = [Planning(expected, grid, seen.price, [span]).best() for span in range(spans)]
        worth = _worth(belief, expected, [waiting, *beginnings], alone, _windows(seen, candidates))
        gains = PATIENCE * worth - [seen.fit * seen.rows[one] / seen.rows[one[0]].max() for one in candidates]
        if gains.max() > 0:
            return Advice(candidates[int(np.argmax(gains))], None, 0.0)
    span = min(range(spans), key=lambda one: beginnings[one].cost)
    saves = waiting.cost - beginnings[span].cost
    return Advice(None, span if saves > 0 else None, saves)


def _candidates(seen: Situation) -> list[tuple[int, int]]:
    """Models not trained so far, of a few windows ago."""
    windows, spans = seen.losses.shape[2], seen.losses.shape[1]
    ticks = [windows - back for back in BACK if windows - back > 0]
    return [(tick, span) for tick in ticks for span in range(spans) if not seen.made[tick, span]]


def _windows(seen: Situation, models: Sequence[tuple[int, int]]) -> Counts:
    """For each entry that training these models would reveal, which model it is of."""
    return np.repeat(np.arange(len(models)), [seen.losses.shape[2] - tick for tick, _ in models]).astype(int)


def _further(seen: Situation, models: Sequence[tuple[int, int]]) -> Entries:
    windows = seen.losses.shape[2]
    cells = [(tick, span, window) for tick, span in models for window in range(tick, windows)]
    return _entries(seen, np.array(cells, dtype=int).reshape(-1, 3))


def _known(seen: Situation) -> tuple[Entries, Floats]:
    """Entries of the newest models in the latest windows, and their log losses."""
    windows = seen.losses.shape[2]
    made = [_told_apart(seen, *model) for model in np.argwhere(seen.made).tolist()]
    newest = {*list(dict.fromkeys(made))[-MODELS:], _told_apart(seen, *seen.live)}
    first = max(windows - REMEMBERED, 0)
    cells = [(tick, span, at) for at in range(first, windows) for tick, span in sorted(newest) if tick <= at]
    cells = [cell for cell in cells if np.isfinite(seen.losses[cell])]
    entries = _entries(seen, np.array(cells[-ENTRIES:], dtype=int).reshape(-1, 3))
    losses = seen.losses[entries.tick, entries.span, entries.window]
    return entries, np.log(np.maximum(losses / seen.usual, _LEAST))


def _told_apart(seen: Situation, tick: int, span: int) -> tuple[int, int]:
    """The model under one name: the first one is the same on all spans that know every feature."""
    return tick, span if tick or span >= seen.whole else 0


def _numbered(seen: Situation, span: Counts) -> Counts:
    """Spans as `Entries` has them: below 0 without a feature."""
    return np.where(span < seen.whole, span, seen.whole - 1 - span)


def _entries(seen: Situation, cells: Counts) -> Entries:
    tick, span, window = cells.T
    return Entries(tick, _numbered(seen, span), window, np.log(seen.rows[tick, span] / seen.rows[0, 0]))


def _ahead(seen: Situation, grid: Ahead) -> Entries:
    """The model in service, then every model that could be made; rows are expected to go on as in the last windows."""
    (since, span), tick = seen.live, seen.tick
    back = min(tick, 3)
    growth = (seen.rows[tick] - seen.rows[tick - back]) / max(back, 1)
    rows = seen.rows[tick][grid.span] + grid.start * growth[grid.span]
    live = np.full(HORIZON, 1)
    log_rows = np.concatenate([live * seen.rows[since, span], rows]) / seen.rows[0, 0]
    return Entries(
        np.concatenate([live * since, tick + grid.start]),
        _numbered(seen, np.concatenate([live * span, grid.span])),
        tick + np.concatenate([np.arange(HORIZON), grid.window]),
        np.log(log_rows),
    )


def _worth(belief: Posterior, expected: Floats, choices: Sequence[Plan], others: Sequence[Plan], of: Counts) -> Floats:
    """What training each candidate is expected to save by changing what is chosen, shape (n_candidates,).

    choices: the plans between which to choose now; others: plans that keep to one span. A plan's expected advantage
    over the best one moves with what is revealed; its mean positive part is what it may save.
    """
    best = min(choices, key=lambda plan: plan.cost)
    plans = [plan for plan in (*choices, *others) if plan.served != best.served]
    if not plans:
        return np.zeros(int(of.max()) + 1)
    behind = np.array([plan.cost - best.cost for plan in plans])
    weights = np.zeros((len(plans), len(expected)))
    for row, plan in zip(weights, plans, strict=True):
        row[plan.served] += expected[plan.served]
        row[best.served] -= expected[best.served]
    moved = weights @ belief.covariances
    worth = []
    for candidate in range(int(of.max()) + 1):
        own = of == candidate
        solved = np.linalg.solve(belief.spread[np.ix_(own, own)], moved[:, own].T)
        deviation = np.sqrt(np.maximum(np.einsum("pe,ep->p", moved[:, own], solved), 0.0))
        worth.append(float(np.max(_mean_excess(behind, deviation))))
    return np.array(worth)


def _mean_excess(behind: Floats, deviation: Floats) -> Floats:
    """Mean of max(0, x - behind) for a normal x around 0 of this deviation."""
    wide = np.maximum(deviation, 1e-300)
    ratio = np.maximum(behind, 0.0) / wide
    density = np.exp(-0.5 * ratio**2) / math.sqrt(2 * math.pi)
    return np.asarray(np.where(deviation > 0, wide * (density - ratio * ndtr(-ratio)), 0.0))
