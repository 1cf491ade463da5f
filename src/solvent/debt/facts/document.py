"""A script or a notebook as one text of Python, with the way back to the place that people see."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from pathlib import PurePosixPath

import msgspec

from solvent.debt.finding import Place

MOST_CODE = 4_000_000  # characters of Python in one document; more is generated or data


class Unreadable(Exception):
    """A file that cannot be analysed; the message says why in a few words."""


class Cell(msgspec.Struct, frozen=True):
    """A code cell: number: raw, 1-based; first: its first line in the joined text; lines: how many;
    physical: line in the notebook's file of each of its lines; count: execution_count; error: name of the error that it
    saved, empty where it ran through.
    """

    number: int
    first: int
    lines: int
    physical: list[int]
    count: int | None
    error: str


class Gap(msgspec.Struct, frozen=True):
    """A cell that could not be read as Python: what it binds is unknown. first, last: its joined lines."""

    cell: int
    first: int
    last: int
    reason: str


class Document(msgspec.Struct, frozen=True):
    """text: the joined code, lines ended by a line feed; cells: empty for a script; blanked: what was magic or shell,
    by joined line; gaps: cells left out because they are no Python 3.
    """

    path: str
    text: str
    cells: list[Cell] = []
    blanked: dict[int, str] = {}
    gaps: list[Gap] = []

    @property
    def notebook(self) -> bool:
        return PurePosixPath(self.path).suffix == ".ipynb"

    def cell(self, line: int) -> Cell | None:
        """The cell that a joined line stands in; None in a script."""
        return next((cell for cell in self.cells if cell.first <= line < cell.first + cell.lines), None)

    def place(self, line: int) -> Place:
        """Of a line of the joined text."""
        cell = self.cell(line)
        if cell is None:
            return Place(self.path, 0, line, line)
        inside = line - cell.first
        return Place(self.path, cell.number, inside + 1, cell.physical[inside])

    def line(self, number: int) -> str:
        """Text of a joined line without indentation."""
        lines = self.text.split("\n")
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def read_document(path: str, content: bytes) -> Document:
    """Parse the bytes of a `.py` or `.ipynb` file.

    Raises: Unreadable.
    """
    from solvent.debt.facts.notebook import read_notebook

    if PurePosixPath(path).suffix == ".ipynb":
        return read_notebook(path, content)
    if len(content) > MOST_CODE:
        raise Unreadable(f"larger than {MOST_CODE // 1_000_000} MB")
    return Document(path, one_line_end(_decoded(content)))


def parse(text: str) -> ast.Module:
    """Syntax tree of Python 3. Raises: Unreadable."""
    try:
        with warnings.catch_warnings():  # a doubtful escape in somebody's string is not ours to report
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        raise Unreadable(f"not Python 3: {error.msg}, line {error.lineno}") from None
    except ValueError as error:
        raise Unreadable(f"not Python 3: {error}") from None
    except (RecursionError, MemoryError):
        raise Unreadable("nested too deeply") from None


def one_line_end(text: str) -> str:
    """Lines as Python counts them: ended by LF, CRLF or CR, never by a form feed or a Unicode separator."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(content: bytes) -> str:
    if b"\0" in content:
        raise Unreadable("binary")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError):
        raise Unreadable("its bytes do not fit its encoding") from None
