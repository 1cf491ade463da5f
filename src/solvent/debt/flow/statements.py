"""Follows a program statement by statement, in order: branches are joined, loops turned twice, functions entered."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from solvent.debt.flow import binding
from solvent.debt.flow.expressions import Expressions
from solvent.debt.flow.state import DEEPEST, Frame, merge
from solvent.debt.flow.values import UNKNOWN, Constant, Function, Origin, Record, Rows, Value, joined

_LEAVES = (ast.Raise, ast.Continue, ast.Break)
_EXITS = frozenset({"sys.exit", "builtins.exit", "builtins.quit", "os._exit", "pytest.skip"})


class Statements(Expressions):
    """The state with all that it takes to follow statements."""

    def run(self, body: Sequence[ast.stmt]) -> bool:
        """Follow statements. Returns whether what comes after them is reached."""
        for statement in body:
            self.step()
            if not self._statement(statement):
                return False
        return True

    def _statement(self, node: ast.stmt) -> bool:
        handler: Callable[[Any], bool | None] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        if handler is None:
            return not isinstance(node, _LEAVES)
        return handler(node) is not False

    # ---- plain statements
    def _expr(self, node: ast.Expr) -> bool:
        self.evaluate(node.value)
        call = node.value
        return not (isinstance(call, ast.Call) and self.file.resolve(call.func) in _EXITS)

    def _assign(self, node: ast.Assign) -> None:
        value = self.evaluate(node.value)
        for target in node.targets:
            binding.assign(self, target, value)

    def _annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            binding.assign(self, node.target, self.evaluate(node.value))

    def _augassign(self, node: ast.AugAssign) -> None:
        left, right = self.evaluate(node.target), self.evaluate(node.value)
        binding.assign(self, node.target, self.reckon(left, node.op, right, self.site(node)))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            binding.delete(self, target)

    def _return(self, node: ast.Return) -> bool:
        self.frame.returned.append(self.evaluate(node.value) if node.value else Constant(None))
        return False

    def _functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.bind(node.name, Function(node))

    _asyncfunctiondef = _functiondef

    def _classdef(self, node: ast.ClassDef) -> None:
        self.bind(node.name, Function(node))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:  # names are resolved by the file's scopes; here an older value only ends
            self.frame.names.pop(alias.asname or alias.name.split(".")[0], None)

    _importfrom = _import

    # ---- branches
    def _if(self, node: ast.If) -> bool:
        self.evaluate(node.test)
        return self._ways([node.body, node.orelse], node)

    def _match(self, node: ast.Match) -> bool:
        self.evaluate(node.subject)
        return self._ways([*(case.body for case in node.cases), []], node)

    def _try(self, node: ast.Try) -> bool:
        before = dict(self.frame.names)
        reached = self.run([*node.body, *node.orelse])
        after = self.frame.names
        for handler in node.handlers:
            self.frame.names = dict(before)
            if self.run(handler.body):
                merged = merge if reached else _take_second
                merged(self.frame, after, self.frame.names, self.site(node))
                after, reached = self.frame.names, True
        self.frame.names = after
        return self.run(node.finalbody) and reached

    def _with(self, node: ast.With | ast.AsyncWith) -> bool:
        for item in node.items:
            value = self.evaluate(item.context_expr)
            if item.optional_vars is not None:
                binding.assign(self, item.optional_vars, value)
        return self.run(node.body)

    _asyncwith = _with

    def _ways(self, bodies: Sequence[Sequence[ast.stmt]], node: ast.stmt) -> bool:
        """Each way from the same start; those that end in a jump leave nothing behind."""
        before = dict(self.frame.names)
        left: dict[str, Value] | None = None
        for body in bodies:
            self.frame.names = dict(before)
            if self.run(body):
                if left is not None:
                    merge(self.frame, left, self.frame.names, self.site(node))
                left = self.frame.names
        self.frame.names = before if left is None else left
        return left is not None

    # ---- loops
    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        element = self.element_of(self.evaluate(node.iter), self.site(node.iter))
        self._turn(node, lambda: binding.assign(self, node.target, element))

    _asyncfor = _for

    def _while(self, node: ast.While) -> None:
        self._turn(node, lambda: self.evaluate(node.test))

    def _turn(self, node: ast.For | ast.AsyncFor | ast.While, head: Callable[[], object]) -> None:
        """Once to learn what a turn leaves behind, and once from what may hold at the start of any turn. Within such a
        first turn once is enough, or loops in loops would take for ever.
        """
        before = dict(self.frame.names)
        first = not self.is_silent
        with self.silently():
            head()
            self.run(node.body)
        merge(self.frame, before, self.frame.names, self.site(node))
        if not first:
            return
        head()
        self.run(node.body)
        self.run(node.orelse)

    # ---- the file's own functions
    def enter(
        self, function: Function, arguments: Sequence[Value], keywords: dict[str, Value], call: ast.Call
    ) -> Value:
        """Follow a call of a function, method, lambda or class of the file. Beyond the deepest: an unknown result."""
        node = function.node
        result = Rows(Origin(self.site(call)), columns=None)
        if len(self.path) >= DEEPEST or any(node is entered for entered in self.entered):
            return result
        if isinstance(node, ast.ClassDef):
            return self._instance(node, arguments, keywords, call)
        frame = Frame(self.module)
        names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        given = [function.owner, *arguments] if function.owner is not None else list(arguments)
        self._defaults(node.args, frame)
        frame.names.update(zip(names, given, strict=False))
        frame.names.update({name: value for name, value in keywords.items() if name})
        for name in (*names, *(argument.arg for argument in node.args.kwonlyargs)):
            frame.names.setdefault(name, Rows(Origin(self.site(call), name, name), columns=None))
        with self.inside(frame, self.site(call)):
            self.entered.append(node)
            if isinstance(node, ast.Lambda):
                frame.returned.append(self.evaluate(node.body))
            elif self.run(node.body):
                frame.returned.append(Constant(None))
            self.entered.pop()
        values = frame.returned or [UNKNOWN]
        for value in values[1:]:
            values[0] = joined(values[0], value, self.site(call), "returned")
        return values[0]

    def _defaults(self, arguments: ast.arguments, frame: Frame) -> None:
        positional = [*arguments.posonlyargs, *arguments.args]
        pairs = [*zip(reversed(positional), reversed(arguments.defaults), strict=False)]
        pairs += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
        for argument, default in pairs:
            if isinstance(default, ast.Constant):
                frame.names[argument.arg] = Constant(default.value)

    def _instance(
        self, node: ast.ClassDef, arguments: Sequence[Value], keywords: dict[str, Value], call: ast.Call
    ) -> Value:
        made = Record({}, node.name)
        self.classes[node.name] = node
        start = binding.method(node, "__init__")
        if start is None:
            fields = [
                each.target.id
                for each in node.body
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            ]
            return Record({**dict(zip(fields, arguments, strict=False)), **keywords}, node.name)
        holder = Frame(self.module)
        holder.names["made"] = made
        self.frames.append(holder)
        self.enter(Function(start, made), arguments, keywords, call)
        self.frames.pop()
        return holder.names["made"]


def _take_second(frame: Frame, _one: dict[str, Value], other: dict[str, Value], _site: object) -> None:
    frame.names = other
