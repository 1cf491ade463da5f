"""What a ledger says of the chance and the cost of an event, on top of what is assumed. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from solvent.debt.pricing.assumptions import Chance, Spread

WEIGHT: Final = 10  # events that the assumed cost is worth, as the assumed chance


class Toll(msgspec.Struct, frozen=True):
    """Of the runs of a file's steps. runs: all; paid: that failed or did again what had been done; minutes: that each
    failure lasted until the step next ran through, at most a working day.
    """

    runs: int
    paid: int
    minutes: tuple[float, ...] = ()


def with_events(prior: Chance, paid: float, events: float) -> Chance:
    """The Beta posterior of a chance. paid: events that cost something, at most all; a share of one may count.

    >>> with_events(Chance(0.2, 10), paid=3, events=15)
    Chance(mean=0.2, weight=25.0)
    """
    weight = prior.weight + events
    return Chance((prior.mean * prior.weight + paid) / weight, float(weight))


def with_costs(prior: Spread, minutes: Sequence[float]) -> Spread:
    """A log-normal moved towards costs that were seen: its median becomes the weighted geometric mean, its width stays.

    >>> with_costs(Spread(5.0, 80.0), [20.0] * 5)
    Spread(low=5.0, high=80.0)
    """
    if not minutes:
        return prior
    middle = (math.log(prior.low) + math.log(prior.high)) / 2
    seen = sum(math.log(max(one, 1.0)) for one in minutes)
    moved = math.exp((WEIGHT * middle + seen) / (WEIGHT + len(minutes)) - middle)
    return Spread(prior.low * moved, prior.high * moved)
