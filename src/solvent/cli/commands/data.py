"""Data under version control: add, look, go back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts

from solvent.cli.datasets import bytes_shown, counted, show_status
from solvent.cli.program import Exit, add_files
from solvent.cli.show import day, next_step, note, paint, show, table
from solvent.foundation.clock import wall_clock
from solvent.project import Project

if TYPE_CHECKING:
    from solvent.data.versions.adding import Added
    from solvent.data.versions.checkout import CheckedOut
    from solvent.lineage.entities import DatasetVersion

Message = Annotated[str, cyclopts.Parameter(name=["--message", "-m"])]

command = add_files(cyclopts.App(name="data", help="Data under version control: add, look, compare, go back."), "data")


@command.command
def add(*paths: str, message: Message = "", json: bool = False) -> Exit:
    """Make files, folders or globs the next version of a dataset each.

    Stores every byte once, writes the version into solvent.lock (commit it) and tells git to ignore the files.
    A table that has a contract is held to it: what it breaks is said, or stops it where the settings say so.

    Parameters
    ----------
    paths:
        Files, folders, or globs in quotes: 'data/2012-*.csv' is one dataset.
    message:
        What is new, for the history.
    """
    from solvent.cli.program import BadCommand
    from solvent.data.versions.adding import add as add_dataset
    from solvent.data.versions.naming import name_of
    from solvent.pipeline.contractfile import broken_at_import

    if not paths:
        raise BadCommand("what should be added?", next="`solvent data add PATH`, a file, a folder or a glob in quotes")
    project = Project.find()
    for path in paths:
        for text in broken_at_import(project.root, name_of(path, project.root), project.settings):
            note(f"{paint('▲', 'warn', stream=sys.stderr)} {path}: {text}")
    done = [add_dataset(project.root, project.store, path, message=message, at=wall_clock()) for path in paths]
    todo = next_step("`git add solvent.lock` and commit · `solvent data status`")
    show(done, [*map(_added, done), todo], json=json)
    return Exit.FINE


@command.command(name="import-url")
def import_url(
    url: str, path: str | None = None, *, message: Message = "", force: bool = False, json: bool = False
) -> Exit:
    """Download a file and add it; the dataset remembers where it came from. Again: what is there now.

    Parameters
    ----------
    url:
        http:// or https://
    path:
        Where to put it; its name in the folder you stand in, if nothing is said.
    message:
        What is new, for the history.
    force:
        Overwrite a file that no version has.
    """
    from solvent.data.versions.importing import import_url as import_dataset

    project = Project.find()
    done = import_dataset(project.root, project.store, url, path, message=message, at=wall_clock(), force=force)
    todo = next_step("`git add solvent.lock` and commit · the same command again takes what is there then")
    show(done, [_added(done), todo], json=json)
    return Exit.FINE


@command.command(name="list")
def list_datasets(*, json: bool = False) -> Exit:
    """List the datasets with their newest version and size."""
    from solvent.data.versions.lockfile import read_lock

    project = Project.find()
    newest = {version.name: version for version in project.store.facts.datasets()}
    entries = read_lock(project.root)
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "versions": newest[name].number if name in newest else 0,
            "files": (entries.get(name) or newest[name]).files,
            "size": (entries.get(name) or newest[name]).size,
            "at": newest[name].at if name in newest else None,
            "message": newest[name].message if name in newest else "",
            "locked": name in entries,
        }
        for name in sorted(entries.keys() | newest.keys())
    ]
    cells = (
        (r["name"], r["versions"], f"{r['files']:,}", bytes_shown(r["size"]), day(r["at"]), r["message"]) for r in rows
    )
    lines = table(("dataset", "versions", "files", "size", "newest", ""), cells, right=(1, 2, 3))
    todo = f"`solvent data history {rows[0]['name']}` · `solvent data status`" if rows else "`solvent data add PATH`"
    head = f"{len(rows)} dataset{'s' * (len(rows) != 1)}, {bytes_shown(sum(r['size'] for r in rows))}"
    show(rows, [*([head, *lines] if rows else ["No dataset yet"]), next_step(todo)], json=json)
    return Exit.FINE


@command.command
def status(*names: str, json: bool = False) -> Exit:
    """Say which files changed since they were added or checked out. Exits 1 where any did.

    Parameters
    ----------
    names:
        Datasets; all of solvent.lock, if nothing is said.
    """
    return Exit.FINE if show_status(names, json=json) else Exit.FINDINGS


@command.command
def checkout(*versions: str, force: bool = False, json: bool = False) -> Exit:
    """Put a version's files into the project's folder; files that no version has are never overwritten.

    Parameters
    ----------
    versions:
        `NAME` as solvent.lock says; `NAME@2`, a version; `NAME@v1.0`, as a git revision has it.
        All of solvent.lock, if nothing is said.
    force:
        Overwrite local changes, and remove files that belong to no version.
    """
    from solvent.data.sharing.bringing import bring
    from solvent.data.versions.lockfile import read_lock
    from solvent.data.versions.references import resolve

    project = Project.find()
    texts = versions or tuple(read_lock(project.root))
    references = [resolve(text, project.root, project.store.facts) for text in texts]
    link = project.settings.data.link
    done = [bring(r.dataset, r.digest, project.store, force=force, link=link) for r in references]
    lines = checked_out_lines(done, [reference.label for reference in references])
    todo = next_step("`solvent data status`" if done else "`solvent data add PATH` makes the first dataset")
    show(done, [*(lines or ["No dataset yet"]), todo], json=json)
    return Exit.FINE


@command.command
def history(name: str, *, json: bool = False) -> Exit:
    """Show the versions of a dataset: who, when, why, and how many files changed.

    Parameters
    ----------
    name:
        Its path, or the end of it.
    """
    from solvent.data.versions.references import versions_of

    project = Project.find()
    found = versions_of(name, project.root, project.store.facts)
    rows = (
        (
            f"@{version.number}",
            day(version.at),
            version.actor.name if version.actor else "",
            f"{version.files:,}",
            bytes_shown(version.size),
            _changes(version),
            version.message,
        )
        for version in reversed(found)
    )
    lines = table(("", "added", "by", "files", "size", "changes", ""), rows, right=(3, 4))
    label = found[-1].name if found else name
    head = f"{label}: {len(found)} version{'s' * (len(found) != 1)}, newest first" if found else f"{label}: no version"
    todo = f"`solvent data checkout {label}@{max(1, len(found) - 1)}`" if found else f"`solvent data add {label}`"
    show(found, [head, *(lines if found else []), next_step(todo)], json=json)
    return Exit.FINE


def _added(done: Added) -> str:
    version = done.version
    what = f"{counted(version.files)}, {bytes_shown(version.size)}"
    if not done.new:
        return f"{version.name}: unchanged since @{version.number} of {day(version.at)} ({what})"
    changes = f": {_changes(version)}" if version.number > 1 and version.changes else ""
    return f"{version.name}@{version.number} is kept ({what}){changes}"


def _changes(version: DatasetVersion) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in sorted(version.changes.items()))


def checked_out_lines(done: list[CheckedOut], labels: list[str]) -> list[str]:
    """What checkouts did, for people; labels: as they called the versions."""
    lines = [_checked_out(one, label) for one, label in zip(done, labels, strict=True)]
    left = [f"{one.name}/{path}" for one in done for path in one.left]
    if left:
        lines.append(f"  {paint('▲', 'warn')} left as they are, of no version: {_some(left)}; --force removes them")
    return lines


def _checked_out(done: CheckedOut, label: str) -> str:
    if not done.written and not done.removed:
        return f"{label} lies there already ({counted(done.files)})"
    return f"{label}: {done.written:,} of {counted(done.files)} written, {done.removed:,} removed"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
