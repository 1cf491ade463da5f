"""The audit as the one JSON document that `--json` prints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from solvent.debt.pricing.draws import Range
from solvent.debt.report.view import Priced, View


def document(seen: View) -> dict[str, Any]:
    """Minutes, and minutes a month; `interest` is null where nothing tells how often it is paid."""
    return {
        "rule_set": seen.rule_set,
        "principal": _range(seen.sum.principal),
        "interest": _range(seen.sum.interest),
        "unknown_interest": seen.sum.unknown,
        "families": [
            {
                "name": family.name,
                "findings": family.findings,
                "principal": _range(family.sum.principal),
                "interest": _range(family.sum.interest),
            }
            for family in seen.families
        ],
        "findings": [_finding(item) for item in seen.items],
        "not_analysed": [{"reason": group.reason, "files": group.files} for group in seen.groups],
        "read": {
            "files": seen.files,
            "notebooks": seen.notebooks,
            "lines": seen.lines,
            "commits": seen.commits,
            "shallow": seen.shallow,
        },
        "debt_ratio": seen.debt_ratio,
        "record": msgspec.to_builtins(seen.record, builtin_types=(datetime,)),
        "seconds": round(seen.seconds, 3),
    }


def _finding(item: Priced) -> dict[str, Any]:
    finding, price = item.finding, item.price
    return {
        "rule": finding.rule,
        "name": item.rule.name,
        "path": finding.place.path,
        "cell": finding.place.cell or None,
        "line": finding.place.line,
        "physical_line": finding.place.physical,
        "severity": finding.severity,
        "message": item.rule.title,
        "said": finding.said,
        "principal": _range(price.principal),
        "interest": _range(price.interest),
        "basis": price.basis,
        "breaks_even_months": price.breaks_even,
        "evidence": [
            {
                "path": step.place.path,
                "cell": step.place.cell or None,
                "line": step.place.line,
                "physical_line": step.place.physical,
                "text": step.text,
            }
            for step in finding.evidence
        ],
        "fix": item.rule.fix,
        "fingerprint": finding.fingerprint,
        "state": finding.state,
        "reason": finding.reason or None,
    }


def _range(value: Range | None) -> dict[str, float] | None:
    return None if value is None else msgspec.to_builtins(value)
