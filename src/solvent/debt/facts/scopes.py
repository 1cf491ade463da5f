"""Who binds which name where: the scopes of a file, their bindings, and the parent of every node, in one pass."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

Kind = Literal["import", "assign", "part", "parameter", "function", "class", "loop", "other"]
Function = ast.FunctionDef | ast.AsyncFunctionDef
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_OPENS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, *_COMPREHENSIONS)


class Binding:
    """One place that binds a name.

    kind: `assign` for `name = value` alone, `part` for a name within a tuple target, `other` for all that says
    nothing of the value (augmented, deleted, `with`, `except`, patterns); value: the expression, where there is one;
    target: dotted name, for imports; annotation: as written.
    """

    __slots__ = ("annotation", "kind", "node", "target", "value")

    def __init__(
        self,
        node: ast.AST,
        kind: Kind,
        value: ast.expr | None = None,
        target: str = "",
        annotation: ast.expr | None = None,
    ) -> None:
        self.node, self.kind, self.value, self.target, self.annotation = node, kind, value, target, annotation


class Scope:
    """A module, class, function, lambda or comprehension. name: dotted, empty for the module and what is nameless."""

    __slots__ = ("bindings", "elsewhere", "name", "node", "parent")

    def __init__(self, node: ast.AST, parent: Scope | None, name: str) -> None:
        self.node, self.parent, self.name = node, parent, name
        self.bindings: dict[str, list[Binding]] = {}
        self.elsewhere: dict[str, bool] = {}  # declared `global` (True) or `nonlocal` (False)

    def bind(self, name: str, binding: Binding) -> None:
        scope = self
        if name in self.elsewhere:
            scope = self.module if self.elsewhere[name] else self.parent or self
        scope.bindings.setdefault(name, []).append(binding)

    @property
    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def seen_from_within(self) -> Iterator[Scope]:
        """The scopes in which a name used here is looked up, nearest first: class bodies are no part of the chain."""
        yield self
        scope = self.parent
        while scope is not None:
            if not isinstance(scope.node, ast.ClassDef):
                yield scope
            scope = scope.parent


class Map:
    """Of one tree. order: all nodes, parents first, in the order of the text; parent, scope: of each node."""

    def __init__(self, tree: ast.Module) -> None:
        self.order: list[ast.AST] = []
        self.parent: dict[ast.AST, ast.AST] = {}
        self.scope: dict[ast.AST, Scope] = {}
        self.module = Scope(tree, None, "")
        self.stars: list[ast.ImportFrom] = []
        self._walk(tree)
        self._bind_all()

    def _walk(self, tree: ast.Module) -> None:
        stack: list[tuple[ast.AST, Scope]] = [(tree, self.module)]
        order, parent, scope_of = self.order, self.parent, self.scope
        while stack:
            node, scope = stack.pop()
            order.append(node)
            scope_of[node] = scope
            children: list[ast.AST] = []
            for name in _fields(type(node)):
                value = getattr(node, name, None)
                if type(value) is list:
                    children += [each for each in value if isinstance(each, ast.AST)]
                elif isinstance(value, ast.AST):
                    children.append(value)
            for child in children:
                parent[child] = node
            if isinstance(node, _OPENS):
                stack += [(child, inner) for child, inner in _scoped(node, scope, children)][::-1]
            else:
                stack += [(child, scope) for child in reversed(children)]

    def _bind_all(self) -> None:
        for node in self.order:
            if isinstance(node, ast.Global | ast.Nonlocal):
                self.scope[node].elsewhere.update(dict.fromkeys(node.names, isinstance(node, ast.Global)))
        for node in self.order:
            scope = self.scope[node]
            if isinstance(node, ast.Name):
                if not isinstance(node.ctx, ast.Load):
                    _scope_of_target(node, scope, self.parent).bind(node.id, self._of_name(node))
            elif isinstance(node, ast.arg):
                scope.bind(node.arg, Binding(node, "parameter", annotation=node.annotation))
            elif isinstance(node, Function):
                scope.bind(node.name, Binding(node, "function"))
            elif isinstance(node, ast.ClassDef):
                scope.bind(node.name, Binding(node, "class"))
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    name, target = alias.asname or alias.name.split(".")[0], alias.name
                    scope.bind(name, Binding(node, "import", target=target if alias.asname else name))
            elif isinstance(node, ast.ImportFrom):
                self._bind_from(node, scope)
            elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
                scope.bind(node.name, Binding(node, "other"))
            elif isinstance(node, ast.MatchMapping) and node.rest:
                scope.bind(node.rest, Binding(node, "other"))

    def _bind_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(node)
            else:
                dot = "" if module.endswith(".") or not module else "."
                scope.bind(alias.asname or alias.name, Binding(node, "import", target=f"{module}{dot}{alias.name}"))

    def _of_name(self, node: ast.Name) -> Binding:
        parent = self.parent[node]
        if isinstance(parent, ast.Assign) and node in parent.targets:
            return Binding(node, "assign", parent.value)
        if isinstance(parent, ast.AnnAssign) and node is parent.target:
            return Binding(node, "assign", parent.value, annotation=parent.annotation)
        if isinstance(parent, ast.NamedExpr) and node is parent.target:
            return Binding(node, "assign", parent.value)
        if isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension) and node is parent.target:
            return Binding(node, "loop", parent.iter)
        while isinstance(parent, ast.Tuple | ast.List | ast.Starred):
            parent = self.parent[parent]
        if isinstance(parent, ast.Assign):
            return Binding(node, "part", parent.value)
        return Binding(node, "other")


_NO_NODES = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "kind"})  # operators are told by their type alone


_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """Those that hold nodes."""
    if kind not in _FIELDS:
        _FIELDS[kind] = tuple(name for name in kind._fields if name not in _NO_NODES)
    return _FIELDS[kind]


def _scoped(node: ast.AST, outer: Scope, children: list[ast.AST]) -> Iterator[tuple[ast.AST, Scope]]:
    """Each child of a node that opens a scope, with the scope that it is evaluated in."""
    if isinstance(node, _COMPREHENSIONS):
        inner = Scope(node, outer, outer.name)
        for child in children:
            yield child, inner
        return
    name = node.name if isinstance(node, Function | ast.ClassDef) else ""
    inner = Scope(node, outer, ".".join(filter(None, (outer.name, name))))
    body = node.body if isinstance(node, Function | ast.ClassDef) else []
    within = set(body) if isinstance(body, list) else set()
    for child in children:
        inside = child in within or isinstance(child, ast.arguments) or isinstance(node, ast.Lambda)
        yield child, inner if inside else outer


def _scope_of_target(node: ast.Name, scope: Scope, parent: dict[ast.AST, ast.AST]) -> Scope:
    """A walrus within a comprehension binds in the function around it."""
    if isinstance(parent[node], ast.NamedExpr):
        while isinstance(scope.node, _COMPREHENSIONS) and scope.parent is not None:
            scope = scope.parent
    return scope
