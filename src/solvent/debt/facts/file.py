"""One Python file with its syntax tree, names and parents; what rules over a file are given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import TypeVar

from solvent.debt.facts.document import Document, Unreadable

_Node = TypeVar("_Node", bound=ast.AST)


class FileFacts:
    """Facts of one document. All of them follow from its bytes.

    Raises: Unreadable where the text is not Python 3.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        try:
            self.tree = ast.parse(document.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise Unreadable(f"not Python 3: {error}") from None

    @property
    def path(self) -> str:
        return self.document.path

    @cached_property
    def _by_type(self) -> dict[type[ast.AST], list[ast.AST]]:
        found: dict[type[ast.AST], list[ast.AST]] = {}
        for node in ast.walk(self.tree):
            found.setdefault(type(node), []).append(node)
        return found

    def nodes(self, kind: type[_Node]) -> Iterator[_Node]:
        """All nodes of a type, in order of `ast.walk`."""
        for node in self._by_type.get(kind, []):
            if isinstance(node, kind):
                yield node

    def resolve(self, node: ast.expr) -> str:
        """Dotted name that a name or attribute stands for through the file's imports, such as `numpy.nan`;
        empty where it cannot be known (bound anew, a star import, computed).
        """
        raise NotImplementedError
