"""Files of the project that the code names by a literal."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from solvent.lineage.digests import Digest
from solvent.pipeline.fingerprint.digests import file_digest
from solvent.pipeline.fingerprint.literals import may_appear


class DataFiles:
    """root: the project. excluded: files and folders that sources declare, data with a recipe of their own."""

    def __init__(self, root: Path, excluded: Iterable[Path] = ()) -> None:
        self.root = root
        self.excluded = tuple(p.resolve() for p in excluded)
        self.absent: set[str] = set()
        self.digests: dict[str, Digest] = {}
        self._named: dict[tuple[str, str], tuple[str, ...]] = {}

    def named(self, module: str, literal: str) -> tuple[str, ...]:
        """Files that a literal in a module means: beside it, in a folder above, or in the root."""
        key = (module.rpartition(os.sep)[0], literal)
        if key not in self._named:
            self._named[key] = self._look(Path(key[0]), literal)
        return self._named[key]

    def digest(self, path: str) -> Digest:
        if path not in self.digests:
            self.digests[path] = file_digest(Path(path))
        return self.digests[path]

    def _look(self, folder: Path, literal: str) -> tuple[str, ...]:
        candidates = [f"{base}{os.sep}{literal}" for base in self._bases(folder)]
        if literal.startswith("/"):
            candidates = [literal]
        existing = [c for c in candidates if _is_file(c)]
        if not existing:
            if may_appear(literal):
                self.absent.update(c for c in candidates if c.startswith(f"{self.root}{os.sep}"))
            return ()
        inside = [p for p in (Path(c).resolve() for c in existing) if p.is_relative_to(self.root)]
        return tuple(dict.fromkeys(str(p) for p in inside if not any(p.is_relative_to(e) for e in self.excluded)))

    def _bases(self, folder: Path) -> list[Path]:
        inside = folder == self.root or folder.is_relative_to(self.root)
        above = [p for p in folder.parents if p.is_relative_to(self.root)] if inside else []
        return list(dict.fromkeys([folder, *above, self.root]))


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # too long, or with a null byte: it names no file
        return False
