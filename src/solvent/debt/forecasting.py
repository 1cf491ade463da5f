"""An audit's forecast, as it is kept until it can be scored: for each file how it changes and what it owes a month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from solvent.debt.audit import Audit
from solvent.debt.pricing.churn import Exposure
from solvent.debt.pricing.price import Past
from solvent.debt.scoring import Forecast
from solvent.foundation.errors import UsageError

COLUMNS: Final = ("path", "interest", "events", "months", "lines")
DIGITS: Final = 4
UNKNOWN: Final = Exposure(0.0, 1.0)  # how a file changes that has no history yet


class BadForecast(UsageError):
    code = "bad-forecast"


class KeptForecast(msgspec.Struct, frozen=True):
    """A forecast in a file: when and at which commit it was made, by which rules, and a row for each Python file."""

    at: datetime
    commit: str | None
    rule_set: str
    columns: list[str]
    files: list[tuple[str, float, float, float, int]]


def forecasts(found: Audit, past: Past, interest: Callable[[int], float | None]) -> list[Forecast]:
    """For each Python file. interest: minutes a month of the finding at a position."""
    owed: dict[str, float] = {}
    for at in found.chosen("open", "new", "known"):
        path = found.findings[at].place.path
        owed[path] = owed.get(path, 0.0) + (interest(at) or 0.0)
    known = past.history.files
    return [
        Forecast(path, owed.get(path, 0.0), known.get(path, UNKNOWN), one.lines)
        for path, one in found.repository.summaries.items()
    ]


def figures(made: Sequence[Forecast]) -> dict[str, Any]:
    """A forecast as plain values, a row a file."""
    rows = [[one.path, _kept(one.interest), _kept(one.past.events), _kept(one.past.months), one.lines] for one in made]
    return {"columns": list(COLUMNS), "files": rows}


def from_figures(kept: dict[str, Any]) -> list[Forecast]:
    """Raises: BadForecast, where they are written otherwise."""
    try:
        rows = msgspec.convert(kept["files"], list[tuple[str, float, float, float, int]])
    except (msgspec.ValidationError, KeyError) as error:
        raise BadForecast(f"this is no forecast: {error}", next="`solvent audit --forecast FILE` writes one") from None
    return [Forecast(path, interest, Exposure(events, months), lines) for path, interest, events, months, lines in rows]


def write_forecast(file: Path, kept: dict[str, Any], *, at: datetime, commit: str | None, rule_set: str) -> None:
    """Raises: OSError."""
    document = KeptForecast(at, commit, rule_set, kept["columns"], kept["files"])
    file.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")


def read_forecast(file: Path) -> tuple[KeptForecast, list[Forecast]]:
    """Raises: BadForecast."""
    again = f"`solvent audit --forecast {file}` writes one"
    try:
        found = msgspec.json.decode(file.read_bytes(), type=KeptForecast)
    except OSError as error:
        raise BadForecast(f"cannot be read: {error.strerror}", where=str(file), next=again) from None
    except msgspec.MsgspecError as error:
        raise BadForecast(f"is no forecast: {error}", where=str(file), next=again) from None
    return found, from_figures({"files": found.files})


def _kept(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
