"""What was live on a date: versions, data, open alerts."""

from __future__ import annotations

from solvent.cli.program import Exit
from solvent.cli.show import show
from solvent.foundation.clock import parse_instant
from solvent.project import Project


def command(date: str, *, known_by: str | None = None, json: bool = False) -> Exit:
    """Say what was live on a date: versions, data, open alerts.

    Parameters
    ----------
    date:
        When it was true.
    known_by:
        As far as the store had been told by then.
    """
    from solvent.governance.questions import as_of, render_as_of

    answer = as_of(Project.find().store, parse_instant(date), parse_instant(known_by) if known_by else None)
    show(answer, render_as_of(answer), json=json)
    return Exit.FINE
