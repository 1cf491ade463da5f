"""Digests of code that do not depend on how local names are called, on comments, formatting or docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from solvent.debt.facts.summary import Block

if TYPE_CHECKING:
    from solvent.debt.facts.file import FileFacts

LEAST_STATEMENTS, LEAST_NODES = 6, 60
LEAST_IN_CELL = 8  # statements; what is shorter is said again in many a notebook
LEAST_LINES = 12  # of a file that is compared as a whole, without comments
_UNSAID = frozenset({"ctx", "type_comment", "kind", "type_ignores", "type_params"})


def blocks(file: FileFacts) -> Iterator[Block]:
    """Functions, cells and the whole file, where they are long enough to matter."""
    lines = [line.strip() for line in file.document.text.split("\n")]
    told = [line for line in lines if line and not line.startswith("#")]
    if len(told) >= LEAST_LINES:
        yield Block(_hash(told), "file", 1, len(lines), len(told), "", "1")
    for node in file.nodes(ast.FunctionDef):
        if (node.end_lineno or node.lineno) - node.lineno < LEAST_STATEMENTS:
            continue
        name = f"{file.scope(node).name}.{node.name}".lstrip(".")
        last = node.end_lineno or node.lineno
        yield from _block(file, [*node.args.args, *node.body], "function", name, node.lineno, last)
    for cell in file.document.cells:
        last = cell.first + cell.lines - 1
        within = [node for node in file.tree.body if cell.first <= node.lineno <= last]
        if not _only_draws(file, within):
            yield from _block(file, within, "cell", "", within[0].lineno if within else cell.first, last)


def _only_draws(file: FileFacts, body: Sequence[ast.stmt]) -> bool:
    """Whether most statements of a cell are calls that draw or print: a picture is made where it is shown."""
    calls = [node.value.func for node in body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    drawing = [func for func in calls if file.resolve(func).startswith(_DRAWING)]
    return 2 * len(drawing) > len(body)


_DRAWING = ("matplotlib.", "seaborn.", "plotly.", "builtins.print")


def _block(file: FileFacts, body: Sequence[ast.AST], kind: str, scope: str, line: int, last: int) -> Iterator[Block]:
    body = [node for node in body if not _is_text(node)]
    nodes = [each for node in body for each in ast.walk(node)]
    statements = sum(isinstance(node, ast.stmt) and not isinstance(node, _LIGHT) for node in nodes)
    if (
        statements < (LEAST_IN_CELL if kind == "cell" else LEAST_STATEMENTS)
        or sum(isinstance(node, ast.expr | ast.stmt) for node in nodes) < LEAST_NODES
    ):
        return
    place = file.document.place(line)
    shown = f"cell {place.cell}:{place.line}" if place.cell else f"{place.line}"
    yield Block(_Digest(nodes).of(body), kind, line, last, statements, scope, shown)


_LIGHT = (ast.Import, ast.ImportFrom, ast.Pass, ast.FunctionDef, ast.ClassDef)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


class _Digest:
    """Of statements: their syntax in order, each local name as the number of its first appearance."""

    def __init__(self, nodes: list[ast.AST]) -> None:
        kept = {name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
        self._locals = {name for node in nodes if (name := _bound(node))} - kept
        self._numbers: dict[str, int] = {}
        self._parts: list[str] = []

    def of(self, body: Sequence[ast.AST]) -> str:
        for node in body:
            self._add(node)
        return _hash(self._parts)

    def _add(self, value: object) -> None:
        stack = [value]
        while stack:
            each = stack.pop()
            if isinstance(each, ast.AST):
                self._parts.append(type(each).__name__)
                fields = [(name, field) for name, field in vars(each).items() if name in each._fields]
                stack.extend(_field(each, name, field) for name, field in reversed(fields) if name not in _UNSAID)
            elif isinstance(each, list):
                self._parts.append("[")
                stack.extend(reversed([item for item in each if not _is_text(item)] if _statements(each) else each))
            elif isinstance(each, _Named):
                self._parts.append(self._number(each))
            else:
                self._parts.append(repr(each))

    def _number(self, name: str) -> str:
        if name not in self._locals:
            return name
        return f"${self._numbers.setdefault(name, len(self._numbers))}"


def _hash(parts: list[str]) -> str:
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


class _Named(str):
    """A name that may be local, as against an attribute, a keyword or a constant."""

    __slots__ = ()


def _field(node: ast.AST, name: str, field: object) -> object:
    is_name = isinstance(field, str) and (
        (isinstance(node, ast.Name) and name == "id")
        or (isinstance(node, ast.arg) and name == "arg")
        or (isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler) and name == "name")
    )
    return _Named(field) if is_name else field


def _statements(values: list[object]) -> bool:
    return bool(values) and isinstance(values[0], ast.stmt)


def _bound(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Store) else None
    if isinstance(node, ast.arg):
        return node.arg
    return node.name if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler) else None
