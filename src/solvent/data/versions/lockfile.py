"""`solvent.lock`: which version of each dataset belongs to this revision of the project.

TOML in git, written by `data add`, one line per dataset in order of their paths, so
that git merges two people's additions line by line:

    "data/rides.csv" = { blob = "<digest>", size = 123 }
    "data/images" = { tree = "<digest>", size = 4096, files = 2, url = "https://…" }
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from solvent.foundation.errors import UsageError
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest
from solvent.store import disk
from solvent.store.leases import file_lease

NAME = "solvent.lock"
HEADER = "# Datasets of this project, one line each. Written by `solvent data add`; belongs in git.\n"
WAIT = 60.0  # seconds for another process that writes the lock
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FIELDS = {"blob": str, "tree": str, "size": int, "files": int, "url": str}


class BadLock(UsageError):
    """The lock cannot be read."""

    code = "bad-lock"

    def __init__(self, problem: str, place: str) -> None:
        super().__init__(problem, where=place, next="restore it by git, or `solvent data add` the dataset again")


class UnknownRevision(UsageError):
    """git knows no such revision, or there is no git."""

    code = "unknown-revision"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset's version. blob: digest of the one file, or tree: of the folder; size: bytes of all files."""

    blob: Digest | None = None
    tree: Digest | None = None
    size: int
    files: int = 1
    url: str | None = None

    @property
    def digest(self) -> Digest:
        return Digest(self.tree or self.blob or "")

    def __post_init__(self) -> None:
        if (self.blob is None) == (self.tree is None):
            raise ValueError("an entry is a blob or a tree")


def read_lock(root: Path) -> dict[str, Entry]:
    """The lock of the project in `root`, by dataset path; empty where there is none. Raises: BadLock."""
    try:
        text = (root / NAME).read_text("utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise BadLock("it is not UTF-8", NAME) from None
    return parse_lock(text, NAME)


def parse_lock(text: str, place: str) -> dict[str, Entry]:
    """The entries of a lock; `place` names it in errors. Raises: BadLock."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        merge = any(line.startswith(("<<<<<<<", "=======", ">>>>>>>")) for line in text.splitlines())
        problem = "git left conflict marks: keep one line for each dataset" if merge else f"not valid TOML: {error}"
        raise BadLock(problem, place) from None
    return {path: _entry(path, fields, place) for path, fields in raw.items()}


def _entry(path: str, fields: Any, place: str) -> Entry:
    if not isinstance(fields, dict):
        raise BadLock(f"`{path}` is no dataset", place)
    for name, value in fields.items():
        if name not in _FIELDS:
            raise BadLock(f"`{path}` says `{name}`, which this Solvent does not know", place)
        if not isinstance(value, _FIELDS[name]) or isinstance(value, bool):
            raise BadLock(f"`{name}` of `{path}` is no {'number' if _FIELDS[name] is int else 'text'}", place)
    if ("blob" in fields) == ("tree" in fields) or "size" not in fields:
        raise BadLock(f"`{path}` needs its size and either a blob or a tree", place)
    if not _DIGEST.fullmatch(fields["blob" if "blob" in fields else "tree"]):
        raise BadLock(f"`{path}` has no digest: 64 hexadecimal digits", place)
    return Entry(**fields)


def render_lock(entries: Mapping[str, Entry]) -> str:
    """The text of a lock: the same entries give the same text."""
    return HEADER + "".join(f"{_quoted(path)} = {_line(entries[path])}\n" for path in sorted(entries))


def _line(entry: Entry) -> str:
    fields: list[tuple[str, str | int]] = [("blob", entry.blob)] if entry.blob else []
    if entry.tree:
        fields.append(("tree", entry.tree))
    fields.append(("size", entry.size))
    if entry.tree:
        fields.append(("files", entry.files))
    if entry.url:
        fields.append(("url", entry.url))
    return "{ " + ", ".join(f"{k} = {_quoted(v) if isinstance(v, str) else v}" for k, v in fields) + " }"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's, but for the one control character that JSON lets stand."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_lock(root: Path, entries: Mapping[str, Entry]) -> None:
    """Replace the lock at once; on return it is on the medium."""
    replace_text(root / NAME, render_lock(entries))


def replace_text(path: Path, text: str) -> None:
    """Give a file this text: on return it is on the medium; killed before, the old text stays."""
    staged = path.with_name(f".{path.name}.{uuid7()}")
    try:
        descriptor = disk.create(staged)
        try:
            disk.write(descriptor, text.encode())
            disk.sync(descriptor)
        finally:
            os.close(descriptor)
        disk.replace(staged, path)
    except BaseException:
        disk.unlink(staged)
        raise
    disk.sync_folder(path.parent)


@contextmanager
def changing_lock(root: Path, state: Path) -> Iterator[dict[str, Entry]]:
    """The entries, to be changed in place and written on leaving; one process at a time.

    state: the `.solvent` folder, where the lease lies. Raises: BadLock, Busy.
    """
    with file_lease(state / "locks", NAME, wait=WAIT):
        entries = read_lock(root)
        before = dict(entries)
        yield entries
        if entries != before:
            write_lock(root, entries)


def lock_of_revision(root: Path, revision: str) -> dict[str, Entry]:
    """The lock as it stood in a git revision; empty where that has none. Raises: UnknownRevision, BadLock."""
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        raise UnknownRevision(f"git knows no revision `{revision}`", where=str(root), next="`git log` lists them")
    text = _git(root, "show", f"{commit.strip()}:./{NAME}")
    return {} if text is None else parse_lock(text, f"{NAME} of {revision}")


def _git(root: Path, *arguments: str) -> str | None:
    import subprocess  # `data status` needs none

    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UnknownRevision("a revision needs git, which is not installed", next="name a version: NAME@2") from None
    return done.stdout if done.returncode == 0 else None
