"""How often a file changes, from the dates of the commits that touched it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from solvent.debt.pricing.assumptions import DAYS_A_MONTH, HALF_LIFE_MONTHS

_SECONDS_A_MONTH = DAYS_A_MONTH * 86_400


class Exposure(msgspec.Struct, frozen=True):
    """events: weighted count; months: weighted length of the time that they were counted over."""

    events: float
    months: float


def exposure(commits: Iterable[float], begun: float, now: float) -> Exposure | None:
    """Weighted commits over weighted months; a commit counts half as much for every half-life of age.

    commits: times in Unix seconds; begun: of the first commit of the repository's history; now: the audit's time.
    Returns: None where the history is shorter than a day: it tells nothing of a rate.
    """
    months = (now - begun) / _SECONDS_A_MONTH
    if months * DAYS_A_MONTH < 1:
        return None
    rate = 0.6931471805599453 / HALF_LIFE_MONTHS
    ages = ((now - at) / _SECONDS_A_MONTH for at in commits)
    events = sum(2.0 ** (-max(age, 0.0) / HALF_LIFE_MONTHS) for age in ages)
    return Exposure(events, (1 - 2.0 ** (-months / HALF_LIFE_MONTHS)) / rate)
