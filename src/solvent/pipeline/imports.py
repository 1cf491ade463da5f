"""A project's own modules are imported from their text.

Python takes a compiled file for current where its source has the same second and size, so an
edit within a second of the last run (`CAP = 3`, `CAP = 4`) would run the old code under the
new fingerprint.
"""

from __future__ import annotations

import sys
from importlib.abc import PathEntryFinder
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from pathlib import Path
from types import CodeType


class _FromText(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def import_from_text(root: Path) -> None:
    """From now on this process compiles modules below `root` itself; installed ones are left as they are."""
    hook = FileFinder.path_hook(
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (_FromText, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )
    inside = root.resolve()

    def ours(folder: str) -> PathEntryFinder:
        place = Path(folder or ".").resolve()
        if "-packages" in folder or not place.is_relative_to(inside):
            raise ImportError(f"{folder} is not of the project", path=folder)
        return hook(folder)

    sys.path_hooks.insert(0, ours)
    for folder in [known for known in sys.path_importer_cache if Path(known).resolve().is_relative_to(inside)]:
        del sys.path_importer_cache[folder]
