"""A panel of planners, each weighed by what its own decisions would have cost so far.

How far to look, how quickly to forget and how much to doubt differs from table to table, and constants that were tuned
on some fit others badly. But every planner's life can be lived through again on the losses that are known: its fresh
models were made anyway. So a dozen planners, spread over all sensible constants, live side by side; their advice is
averaged with weights that fall exponentially with cost.
Source: exponentially weighted forecasters, Littlestone and Warmuth 1994; Cesa-Bianchi and Lugosi 2006, chapter 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvent.statistics.arrays import Floats
from solvent.statistics.lookahead import Learned, Outlook, Planner, learn, weigh

LEAD = 0.3  # of a retraining's price: a planner that has cost so much more counts a factor e less
# Drawn once at random, each constant from three to five sensible values, and not chosen by what they cost.
PLANNERS = (
    Planner(horizon=12, ages=0.9, fresh=0.6, live=0.5, straight=2, alike=0.2, usual=0.3),
    Planner(horizon=3, ages=0.7, fresh=0.8, live=0.7, straight=8, alike=0.5, usual=1),
    Planner(horizon=12, ages=0.9, fresh=0.6, live=0.7, straight=4, alike=1, usual=0.3),
    Planner(horizon=12, ages=0.9, fresh=0.4, live=0.7, straight=8, alike=0.5, usual=0.3),
    Planner(horizon=12, ages=0.9, fresh=0.8, live=0.5, straight=2, alike=1, usual=0.3),
    Planner(horizon=8, ages=0.7, fresh=0.4, live=0.7, straight=4, alike=0.5, usual=0.3),
    Planner(horizon=3, ages=0.7, fresh=0.4, live=0.85, straight=4, alike=0.5, usual=0.3),
    Planner(horizon=8, ages=1.0, fresh=0.6, live=0.7, straight=8, alike=1, usual=2),
    Planner(horizon=5, ages=0.9, fresh=0.8, live=0.7, straight=8, alike=1, usual=2),
    Planner(horizon=5, ages=1.0, fresh=0.4, live=0.7, straight=8, alike=1, usual=1),
    Planner(horizon=5, ages=0.8, fresh=0.6, live=0.7, straight=8, alike=1, usual=0.3),
    Planner(horizon=12, ages=0.9, fresh=0.6, live=0.85, straight=4, alike=0.2, usual=0.3),
)


class Memory:
    """What each planner learns at each tick of one loss matrix, kept so that lives at several prices share it."""

    def __init__(self, planners: Sequence[Planner] = PLANNERS) -> None:
        self.planners = tuple(planners)
        self._found: dict[tuple[int, int], list[Learned]] = {}

    def at(self, losses: Floats, tick: int) -> list[Learned]:
        """losses: of the known windows, as for `look_ahead`."""
        key = (tick, losses.shape[2])
        if key not in self._found:
            self._found[key] = [learn(losses, tick, planner) for planner in self.planners]
        return self._found[key]


class Panel:
    """One life at one price: ask it at every tick, in order."""

    def __init__(self, price: float, memory: Memory, *, lead: float = LEAD) -> None:
        self._price, self._memory, self._scale = price, memory, max(lead * price, 1e-300)
        self._lives = [[(0, 0)] for _ in memory.planners]  # the model that each has in service in each window
        self._paid = [[0.0] for _ in memory.planners]

    def advise(self, losses: Floats, live: tuple[int, int], tick: int) -> Outlook | None:
        """The planners' outlooks, averaged: `gain` by span, `keep` over the windows that all of them plan.

        losses, live, tick: as for `look_ahead`; every tick from 1 on once.
        Returns: None before any window is known.
        Raises: ValueError, a tick was left out or asked twice.
        """
        if tick != len(self._lives[0]):
            raise ValueError(f"tick {tick} follows {len(self._lives[0]) - 1}")
        if losses.shape[2] == 0:
            for lived, paid in zip(self._lives, self._paid, strict=True):
                lived.append(lived[-1])
                paid.append(0.0)
            return None
        learned = self._memory.at(losses, tick)
        for at, (planner, found) in enumerate(zip(self._memory.planners, learned, strict=True)):
            own = weigh(found, losses, self._lives[at][-1], tick, self._price, planner)
            best = int(np.argmax(own.gain))
            retrains = own.gain[best] > 0
            self._lives[at].append((tick, best) if retrains else self._lives[at][-1])
            self._paid[at].append(self._price if retrains else 0.0)
        weights = self.weights(losses)
        outlooks = [
            weigh(found, losses, live, tick, self._price, planner)
            for planner, found in zip(self._memory.planners, learned, strict=True)
        ]
        shared = min(len(one.keep) for one in outlooks)
        gain = weights @ np.array([one.gain for one in outlooks])
        keep = weights @ np.array([one.keep[:shared] for one in outlooks])
        return Outlook(gain.tolist(), keep.tolist())

    def weights(self, losses: Floats) -> Floats:
        """Share of each planner, shape (n_planners,), by the cost of its life over the known windows."""
        known = range(losses.shape[2])
        costs = np.array(
            [
                sum(float(losses[(*lived[window], window)]) + paid[window] for window in known)
                for lived, paid in zip(self._lives, self._paid, strict=True)
            ]
        )
        share = np.exp(-(costs - costs.min()) / self._scale)
        return np.asarray(share / share.sum())
