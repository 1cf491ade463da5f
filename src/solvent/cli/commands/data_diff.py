"""What differs between two versions of data: files, columns, rows, the shape of each column."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from solvent.cli.program import Exit
from solvent.cli.show import next_step, show
from solvent.project import NoProject, Project


def command(
    left: str,
    right: str,
    *,
    key: Annotated[list[str] | None, Parameter(negative="")] = None,
    html: Path | None = None,
    json: bool = False,
) -> Exit:
    """Say what differs between two datasets: files, columns, rows, the shape of each column.

    Parameters
    ----------
    left:
        A file, a folder, or a version of a dataset: `NAME@2`, `NAME@GITREV`.
    right:
        The same, of what is compared with it.
    key:
        Columns that name a row, so that a changed row is told from a new one; repeat it for several.
    html:
        Also write the self-contained page here.
    """
    from solvent.governance.comparison.data import compare_data, read_side
    from solvent.governance.comparison.datatext import render

    project = _project()
    diff = compare_data(*(read_side(side, Path.cwd(), project) for side in (left, right)), key=key or ())
    if html is not None:
        from solvent.cli.commands.runs import write_page
        from solvent.governance.comparison.datapage import data_page

        write_page(html, data_page(diff))
    hint = diff.table.rows.key_hint if diff.table else None
    drawn = "`--html FILE` draws it" if html is None else "`solvent data history` tells who changed it and why"
    todo = f"`--key {hint}` tells changed rows from new ones" if hint else drawn
    show(diff, [*render(diff), next_step(todo)], json=json)
    return Exit.FINE


def _project() -> Project | None:
    """The project around here; files are compared without one, too."""
    try:
        return Project.find()
    except NoProject:
        return None
