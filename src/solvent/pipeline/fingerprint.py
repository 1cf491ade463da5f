"""The code fingerprint: every project file that a step's module reaches, whole.

It over-approximates: a module counts with all that it imports (relative, star,
conditional, inside functions), package `__init__` files included, and with the
project files that its string literals name. Comments, docstrings and formatting
do not count. Where an import cannot be read from the text (`importlib`,
`__import__`, `exec`), every Python file of the project counts. So a hit is never
false; a rerun may be needless.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3

from solvent.lineage.digests import Digest, digest_of, digest_value
from solvent.pipeline.annotations import resolve_relative

_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "site-packages", "build", "dist"}
_FILE_NAME = re.compile(r"^[^\n\r\0]{0,240}[./][^\n\r\0]{0,240}$")
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}$")
_DYNAMIC_CALLS = {"__import__", "exec", "eval", "import_module", "run_path", "run_module"}


class Reached(NamedTuple):
    """What a module reaches. files: path → digest; absent: paths whose appearance would change it."""

    files: dict[Path, Digest]
    absent: frozenset[Path]
    notes: tuple[str, ...]


class _Facts(NamedTuple):
    digest: Digest
    imports: frozenset[Path]
    data: dict[Path, Digest]
    absent: frozenset[Path]
    dynamic: int  # line of the first dynamic import, 0 for none


class CodeMap:
    """Fingerprints of one project's modules; each file is parsed once.

    root: the project's folder. excluded: files and folders that sources declare,
    which are data with a recipe of their own.
    """

    def __init__(self, root: Path, excluded: Iterable[Path] = ()) -> None:
        self.root = root.resolve()
        self.excluded = [p.resolve() for p in excluded]
        self._facts: dict[Path, _Facts] = {}
        self._installed = [Path(p).resolve() for p in sysconfig.get_paths().values()]

    def reach(self, module: str, path: Path) -> Reached:
        """Everything that `module`, whose file is `path`, reaches."""
        files: dict[Path, Digest] = {}
        absent: set[Path] = set()
        notes: list[str] = []
        stack = [*self._packages_above(module, path), path.resolve()]
        while stack:
            current = stack.pop()
            if current in files:
                continue
            facts = self._read(current)
            files[current] = facts.digest
            files.update({p: d for p, d in facts.data.items() if p not in files})
            absent |= facts.absent
            stack += facts.imports
            if facts.dynamic:
                notes.append(
                    f"{self.name(current)}:{facts.dynamic}: imports by name; every project file counts as code"
                )
                stack += self._all_modules()
        return Reached(files, frozenset(absent), tuple(sorted(set(notes))))

    def name(self, path: Path) -> str:
        """Path relative to the root, absolute outside it."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()

    def is_project(self, path: Path) -> bool:
        """Whether a module's file is the user's own rather than the interpreter's or an installed one."""
        path = path.resolve()
        if path.is_relative_to(self.root):
            return not _SKIPPED_FOLDERS & set(path.relative_to(self.root).parts)
        return not any(path.is_relative_to(p) for p in self._installed) and "-packages" not in str(path)

    def _read(self, path: Path) -> _Facts:
        if path not in self._facts:
            self._facts[path] = self._examine(path)
        return self._facts[path]

    def _examine(self, path: Path) -> _Facts:
        tree = ast.parse(path.read_bytes(), filename=str(path))
        strip_docstrings(tree)
        package = self._package_of(path)
        imports: set[Path] = set()
        absent: set[Path] = set()
        dynamic = 0
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, whole in _imported(node, package):
                    found, missing = self._resolve(name, whole)
                    imports |= found
                    absent |= missing
            elif isinstance(node, ast.Call) and not dynamic and _called(node) in _DYNAMIC_CALLS:
                dynamic = node.lineno
        data, missing = self._data_files(path, tree)
        return _Facts(normalised_digest(tree), frozenset(imports), data, frozenset(absent | missing), dynamic)

    def _package_of(self, path: Path) -> str:
        """Dotted package of a file, from the `__init__.py` files above it."""
        parts: list[str] = []
        folder = path.parent
        while (folder / "__init__.py").exists():
            parts.insert(0, folder.name)
            folder = folder.parent
        if not parts and path.is_relative_to(self.root):  # a namespace package has no __init__.py
            parts = list(path.parent.relative_to(self.root).parts)
        return ".".join(parts)

    def _packages_above(self, module: str, path: Path) -> list[Path]:
        folder, found = path.resolve().parent, []
        for _ in range(module.count(".") + 1):
            if (init := folder / "__init__.py").exists() and init != path:
                found.append(init)
            folder = folder.parent
        return found

    def _resolve(self, name: str, whole: bool) -> tuple[set[Path], set[Path]]:
        """Project files behind a dotted name, and paths that would take its place.

        whole: all modules below it count too (star import, bare `import package`).
        """
        top = name.partition(".")[0]
        absent = {self.root / f"{top}.py", self.root / top / "__init__.py"}
        if top == "solvent" or not top:
            return set(), set()
        spec = _top_spec(top)
        found: set[Path] = set()
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            if spec is None:
                break
            if spec.origin and spec.origin.endswith(".py") and self.is_project(Path(spec.origin)):
                found.add(Path(spec.origin).resolve())
            locations = [p for p in (spec.submodule_search_locations or []) if self.is_project(Path(p))]
            if depth == len(parts):
                if whole:
                    found.update(p.resolve() for folder in locations for p in _python_files(Path(folder)))
                break
            inner = ".".join(parts[: depth + 1])
            absent |= {Path(p) / f"{parts[depth]}.py" for p in locations}
            spec = PathFinder.find_spec(inner, locations) if locations else None
        return found, {p for p in absent if not p.exists()}

    def _all_modules(self) -> list[Path]:
        return [p.resolve() for p in _python_files(self.root)]

    def _data_files(self, module: Path, tree: ast.AST) -> tuple[dict[Path, Digest], set[Path]]:
        """Project files that string literals name, with digests; and those named that do not exist."""
        bases = [module.parent]
        while bases[-1] != self.root and self.root in bases[-1].parents:
            bases.append(bases[-1].parent)
        if self.root not in bases:
            bases.append(self.root)
        data: dict[Path, Digest] = {}
        absent: set[Path] = set()
        for text in set(_path_literals(tree)):
            candidates = [base / text for base in bases]
            existing = [p for p in candidates if _is_file(p)]
            for path in existing:
                if not self._is_source(path) and path.resolve().is_relative_to(self.root):
                    data[path.resolve()] = file_digest(path)
            if not existing and _SUFFIX.search(text) and " " not in text:
                absent.update(p for p in candidates if p.is_relative_to(self.root))
        return data, absent

    def _is_source(self, path: Path) -> bool:
        return any(path.resolve().is_relative_to(e) for e in self.excluded)


