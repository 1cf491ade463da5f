"""Which file a module is, without importing it; and which files would take its place if they appeared."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist"})
_FIRST = frozenset(sys.builtin_module_names) | {"os", "io", "abc", "codecs", "site", "stat", "zipimport", "genericpath"}


class Place(NamedTuple):
    """Where a module is. path: its file, '' for a namespace package; folders: where its submodules are."""

    path: str
    folders: tuple[str, ...]


class Finder:
    """root: the project. folders: where its modules are looked for first, in order, as a worker does."""

    def __init__(self, root: Path, folders: Sequence[str]) -> None:
        self.root = root
        self.folders = tuple(folders)
        self.absent: set[str] = set()
        self.names: dict[str, tuple[str, str]] = {}  # file → dotted name, package
        self._found: dict[str, Place | None] = {}
        self._listings: dict[str, frozenset[str]] = {}
        self._installed = tuple(str(Path(p).resolve()) for p in sysconfig.get_paths().values())

    def find(self, name: str) -> Place | None:
        """A module of the project by its dotted name; None for one from elsewhere, or for none at all."""
        if name not in self._found:
            self._found[name] = place = self._look(name)
            if place and place.path.endswith(".py"):
                self.know(name, place.path)
        return self._found[name]

    def know(self, name: str, path: str) -> None:
        """A module's name and the package that its relative imports start from."""
        package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
        self.names.setdefault(path, (name, package))

    def is_project(self, path: str) -> bool:
        """Whether a file is the user's own rather than the interpreter's or an installed one."""
        resolved = Path(path).resolve()
        if resolved.is_relative_to(self.root):
            return not SKIPPED_FOLDERS & set(resolved.relative_to(self.root).parts)
        return "-packages" not in str(resolved) and not str(resolved).startswith(self._installed)

    def packages_above(self, name: str) -> list[str]:
        """Names of the packages whose `__init__` an import of `name` runs, outermost first."""
        return _above(name)

    def _look(self, name: str) -> Place | None:
        head, _, last = name.rpartition(".")
        if head:
            above = self.find(head)
            return self._inside(above.folders, last) if above and above.folders else None
        if not name or name == "solvent" or name in _FIRST:
            return None
        return self._inside(self.folders, name) or self._elsewhere(name)

    def _inside(self, folders: Sequence[str], name: str) -> Place | None:
        """A module in the first of the folders that has it; what would come before it is watched."""
        spaces: list[str] = []
        for folder in folders:
            package = f"{folder}{os.sep}{name}"
            init, single = f"{package}{os.sep}__init__.py", f"{package}.py"
            listing = self._listing(folder)
            if name in listing and "__init__.py" in self._listing(package):
                return Place(init, (package,))
            self.absent.add(init)
            if f"{name}.py" in listing:
                return Place(single, ())
            self.absent.add(single)
            binary = next((n for n in listing if n.startswith(f"{name}.") and n.endswith((".so", ".pyd"))), None)
            if binary:
                return Place(f"{folder}{os.sep}{binary}", ())
            if name in listing and self._listing(package) and name not in SKIPPED_FOLDERS:
                spaces.append(package)
        return Place("", tuple(spaces)) if spaces else None

    def _listing(self, folder: str) -> frozenset[str]:
        if folder not in self._listings:
            try:
                self._listings[folder] = frozenset(p.name for p in Path(folder).iterdir())
            except OSError:  # a file, or nothing
                self._listings[folder] = frozenset()
        return self._listings[folder]

    def _elsewhere(self, name: str) -> Place | None:
        """A module of an editable install outside the project; installed ones count by their version."""
        if name in sys.stdlib_module_names:
            return None
        origin, folders = _spec_of(name)
        if origin and self.is_project(origin):
            return Place(str(Path(origin).resolve()), tuple(str(Path(f).resolve()) for f in folders))
        return None


@cache
def _above(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


@cache
def _spec_of(name: str) -> tuple[str, tuple[str, ...]]:
    try:
        spec = importlib.util.find_spec(name)
    except (ValueError, ImportError, AttributeError):  # a module without a spec (`__main__`), or a broken finder
        return "", ()
    if spec is None:
        return "", ()
    return spec.origin or "", tuple(spec.submodule_search_locations or ())
