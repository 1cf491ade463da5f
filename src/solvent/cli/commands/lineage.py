"""What stood behind something: data, code, environment, parameters, people, reasons."""

from __future__ import annotations

from solvent.cli.program import Exit
from solvent.cli.show import show
from solvent.project import Project


def command(what: str, *, limit: int = 100_000, json: bool = False) -> Exit:
    """Say what stood behind something: data, code, environment, parameters, people, reasons.

    Parameters
    ----------
    what:
        A digest or its beginning, a run, `NAME@alias`, `NAME/3`, a step, source or column
        (`TABLE#COLUMN`), a file of the project, or a prediction id.
    limit:
        Nodes at most.
    """
    from solvent.governance.questions import lineage_of, render_lineage

    answer = lineage_of(Project.find().store, what, limit=limit)
    show(answer, render_lineage(answer), json=json)
    return Exit.FINE
