"""Free space: remove what no kept fact needs; a dry run until `--yes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from solvent.cli.program import Exit
from solvent.cli.show import amount, next_step, paint, show, table, transfer_progress
from solvent.foundation.clock import parse_span, wall_clock
from solvent.project import Project

if TYPE_CHECKING:
    from solvent.data.collection import Collected, Survey
    from solvent.data.collection.surveying import Row


def command(*, yes: bool = False, keep_runs: int | None = None, grace: str | None = None, json: bool = False) -> Exit:
    """Free space: remove what no kept fact needs; a dry run until `--yes`.

    Facts stay whatever goes. Runs, endpoints and ticks may work meanwhile.

    Parameters
    ----------
    yes:
        Remove it.
    keep_runs:
        So many newest runs of each step keep their outputs (gc.keep_runs).
    grace:
        What was stored or used since then stays, such as 7d (gc.grace).
    """
    from solvent.data.collection import collect, survey

    project = Project.find()
    settings = project.settings.gc
    keep = settings.keep_runs if keep_runs is None else keep_runs
    span, now = parse_span(grace or settings.grace), wall_clock()
    done = None
    if yes:
        found, done = collect(project.store, keep_runs=keep, grace=span, now=now, progress=transfer_progress())
    else:
        found = survey(project.store, keep_runs=keep, grace=span, now=now)
    show(_document(found, done), _lines(found, done), json=json)
    return Exit.FINE


def _document(found: Survey, done: Collected | None) -> dict[str, object]:
    return {
        "goes": [_row(row) for row in found.goes],
        "stays": [_row(row) for row in found.stays],
        "staged": {"files": len(found.left), "bytes": sum(found.left)},
        "unreadable": found.unreadable,
        "removed": done,
    }


def _row(row: Row) -> dict[str, object]:
    return {"reason": row.reason, "objects": row.objects, "bytes": row.bytes, "meaning": row.meaning}


def _lines(found: Survey, done: Collected | None) -> list[str]:
    goes, stays = _bytes(found.goes) + sum(found.left), _bytes(found.stays)
    if done is not None:
        head = f"Removed {done.objects:,} objects ({amount(done.bytes)}); {amount(stays)} stay"
    else:
        head = f"{amount(goes)} could go and {amount(stays)} stay; nothing was removed yet"
    lines = [head]
    going = _cells(found.goes)
    if found.left:
        going.append(("staging", f"{len(found.left):,}", amount(sum(found.left)), "half-written by killed processes"))
    for title, cells in (("goes", going), ("stays", _cells(found.stays))):
        lines += ["", *table((title, "objects", "bytes", ""), cells, right=(1, 2))] if cells else []
    if done is not None and done.kept:
        lines.append(f"  {done.kept:,} objects were needed or used meanwhile and stayed")
    if found.unreadable:
        missing = f"  {len(found.unreadable):,} kept folders are not here whole: `solvent fetch` brings them"
        lines.append(paint(missing, "warn"))
    return [*lines, next_step("`solvent verify`" if done is not None or not goes else "`solvent gc --yes` removes it")]


def _cells(rows: list[Row]) -> list[tuple[str, str, str, str]]:
    return [(row.reason, f"{row.objects:,}", amount(row.bytes), row.meaning) for row in rows]


def _bytes(rows: list[Row]) -> int:
    return sum(row.bytes for row in rows)
