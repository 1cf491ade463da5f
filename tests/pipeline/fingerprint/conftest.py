"""A project as a dictionary of files, and the fingerprint of one of its functions."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from solvent.pipeline.fingerprint.code import CodeMap, StepCode


class Files:
    """root: where they lie."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, **texts: str) -> None:
        """Modules by name; `__` stands for a slash, `INIT` for `__init__`."""
        for name, text in texts.items():
            path = self.root / f"{name.replace('__', '/').replace('INIT', '__init__')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text).lstrip("\n"))

    def map(self, state: Path | None = None) -> CodeMap:
        return CodeMap(self.root, [str(self.root), str(self.root / "src")], [self.root / "data"], state)

    def step(self, name: str = "s", module: str = "main", env: tuple[str, ...] = ()) -> StepCode:
        """The fingerprint of a function, read anew."""
        code, path = self.map(), str(self.root / f"{module.replace('.', '/')}.py")
        code.prepare([(module, path)])
        return code.step(module, path, name, env)

    def reached(self, name: str = "s") -> set[str]:
        """Symbols and files of the project that a function of `main` reaches, itself left out."""
        code, path = self.map(), str(self.root / "main.py")
        code.prepare([("main", path)])
        root = code.step("main", path, name).root
        return {n for n in code.graph.reach(root) if n != root and not n.startswith("outside ")}


@pytest.fixture
def files(tmp_path) -> Files:
    return Files(tmp_path.resolve())
