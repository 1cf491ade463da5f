"""What differs between two runs, git revisions or model versions: parameters, metrics, code, environment, data."""

from __future__ import annotations

from pathlib import Path

from solvent.cli.program import Exit
from solvent.cli.show import show
from solvent.project import Project


def command(left: str, right: str, *, tables: bool = True, html: Path | None = None, json: bool = False) -> Exit:
    """Say what differs between two runs, git revisions or model versions.

    Parameters
    ----------
    left:
        A run's key or its beginning, a step (its newest run), `NAME@alias`, `NAME@3`, or a git revision.
    right:
        The same, of what is compared with it.
    tables:
        Also compare the tables that both began from.
    html:
        Also write the self-contained page here.
    """
    from solvent.cli.commands.runs import compared

    found, lines = compared(Project.find(), [left, right], tables=tables, html=html)
    show(found, lines, json=json)
    return Exit.FINE
