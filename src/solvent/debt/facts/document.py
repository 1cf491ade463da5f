"""A script or a notebook as one text of Python, with the way back to the place that people see."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import msgspec

from solvent.debt.finding import Place


class Unreadable(Exception):
    """A file that cannot be analysed; the message says why in a few words."""


class Cell(msgspec.Struct, frozen=True):
    """A code cell: number: raw, 1-based; first: its first line in the joined text; lines: how many;
    physical: line in the notebook's file of each of its lines; count: execution_count; failed: it saved an error.
    """

    number: int
    first: int
    lines: int
    physical: list[int]
    count: int | None
    failed: bool


class Document(msgspec.Struct, frozen=True):
    """text: the joined code; cells: empty for a script; blanked: lines that were magic or shell (joined numbers)."""

    path: str
    text: str
    cells: list[Cell]
    blanked: dict[int, str]

    @property
    def notebook(self) -> bool:
        return bool(self.cells)

    def place(self, line: int) -> Place:
        """Of a line of the joined text."""
        for cell in self.cells:
            if cell.first <= line < cell.first + cell.lines:
                inside = line - cell.first
                physical = cell.physical[inside] if inside < len(cell.physical) else 1
                return Place(self.path, cell.number, inside + 1, physical)
        return Place(self.path, 0, line, line)

    def line(self, number: int) -> str:
        """Text of a joined line without indentation."""
        lines = self.text.splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def read_document(path: str, content: bytes) -> Document:
    """Parse the bytes of a `.py` or `.ipynb` file.

    Raises: Unreadable.
    """
    if PurePosixPath(path).suffix == ".ipynb":
        return _notebook(path, content)
    return Document(path, _decoded(content), [], {})


def _decoded(content: bytes) -> str:
    if b"\0" in content[:4096]:
        raise Unreadable("binary")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8") from None


def _notebook(path: str, content: bytes) -> Document:
    try:
        raw = json.loads(content)
        cells = raw["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unreadable("not a notebook of format 4") from None
    del cells
    raise Unreadable("notebooks come next")
