"""Principal and interest of each finding and of sums over them.

Principal: the log-normal of the rule's class. Interest a month: n · p · c, where n is how often the event happens
that makes the debt cost something (the rule's driver), p the chance that it then does, c what it costs. p, c and the
principal are drawn once a rule and n once a file, so that a sum of findings is as uncertain as its assumptions are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec
import numpy as np

from solvent.debt.finding import Finding
from solvent.debt.pricing.assumptions import CHANCE, DAYS_A_MONTH, EVENT, FURTHER, PRINCIPAL
from solvent.debt.pricing.churn import Exposure
from solvent.debt.pricing.draws import Draws, Range, beta, log_normal, rate, stream
from solvent.debt.pricing.toll import Toll, with_costs, with_events
from solvent.debt.rules.base import Rule

Basis = Literal["assumed", "history", "ledger"]
NOBODY: Mapping[str, int] = MappingProxyType({})


class History(msgspec.Struct, frozen=True):
    """What is known of the events that debts cost at.

    files: how often each file changes; users: how many files import it; callers: files that call into it; served: how
    many models are served. From a ledger: runs of a file's code, evaluations that rest on it, tolls that its runs
    took. Empty where nothing is known.
    """

    files: Mapping[str, Exposure] = {}
    users: Mapping[str, int] = {}
    callers: Mapping[str, Sequence[str]] = {}
    served: int = 0
    runs: Mapping[str, Exposure] = {}
    evaluations: Mapping[str, Exposure] = {}
    tolls: Mapping[str, Toll] = {}


class Past(msgspec.Struct, frozen=True):
    """What is known of the repository's history. commits: None without git."""

    history: History
    commits: int | None = None
    shallow: bool = False


class Price(msgspec.Struct, frozen=True):
    """Minutes, and minutes a month; interest is None where nothing tells how often it is paid. breaks_even: months
    after which the interest has paid the principal, None where it is unknown or never.
    """

    principal: Range
    interest: Range | None
    basis: Basis
    breaks_even: float | None


class Sum(msgspec.Struct, frozen=True):
    """Of several findings; interest covers those with a known one, unknown counts the others."""

    principal: Range
    interest: Range | None
    unknown: int


