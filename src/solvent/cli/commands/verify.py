"""Check that everything recorded is still there and unchanged, the chain of decisions included."""

from __future__ import annotations

import sys

from solvent.cli.program import Exit
from solvent.cli.show import show
from solvent.project import Project


def command(*, json: bool = False) -> Exit:
    """Check that everything recorded is still there and unchanged, the chain of decisions included.

    Reads every byte once and writes nothing. Exits 1 where something is wrong.
    """
    from solvent.governance.questions import render_verification, verify

    answer = verify(Project.find().store, _tell if sys.stderr.isatty() else None)
    show(answer, render_verification(answer), json=json)
    return Exit.FINE if answer.ok else Exit.FINDINGS


def _tell(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\r  … {done} of {total} blobs", end=end, file=sys.stderr)
