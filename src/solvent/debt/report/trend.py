"""The trend by commit: for the terminal and as a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from solvent.debt.report.terminal import WIDTH, Paint
from solvent.debt.report.view import FAMILIES
from solvent.debt.report.words import duration, rounded
from solvent.debt.trend import Point
from solvent.pages.words import plural

MOVES: Final = 5
Spark = Callable[[Sequence[float]], str]


def trend_document(points: Sequence[Point]) -> dict[str, Any]:
    """Minutes; `change` against the commit before."""
    return {
        "history": [
            {
                "commit": point.commit.oid,
                "at": _day(point),
                "subject": point.commit.subject,
                "findings": point.findings,
                "principal": msgspec.to_builtins(point.principal),
                "families": {FAMILIES[code]: minutes for code, minutes in point.families.items()},
                "change": point.change,
                "added": point.added,
                "gone": point.gone,
                "absent": point.absent,
            }
            for point in points
        ]
    }


def render_trend(points: Sequence[Point], *, paint: Paint, spark: Spark) -> Iterator[str]:
    """A sentence, a chart a family, the commits that took on and paid most. spark: draws values as blocks."""
    if not points:
        yield paint("No commit to audit here.", "strong")
        return
    first, last = points[0], points[-1]
    yield paint(_sentence(first, last), "strong")
    yield f"{plural(len(points), 'commit')}, {_day(first)} to {_day(last)}, by today's rules."
    absent = max(point.absent for point in points)
    if absent:
        yield f"Not read: up to {plural(absent, 'file')} a commit, left out of this partial clone."
    yield ""
    drawn = _sampled([point.principal.mean for point in points])
    yield f"  {'all':<22} {spark(drawn)}  {_move(first.principal.mean, last.principal.mean)}"
    for code in sorted({code for point in points for code in point.families}):
        values = [point.families.get(code, 0.0) for point in points]
        yield f"  {FAMILIES[code]:<22} {spark(_sampled(values))}  {_move(values[0], values[-1])}"
    for title, moved in (("Took on most:", _taken(points)), ("Paid most:", _paid(points))):
        if moved:
            yield ""
            yield paint(title, "strong")
            for point in moved:
                yield from _commit(point)


def _sentence(first: Point, last: Point) -> str:
    change = last.principal.mean - first.principal.mean
    said = "more than" if change > 0 else "less than"
    if last.principal.mean == 0 == first.principal.mean:
        return "This repository owes nothing that the audit can find, then as now."
    if abs(change) < 0.5:
        return f"This repository owes {duration(last.principal)}, as much as on {_day(first)}."
    return f"This repository owes {duration(last.principal)}, {rounded(abs(change))} {said} on {_day(first)}."


def _move(before: float, now: float) -> str:
    return f"{rounded(before)} → {rounded(now)}"


def _sampled(values: Sequence[float]) -> Sequence[float]:
    """At most thirty values, evenly spaced, the last among them."""
    if len(values) <= 30:
        return values
    return [values[round(at * (len(values) - 1) / 29)] for at in range(30)]


def _taken(points: Sequence[Point]) -> list[Point]:
    return sorted((p for p in points if p.change > 0.5), key=lambda p: -p.change)[:MOVES]


def _paid(points: Sequence[Point]) -> list[Point]:
    return sorted((p for p in points if p.change < -0.5), key=lambda p: p.change)[:MOVES]


def _commit(point: Point) -> Iterator[str]:
    sign = "+" if point.change > 0 else "−"
    rules = ", ".join(f"{n} {code}" for code, n in (point.added if point.change > 0 else point.gone).items())
    text = (
        f"  {point.commit.oid[:9]} {_day(point)}  {sign}{rounded(abs(point.change))}  {rules}  {point.commit.subject}"
    )
    yield text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _day(point: Point) -> str:
    return datetime.fromtimestamp(point.commit.at, UTC).date().isoformat()
