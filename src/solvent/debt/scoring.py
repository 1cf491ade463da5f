"""How well an audit foretold what came: its forecast at an old commit against the commits after it. Pure.

Two questions. How often each file would change: the rate behind interest, as a distribution of counts, scored by
coverage and by CRPS against the plain past rate. Where repairs would be needed: the tenth of the files with the most
interest, against the tenth that changed most and the tenth that is longest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from solvent.debt.pricing.assumptions import DAYS_A_MONTH
from solvent.debt.pricing.churn import Exposure
from solvent.debt.pricing.draws import NUMBER, Draws, rate, stream

REPAIR: Final = re.compile(
    r"\b(fix(e[sd])?|bug(s|fix)?|hotfix|revert(s|ed)?|repair(s|ed)?|broken|regression)\b", re.IGNORECASE
)
TOP: Final = 0.1


class Forecast(msgspec.Struct, frozen=True):
    """Of one file. interest: minutes a month of its findings, 0 without; past: how it changed; lines: of code."""

    path: str
    interest: float
    past: Exposure
    lines: int


class Seen(msgspec.Struct, frozen=True):
    """What came: commits that touched a file within the days, and those among them that say they repair."""

    commits: int
    repairs: int


class Score(msgspec.Struct, frozen=True):
    """files: forecast; coverage: share of them whose commits lay in the 80% interval; crps: mean, in commits, smaller
    is better, ours and of a Poisson of the past's plain rate; repairs: that came; lift: share of the repairs in the
    top tenth of files by each ranking, over a tenth; None without a repair. best: the ranking that found most.
    """

    files: int
    days: float
    coverage: float
    crps: dict[str, float]
    repairs: int
    lift: dict[str, float] | None
    best: str


def score(forecasts: Sequence[Forecast], seen: Mapping[str, Seen], days: float, *, seed: int = 0) -> Score:
    """Raises: ValueError without a forecast."""
    if not forecasts:
        raise ValueError("nothing was forecast")
    months = days / DAYS_A_MONTH
    inside, ours, plain = [], [], []
    for one in forecasts:
        came = seen.get(one.path, Seen(0, 0)).commits
        generator = stream(seed, one.path, "score")
        counts = generator.poisson(rate(one.past.events, one.past.months, generator) * months).astype(float)
        low, high = np.quantile(counts, [0.1, 0.9])
        inside.append(low <= came <= high)
        ours.append(crps(counts, came))
        before = generator.poisson(one.past.events / one.past.months * months, NUMBER).astype(float)
        plain.append(crps(before, came))
    repairs = sum(seen.get(one.path, Seen(0, 0)).repairs for one in forecasts)
    rankings: dict[str, Callable[[Forecast], float]] = {
        "interest": lambda one: one.interest,
        "churn": lambda one: one.past.events,
        "lines": lambda one: float(one.lines),
    }
    lift = {name: _lift(forecasts, seen, by) for name, by in rankings.items()} if repairs else None
    return Score(
        len(forecasts),
        days,
        float(np.mean(inside)),
        {"audit": float(np.mean(ours)), "past rate": float(np.mean(plain))},
        repairs,
        lift,
        max(lift, key=lambda name: lift[name]) if lift else "",
    )


def crps(draws: Draws, came: float) -> float:
    """Continuous ranked probability score of draws against what came: E|X − y| − ½ E|X − X'|.

    draws: shape (n,). Source: Gneiting and Raftery 2007.

    >>> crps(np.array([3.0, 3.0]), 5.0)
    2.0
    """
    ordered = np.sort(draws)
    n = len(ordered)
    spread = 2.0 / n**2 * float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum())
    return float(np.abs(ordered - came).mean()) - spread / 2


def _lift(forecasts: Sequence[Forecast], seen: Mapping[str, Seen], by: Callable[[Forecast], float]) -> float:
    """Ties share what they would get on average, so that the order of files decides nothing."""
    repairs = np.array([seen.get(one.path, Seen(0, 0)).repairs for one in forecasts], dtype=float)
    values = np.array([by(one) for one in forecasts])
    wanted = max(TOP * len(forecasts), 1.0)
    caught, taken = 0.0, 0.0
    for value in np.unique(values)[::-1]:
        mine = values == value
        share = min(1.0, (wanted - taken) / mine.sum())
        caught += share * float(repairs[mine].sum())
        taken += share * float(mine.sum())
        if taken >= wanted:
            break
    return caught / float(repairs.sum()) / (wanted / len(forecasts))
