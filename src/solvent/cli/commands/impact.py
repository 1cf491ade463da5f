"""What rests on something: what would change, break or have to be retrained with it."""

from __future__ import annotations

from solvent.cli.program import Exit
from solvent.cli.show import show
from solvent.project import Project


def command(what: str, *, limit: int = 100_000, json: bool = False) -> Exit:
    """Say what rests on something: what would change, break or have to be retrained with it.

    Parameters
    ----------
    what:
        As for `lineage`.
    limit:
        Nodes at most.
    """
    from solvent.governance.questions import impact_of, render_lineage

    answer = impact_of(Project.find().store, what, limit=limit)
    show(answer, render_lineage(answer), json=json)
    return Exit.FINE
