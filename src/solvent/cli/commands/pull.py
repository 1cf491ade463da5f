"""Bring data and runs from the remote, and check out the data that `solvent.lock` names."""

from __future__ import annotations

from solvent.cli.commands.data import checked_out_lines
from solvent.cli.commands.fetch import fetched_lines, wanted_by_lock
from solvent.cli.program import Exit
from solvent.cli.show import next_step, show, transfer_progress
from solvent.project import Project


def command(*names: str, all: bool = False, force: bool = False, json: bool = False) -> Exit:
    """Bring data and runs from the remote, and check out the data that `solvent.lock` names.

    `solvent run` then takes what others made from the cache. Exits 1 where the remote lacks something.

    Parameters
    ----------
    names:
        These datasets only; all of solvent.lock, if nothing is said.
    all:
        The outputs of all runs and all versions of all datasets, too; otherwise they come when they are needed.
    force:
        Overwrite local changes, and remove files that belong to no version.
    """
    from solvent.data.sharing import fetch
    from solvent.data.sharing.bringing import bring
    from solvent.data.versions.references import resolve

    project = Project.find()
    wanted = wanted_by_lock(project, names)
    got = fetch(project.store, project.remote, wanted.values(), everything=all, progress=transfer_progress())
    whole = [] if got.absent else [resolve(name, project.root, project.store.facts) for name in wanted]
    link = project.settings.data.link
    done = [bring(one.dataset, one.digest, project.store, force=force, link=link) for one in whole]
    lines = [*fetched_lines(got, project.settings.remote.url), *checked_out_lines(done, [one.label for one in whole])]
    todo = "`solvent run`" if not got.absent else "`solvent push` where the data was added"
    show({"fetched": got, "checked_out": done}, [*lines, next_step(todo)], json=json)
    return Exit.FINDINGS if got.absent else Exit.FINE
