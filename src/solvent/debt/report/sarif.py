"""SARIF 2.1.0 (OASIS), for code scanning: rules, results, code flows, fingerprints, baseline states, suppressions."""

from __future__ import annotations

from typing import Any, Final

from solvent.debt.finding import Place, State, Step
from solvent.debt.report.view import FAMILIES, Priced, View
from solvent.debt.report.words import duration

LEVELS: Final = {"E": "error", "W": "warning", "I": "note"}
_BASELINE: Final[dict[State, str]] = {"new": "new", "known": "unchanged"}
SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(seen: View, version: str) -> dict[str, Any]:
    """One run with all findings, allowed and known ones too. version: of Solvent."""
    rules = {item.rule.code: item.rule for item in seen.items}
    order = {code: at for at, code in enumerate(sorted(rules))}
    driver = {
        "name": "solvent audit",
        "version": version,
        "semanticVersion": version,
        "properties": {"ruleSet": seen.rule_set},
        "rules": [
            {
                "id": code,
                "name": rules[code].name,
                "shortDescription": {"text": rules[code].title},
                "fullDescription": {"text": rules[code].why or rules[code].title},
                "help": {"text": rules[code].fix or rules[code].title},
                "defaultConfiguration": {"level": LEVELS[rules[code].severity]},
                "properties": {"tags": [FAMILIES[code[:3]]]},
            }
            for code in order
        ],
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(item, order[item.rule.code]) for item in seen.items],
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            {"level": "note", "message": {"text": f"not analysed ({group.reason}): {path}"}}
                            for group in seen.groups
                            for path in group.files
                        ],
                    }
                ],
            }
        ],
    }


def message(item: Priced) -> str:
    """What is wrong here, what to do, and what it costs."""
    price = item.price
    interest = f", {duration(price.interest)} a month" if price.interest is not None else ""
    said = f" ({item.finding.said})" if item.finding.said else ""
    return f"{item.rule.title}{said}. Fix: {item.rule.fix} Owes {duration(price.principal)}{interest}."


def _result(item: Priced, at: int) -> dict[str, Any]:
    finding = item.finding
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": at,
        "level": LEVELS[finding.severity],
        "message": {"text": message(item)},
        "locations": [_location(finding.place)],
        "partialFingerprints": {"solvent/v1": finding.fingerprint},
    }
    if len(finding.evidence) > 1:
        made["codeFlows"] = [{"threadFlows": [{"locations": [{"location": _step(step)} for step in finding.evidence]}]}]
    if finding.state in _BASELINE:
        made["baselineState"] = _BASELINE[finding.state]
    if finding.state == "allowed":
        made["suppressions"] = [{"kind": "inSource", "justification": finding.reason}]
    return made


def _location(place: Place) -> dict[str, Any]:
    made: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(place.path), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": max(place.physical, 1)},
        }
    }
    if place.cell:
        made["logicalLocations"] = [{"name": f"cell {place.cell}, line {place.line}"}]
    return made


def _step(step: Step) -> dict[str, Any]:
    return {**_location(step.place), "message": {"text": step.text}}


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path)
