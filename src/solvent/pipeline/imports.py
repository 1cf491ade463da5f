"""The user's own modules are imported from their text.

Python takes a compiled file for current where its source has the same second and size, so an
edit within a second of the last run (`CAP = 3`, `CAP = 4`) would run the old code under the
new fingerprint.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import solvent


class _FromText(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Users(MetaPathFinder):
    """Asks the other finders, and takes the loader's place where what they found is the user's own.

    That is a module below `root`, or of an editable install elsewhere: not the interpreter's, not an installed one.
    """

    def __init__(self, root: Path) -> None:
        self._inside = tuple(f"{folder}{os.sep}" for folder in {root, root.resolve()})
        others = {*sysconfig.get_paths().values(), str(Path(solvent.__file__).parent)}
        self._others = tuple(f"{folder}{os.sep}" for path in others for folder in {path, os.path.realpath(path)})

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            spec = finder.find_spec(fullname, path, target) if finder is not self else None
            if spec is not None:
                if type(spec.loader) is SourceFileLoader and spec.origin and self._is_ours(spec.origin):
                    spec.loader = _FromText(fullname, spec.origin)
                return spec
        return None

    def _is_ours(self, file: str) -> bool:
        return "-packages" not in file and (file.startswith(self._inside) or not file.startswith(self._others))


def import_from_text(root: Path) -> None:
    """From now on this process compiles the user's modules itself; installed ones are left as they are."""
    sys.meta_path.insert(0, _Users(root))
