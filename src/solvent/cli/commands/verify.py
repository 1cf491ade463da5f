"""Check that everything recorded is still there and unchanged, the chain of decisions included."""

from __future__ import annotations

import sys

from solvent.cli.program import Exit
from solvent.cli.show import next_step, show, transfer_progress
from solvent.project import Project


def command(*, repair: bool = False, remote: bool = False, json: bool = False) -> Exit:
    """Check that everything recorded is still there and unchanged, the chain of decisions included.

    Reads every byte once and writes nothing. Exits 1 where something is wrong.

    Parameters
    ----------
    repair:
        Fetch what is damaged or gone from the remote; with `--remote`, send what is damaged there again.
    remote:
        Check the remote's objects and documents instead of this store's.
    """
    project = Project.find()
    if remote:
        return _remote(project, repair=repair, json=json)
    from solvent.governance.questions import render_verification, verify

    answer = verify(project.store, _tell if sys.stderr.isatty() else None, repair=repair)
    show(answer, render_verification(answer), json=json)
    return Exit.FINE if answer.ok else Exit.FINDINGS


def _remote(project: Project, *, repair: bool, json: bool) -> Exit:
    from solvent.data.sharing import check

    answer = check(project.store, project.remote, repair=repair, progress=transfer_progress())
    head = f"{answer.objects:,} objects and {answer.documents:,} documents read on {project.settings.remote.url}"
    lines = [
        f"All is as it was sent: {head}"
        if not answer.damaged
        else f"Damaged on the remote: {len(answer.damaged)} of {head}"
    ]
    lines += [f"  {name}" for name in answer.damaged]
    lines += [f"  sent again: {name}" for name in answer.repaired]
    todo = "`solvent verify --remote --repair` where they are whole" if answer.damaged else "`solvent verify`"
    show(answer, [*lines, next_step(todo)], json=json)
    return Exit.FINDINGS if answer.damaged else Exit.FINE


def _tell(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\r  … {done} of {total} blobs", end=end, file=sys.stderr)
