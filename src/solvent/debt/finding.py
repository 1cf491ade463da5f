"""One debt that was found: the rule, the place, and the chain of lines that shows it."""

from __future__ import annotations

import ast
from typing import Literal

import msgspec

Severity = Literal["E", "W", "I"]
State = Literal["open", "new", "known", "allowed"]


class Place(msgspec.Struct, frozen=True, order=True):
    """Where people look: path relative to the repository, POSIX; cell: raw number of a notebook's cell, 1-based,
    Markdown counted, 0 in other files; line: within the cell or the file, 1-based; physical: line in the file as it
    is on disk.
    """

    path: str
    cell: int
    line: int
    physical: int


class Step(msgspec.Struct, frozen=True):
    """One line of evidence: its place and its text without indentation."""

    place: Place
    text: str


class Found(msgspec.Struct, frozen=True):
    """What a rule yields, in joined lines of its file; the audit turns them into places.

    line: 1-based; evidence: lines that show it, in reading order; said: what is special here, one phrase (may be
    empty); root: findings of one file with the same root are charged once; scope: dotted name of the function or
    class around it; syntax: normalised text that the fingerprint rests on; path: only where a rule over the
    repository speaks of a file; concerns: further files whose changes make it cost.
    """

    line: int
    evidence: tuple[int, ...] = ()
    said: str = ""
    root: str = ""
    scope: str = ""
    syntax: str = ""
    path: str = ""
    concerns: tuple[str, ...] = ()

    @classmethod
    def at(cls, node: ast.expr | ast.stmt, *evidence: ast.expr | ast.stmt, said: str = "", root: str = "") -> Found:
        """At a node of a file; evidence: further nodes whose lines belong to the chain."""
        lines = sorted({each.lineno for each in (node, *evidence)})
        return cls(node.lineno, tuple(lines), said, root, syntax=ast.unparse(node))


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A debt as it is reported.

    joined: line in the joined text of a notebook; root: findings of one file with the same root are charged once;
    syntax, scope: what the fingerprint rests on; state: new and known against a baseline, allowed by a comment with a
    reason, which stands at the physical line allowed_at; concerns: further files whose changes make it cost.
    """

    rule: str
    severity: Severity
    place: Place
    joined: int
    said: str = ""
    evidence: list[Step] = []
    root: str = ""
    scope: str = ""
    syntax: str = ""
    concerns: tuple[str, ...] = ()
    fingerprint: str = ""
    state: State = "open"
    reason: str = ""
    allowed_at: int = 0
