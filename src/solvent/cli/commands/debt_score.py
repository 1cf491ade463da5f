"""Score the audit's forecast: what it would have said some days ago, against what came since."""

from __future__ import annotations

from pathlib import Path

from solvent.cli.program import Exit
from solvent.cli.show import next_step, paint, show


def command(path: Path = Path(), *, days: float = 90, json: bool = False) -> Exit:
    """Score the audit's forecast: what it would have said some days ago, against what came since.

    Audits the commit of that day by today's rules and the history up to it; then counts the commits and the repairs
    that followed in each file.

    Parameters
    ----------
    path:
        A folder in a git checkout.
    days:
        How long ago.
    """
    from solvent.debt.audit import active_rules
    from solvent.debt.reading.cache import Cache, cache_folder
    from solvent.debt.reading.git import UnknownRevision
    from solvent.debt.reading.sources import source_of
    from solvent.debt.replay import replay
    from solvent.debt.report.score import render_score

    source = source_of(path)
    if source.git is None:
        raise UnknownRevision(f"{source.folder} is in no git checkout", next="a score needs commits")
    found = replay(source.git, active_rules(preview=False), days, cache=Cache(cache_folder()))
    lines = [*render_score(found, paint=paint), "", next_step("`solvent audit --history 50` tells the trend")]
    show(found, lines, json=json)
    return Exit.FINE
