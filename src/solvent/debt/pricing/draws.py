"""Seeded draws of the distributions, one stream a name, so that a rule more moves no other rule's figures."""

from __future__ import annotations

import math
from typing import Final
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from solvent.debt.pricing.assumptions import Chance, Spread

Draws = NDArray[np.float64]

NUMBER: Final = 4_000
_TENTH: Final = 1.2815515655446004  # the standard normal's 90% point


class Range(msgspec.Struct, frozen=True):
    """A figure with its uncertainty: the mean (it adds up) and the 10%, 50% and 90% points."""

    mean: float
    p10: float
    p50: float
    p90: float

    @classmethod
    def of(cls, draws: Draws) -> Range:
        low, middle, high = np.quantile(draws, [0.1, 0.5, 0.9])
        return cls(float(draws.mean()), float(low), float(middle), float(high))


def stream(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for a name."""
    return np.random.default_rng([seed, *(crc32(name.encode()) for name in names)])


def log_normal(spread: Spread, generator: np.random.Generator) -> Draws:
    """Shape (NUMBER,); a tenth below `low`, a tenth above `high`."""
    middle = (math.log(spread.low) + math.log(spread.high)) / 2
    width = (math.log(spread.high) - math.log(spread.low)) / (2 * _TENTH)
    return generator.lognormal(middle, width, NUMBER)


def beta(chance: Chance, generator: np.random.Generator) -> Draws:
    """Shape (NUMBER,), in [0, 1]."""
    return generator.beta(chance.mean * chance.weight, (1 - chance.mean) * chance.weight, NUMBER)


def rate(events: float, months: float, generator: np.random.Generator) -> Draws:
    """Events a month, shape (NUMBER,): a Poisson rate's posterior under Jeffreys' prior, Gamma(events + ½, months).

    events: counted (or weighted); months: of exposure, weighted alike, above 0.
    Raises: ValueError.
    """
    if events < 0 or months <= 0:
        raise ValueError(f"a rate needs events >= 0 and months > 0, not {events} and {months}")
    return generator.gamma(events + 0.5, 1 / months, NUMBER)
