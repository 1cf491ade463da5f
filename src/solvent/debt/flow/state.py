"""Where the following of a program stands: variables of each call, the path of calls, and what happened so far."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from solvent.debt.facts.file import FileFacts
from solvent.debt.flow.events import Event
from solvent.debt.flow.values import UNKNOWN, Many, Named, Record, Site, Value, joined

MOST_STEPS = 30_000  # statements followed in one file, repeats counted; beyond it nothing more is believed
DEEPEST = 3  # calls of the file's own functions within each other


class TooMuch(Exception):
    """The program is too large to follow."""


class Frame:
    """The variables of one call. around: where the function was defined."""

    def __init__(self, around: Frame | None = None) -> None:
        self.around = around
        self.names: dict[str, Value] = {}
        self.returned: list[Value] = []


class State:
    def __init__(self, file: FileFacts) -> None:
        self.file = file
        self.module = Frame()
        self.frames = [self.module]
        self.path: Site = ()
        self.events: dict[tuple[type, Site, object], Event] = {}
        self.beliefs: dict[tuple[int, str], Value] = {}
        self.entered: list[ast.AST] = []
        self.classes: dict[str, ast.ClassDef] = {}
        self.steps = 0
        self._silent = 0

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    def site(self, node: ast.expr | ast.stmt) -> Site:
        place = (node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0)
        return (*self.path, place)

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooMuch

    # ---- names
    def look_up(self, name: ast.Name) -> Value:
        frame: Frame | None = self.frame
        while frame is not None:
            if name.id in frame.names and frame.names[name.id] is not UNKNOWN:
                return frame.names[name.id]
            frame = frame.around
        dotted = self.file.resolve(name)
        return Named(dotted) if dotted else UNKNOWN

    def bind(self, name: str, value: Value, line: int = 0) -> None:
        self.frame.names[name] = value
        if line:
            self.beliefs[line, name] = value

    def replace(self, old: Value, new: Value) -> None:
        """A thing changed in place: every variable that holds that very object holds the new value."""
        if old is UNKNOWN:
            return
        for frame in self.frames:
            for name, value in frame.names.items():
                frame.names[name] = _with(value, old, new)

    # ---- events
    def record(self, event: Event, apart: object = None) -> None:
        """apart: what tells two events of one kind at one place from each other."""
        if not self._silent:
            self.events[type(event), event.site, apart] = event

    @property
    def is_silent(self) -> bool:
        return self._silent > 0

    @contextmanager
    def silently(self) -> Iterator[None]:
        """A first turn of a loop, only to learn what it leaves behind."""
        self._silent += 1
        try:
            yield
        finally:
            self._silent -= 1

    @contextmanager
    def inside(self, frame: Frame, call: Site) -> Iterator[None]:
        path, self.path = self.path, call
        self.frames.append(frame)
        try:
            yield
        finally:
            self.frames.pop()
            self.path = path


def merge(frame: Frame, one: dict[str, Value], other: dict[str, Value], site: Site) -> None:
    """Leave in a frame what holds whichever way was taken; a name that one way leaves unbound is not used after it."""
    frame.names = {
        name: joined(one[name], other[name], site, name)
        if name in one and name in other
        else one.get(name, other.get(name, UNKNOWN))
        for name in {**one, **other}
    }


def _with(value: Value, old: Value, new: Value) -> Value:
    if value is old:
        return new
    if isinstance(value, Record):
        fields = {key: _with(each, old, new) for key, each in value.fields.items()}
        if any(fields[key] is not value.fields[key] for key in fields):
            return Record(fields, value.of)
    if isinstance(value, Many) and value.element is old:
        return Many(new)
    return value
