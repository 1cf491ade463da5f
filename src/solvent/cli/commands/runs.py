"""Runs: what was executed, when, from what, to what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cyclopts

from solvent.cli.program import Exit
from solvent.cli.show import next_step, note, show, table
from solvent.foundation.clock import parse_instant
from solvent.foundation.errors import UsageError, nearest
from solvent.project import Project

if TYPE_CHECKING:
    from solvent.governance.comparison.compare import Comparison
    from solvent.lineage.entities import Run

command = cyclopts.App(name="runs", help="Runs: what was executed, when, from what, to what.")


class UnknownRun(UsageError):
    code = "unknown-run"


@command.command(name="list")
def list_runs(
    *,
    step: str | None = None,
    status: str | None = None,
    since: str | None = None,
    limit: int = 20,
    json: bool = False,
) -> Exit:
    """List the newest runs.

    Parameters
    ----------
    step:
        Of this step only; `pipeline` for whole runs.
    status:
        running, done, failed, cancelled or lost.
    since:
        Started at this instant or later.
    limit:
        So many.
    """
    from solvent.lineage.entities import RunStatus

    if status is not None and status not in set(RunStatus):
        raise UsageError(f"no status `{status}`", next=nearest(status, list(RunStatus), ", ".join(RunStatus)))
    facts = Project.find().store.facts
    found = facts.runs(step=step, status=RunStatus(status) if status else None, limit=limit)
    if step and not found:  # the module may be left out
        full = {r.start.step for r in facts.runs(limit=1000) if r.start.step.endswith(f".{step}")}
        found = facts.runs(step=full.pop(), status=RunStatus(status) if status else None, limit=limit) if full else []
    if since:
        begin = parse_instant(since)
        found = [r for r in found if r.start.started_at >= begin]
    rows = [(r.start.key, r.start.step, r.status, f"{r.start.started_at:%Y-%m-%d %H:%M}", _seconds(r)) for r in found]
    filtered = step or status or since
    empty = "No run fits" if filtered else "No run yet"
    lines = table(("run", "step", "status", "started", "took"), rows, right=(4,)) if rows else [empty]
    todo = (
        f"`solvent runs show {found[0].start.key}`" if found else "`solvent runs list`" if filtered else "`solvent run`"
    )
    show(found, [*lines, next_step(todo)], json=json)
    return Exit.FINE


@command.command(name="show")
def show_run(run: str, *, json: bool = False) -> Exit:
    """Show everything about one run, its log included.

    Parameters
    ----------
    run:
        The run's key or its beginning, or a step: its newest run.
    """
    from solvent.governance.comparison.runs import render_run, run_detail

    detail = run_detail(Project.find().store, run)
    if detail is None:
        raise UnknownRun(f"no run `{run}`", next="`solvent runs list` lists the newest")
    show(detail, [*render_run(detail), next_step(f"`solvent lineage {detail.run.start.key}`")], json=json)
    return Exit.FINE


@command.command
def compare(
    first: str, second: str, *more: str, tables: bool = True, html: Path | None = None, json: bool = False
) -> Exit:
    """Compare runs: parameters, metrics, code, environment, data.

    Parameters
    ----------
    first, second, more:
        Keys of runs or their beginnings, or steps; also model versions and git revisions.
    tables:
        With two, also compare the tables that both began from.
    html:
        Also write the self-contained page here.
    """
    found, lines = compared(Project.find(), [first, second, *more], tables=tables, html=html)
    show(found, lines, json=json)
    return Exit.FINE


def compared(project: Project, names: list[str], *, tables: bool, html: Path | None) -> tuple[Comparison, list[str]]:
    """A comparison with the lines that tell it; the page is written where one is asked for."""
    from solvent.governance.comparison.inputs import compare_names
    from solvent.governance.comparison.text import render

    found = compare_names(project, names, tables=tables)
    if html is not None:
        from solvent.governance.comparison.page import comparison_page

        write_page(html, comparison_page(found))
    runs = [side for side in found.sides if side.kind != "revision" and side.about.get("run")]
    todo = f"`solvent runs show {runs[-1].about['run']}`" if runs else f"`git diff {names[0]} {names[1]}`"
    return found, [*render(found), next_step(todo)]


def write_page(place: Path, page: str) -> None:
    """Write a page and say so. Raises: UsageError."""
    try:
        place.write_text(page, "utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {place}: {error.strerror}", next="--html FILE") from None
    note(f"The page is written: open {place}")


def _seconds(run: Run) -> str:
    return f"{(run.end.ended_at - run.start.started_at).total_seconds():.1f} s" if run.end else "–"
