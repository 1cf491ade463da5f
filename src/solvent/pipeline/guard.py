"""What a worker imported must be what the recipe was made from, or its result would be kept under a wrong key.

A file may be edited between the moment when the pipeline was read and the moment
when a worker imports it. Edits after the import change nothing for the run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from solvent.lineage.digests import Digest
from solvent.pipeline.errors import ChangedMeanwhile
from solvent.pipeline.fingerprint import file_digest


class CodeGuard:
    """expected: digests of the project's files, by path relative to root, as the pipeline was read."""

    def __init__(self, root: Path, expected: Mapping[str, Digest]) -> None:
        self.names = {str(root / name): name for name in expected}
        self.places = {name: root / name for name in expected}
        self.expected = expected
        self._verified: set[str] = set()
        self._modules = 0

    def check(self, data: Iterable[str]) -> None:
        """Compare the modules that were imported since the last time, and the data files that a step names.

        data: names of its files that are no modules. Raises: ChangedMeanwhile.
        """
        for name in (*self._imported(), *data):
            place = self.places[name]
            if not place.is_file() or file_digest(place) != self.expected[name]:
                raise ChangedMeanwhile(f"{name} changed while the step ran", where=name, next="run again")

    def _imported(self) -> list[str]:
        """Names of project files that back a module loaded since the last call."""
        if len(sys.modules) == self._modules:
            return []
        self._modules = len(sys.modules)
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        new = [self.names[file] for file in files if file in self.names and file not in self._verified]
        self._verified.update(file for file in files if file in self.names)
        return new
