"""Everything that the audit keeps of one Python file: findings, summary, the lines they speak of, what is allowed.

It follows from the file's path and bytes and from the rules, and is small, so that it can be cached and can come from
another process.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Sequence

import msgspec
from blake3 import blake3

from solvent.debt.facts.document import Document, Unreadable, read_document
from solvent.debt.facts.file import FileFacts
from solvent.debt.facts.summary import Summary, summarise
from solvent.debt.finding import Found
from solvent.debt.rules.base import Rule

ALLOW = re.compile(r"#\s*solvent:\s*allow\[([A-Za-z0-9, ]*)\]\s*(.*)")


class Line(msgspec.Struct, frozen=True, array_like=True):
    """Where a joined line stands and what it says."""

    cell: int
    line: int
    physical: int
    text: str


class Allow(msgspec.Struct, frozen=True, array_like=True):
    """A comment that allows rules: at a joined line; covers: the joined lines that it speaks for."""

    line: int
    codes: list[str]
    reason: str
    covers: list[int]


class Extract(msgspec.Struct, frozen=True, array_like=True):
    """skipped: why the file was not analysed, empty where it was; trouble: rules that failed on it; lines: by joined
    number, those that are spoken of; overdue: it was given up, and may go well another time.
    """

    skipped: str = ""
    notebook: bool = False
    code_lines: int = 0
    found: list[tuple[str, Found]] = []
    lines: dict[int, Line] = {}
    allows: list[Allow] = []
    summary: Summary | None = None
    trouble: list[str] = []
    overdue: bool = False


def extract(path: str, content: bytes, rules: Sequence[Rule]) -> Extract:
    """Read one file. rules: those over a file that are wanted. Never raises for what the file holds."""
    notebook = path.endswith(".ipynb")
    try:
        document = read_document(path, content)
        file = FileFacts(document)
    except Unreadable as error:
        return Extract(skipped=str(error), notebook=notebook)
    scopes = _scopes(file)
    found, trouble = [], []
    for rule in rules:
        try:
            found += [(rule.code, _scoped(one, scopes)) for one in rule.check(file)]
        except Exception as error:  # noqa: BLE001  one rule's failure on one file is told, and stops nothing
            trouble.append(f"{rule.code} failed: {type(error).__name__}: {error}")
    allows = list(allowed(document))
    wanted = {number for _, one in found for number in (one.line, *one.evidence)} | {allow.line for allow in allows}
    lines = {number: line_of(document, number) for number in sorted(wanted)}
    code = sum(1 for line in document.text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return Extract("", notebook, code, found, lines, allows, summarise(file, blake3(content).hexdigest()), trouble)


def allowed(document: Document) -> Iterable[Allow]:
    """The comments that allow something, with the lines that they cover: their own; where one stands alone, the next
    line of code; first in a cell, the whole cell.
    """
    if "allow[" not in document.text:
        return
    texts = document.text.splitlines()
    for number, column, match in _comments(document.text):
        covers = [number]
        alone = not texts[number - 1][:column].strip()
        cell = next((c for c in document.cells if c.first <= number < c.first + c.lines), None)
        if alone and cell is not None and not any(texts[at - 1].strip() for at in range(cell.first, number)):
            covers = list(range(cell.first, cell.first + cell.lines))
        elif alone:
            covers += _next_code(texts, number)
        codes = [code.strip().upper() for code in match[1].split(",") if code.strip()]
        yield Allow(number, codes, match[2].strip(), covers)


def _comments(text: str) -> Iterable[tuple[int, int, re.Match[str]]]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (match := ALLOW.match(token.string)):
                yield token.start[0], token.start[1], match
    except (tokenize.TokenError, SyntaxError):
        return


def _next_code(texts: Sequence[str], after: int) -> list[int]:
    for number in range(after + 1, len(texts) + 1):
        text = texts[number - 1].strip()
        if text and not text.startswith("#"):
            return [number]
    return []


def _scopes(file: FileFacts) -> list[tuple[int, int, str]]:
    """First and last line of each function and class with its dotted name, inner ones later."""
    kinds: list[type[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]] = [
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
    ]
    return sorted(
        (node.lineno, node.end_lineno or node.lineno, f"{file.scope(node).name}.{node.name}".lstrip("."))
        for kind in kinds
        for node in file.nodes(kind)
    )


def _scoped(found: Found, scopes: Sequence[tuple[int, int, str]]) -> Found:
    if found.scope:
        return found
    around = [name for first, last, name in scopes if first <= found.line <= last]
    return msgspec.structs.replace(found, scope=around[-1] if around else "")


def line_of(document: Document, number: int) -> Line:
    """A joined line: where it stands, and its text; of a magic line, the magic."""
    place = document.place(number)
    return Line(
        place.cell,
        place.line,
        place.physical,
        (document.blanked.get(number, "").strip() or document.line(number))[:300],
    )
