"""Every decision: what, who, why, and its place in the chain."""

from __future__ import annotations

from solvent.cli.program import Exit
from solvent.cli.show import show
from solvent.foundation.clock import parse_instant
from solvent.project import Project


def command(
    model: str | None = None,
    *,
    action: str | None = None,
    since: str | None = None,
    limit: int | None = None,
    json: bool = False,
) -> Exit:
    """List every decision: what, who, why, and its place in the chain.

    Parameters
    ----------
    model:
        About this model only.
    action:
        Of this kind only: retrain, promote, hold, refuse, roll-back, approve, waive, erase.
    since:
        From this date on.
    limit:
        The newest so many.
    """
    from solvent.governance.questions import decisions, render_decisions

    start = parse_instant(since) if since else None
    answer = decisions(Project.find().store, model=model, action=action, since=start, limit=limit)
    show(answer, render_decisions(answer), json=json)
    return Exit.FINE
