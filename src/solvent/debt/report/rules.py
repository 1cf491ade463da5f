"""A rule's page, made from its docstring: for the terminal and for the docs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any, Final

from solvent.debt.pricing.assumptions import CHANCE, EVENT, LIKELY, PRINCIPAL
from solvent.debt.report.terminal import WIDTH, Paint
from solvent.debt.report.view import FAMILIES
from solvent.debt.rules.base import Rule, all_rules
from solvent.foundation.errors import UsageError, nearest

SEVERITIES: Final = {"E": "error", "W": "warning", "I": "remark"}
DRIVERS: Final = {
    "C": "each change of the file",
    "U": "each change of the file, for everyone who uses it",
    "R": "each run",
    "T": "each month",
    "V": "each evaluation",
    "X": "each month, for each model that is served",
}


class UnknownRule(UsageError):
    code = "unknown-rule"


def rule_named(text: str) -> Rule:
    """By code or name, in any case. Raises: UnknownRule."""
    rules = all_rules()
    wanted = text.strip().lower()
    for rule in rules:
        if wanted in (rule.code.lower(), rule.name):
            return rule
    known = [known for rule in rules for known in (rule.code, rule.name)]
    raise UnknownRule(f"no rule `{text}`", next=nearest(text.upper(), known, "`solvent debt explain` lists them"))


def as_document(rule: Rule) -> dict[str, Any]:
    """For `--json`; minutes."""
    spread, event, chance = PRINCIPAL[rule.principal], EVENT[rule.driver], CHANCE[rule.severity]
    return {
        "code": rule.code,
        "name": rule.name,
        "family": FAMILIES[rule.code[:3]],
        "severity": rule.severity,
        "what": rule.title,
        "why": rule.why,
        "fix": rule.fix,
        "allow_when": rule.allow_when or None,
        "source": rule.source,
        "preview": rule.preview,
        "principal": {"likely": LIKELY[rule.principal], "p10": spread.low, "p90": spread.high},
        "event": {"driver": rule.driver, "chance": chance.mean, "p10": event.low, "p90": event.high},
    }


def explained(rule: Rule, *, paint: Paint) -> Iterator[str]:
    """For the terminal."""
    yield paint(f"{rule.code} {rule.name}", "strong") + f" · {FAMILIES[rule.code[:3]]} · {SEVERITIES[rule.severity]}"
    for heading, text in parts(rule):
        yield ""
        yield from wrap(f"{heading}: {text}" if heading else text, WIDTH, break_on_hyphens=False)


def parts(rule: Rule) -> Iterator[tuple[str, str]]:
    """Heading and text, in reading order."""
    yield "", f"{rule.title}."
    yield "Why it costs", rule.why
    yield "Fix", rule.fix
    if rule.allow_when:
        yield "Allow when", rule.allow_when
    yield "To allow it here", f"`# solvent: allow[{rule.code}] the reason`, on the line or above it"
    spread, chance, event = PRINCIPAL[rule.principal], CHANCE[rule.severity], EVENT[rule.driver]
    yield (
        "Price",
        f"principal {spread.low:g} to {spread.high:g} minutes, likely {LIKELY[rule.principal]:g}; interest at "
        f"{DRIVERS[rule.driver]}, with a chance of {chance.mean:.0%}, {event.low:g} to {event.high:g} minutes. "
        "Assumed, unless a ledger knows better.",
    )
    yield "Source", rule.source
    if rule.preview:
        yield "In preview", "it has not shown yet that 37 of 40 findings are right; `--preview` turns it on"


def listed(rules: Sequence[Rule]) -> Iterator[str]:
    """All rules, a line each, by family."""
    family = ""
    for rule in rules:
        if rule.code[:3] != family:
            family = rule.code[:3]
            yield FAMILIES[family]
        preview = " (preview)" if rule.preview else ""
        title = f"  {rule.code} {rule.severity} {rule.name}{preview}: {rule.title}"
        yield title if len(title) <= WIDTH else title[: WIDTH - 1] + "…"
