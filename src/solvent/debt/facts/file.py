"""One Python file with its syntax tree, names, types and parents; what rules over a file are given."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from solvent.debt.facts.document import Document, parse
from solvent.debt.facts.scopes import Binding, Function, Map, Scope
from solvent.debt.facts.types import Types

if TYPE_CHECKING:
    from solvent.debt.flow.follow import Flow

_Node = TypeVar("_Node", bound=ast.AST)
_BUILTINS = frozenset(dir(builtins))


class FileFacts:
    """Facts of one document. All of them follow from its bytes.

    Raises: Unreadable where the text is not Python 3.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.tree = parse(document.text)
        self._names: dict[ast.expr, str] = {}
        self._bindings: dict[tuple[Scope, str], tuple[Scope, list[Binding]] | None] = {}

    @property
    def path(self) -> str:
        return self.document.path

    @cached_property
    def map(self) -> Map:
        return Map(self.tree)

    @cached_property
    def _by_type(self) -> dict[type[ast.AST], list[ast.AST]]:
        found: dict[type[ast.AST], list[ast.AST]] = {}
        for node in self.map.order:
            found.setdefault(type(node), []).append(node)
        return found

    def nodes(self, kind: type[_Node]) -> Iterator[_Node]:
        """All nodes of a type, in the order of the text. (Operators and contexts are no nodes here.)"""
        for node in self._by_type.get(kind, []):
            if isinstance(node, kind):
                yield node

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, nearest first, the module last."""
        while (above := self.map.parent.get(node)) is not None:
            yield above
            node = above

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The nearest statement that a node is or stands in."""
        return next((each for each in (node, *self.parents(node)) if isinstance(each, ast.stmt)), None)

    def scope(self, node: ast.AST) -> Scope:
        """The scope that a node is evaluated in; its `name` is the dotted name of the function or class around."""
        return self.map.scope[node]

    @property
    def star_imports(self) -> list[ast.ImportFrom]:
        """While there is one, names that the file does not bind itself are unknown."""
        return self.map.stars

    def binding(self, name: ast.Name) -> tuple[Scope, list[Binding]] | None:
        """The scope that a name is found in, and all that binds it there; None for a builtin and what is unbound."""
        here = self.scope(name)
        key = (here, name.id)
        if key not in self._bindings:
            scopes = (scope for scope in here.seen_from_within() if name.id in scope.bindings)
            found = next(scopes, None)
            self._bindings[key] = (found, found.bindings[name.id]) if found is not None else None
        return self._bindings[key]

    def resolve(self, node: ast.expr) -> str:
        """Dotted name that a name or attribute stands for through the file's imports, such as `numpy.nan`,
        `.util.load` for a relative import, `builtins.open` for a builtin; empty where it cannot be known (bound
        anew, a parameter, the file's own function, a star import, computed).

        Follows an alias that is assigned once (`read = pd.read_csv`). An import in `try` whose handler imports
        something else is unknown; a handler that binds None leaves it known.
        """
        known = self._names.get(node)
        if known is None:
            known = self._names[node] = self._resolve(node, 8)
        return known

    def _resolve(self, node: ast.expr, depth: int) -> str:
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or depth == 0:
            return ""
        base = self._base(node, depth)
        return ".".join([base, *reversed(attributes)]) if base else ""

    def _base(self, name: ast.Name, depth: int) -> str:
        found = self.binding(name)
        if found is None:
            return f"builtins.{name.id}" if name.id in _BUILTINS and not self.star_imports else ""
        bindings = [one for one in found[1] if not self._stands_in(one)]
        if all(one.kind == "import" for one in bindings):
            targets = {one.target for one in bindings}
            return targets.pop() if len(targets) == 1 else ""
        only = bindings[0]
        if len(bindings) == 1 and only.kind == "assign" and isinstance(only.value, ast.Name | ast.Attribute):
            return self._resolve(only.value, depth - 1)
        return ""

    def _stands_in(self, binding: Binding) -> bool:
        """`torch = None` in the handler of an import: whoever gets past it has the import."""
        if binding.kind != "assign" or not (isinstance(binding.value, ast.Constant) and binding.value.value is None):
            return False
        return any(isinstance(each, ast.ExceptHandler) for each in self.parents(binding.node))

    @cached_property
    def _by_place(self) -> dict[tuple[int, int, int, int], ast.expr]:
        return {
            (node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0): node
            for node in reversed(self.map.order)
            if isinstance(node, ast.expr)
        }

    def expression(self, place: tuple[int, int, int, int]) -> ast.expr | None:
        """The outermost expression that spans a place: first line and column, last line and column."""
        return self._by_place.get(place)

    def function(self, node: ast.expr) -> Function | None:
        """The file's own function that a name stands for, where nothing else binds that name."""
        if isinstance(node, ast.Name) and (found := self.binding(node)) is not None:
            made = [one.node for one in found[1]]
            if len(made) == 1 and isinstance(made[0], Function):
                return made[0]
        return None

    @cached_property
    def _types(self) -> Types:
        return Types(self)

    def type_of(self, node: ast.expr) -> str:
        """Dotted type of an expression, such as `pandas.DataFrame` or `sklearn.svm.SVC`; empty where it cannot be
        known. All bindings of a name must agree. Sources: constructors, known returns, annotations.
        """
        return self._types.of(node)

    @cached_property
    def flow(self) -> Flow:
        """What happens to rows: splits, fits, scores, and what each variable holds."""
        from solvent.debt.flow.follow import follow  # it rests on these facts

        return follow(self)
