"""Annotations for GitHub Actions: one workflow command a finding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from solvent.debt.report.sarif import message
from solvent.debt.report.view import View
from solvent.debt.report.words import shown_place

_COMMANDS: Final = {"E": "error", "W": "warning", "I": "notice"}


def annotated(seen: View) -> Iterator[str]:
    """What is owed, the best paying first; GitHub shows ten of each kind a step."""
    for item in seen.first:
        place = item.finding.place
        title = f"{item.rule.code} {item.rule.name}"
        text = message(item) if not place.cell else f"{shown_place(place)}: {message(item)}"
        head = f"file={_value(place.path)},line={max(place.physical, 1)},title={_value(title)}"
        yield f"::{_COMMANDS[item.rule.severity]} {head}::{_text(text)}"


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")
