"""The assumptions behind every price, in one table; minutes, months, 10 to 90% ranges.

They are judgements, not measurements. A project's own ledger moves the chance and the cost of an event at runs, by
what it has seen of them (`toll`); nothing else does.
"""

from __future__ import annotations

from typing import Final

import msgspec

from solvent.debt.finding import Severity
from solvent.debt.rules.base import Driver, Principal


class Spread(msgspec.Struct, frozen=True):
    """A log-normal by its 10% and 90% points."""

    low: float
    high: float


class Chance(msgspec.Struct, frozen=True):
    """A Beta distribution by its mean and the number of events that it is worth."""

    mean: float
    weight: float


PRINCIPAL: Final[dict[Principal, Spread]] = {
    "a": Spread(2, 10),  # one token
    "b": Spread(7, 30),  # a local edit
    "c": Spread(20, 90),  # an edit, a rerun, a comparison
    "d": Spread(60, 300),  # retrain, decide anew
    "e": Spread(200, 1200),  # a missing part
}
LIKELY: Final[dict[Principal, float]] = {"a": 5, "b": 15, "c": 45, "d": 120, "e": 480}

CHANCE: Final[dict[Severity, Chance]] = {"E": Chance(0.2, 10), "W": Chance(0.07, 10), "I": Chance(0.02, 10)}


def _around(median: float) -> Spread:
    return Spread(median / 4, median * 4)


EVENT: Final[dict[Driver, Spread]] = {
    "C": _around(30),
    "R": _around(45),
    "T": _around(60),
    "U": _around(120),
    "V": _around(120),
    "X": _around(480),
}

FURTHER: Final = 0.4  # what a further place of a rule in one file adds, as a share of the first
HALF_LIFE_MONTHS: Final = 6.0  # of a commit's weight in a file's rate of change
MINUTES_A_LINE: Final = 30.0  # of development, for the debt ratio as SonarQube states it
DAYS_A_MONTH: Final = 365.25 / 12
