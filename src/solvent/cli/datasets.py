"""How datasets are shown; and their status, for which no parser of command lines is loaded: that would take longer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from solvent.cli.show import next_step, paint, show
from solvent.project import Project

if TYPE_CHECKING:
    from solvent.data.versions.state import DatasetStatus

MARKS = {"unchanged": ("●", "good"), "changed": ("▲", "warn"), "other-version": ("▲", "warn"), "missing": ("○", "soft")}
WORDS = {"other-version": "another version than solvent.lock names", "missing": "not checked out"}
SHOWN = 20  # files named for each dataset; --json has them all


def show_status(names: Sequence[str], *, json: bool) -> bool:
    """Print how datasets stand; all of solvent.lock, if none is named. Returns: is every one unchanged?"""
    from solvent.data.versions.lockfile import read_lock
    from solvent.data.versions.naming import find_name
    from solvent.data.versions.state import statuses

    project = Project.find()
    known = read_lock(project.root) if names else ()
    wanted = [find_name(name, known, project.root) for name in names]
    found = statuses(project.root, project.state, wanted or None)
    show(found, _status_lines(found), json=json)
    return all(one.state == "unchanged" for one in found)


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
    return WORDS.get(one.state, f"unchanged ({counted(one.files)}, {bytes_shown(one.size)})")


def counted(files: int) -> str:
    """A number of files, in words.

    >>> counted(1), counted(1200)
    ('1 file', '1,200 files')
    """
    return f"{files:,} file{'s' * (files != 1)}"


def bytes_shown(size: int) -> str:
    """A size for people, in powers of 1,024.

    >>> bytes_shown(999), bytes_shown(4096), bytes_shown(5 << 30)
    ('999 B', '4.0 KiB', '5.0 GiB')
    """
    if size < 1024:
        return f"{size} B"
    step = min((size.bit_length() - 1) // 10, 4)
    return f"{size / 1024**step:.1f} {('KiB', 'MiB', 'GiB', 'TiB')[step - 1]}"
