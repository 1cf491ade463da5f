"""The record of findings for the terminal: since when each debt is owed, who allowed it and why, what is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any, Final

from solvent.debt.finding import Place
from solvent.debt.report.terminal import WIDTH, Paint
from solvent.debt.report.words import shown_place
from solvent.lineage.findings import FindingRecord, FindingState, Spot
from solvent.pages.words import plural

MOST: Final = 40  # of one state; `--json` has all
HEADINGS: Final = {FindingState.OPEN: "Owed:", FindingState.ALLOWED: "Allowed:", FindingState.GONE: "Gone:"}


def render_findings(records: Sequence[FindingRecord], *, paint: Paint) -> Iterator[str]:
    """Longest owed first; what is gone newest first."""
    if not records:
        yield paint("No finding is recorded: `solvent audit` of the whole project records what it finds.", "strong")
        return
    counts = Counter(record.state for record in records)
    yield paint(f"{', '.join(f'{counts[state]:,} {state.value}' for state in FindingState)}.", "strong")
    for state, heading in HEADINGS.items():
        mine = [record for record in records if record.state is state]
        if not mine:
            continue
        if state is FindingState.GONE:
            mine.sort(key=lambda record: record.since, reverse=True)
        else:
            mine.sort(key=lambda record: record.first_seen)
        yield ""
        yield heading
        for record in mine[:MOST]:
            yield f"  {record.rule} {shown_spot(record.spot)}  {record.fingerprint}"
            yield from wrap(_told(record), WIDTH, initial_indent="      ", subsequent_indent="      ")
        if len(mine) > MOST:
            yield f"  and {plural(len(mine) - MOST, 'finding')} more: `--json` lists all"


def finding_document(record: FindingRecord) -> dict[str, Any]:
    """One finding for `--json`; `since` and `commit` are of its state: of one that is gone, when and where it went."""
    spot = record.spot
    return {
        "fingerprint": record.fingerprint,
        "rule": record.rule,
        "path": spot.path,
        "cell": spot.cell or None,
        "line": spot.line,
        "state": record.state.value,
        "first_seen": record.first_seen,
        "first_commit": record.first_commit,
        "last_seen": record.last_seen,
        "since": record.since,
        "commit": record.commit,
        "by": record.by,
        "reason": record.reason or None,
    }


def shown_spot(spot: Spot) -> str:
    """A place as reports name it."""
    return shown_place(Place(spot.path, spot.cell, spot.line, spot.line))


def _told(record: FindingRecord) -> str:
    seen = f"first seen {record.first_seen:%Y-%m-%d}{_at(record.first_commit)}"
    if record.state is FindingState.ALLOWED:
        return f"{seen}; allowed since {record.since:%Y-%m-%d}{_at(record.commit)} by {record.by}: {record.reason}"
    if record.state is FindingState.GONE:
        why = f" ({record.reason})" if record.reason else ""
        return f"{seen}, last {record.last_seen:%Y-%m-%d}; gone since {record.since:%Y-%m-%d}{_at(record.commit)}{why}"
    back = f"; back since {record.since:%Y-%m-%d}{_at(record.commit)}" if record.since != record.first_seen else ""
    return f"{seen}{back}; last seen {record.last_seen:%Y-%m-%d}"


def _at(commit: str | None) -> str:
    return f" at {commit[:9]}" if commit else ""