def normalised_digest(tree: ast.AST) -> Digest:
    """Digest of a syntax tree without positions."""
    return digest_of(ast.dump(tree).encode())


def function_digest(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Digest:
    """Digest of a function without its name and docstring, so that renaming it changes nothing."""
    copy = ast.parse(ast.unparse(function)).body[0]
    strip_docstrings(copy)
    if isinstance(copy, ast.FunctionDef | ast.AsyncFunctionDef):
        copy.name = "_"
        copy.decorator_list = []
    return normalised_digest(copy)


def strip_docstrings(tree: ast.AST) -> None:
    """Remove the docstrings of a module, its classes and functions, in place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body[:1]:
                case [ast.Expr(value=ast.Constant(value=str()))]:
                    node.body = node.body[1:] or [ast.Pass()]


def step_code(function: Digest, files: dict[str, Digest]) -> Digest:
    """The code part of a recipe: the function and all files that it may reach, whatever their names."""
    return digest_value([function, sorted(files.values())])


def file_digest(path: Path) -> Digest:
    """BLAKE3 of a file, read through a map."""
    hasher = blake3()
    hasher.update_mmap(path)
    return Digest(hasher.hexdigest())


def _imported(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, bool]]:
    """(dotted name, whether everything below it counts) for each name that an import may load."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, True
        return
    base = resolve_relative(package, node.module or "", node.level)
    for alias in node.names:
        if alias.name == "*":
            yield base, True
        else:
            yield f"{base}.{alias.name}" if base else alias.name, True


def _called(node: ast.Call) -> str:
    return (
        node.func.id
        if isinstance(node.func, ast.Name)
        else getattr(node.func, "attr", "")
        if _on_importlib(node)
        else ""
    )


def _on_importlib(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in ("importlib", "runpy", "builtins")


def _top_spec(top: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except (ValueError, ImportError):  # a module without a spec (`__main__`), or a broken finder
        return None


def _python_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if (
                not path.name.startswith(".")
                and path.name not in _SKIPPED_FOLDERS
                and not (path / "pyvenv.cfg").exists()
            ):
                yield from _python_files(path)
        elif path.suffix == ".py":
            yield path


def _path_literals(tree: ast.AST) -> Iterator[str]:
    """Strings that may name a file, and `a / "b" / "c.json"` chains of them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _FILE_NAME.match(node.value):
                yield node.value.removeprefix("./")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts: list[str] = []
            current: ast.expr = node
            while isinstance(current, ast.BinOp) and isinstance(current.op, ast.Div):
                if not (isinstance(current.right, ast.Constant) and isinstance(current.right.value, str)):
                    break
                parts.insert(0, current.right.value)
                current = current.left
            if len(parts) > 1:
                yield "/".join(parts)
            if parts and isinstance(current, ast.Call) and current.args:
                first = current.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield "/".join([first.value, *parts])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a literal too long or with a null byte names no file
        return False
