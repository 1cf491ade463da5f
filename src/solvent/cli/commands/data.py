"""Data under version control: add, look, go back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts

from solvent.cli.program import Exit, add_files
from solvent.cli.show import day, next_step, note, paint, show, table
from solvent.foundation.clock import wall_clock
from solvent.project import Project

if TYPE_CHECKING:
    from solvent.data.versions.adding import Added
    from solvent.data.versions.checkout import CheckedOut
    from solvent.data.versions.state import DatasetStatus
    from solvent.lineage.entities import DatasetVersion

MARKS = {"unchanged": ("●", "good"), "changed": ("▲", "warn"), "other-version": ("▲", "warn"), "missing": ("○", "soft")}
WORDS = {"other-version": "another version than solvent.lock names", "missing": "not checked out"}
SHOWN = 20  # files named for each dataset; --json has them all
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
    from solvent.data.versions.lockfile import read_lock
    from solvent.data.versions.references import find_name
    from solvent.data.versions.state import statuses

    project = Project.find()
    known = read_lock(project.root)
    wanted = [find_name(name, known, project.root) for name in names]
    found = statuses(project.root, project.state, wanted or None)
    show(found, _status_lines(found), json=json)
    return Exit.FINE if all(one.state == "unchanged" for one in found) else Exit.FINDINGS


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
    what = f"{version.files:,} file{'s' * (version.files != 1)}, {bytes_shown(version.size)}"
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
        return f"{label}: its {done.files:,} files lie there already"
    return f"{label}: {done.written:,} of {done.files:,} files written, {done.removed:,} removed"


def _status_lines(found: list[DatasetStatus]) -> list[str]:
    if not found:
        return ["No dataset yet", next_step("`solvent data add PATH`")]
    changed = [one for one in found if one.state != "unchanged"]
    are = "dataset differs" if len(found) == 1 else "datasets differ"
    head = f"{len(changed)} of {len(found)} {are}" if changed else "Every dataset is what solvent.lock says"
    lines = [head]
    for one in found:
        lines.append(f"  {paint(*MARKS[one.state])} {one.name}: {_state_words(one)}")
        files = [
            *(f"modified  {path}" for path in one.modified),
            *(f"added     {path}" for path in one.added),
            *(f"deleted   {path}" for path in one.deleted),
        ]
        if one.state == "missing":
            continue
        lines += [f"      {file}" for file in files[:SHOWN]]
        lines += [f"      … and {len(files) - SHOWN:,} more; --json has them all"] * (len(files) > SHOWN)
    if not changed:
        return [*lines, next_step(f"`solvent data history {found[0].name}`")]
    first = changed[0]
    back = "brings it" if first.state == "missing" else "takes the version of solvent.lock"
    keep = "" if first.state == "missing" else f"`solvent data add {first.name}` keeps it · "
    return [*lines, next_step(f"{keep}`solvent data checkout {first.name}` {back}")]


def _state_words(one: DatasetStatus) -> str:
    if one.state == "changed":
        counts = ((one.modified, "modified"), (one.added, "added"), (one.deleted, "deleted"))
        return ", ".join(f"{len(files):,} {what}" for files, what in counts if files)
    return WORDS.get(one.state, f"unchanged ({one.files:,} file{'s' * (one.files != 1)}, {bytes_shown(one.size)})")


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def bytes_shown(size: int) -> str:
    """A size for people, in powers of 1,024.

    >>> bytes_shown(999), bytes_shown(4096), bytes_shown(5 << 30)
    ('999 B', '4.0 KiB', '5.0 GiB')
    """
    if size < 1024:
        return f"{size} B"
    step = min((size.bit_length() - 1) // 10, 4)
    return f"{size / 1024**step:.1f} {('KiB', 'MiB', 'GiB', 'TiB')[step - 1]}"
