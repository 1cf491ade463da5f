"""What an expression is believed to be. Each is evaluated once, as the program would, so that its events are seen."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from solvent.debt.flow import binding, calls, estimators, selecting, stacks, tables
from solvent.debt.flow.call import Call, unfollowed
from solvent.debt.flow.state import Frame, State
from solvent.debt.flow.tables import FITTED_KNOWLEDGE
from solvent.debt.flow.values import (
    UNKNOWN,
    Constant,
    Folds,
    Function,
    Grouped,
    Many,
    Model,
    Named,
    Predicted,
    Record,
    Rows,
    Selector,
    Setting,
    Site,
    Statistic,
    Value,
    joined,
)

_LOCATORS = frozenset({"loc", "iloc", "ix", "at", "iat"})
_SAME_ROWS_ATTRIBUTES = frozenset({"values", "array", "str", "dt", "cat", "index", "A", "sparse"})
_NO_ROWS_ATTRIBUTES = frozenset({"shape", "size", "ndim", "dtypes", "dtype", "name", "T", "empty"})


class Expressions(State):
    def evaluate(self, node: ast.expr) -> Value:
        handler: Callable[[Any], Value] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        if handler is not None:
            return handler(node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.evaluate(child)
        return UNKNOWN

    def enter(
        self, function: Function, arguments: Sequence[Value], keywords: dict[str, Value], call: ast.Call
    ) -> Value:
        raise NotImplementedError

    # ---- simple ones
    def _constant(self, node: ast.Constant) -> Value:
        return Constant(node.value)

    def _name(self, node: ast.Name) -> Value:
        value = self.look_up(node)
        if isinstance(value, Rows) and not value.table and self.file.type_of(node) in selecting.FRAMES:
            known = msgspec.structs.replace(value, table=True)
            self.replace(value, known)
            return known
        return value

    def _tuple(self, node: ast.Tuple | ast.List) -> Value:
        if any(isinstance(each, ast.Starred) for each in node.elts):
            return UNKNOWN
        return Record({str(index): self.evaluate(each) for index, each in enumerate(node.elts)})

    _list = _tuple

    def _dict(self, node: ast.Dict) -> Value:
        fields: dict[str, Value] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            known = self.evaluate(key) if key is not None else UNKNOWN
            fields[str(known.value) if isinstance(known, Constant) else f"?{len(fields)}"] = self.evaluate(value)
        return Record(fields)

    def _ifexp(self, node: ast.IfExp) -> Value:
        self.evaluate(node.test)
        return joined(self.evaluate(node.body), self.evaluate(node.orelse), self.site(node))

    def _namedexpr(self, node: ast.NamedExpr) -> Value:
        value = self.evaluate(node.value)
        binding.assign(self, node.target, value)
        return value

    def _lambda(self, node: ast.Lambda) -> Value:
        return Function(node)

    def _await(self, node: ast.Await) -> Value:
        return self.evaluate(node.value)

    # ---- attributes and items
    def _attribute(self, node: ast.Attribute) -> Value:
        owner = self.evaluate(node.value)
        if isinstance(owner, Named):
            return Named(f"{owner.name}.{node.attr}")
        if isinstance(owner, Record):
            if node.attr in owner.fields:
                return owner.fields[node.attr]
            made = self.classes.get(owner.of)
            function = binding.method(made, node.attr) if made is not None else None
            return Function(function, owner) if function is not None else UNKNOWN
        if isinstance(owner, Rows):
            return self._attribute_of_rows(owner, node)
        if isinstance(owner, Grouped):
            return msgspec.structs.replace(owner, column=node.attr)
        if isinstance(owner, Model):
            return self._attribute_of_model(owner, node)
        return owner if isinstance(owner, Statistic | Predicted | Setting) else UNKNOWN

    def _attribute_of_rows(self, owner: Rows, node: ast.Attribute) -> Value:
        if node.attr in _SAME_ROWS_ATTRIBUTES:
            return msgspec.structs.replace(owner)
        if node.attr == "columns":
            return Many(UNKNOWN)
        if node.attr in _NO_ROWS_ATTRIBUTES:
            return UNKNOWN
        if owner.table:
            return selecting.column(owner, node.attr)
        return binding.item(owner, node.attr, self.site(node))

    def _attribute_of_model(self, owner: Model, node: ast.Attribute) -> Value:
        if owner.does == "search" and node.attr in {"best_params_", "best_estimator_"}:
            return owner if node.attr == "best_estimator_" else Setting(search=owner)
        if node.attr in FITTED_KNOWLEDGE and owner.fitting is not None:
            return Statistic(self.site(node), estimators.learnt(owner), node.attr)
        return UNKNOWN

    def _subscript(self, node: ast.Subscript) -> Value:
        located = isinstance(node.value, ast.Attribute) and node.value.attr in _LOCATORS
        owner = self.evaluate(node.value.value if located and isinstance(node.value, ast.Attribute) else node.value)
        if isinstance(owner, Rows):
            return selecting.select(self, owner, node, located)
        key = self.evaluate(node.slice)
        if isinstance(owner, Record) and isinstance(key, Constant):
            if isinstance(key.value, int) and key.value < 0:
                key = Constant(len(owner.fields) + key.value)
            return owner.fields.get(str(key.value), UNKNOWN)
        if isinstance(owner, Record) and isinstance(node.slice, ast.Slice):
            return UNKNOWN
        if isinstance(owner, Grouped):
            names = binding.names_of(key)
            return msgspec.structs.replace(owner, column=next(iter(names)) if len(names) == 1 else "")
        if isinstance(owner, Many):
            return (
                binding.item(owner.element, "?", self.site(node)) if isinstance(owner.element, Rows) else owner.element
            )
        if isinstance(owner, Named) and owner.name in {"numpy.c_", "numpy.r_"} and isinstance(key, Record):
            stack = stacks.side_by_side if owner.name == "numpy.c_" else stacks.stacked
            return stack(list(key.fields.values()), self.site(node))
        return owner if isinstance(owner, Predicted | Statistic | Setting) else UNKNOWN

    def _slice(self, node: ast.Slice) -> Value:
        for each in (node.lower, node.upper, node.step):
            if each is not None:
                self.evaluate(each)
        return UNKNOWN

    # ---- operators
    def _binop(self, node: ast.BinOp) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        return self.reckon(left, node.op, right, self.site(node))

    def reckon(self, left: Value, operator: ast.operator, right: Value, site: Site) -> Value:
        """What an operator makes of two values."""
        if isinstance(left, Selector) and isinstance(right, Selector):
            return selecting.both(left, right, site) if isinstance(operator, ast.BitAnd) else UNKNOWN
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Predicted):
                return msgspec.structs.replace(one, compared=one.compared or isinstance(other, Rows))
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Setting):
                return one
            if isinstance(one, Rows):
                return _reckoned(one, other)
        if isinstance(left, Constant) and isinstance(right, Constant) and isinstance(operator, ast.Add):
            both = (left.value, right.value)
            if all(isinstance(each, str) for each in both):
                return Constant(f"{left.value}{right.value}")
        if isinstance(left, Record) and isinstance(right, Record) and isinstance(operator, ast.Add):
            return Record({str(i): v for i, v in enumerate([*left.fields.values(), *right.fields.values()])})
        for one in (left, right):
            if isinstance(one, Statistic):
                return one
        return UNKNOWN

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        value = self.evaluate(node.operand)
        if isinstance(value, Selector) and isinstance(node.op, ast.Invert | ast.USub | ast.Not):
            return selecting.opposite(value, self.site(node))
        if isinstance(value, Rows):
            return msgspec.structs.replace(value, plain=False)
        if isinstance(value, Constant) and isinstance(value.value, int | float) and isinstance(node.op, ast.USub):
            return Constant(-value.value)
        return value if isinstance(value, Setting | Predicted) else UNKNOWN

    def _compare(self, node: ast.Compare) -> Value:
        values = [self.evaluate(each) for each in (node.left, *node.comparators)]
        predicted = [value for value in values if isinstance(value, Predicted)]
        if predicted:
            return msgspec.structs.replace(predicted[0], compared=any(isinstance(value, Rows) for value in values))
        return selecting.condition(self, node, values)

    def _boolop(self, node: ast.BoolOp) -> Value:
        values = [self.evaluate(each) for each in node.values]
        return values[0] if all(value == values[0] for value in values) else UNKNOWN

    # ---- comprehensions
    def _listcomp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
        return Many(self._comprehended(node.generators, [node.elt]))

    _setcomp = _listcomp
    _generatorexp = _listcomp

    def _dictcomp(self, node: ast.DictComp) -> Value:
        return Many(self._comprehended(node.generators, [node.key, node.value]))

    def _comprehended(self, generators: Iterable[ast.comprehension], results: Sequence[ast.expr]) -> Value:
        """Evaluated in a frame of its own, whose changes in place reach the frames around."""
        self.frames.append(Frame(self.frame))
        try:
            for generator in generators:
                element = self.element_of(self.evaluate(generator.iter), self.site(generator.iter))
                binding.assign(self, generator.target, element)
                for condition in generator.ifs:
                    self.evaluate(condition)
            return [self.evaluate(result) for result in results][-1]
        finally:
            self.frames.pop()

    def element_of(self, value: Value, site: Site) -> Value:
        """What one turn of a loop gets of what it goes over."""
        if isinstance(value, Folds):
            return Record({"0": selecting.side(value.division, "train"), "1": selecting.side(value.division, "test")})
        if isinstance(value, Many):
            return value.element
        if isinstance(value, Record):
            elements = list(value.fields.values())
            if elements and all(isinstance(each, Constant) for each in elements):
                return Setting(loop=site)
            found = elements[0] if elements else UNKNOWN
            for each in elements[1:]:
                found = joined(found, each, site, "element")
            return found
        if isinstance(value, Rows):
            return binding.item(value, "?", site)
        return value if isinstance(value, Setting) else UNKNOWN

    # ---- calls
    def _call(self, node: ast.Call) -> Value:
        owner = self.evaluate(node.func.value) if isinstance(node.func, ast.Attribute) else UNKNOWN
        called = self._called(node.func, owner)
        positional = [self.evaluate(a.value if isinstance(a, ast.Starred) else a) for a in node.args]
        starred = any(isinstance(a, ast.Starred) for a in node.args)
        keywords = {k.arg or "**": self.evaluate(k.value) for k in node.keywords}
        dotted = called.name if isinstance(called, Named) else ""
        call = Call(self, tables.short(dotted), dotted, node, self.site(node), positional, keywords, starred)
        if isinstance(called, Named):
            return calls.library(call)
        if isinstance(called, Function):
            return self.enter(called, positional, keywords, node)
        if isinstance(node.func, ast.Attribute):
            return calls.method(owner, node.func.attr, call)
        return unfollowed(call)

    def _called(self, func: ast.expr, owner: Value) -> Value:
        if not isinstance(func, ast.Attribute):
            return self.evaluate(func)
        if isinstance(owner, Named):
            return Named(f"{owner.name}.{func.attr}")
        if isinstance(owner, Record) and func.attr not in owner.fields:
            made = self.classes.get(owner.of)
            function = binding.method(made, func.attr) if made is not None else None
            return Function(function, owner) if function is not None else UNKNOWN
        return owner.fields[func.attr] if isinstance(owner, Record) else UNKNOWN


def _reckoned(rows: Rows, other: Value) -> Rows:
    """Rows after arithmetic: with a figure of rows they have learnt it."""
    fits, drawn = rows.fits, rows.drawn
    if isinstance(other, Statistic) or (
        isinstance(other, Rows) and (other.origin, other.part) == (rows.origin, rows.part)
    ):
        fits |= other.fits
    if isinstance(other, Rows):
        drawn = drawn | other.drawn if drawn is not None and other.drawn is not None else None
    return msgspec.structs.replace(rows, fits=fits, plain=False, drawn=drawn)
