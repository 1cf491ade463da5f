"""Execute again what was recorded, and say whether the same comes out."""

from __future__ import annotations

from solvent.cli.program import Exit
from solvent.cli.show import next_step, show
from solvent.project import Project


def command(
    what: str, *, rev: str | None = None, same_env: bool = False, tolerance: float = 1e-9, json: bool = False
) -> Exit:
    """Execute again what was recorded, from its commit, data and environment; exit 1 where something else comes out.

    Parameters
    ----------
    what:
        A run's key or its beginning, `NAME@alias`, `NAME@3`, an artifact's digest, a step, or an output
        (`split.train`).
    rev:
        Take the code of this git revision instead of the recorded commit's.
    same_env:
        In the present environment; otherwise uv builds a fresh one from the recorded versions.
    tolerance:
        Largest difference that still counts as equal, as a share of the largest value.
    """
    from solvent.governance.reproduction.reproduce import reproduce
    from solvent.governance.reproduction.text import render

    found = reproduce(Project.find(), what, rev=rev, same_env=same_env, tolerance=tolerance)
    show(found, [*render(found), next_step(f"`solvent runs show {found.record}` is the record of it")], json=json)
    return Exit.FINE if found.reproduced else Exit.FINDINGS
