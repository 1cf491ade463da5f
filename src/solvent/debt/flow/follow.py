"""The flow of one file: its module, then the functions and methods that nothing in it calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import msgspec

from solvent.debt.facts.file import FileFacts
from solvent.debt.flow import binding
from solvent.debt.flow.call import nested
from solvent.debt.flow.events import Escaped, Event
from solvent.debt.flow.state import Frame, TooMuch
from solvent.debt.flow.statements import Statements
from solvent.debt.flow.values import UNKNOWN, Function, Model, Origin, Predicted, Record, Rows, Site, Value

_SIGNS = (".fit", "cross_val", "train_test_split", ".score(", ".evaluate(")


class Flow(msgspec.Struct, frozen=True):
    """events: in the order in which they were met; beliefs: (line, name) to what the name holds after that line;
    complete: False where the file was too large to follow, and what is said is of its beginning.
    """

    events: list[Event]
    beliefs: dict[tuple[int, str], Value]
    complete: bool


def follow(file: FileFacts) -> Flow:
    """Follow a file's rows. Nothing where there is nothing to learn from them."""
    if not any(sign in file.document.text for sign in _SIGNS):
        return Flow([], {}, True)
    walk = Statements(file)
    complete = True
    try:
        _module(walk)
        for function in _entries(file):
            _entry(walk, function)
    except (TooMuch, RecursionError):
        complete = False
    return Flow(list(walk.events.values()), walk.beliefs, complete)


def _module(walk: Statements) -> None:
    """Statement by statement; after a cell that could not be read, or one that ran another file, nothing is known."""
    document = walk.file.document
    gaps = [gap.last for gap in document.gaps]
    gaps += [line for line, text in document.blanked.items() if text.lstrip().startswith(("%run", "%load", "%reset"))]
    gaps.sort()
    for statement in walk.file.tree.body:
        if gaps and gaps[0] < statement.lineno:
            while gaps and gaps[0] < statement.lineno:
                gaps.pop(0)
            for name, value in walk.module.names.items():
                if not isinstance(value, Function):
                    walk.module.names[name] = UNKNOWN
        walk.run([statement])


def _entries(file: FileFacts) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.ClassDef | None]]:
    called = {file.function(call.func) for call in file.nodes(ast.Call)}
    made = {call.func.id for call in file.nodes(ast.Call) if isinstance(call.func, ast.Name)}
    for node in file.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node not in called:
            yield node, None
        elif isinstance(node, ast.ClassDef) and node.name not in made:
            own = {
                each.func.attr
                for each in ast.walk(node)
                if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)
            }
            for each in node.body:
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name not in own:
                    yield each, node


def _entry(walk: Statements, entry: tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.ClassDef | None]) -> None:
    """Follow a function with unknown arguments, each a thing of its own; of a class, after its `__init__`."""
    function, owner = entry
    frame = Frame(walk.module)
    arguments = function.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    site = ((function.lineno, 0, function.lineno, 0),)
    for name in names:
        frame.names[name] = Rows(Origin(site, name, name), columns=None)
    if owner is not None and names:
        walk.classes[owner.name] = owner
        start = binding.method(owner, "__init__")
        frame.names[names[0]] = Record({}, owner.name)
        if start is not None and start is not function:
            _started(walk, start, frame, names[0])
    walk.frames.append(frame)
    walk.entered.append(function)
    try:
        walk.run(function.body)
        _hand_out(walk, [*frame.returned, *([frame.names[names[0]]] if owner is not None and names else [])], site)
    finally:
        walk.frames.pop()
        walk.entered.pop()


def _hand_out(walk: Statements, values: list[Value], site: Site) -> None:
    """What an unseen caller gets back may be judged there."""
    for value in values:
        for model in nested(value, Model):
            walk.record(Escaped(site, model), model.site)
        for answer in nested(value, Predicted):
            walk.record(Escaped(site, answer.model), answer.model.site)


def _started(walk: Statements, start: ast.FunctionDef | ast.AsyncFunctionDef, frame: Frame, itself: str) -> None:
    first = [each.arg for each in (*start.args.posonlyargs, *start.args.args)]
    inner = Frame(walk.module)
    site = ((start.lineno, 0, start.lineno, 0),)
    inner.names = {name: Rows(Origin(site, name, name), columns=None) for name in first}
    if not first:
        return
    inner.names[first[0]] = frame.names[itself]
    walk.frames.append(inner)
    try:
        with walk.silently():
            walk.run(start.body)
    finally:
        walk.frames.pop()
    frame.names[itself] = inner.names[first[0]]
