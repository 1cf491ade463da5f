"""Bring data and runs from the remote into the store, and leave the folder as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from solvent.cli.program import Exit
from solvent.cli.show import amount, next_step, show, transfer_progress
from solvent.project import Project

if TYPE_CHECKING:
    from collections.abc import Collection

    from solvent.data.sharing import Fetched
    from solvent.data.sharing.fetch import Wanted


def command(*names: str, all: bool = False, json: bool = False) -> Exit:
    """Bring data and runs from the remote into the store, and leave the folder as it is.

    Brings all facts, and the objects that `solvent.lock` names; a step's outputs come
    when they are needed. Exits 1 where the remote lacks something.

    Parameters
    ----------
    names:
        Objects of these datasets only.
    all:
        The outputs of all runs and all versions of all datasets, too.
    """
    from solvent.data.sharing import fetch

    project = Project.find()
    wanted = wanted_by_lock(project, names)
    got = fetch(project.store, project.remote, wanted.values(), everything=all, progress=transfer_progress())
    lines = [*fetched_lines(got, project.settings.remote.url), next_step("`solvent data checkout` · `solvent run`")]
    show(got, lines, json=json)
    return Exit.FINDINGS if got.absent else Exit.FINE


def wanted_by_lock(project: Project, names: Collection[str]) -> dict[str, Wanted]:
    """The datasets of `solvent.lock`, or those of them that were named. Raises: UnknownDataset, BadLock."""
    from solvent.data.sharing.fetch import Wanted
    from solvent.data.versions.lockfile import read_lock
    from solvent.data.versions.naming import find_name

    lock = read_lock(project.root)
    chosen = [find_name(name, lock, project.root) for name in names] or list(lock)
    return {name: Wanted(lock[name].digest, lock[name].size, lock[name].tree is not None) for name in chosen}


def fetched_lines(got: Fetched, url: str) -> list[str]:
    lines = [
        f"Received {got.objects:,} objects ({amount(got.bytes)}) from {url}; {got.present:,} were here",
        f"  {got.runs:,} runs and {got.datasets:,} dataset versions are new here",
    ]
    if not (got.objects or got.runs or got.datasets or got.absent):
        lines = [f"{url} has nothing new"]
    if got.absent:
        lines.append(f"  {len(got.absent):,} objects are not on the remote, {got.absent[0][:10]} the first")
    return lines
