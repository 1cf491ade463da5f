"""One walk over a syntax tree: its normal form, and the names that it uses but does not bind.

The normal form has no positions, comments or docstrings; equal forms mean equal
trees. Scopes follow the language: functions and comprehensions bind, the names of
a class body are not seen by its methods. In doubt a name counts as free.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from solvent.lineage.digests import Digest, digest_of
from solvent.pipeline.fingerprint.literals import computed_name, joined_path, looks_like_path
from solvent.pipeline.fingerprint.symbols import BARE, CALLED, MUTATED, VALUE, WRITTEN
from solvent.pipeline.fingerprint.trees import (
    arguments_of,
    chain_of,
    import_targets,
    is_state,
    own_nodes,
    without_docstring,
)

_MUTATORS_WORDS = """
    append add update extend insert pop popitem remove discard clear setdefault sort reverse appendleft
    extendleft popleft rotate subtract put push write writelines register
"""
MUTATORS = frozenset(_MUTATORS_WORDS.split())
_OPENERS_WORDS = """
    open read_text read_bytes read_csv read_parquet read_json read_excel read_feather read_ndjson
    read_ipc read_table read_pickle scan_csv scan_parquet scan_ndjson scan_ipc loadtxt genfromtxt imread
"""
OPENERS = frozenset(_OPENERS_WORDS.split())
FOLDERS = frozenset({"iterdir", "glob", "rglob", "iglob", "listdir", "scandir", "walk"})
_QUERIES = frozenset({"sql", "query", "evaluate", "execute"})
_INSIDES = frozenset({"__subclasses__", "__globals__", "__closure__", "f_globals", "f_locals", "f_back", "__code__"})
_NAME = re.compile(r"[A-Za-z_]\w*")
_AT_NAME = re.compile(r"@([A-Za-z_]\w*)")
_ASKING = frozenset({"getenv", "get", "import_module", "__import__"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class _Scope:
    """kind: function, class or comprehension. imports: names bound by an import inside it, with what they mean."""

    __slots__ = ("bound", "declared", "events", "imports", "kind")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.bound: set[str] = set()
        self.declared: set[str] = set()
        self.imports: dict[str, list[str]] = {}
        self.events: list[tuple[str, str, int, int]] = []


class Scan:
    """The walk over one symbol. package: what its relative imports start from."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.form: list[str] = []
        self.uses: dict[str, tuple[int, int]] = {}
        self.imports: dict[str, None] = {}
        self.literals: dict[str, None] = {}
        self.asked: list[tuple[str, str, int]] = []
        self.doubts: list[tuple[int, str]] = []
        self.state = False
        self._scopes: list[_Scope] = [_Scope("module")]

    @property
    def digest(self) -> Digest:
        return digest_of("\x1f".join(self.form).encode("utf-8", "surrogatepass"))

    def finish(self) -> Scan:
        """Close the outermost scope: what is left is global."""
        for root, rest, how, line in self._scopes[0].events:
            self._use(root + rest, how, line)
        self._scopes[0].events = []
        return self

    def _use(self, chain: str, how: int, line: int) -> None:
        old = self.uses.get(chain)
        self.uses[chain] = (how | old[0], old[1]) if old else (how, line)

    def visit(self, node: Any) -> None:
        """Walk anything that a field of a node may hold."""
        if isinstance(node, ast.AST):
            handler = _HANDLERS.get(node.__class__)
            if handler is None:
                self._generic(node)
            else:
                handler(self, node)
        elif node.__class__ is list:
            self.form.append("[")
            for item in node:
                self.visit(item)
            self.form.append("]")
        else:
            self.form.append(f"{node.__class__.__name__} {node!r}")

    def _generic(self, node: ast.AST) -> None:
        form = self.form
        form.append(node.__class__.__name__)
        form.append("(")
        for field in node._fields:
            self.visit(getattr(node, field, None))
        form.append(")")

    def body(self, statements: list[ast.stmt]) -> None:
        """Statements without their docstring."""
        self.visit(without_docstring(statements))

    def _event(self, root: str, rest: str, how: int, line: int) -> None:
        self._scopes[-1].events.append((root, rest, how, line))

    def _bind(self, name: str, line: int, *, walrus: bool = False) -> None:
        scopes = self._scopes
        scope = next(s for s in reversed(scopes) if s.kind != "comprehension") if walrus else scopes[-1]
        if name in scope.declared:
            scope.events.append((name, "", WRITTEN, line))
        else:
            scope.bound.add(name)

    def _open(self, kind: str) -> None:
        self._scopes.append(_Scope(kind))

    def _close(self) -> None:
        """What a scope does not bind is for the nearest scope above that its names can see."""
        scope = self._scopes.pop()
        above = self._scopes[-1]
        if scope.kind == "function":
            above = next(s for s in reversed(self._scopes) if s.kind != "class")
        for event in scope.events:
            root, rest, how, line = event
            if root in scope.declared:
                self._scopes[0].events.append(event)
            elif root in scope.imports:
                for target in scope.imports[root]:
                    self._use(f":{target}{rest}", how, line)
            elif scope.kind == "class" or root not in scope.bound:
                above.events.append(event)

    def name(self, node: ast.Name) -> None:
        self.form.append(f"Name {node.id}")
        if isinstance(node.ctx, ast.Load):
            self._event(node.id, "", VALUE, node.lineno)
        else:
            self.form.append(node.ctx.__class__.__name__)
            self._bind(node.id, node.lineno)

    def attribute(self, node: ast.Attribute) -> None:
        """A chain of names as one use; an attribute of anything else by walking that."""
        self._chained(node, VALUE if isinstance(node.ctx, ast.Load) else WRITTEN)

    def _chained(self, node: ast.Attribute, how: int) -> None:
        chain = chain_of(node)
        self.form.append(f"Attribute {node.attr} {node.ctx.__class__.__name__}")
        if node.attr in _INSIDES:
            self.doubts.append((node.lineno, f"looks at code from inside (`{node.attr}`)"))
        if chain is None:
            self.visit(node.value)
            return
        root, _, rest = chain.partition(".")
        self.form.append(chain)
        self._event(root, f".{rest}" if rest else "", how, node.lineno)

    def subscript(self, node: ast.Subscript) -> None:
        chain = chain_of(node.value)
        if chain is not None:
            root, _, rest = chain.partition(".")
            if not isinstance(node.ctx, ast.Load):
                self._event(root, f".{rest}" if rest else "", WRITTEN, node.lineno)
            self._ask(chain, node.slice, node.lineno, "environ")
        self._generic(node)

    def _ask(self, chain: str, argument: ast.expr | None, line: int, only: str = "") -> None:
        last = chain.rpartition(".")[2]
        asks = last == only if only else last in _ASKING and (last != "get" or chain.endswith("environ.get"))
        if asks:
            literal = argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ""
            self.asked.append((chain, literal, line))

    def call(self, node: ast.Call) -> None:
        function = node.func
        chain = chain_of(function)
        self.form.append("Call(")
        how = CALLED if node.args or node.keywords else CALLED | BARE
        if chain is not None:
            self._ask(chain, node.args[0] if node.args else None, node.lineno)
        if isinstance(function, ast.Name):
            self.form.append(f"Name {function.id}")
            self._event(function.id, "", how, function.lineno)
        elif isinstance(function, ast.Attribute):
            owner = chain_of(function.value)
            if owner is not None and function.attr in MUTATORS:
                root, _, rest = owner.partition(".")
                self._event(root, f".{rest}" if rest else "", MUTATED, function.lineno)
            self._chained(function, how)
        else:
            self.visit(function)
        self._files(node)
        named = chain == "getattr" and len(node.args) > 1 and self._getattr(node)
        self.visit(node.args[1:] if named else node.args)
        self.visit(node.keywords)
        self.form.append(")")

    def _getattr(self, node: ast.Call) -> bool:
        """`getattr(x, "name")` is `x.name`; a computed name may be any. Returns: whether `x` is done with."""
        chain, attribute = chain_of(node.args[0]), node.args[1]
        if chain is None:
            return False
        self.form.append(chain)
        root, _, rest = chain.partition(".")
        last = attribute.value if isinstance(attribute, ast.Constant) else "*"
        self._event(root, f"{'.' + rest if rest else ''}.{last!s}", VALUE, node.lineno)
        return True

    def _files(self, node: ast.Call) -> None:
        """A call that reads files whose names are put together at run time."""
        function = node.func
        last = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if last in FOLDERS and (isinstance(function, ast.Attribute) or node.args):
            self.doubts.append((node.lineno, f"`{last}` reads a folder whose files are not named"))
        elif last in OPENERS and node.args and _formatted(node.args[0]):
            self.doubts.append((node.lineno, f"`{last}` reads a file whose name is computed"))
        elif last in ("Path", "load") or last in OPENERS:
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            self.literals.update(dict.fromkeys(texts))
            self.doubts += [(node.lineno, f"`{last}` reads {t}") for t in texts if "://" in t and last in OPENERS]
        whole = joined_path(node)
        if whole:
            self.literals[whole] = None
        if last in _QUERIES:
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            self._named_in([name for text in texts for name in _NAME.findall(text)], node.lineno)

    def constant(self, node: ast.Constant) -> None:
        self.form.append(f"{node.value.__class__.__name__} {node.value!r}")
        if isinstance(node.value, str) and looks_like_path(node.value):
            self.literals[node.value.removeprefix("./")] = None
        if isinstance(node.value, str) and "@" in node.value:
            self._named_in(_AT_NAME.findall(node.value), node.lineno)

    def _named_in(self, names: list[str], line: int) -> None:
        """Names that a text refers to, as `DataFrame.query("x > @CAP")` and `duckdb.sql("from TABLE")` do."""
        for name in names:
            self._event(name, "", VALUE, line)

    def binary(self, node: ast.BinOp) -> None:
        whole = joined_path(node)
        if whole:
            self.literals[whole] = None
        self.computed(node)

    def computed(self, node: ast.BinOp | ast.JoinedStr) -> None:
        """Text or a path that is put together; a file's name among it cannot be followed."""
        if computed_name(node):
            self.doubts.append((node.lineno, "a file's name is computed"))
        self._generic(node)

    def annotation(self, node: ast.expr | None) -> None:
        """An annotation; what a string of it names counts, too."""
        self.visit(node)
        if node is None or isinstance(node, ast.Name | ast.Attribute):
            return
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    inside = ast.parse(part.value.strip(), mode="eval").body
                except SyntaxError:
                    continue  # text in `Annotated` or `Literal` need not be an expression
                for name in ast.walk(inside):
                    chain = chain_of(name) if isinstance(name, ast.Name | ast.Attribute) else None
                    if chain:
                        root, _, rest = chain.partition(".")
                        self._event(root, f".{rest}" if rest else "", VALUE, part.lineno)

    def function(self, node: _Function) -> None:
        self.form.append(f"{node.__class__.__name__}(")
        if not isinstance(node, ast.Lambda):
            self._bind(node.name, node.lineno)
            self.form.append(node.name)
            self.visit(node.decorator_list)
            self.annotation(node.returns)
            self.visit(getattr(node, "type_params", None))
        self.signature(node.args, node.lineno)
        self.inside(node)
        self.form.append(")")

    def signature(self, arguments: ast.arguments, line: int) -> None:
        """Defaults and annotations, which belong to the scope around the function."""
        for argument in arguments_of(arguments):
            self.form.append(f"arg {argument.arg}" if argument else "|")
            if argument:
                self.annotation(argument.annotation)
        self.visit(arguments.defaults)
        self.visit(arguments.kw_defaults)
        if any(is_state(d) for d in [*arguments.defaults, *arguments.kw_defaults]):
            self.doubts.append((line, "a default argument keeps state between calls"))

    def inside(self, node: _Function) -> None:
        """A function's own scope."""
        self._open("function")
        self._scopes[-1].bound.update(a.arg for a in arguments_of(node.args) if a)
        if isinstance(node, ast.Lambda):
            self.visit(node.body)
        else:
            self._declare(node)
            self.body(node.body)
        self._close()

    def _declare(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """`global` and `nonlocal` hold for the whole function, wherever they stand."""
        for inner in own_nodes(node.body):
            if isinstance(inner, ast.Global):
                self._scopes[-1].declared.update(inner.names)

    def outside(self, node: ast.Nonlocal) -> None:
        self.form.append(f"Nonlocal {node.names}")
        above = [s for s in self._scopes[:-1] if s.kind == "function"]
        for scope in above[-1:]:
            scope.bound.update(node.names)
        self._scopes[-1].bound.difference_update(node.names)

    def klass(self, node: ast.ClassDef) -> None:
        self.form.append(f"ClassDef {node.name}(")
        self._bind(node.name, node.lineno)
        self.visit(node.decorator_list)
        self.visit(node.bases)
        self.visit(node.keywords)
        self.visit(getattr(node, "type_params", None))
        self._open("class")
        if any(isinstance(s, ast.Assign) and is_state(s.value) for s in node.body):
            self.doubts.append((node.lineno, f"a container of class `{node.name}` is shared by its instances"))
        self.body(node.body)
        self._close()
        self.form.append(")")

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        """Targets are bound inside; the first iterable stands outside, where it sees the same or more."""
        self.form.append(f"{node.__class__.__name__}(")
        self._open("comprehension")
        self.visit(node.generators)
        for field in ("key", "value") if isinstance(node, ast.DictComp) else ("elt",):
            self.visit(getattr(node, field))
        self._close()
        self.form.append(")")

    def walrus(self, node: ast.NamedExpr) -> None:
        self.form.append(f"NamedExpr {node.target.id}")
        self._bind(node.target.id, node.lineno, walrus=True)
        self.visit(node.value)

    def annotated(self, node: ast.AnnAssign) -> None:
        self.form.append("AnnAssign")
        self.visit(node.target)
        self.annotation(node.annotation)
        self.visit(node.value)

    def augmented(self, node: ast.AugAssign) -> None:
        self.form.append("AugAssign")
        if isinstance(node.target, ast.Name):
            self._event(node.target.id, "", VALUE, node.lineno)
        self.visit(node.target)
        self.visit(node.op)
        self.visit(node.value)

    def bare(self, node: ast.Expr) -> None:
        """A string that stands alone does nothing."""
        if not (isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)):
            self._generic(node)

    def handler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._bind(node.name, node.lineno)
        self._generic(node)

    def pattern(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name:
            self._bind(name, node.lineno)
        self._generic(node)

    def imported(self, node: ast.Import | ast.ImportFrom) -> None:
        """An import inside a function or a block: its names mean what it says."""
        self._generic(node)
        scope = self._scopes[-1]
        for name, target, module in import_targets(node, self.package):
            self.imports[module] = None
            if scope.kind == "module":
                continue
            if name in scope.declared:
                scope.events.append((name, "", WRITTEN, node.lineno))
            else:
                scope.bound.add(name)
                scope.imports.setdefault(name, []).append(target)


def _formatted(node: ast.expr) -> bool:
    """A text that is put together at run time, wherever it goes."""
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod)
    chain = chain_of(node.func) if isinstance(node, ast.Call) else None
    return chain is not None and chain.endswith(("path.join", ".format")) and not joined_path(node)


_HANDLERS: dict[type, Any] = {
    ast.Name: Scan.name,
    ast.Attribute: Scan.attribute,
    ast.Subscript: Scan.subscript,
    ast.Call: Scan.call,
    ast.Constant: Scan.constant,
    ast.BinOp: Scan.binary,
    ast.JoinedStr: Scan.computed,
    ast.FunctionDef: Scan.function,
    ast.AsyncFunctionDef: Scan.function,
    ast.Lambda: Scan.function,
    ast.ClassDef: Scan.klass,
    ast.ListComp: Scan.comprehension,
    ast.SetComp: Scan.comprehension,
    ast.GeneratorExp: Scan.comprehension,
    ast.DictComp: Scan.comprehension,
    ast.NamedExpr: Scan.walrus,
    ast.AnnAssign: Scan.annotated,
    ast.AugAssign: Scan.augmented,
    ast.Expr: Scan.bare,
    ast.ExceptHandler: Scan.handler,
    ast.MatchAs: Scan.pattern,
    ast.MatchStar: Scan.pattern,
    ast.MatchMapping: Scan.pattern,
    ast.Nonlocal: Scan.outside,
    ast.Import: Scan.imported,
    ast.ImportFrom: Scan.imported,
}
