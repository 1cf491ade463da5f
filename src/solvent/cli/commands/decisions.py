"""Every decision: what, who, why, and its place in the chain."""

from __future__ import annotations

from solvent.cli.program import Exit
from solvent.cli.show import day, next_step, show
from solvent.foundation.clock import parse_instant
from solvent.project import Project


def command(
    model: str | None = None, *, since: str | None = None, limit: int | None = None, json: bool = False
) -> Exit:
    """List every decision: what, who, why, and its place in the chain.

    Parameters
    ----------
    model:
        Of this model only.
    since:
        From this date on.
    limit:
        The newest so many.
    """
    facts = Project.find().store.facts
    found = facts.decisions(model=model, since=parse_instant(since) if since else None)
    found = found[-limit:] if limit else found
    lines = []
    for made in found:
        what = made.decision
        version = f" v{what.number}" if what.number else ""
        actor = what.policy or what.actor.name
        lines.append(f"  {day(what.at):>11}  {what.action:<9} {what.model or ''}{version}  by {actor}  {made.hash[:8]}")
        lines.append(f"               {what.reason}")
    show(found, [*(lines or ["No decision yet"]), next_step("`solvent verify` checks the chain")], json=json)
    return Exit.FINE
