"""What can be audited: a working tree (git or not), one file, a commit. Each lists its files and reads one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from solvent.debt.facts.document import Unreadable
from solvent.debt.facts.repository import Entry
from solvent.debt.reading.git import Blobs, Git, shown
from solvent.foundation.errors import UsageError

MOST_BYTES = 256 * 1024 * 1024  # of one file that is read at all
ABSENT = "not in this clone"  # why a file cannot be read whose content a partial clone left out
_WORDS = """
    .git .hg .svn .venv venv env .env node_modules __pycache__ .tox .nox .eggs site-packages .mypy_cache .ruff_cache
    .pytest_cache .ipynb_checkpoints .solvent .dvc .idea .vscode
"""
PASSED_OVER = frozenset(_WORDS.split())


class NothingToAudit(UsageError):
    code = "nothing-to-audit"


class Source(Protocol):
    """Files by path (relative, POSIX) and their contents."""

    @property
    def git(self) -> Git | None: ...

    def entries(self) -> dict[str, Entry]: ...

    def read(self, path: str) -> bytes:
        """Raises: Unreadable."""
        ...


class Tree:
    """A folder on disk. In a git checkout its tracked and its new files, elsewhere all but environments and caches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git = Git.of(folder)
        self._names: dict[str, str] = {}  # on disk, of those that are shown otherwise

    def entries(self) -> dict[str, Entry]:
        if self.git is None:
            names = [(name, True) for name in _walk(self.folder)]
        else:
            names = [(name, True) for name in self.git.tracked()]
            names += [(name, False) for name in self.git.untracked()]
        found = {}
        for name, tracked in names:
            size = _size(self.folder / name)
            if size is not None and not PASSED_OVER.intersection(PurePosixPath(name).parts[:-1]):
                path = shown(name)
                found[path] = Entry(path, size, tracked)
                self._names |= {path: name} if path != name else {}
        return found

    def read(self, path: str) -> bytes:
        place = self.folder / self._names.get(path, path)
        size = _size(place)
        if size is None:
            raise Unreadable("gone")
        if size > MOST_BYTES:
            raise Unreadable(f"larger than {MOST_BYTES // 1024 // 1024} MiB")
        try:
            return place.read_bytes()
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror}") from None


class OneFile(Tree):
    """A single file in its folder."""

    def __init__(self, file: Path) -> None:
        super().__init__(file.parent)
        self._name = file.name

    def entries(self) -> dict[str, Entry]:
        size = _size(self.folder / self._name)
        path = shown(self._name)
        self._names[path] = self._name
        return {path: Entry(path, size or 0, True)}


class Revision:
    """A commit. Contents of one blob are read once and asked for by path."""

    def __init__(self, git: Git, commit: str, blobs: Blobs) -> None:
        self.git, self._blobs = git, blobs
        self.oids = {blob.path: blob.oid for blob in git.tree(commit)}

    def key(self, path: str) -> str:
        """Names the content of a file, and its path, over all revisions."""
        return f"{path}\0{self.oids[path]}"

    def entries(self) -> dict[str, Entry]:
        kept = {n: o for n, o in self.oids.items() if not PASSED_OVER.intersection(PurePosixPath(n).parts[:-1])}
        return {name: Entry(name, 0, True) for name in kept}

    def read(self, path: str) -> bytes:
        content = self._blobs.read(self.oids[path])
        if content is None:
            raise Unreadable(ABSENT)
        return content


def source_of(place: Path) -> Tree:
    """The folder or file to audit. Raises: NothingToAudit."""
    if place.is_dir():
        return Tree(place)
    if place.is_file():
        return OneFile(place)
    raise NothingToAudit(f"no folder or file {place}", next="`solvent audit .` reads the folder that you are in")


def _walk(folder: Path) -> Iterator[str]:
    for here, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in PASSED_OVER and not _environment(Path(here, name)))
        base = Path(here).relative_to(folder)
        yield from (str(PurePosixPath(base / name)) for name in sorted(files))


def _environment(folder: Path) -> bool:
    """Whether it is a virtual environment under another name."""
    return (folder / "pyvenv.cfg").exists()


def _size(place: Path) -> int | None:
    """Of a regular file; None for links, devices and what is gone."""
    try:
        found = place.lstat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None
