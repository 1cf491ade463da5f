"""What every report shows: sums by family, findings with prices in the order in which to pay, what was not analysed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from solvent.debt.audit import Audit
from solvent.debt.finding import Finding, Place
from solvent.debt.pricing.assumptions import MINUTES_A_LINE
from solvent.debt.pricing.price import Past, Price, Prices, Sum
from solvent.debt.rules.base import RULE_SET, Rule
from solvent.debt.scoring import Score

FAMILIES: Final = {
    "DAT": "data dependencies",
    "DEC": "model decay",
    "PIP": "pipeline complexity",
    "ENV": "evolving toolsets",
    "BOX": "black-box models",
    "REP": "reproducibility",
    "LIV": "allowed debts",
}


class Priced(msgspec.Struct, frozen=True):
    """A finding with its rule and price."""

    finding: Finding
    rule: Rule
    price: Price


class Family(msgspec.Struct, frozen=True):
    name: str
    findings: int
    sum: Sum


class Debt(msgspec.Struct, frozen=True):
    """All places of one rule, the best paying first, and what they cost together."""

    rule: Rule
    items: list[Priced]
    sum: Sum
    breaks_even: float | None

    @property
    def elsewhere(self) -> bool:
        """Whether every place has its root in common with another debt, which is charged for both."""
        return self.sum.principal.mean == 0


class Group(msgspec.Struct, frozen=True):
    """Files that were not analysed for one reason."""

    reason: str
    files: list[str]


class LastScore(msgspec.Struct, frozen=True):
    """How an earlier audit's forecast did. at: of the forecast."""

    at: datetime
    score: Score


class Record(msgspec.Struct, frozen=True):
    """What a project's store keeps of the audit. changes: how many findings were seen for the first time, allowed, gone
    or back; scored: the score that was recorded last.
    """

    changes: dict[str, int]
    scored: LastScore | None = None


class View(msgspec.Struct, frozen=True):
    """items: all findings, by place; first, debts: what is owed, the best paying first; sum: of what is owed;
    allowed, known: how many were set aside; debt_ratio: principal over what writing the lines took (SonarQube);
    commits: None without history; shallow: the history is cut; record: None outside of a project.
    """

    items: list[Priced]
    first: list[Priced]
    debts: list[Debt]
    families: list[Family]
    sum: Sum
    allowed: int
    known: int
    against: bool
    groups: list[Group]
    files: int
    notebooks: int
    lines: int
    debt_ratio: float | None
    commits: int | None
    shallow: bool
    seconds: float
    rule_set: str = RULE_SET
    record: Record | None = None

    def monthly(self, at: int) -> float | None:
        """Interest of the finding at a position, minutes a month; None where nothing tells."""
        interest = self.items[at].price.interest
        return None if interest is None else interest.mean


def view(found: Audit, past: Past, *, seconds: float, seed: int = 0) -> View:
    """Price an audit and put it in order."""
    prices = Prices(found.findings, found.rules, past.history, seed=seed)
    items = [Priced(finding, found.rules[finding.rule], prices.price(at)) for at, finding in enumerate(found.findings)]
    owed = found.chosen("open", "new")
    families = []
    for prefix in sorted({items[at].rule.code[:3] for at in owed}, key=list(FAMILIES).index):
        mine = [at for at in owed if items[at].rule.code.startswith(prefix)]
        families.append(Family(FAMILIES[prefix], len(mine), prices.sum(mine)))
    total = prices.sum(owed)
    states = Counter(finding.state for finding in found.findings)
    return View(
        items=items,
        first=sorted((items[at] for at in owed), key=_worth),
        debts=_debts(items, owed, prices),
        families=sorted(families, key=lambda f: -f.sum.principal.mean),
        sum=total,
        allowed=states["allowed"],
        known=states["known"],
        against=bool(states["known"] or states["new"]),
        groups=_groups(found),
        files=found.files,
        notebooks=found.notebooks,
        lines=found.lines,
        debt_ratio=total.principal.mean / (MINUTES_A_LINE * found.lines) if found.lines else None,
        commits=past.commits,
        shallow=past.shallow,
        seconds=seconds,
    )


def _debts(items: list[Priced], owed: list[int], prices: Prices) -> list[Debt]:
    by_rule: dict[str, list[int]] = {}
    for at in owed:
        by_rule.setdefault(items[at].rule.code, []).append(at)
    debts = []
    for mine in by_rule.values():
        ranked = sorted(mine, key=lambda at: _worth(items[at]))
        total = prices.sum(mine)
        even = total.principal.mean / total.interest.mean if total.interest and total.interest.mean else None
        debts.append(Debt(items[ranked[0]].rule, [items[at] for at in ranked], total, even))
    return sorted(debts, key=lambda debt: _worth(debt.items[0]))


def _worth(item: Priced) -> tuple[float, ...]:
    """Errors whose interest is unknown stand with their severity; what is charged elsewhere comes last."""
    principal, interest = item.price.principal.mean, item.price.interest
    severity = "EWI".index(item.rule.severity)
    if principal == 0:
        return (2, severity, 0.0)
    if interest is None:
        return (1, severity, -principal)
    return (0, -interest.mean / principal, severity)


def _groups(found: Audit) -> list[Group]:
    by_reason: dict[str, list[str]] = {}
    for skipped in found.not_analysed:
        by_reason.setdefault(skipped.reason.partition(":")[0], []).append(skipped.path)
    return [Group(reason, sorted(set(files))) for reason, files in sorted(by_reason.items(), key=lambda g: -len(g[1]))]


def lines_of(finding: Finding) -> Sequence[str]:
    """The evidence, a line each: number, in a notebook behind its cell's, and text."""
    return [f"{_number(step.place)} {step.text}" for step in finding.evidence if step.text]


def _number(place: Place) -> str:
    return f"{place.cell}:{place.line}" if place.cell else f"{place.line}"
