"""A file split into its top-level symbols."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator

from solvent.lineage.digests import digest_value
from solvent.pipeline.fingerprint.importing import calls_at_import
from solvent.pipeline.fingerprint.scan import Scan
from solvent.pipeline.fingerprint.symbols import Module, Symbol
from solvent.pipeline.fingerprint.trees import chain_of, import_targets, is_state, own_nodes


def read_module(data: bytes, name: str, package: str, filename: str) -> Module:
    """A file's symbols. Raises: SyntaxError, UnicodeDecodeError."""
    source = importlib.util.decode_source(data)
    splitter = _Splitter(source, package)
    splitter.split(ast.parse(source, filename=filename).body)
    symbols, bindings = tuple(splitter.symbols), {n: tuple(b) for n, b in splitter.bindings.items()}
    parts = [[s.digest for s in symbols], bindings, splitter.stars, splitter.imports]
    return Module(
        name, package, symbols, bindings, tuple(splitter.stars), tuple(splitter.imports), splitter.exported,
        digest_value(parts),
    )  # fmt: skip


class _Splitter:
    """lines: of the source, as UTF-8, since columns count its bytes. salt: what changes the meaning of all below it."""

    def __init__(self, source: str, package: str) -> None:
        self.lines = source.encode("utf-8", "surrogatepass").split(b"\n")
        self.package = package
        self.symbols: list[Symbol] = []
        self.bindings: dict[str, list[str]] = {}
        self.stars: list[str] = []
        self.imports: list[str] = []
        self.exported: tuple[str, ...] | None = None
        self.salt = ""

    def split(self, statements: list[ast.stmt]) -> None:
        for node in statements:
            match node:
                case ast.Import() | ast.ImportFrom():
                    self._import(node, at_import=True)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    self._add("function", [name], node)
                case ast.ClassDef(name=name):
                    self._add("class", [name], node)
                case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                    self._assignment(node)
                case ast.If(test=test) if _last(test) == "TYPE_CHECKING":
                    self._typing(node)
                case ast.If(test=test, orelse=[]) if _is_main(test):
                    continue
                case ast.Expr(value=ast.Constant()) | ast.Pass():
                    continue
                case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While() | ast.Match() | ast.TryStar():
                    self._block(node)
                case _ if type(node).__name__ == "TypeAlias":
                    self._add("constant", [name.id for name in ast.walk(node) if isinstance(name, ast.Name)][:1], node)
                case _:
                    self._add("effect", [], node)

    def _import(self, node: ast.Import | ast.ImportFrom, *, at_import: bool) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            self.salt += "".join(f"{alias.name} " for alias in node.names)
            return
        for name, target, module in import_targets(node, self.package):
            if name == "*":
                self.stars.append(module)
            else:
                self.bindings.setdefault(name, []).append(target)
            if at_import:
                loaded = target if isinstance(node, ast.ImportFrom) and name != "*" else module
                self.imports.append(f"{len(self.symbols)} {loaded}")

    def _typing(self, node: ast.If) -> None:
        """Imports for type checkers: they bind names that annotations use, and load nothing."""
        for statement in node.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._import(statement, at_import=False)
        others = [s for s in node.body if not isinstance(s, ast.Import | ast.ImportFrom)]
        self.split([*others, *node.orelse])

    def _assignment(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        if isinstance(node, ast.AnnAssign) and node.value is None:
            return  # it only says what a type checker should think
        plain = all(isinstance(t, ast.Name | ast.Tuple | ast.List | ast.Starred) for t in targets)
        if names[:1] == ["__all__"]:
            self._exports(node)
        self._add("constant" if names and plain else "effect", names, node)

    def _exports(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
        self.exported = None
        plain = isinstance(node, ast.Assign) and "__all__" not in self.bindings
        if plain and isinstance(node.value, ast.List | ast.Tuple):
            self.exported = tuple(str(e.value) for e in node.value.elts if isinstance(e, ast.Constant))

    def _block(self, node: ast.stmt) -> None:
        for inner in own_nodes([node]):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                self._import(inner, at_import=True)
        self._add("block", list(dict.fromkeys(_bound_in(node))), node)

    def _add(self, kind: str, names: list[str], node: ast.stmt) -> None:
        scan = Scan(self.package)
        scan.form.append(self.salt)
        scan.visit(node)
        scan.finish()
        called, loud = calls_at_import(node)
        value = getattr(node, "value", None) if kind == "constant" else None
        symbol = Symbol(
            kind, tuple(names), first_line(node), self._text(node), scan.digest, scan.uses, tuple(scan.imports),
            tuple(scan.literals), tuple(scan.asked), tuple(scan.doubts), called, loud or kind == "effect",
            is_state(value),
        )  # fmt: skip
        for name in names:
            self.bindings.setdefault(name, []).append(f"#{len(self.symbols)}")
        self.symbols.append(symbol)

    def _text(self, node: ast.stmt) -> str:
        first, last = first_line(node), node.end_lineno or node.lineno
        lines = self.lines[first - 1 : last]
        lines[-1] = lines[-1][: node.end_col_offset]
        if first == node.lineno:
            lines[0] = lines[0][node.col_offset :]
        return b"\n".join(lines).decode("utf-8", "replace")


def first_line(node: ast.stmt) -> int:
    """Line where a statement begins, its decorators included."""
    first: int = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return first


def step_symbol(symbol: Symbol, package: str, dropped: frozenset[str]) -> Symbol:
    """A step's function as its recipe sees it: without its name, `@step`, and the defaults of its parameters.

    dropped: decorators that do nothing to the result, as the module writes them. Values of keyword-only
    parameters stand in the recipe by themselves.
    """
    node = ast.parse(symbol.text).body[0]
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return symbol
    ast.increment_lineno(node, symbol.line - 1)
    node.name = "_"
    node.decorator_list = [d for d in node.decorator_list if _decorator(d) not in dropped]
    node.args.kw_defaults = [None if d is None else ast.Constant(value=None) for d in node.args.kw_defaults]
    scan = Scan(package)
    scan.visit(node)
    scan.finish()
    return Symbol(
        symbol.kind, symbol.names, symbol.line, symbol.text, scan.digest, scan.uses, tuple(scan.imports),
        tuple(scan.literals), tuple(scan.asked), tuple(scan.doubts), (), False, False,
    )  # fmt: skip


def normalised(text: str) -> str:
    """A symbol's source without comments, docstrings and layout; as it is where it is no Python."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body[:1]:
                case [ast.Expr(value=ast.Constant(value=str()))]:
                    node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _decorator(node: ast.expr) -> str:
    return chain_of(node.func if isinstance(node, ast.Call) else node) or ""


def _last(test: ast.expr) -> str:
    return (chain_of(test) or "").rpartition(".")[2]


def _is_main(test: ast.expr) -> bool:
    match test:
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]):
            return True
    return False


def _bound_in(block: ast.stmt) -> Iterator[str]:
    for node in own_nodes([block]):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