class Prices:
    """Draws for a set of findings, from which each price and any sum can be read."""

    def __init__(
        self, findings: Sequence[Finding], rules: Mapping[str, Rule], history: History, *, seed: int = 0
    ) -> None:
        self.findings, self._rules, self._history, self._seed = findings, rules, history, seed
        self._by_rule: dict[str, tuple[Draws, Draws]] = {}
        self._by_file: dict[tuple[str, str], tuple[Draws, Basis] | None] = {}
        self._shares = _shares(findings)
        self._sharing = Counter(finding.place.path for finding in findings if rules[finding.rule].driver == "R")

    def principal(self, at: int) -> Draws:
        return self._rule(self.findings[at].rule)[0] * self._shares[at]

    def interest(self, at: int) -> tuple[Draws, Basis] | None:
        finding = self.findings[at]
        often = self._often(finding)
        if often is None:
            return None
        return often[0] * self._event(finding) * self._shares[at], often[1]

    def price(self, at: int) -> Price:
        """Of one finding."""
        principal, interest = Range.of(self.principal(at)), self.interest(at)
        if interest is None:
            return Price(principal, None, "assumed", None)
        monthly = Range.of(interest[0])
        breaks = principal.mean / monthly.mean if monthly.mean > 0 else math.inf
        return Price(principal, monthly, interest[1], breaks if math.isfinite(breaks) else None)

    def sum(self, chosen: Iterable[int]) -> Sum:
        """Of findings by their position."""
        principal: Draws = np.zeros(1)
        interest: Draws = np.zeros(1)
        known = unknown = 0
        for at in chosen:
            principal = principal + self.principal(at)
            paid = self.interest(at)
            if paid is None:
                unknown += 1
            else:
                known, interest = known + 1, interest + paid[0]
        return Sum(Range.of(principal), Range.of(interest) if known or not unknown else None, unknown)

    def _rule(self, code: str) -> tuple[Draws, Draws]:
        """Principal, and what an event costs on average: p · c."""
        if code not in self._by_rule:
            rule = self._rules[code]
            chance = beta(CHANCE[rule.severity], stream(self._seed, code, "chance"))
            cost = log_normal(EVENT[rule.driver], stream(self._seed, code, "cost"))
            principal = log_normal(PRINCIPAL[rule.principal], stream(self._seed, code, "principal"))
            self._by_rule[code] = principal, chance * cost
        return self._by_rule[code]

    def _event(self, finding: Finding) -> Draws:
        """What an event costs on average, p · c. Where runs drive it, what the ledger saw of the file's runs moves the
        assumptions; the findings that share it pay an equal part of what it saw.
        """
        rule, path = self._rules[finding.rule], finding.place.path
        toll = self._history.tolls.get(path) if rule.driver == "R" else None
        if toll is None or not toll.runs:
            return self._rule(rule.code)[1]
        part = min(toll.paid, toll.runs) / max(self._sharing[path], 1)
        chance = beta(
            with_events(CHANCE[rule.severity], part, toll.runs), stream(self._seed, rule.code, path, "chance")
        )
        cost = log_normal(with_costs(EVENT["R"], toll.minutes), stream(self._seed, rule.code, path, "cost"))
        return chance * cost

    def _often(self, finding: Finding) -> tuple[Draws, Basis] | None:
        """Events a month."""
        driver, path = self._rules[finding.rule].driver, finding.place.path
        concerned = ",".join(sorted(finding.concerns)) or path
        key = (driver, concerned)
        if key not in self._by_file:
            self._by_file[key] = self._drawn(driver, finding.concerns or (path,))
        return self._by_file[key]

    def _drawn(self, driver: str, paths: Sequence[str]) -> tuple[Draws, Basis] | None:
        once: Draws = np.ones(1)
        if driver == "T":
            return once, "assumed"
        if driver == "X":
            return once * max(self._history.served, 1), "assumed"
        if driver in "RV":
            events = self._history.runs if driver == "R" else self._history.evaluations
            known = [path for path in paths if path in events]
            if known:
                return self._summed(known, events, "runs" if driver == "R" else "evaluations"), "ledger"
            paths = sorted({*paths, *(c for path in paths for c in self._history.callers.get(path, ()))})
        known = [path for path in paths if path in self._history.files]
        if not known:
            return None
        users = self._history.users if driver == "U" else {}
        return self._summed(known, self._history.files, "changes", users), "history"

    def _summed(
        self, paths: Sequence[str], known: Mapping[str, Exposure], what: str, users: Mapping[str, int] = NOBODY
    ) -> Draws:
        """users: a change reaches everyone who uses the file."""
        total: Draws = np.zeros(1)
        for path in paths:
            drawn = rate(known[path].events, known[path].months, stream(self._seed, path, what))
            total = total + drawn * (1 + math.log2(1 + users.get(path, 0)))
        return total


def _shares(findings: Sequence[Finding]) -> list[float]:
    """1 for a rule's first place in a file, FURTHER for further ones, 0 where the root is charged already.

    A root is charged with the most severe debt that comes of it.
    """
    roots: set[tuple[str, str]] = set()
    places: set[tuple[str, str]] = set()
    shares = [0.0] * len(findings)
    for at in sorted(range(len(findings)), key=lambda at: "EWI".index(findings[at].severity)):
        finding = findings[at]
        root, place = (finding.place.path, finding.root), (finding.rule, finding.place.path)
        if finding.root and root in roots:
            continue
        shares[at] = FURTHER if place in places else 1.0
        roots.add(root)
        places.add(place)
    return shares


def months_said(months: float) -> str:
    """A break-even as people say it.

    >>> months_said(0.7)
    '3 weeks'
    >>> months_said(5.2)
    '5 months'
    """
    if months < 2:
        weeks = max(round(months * DAYS_A_MONTH / 7), 1)
        return "1 week" if weeks == 1 else f"{weeks} weeks"
    if months < 24:
        return f"{round(months)} months"
    return f"{round(months / 12)} years" if months < 240 else "more than 20 years"
