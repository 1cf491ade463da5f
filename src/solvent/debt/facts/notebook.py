"""A Jupyter notebook of format 3 or 4 as a document: its code cells joined, magics and shell lines blanked."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

import msgspec

from solvent.debt.facts.document import MOST_CODE, Cell, Document, Gap, Unreadable, one_line_end, parse

MOST_BYTES = 256_000_000
PYTHON_CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun", "debug", "memit", "mprun", "heat", "wandb"})
_TIMED = re.compile(r"(\s*)%(?:time|timeit|memit|prun)\s+((?![-\d]).+)")
_ASSIGNED = re.compile(r"(\s*)([A-Za-z_]\w*(?:\s*,\s*\w+)*)\s*=\s*[!%]\s*[A-Za-z./]")
_SPECIAL = re.compile(r"\s*(?:[!%?]|[\w.]+\?\??\s*$)")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PART = re.compile(r"[^\n]*\n|[^\n]+")
_SOURCE = re.compile(rb'"(?:source|input)"\s*:\s*')


class _Output(msgspec.Struct):
    output_type: str = ""
    ename: str = ""


class _Cell(msgspec.Struct):
    cell_type: str = ""
    source: msgspec.Raw = msgspec.Raw(b"[]")
    input: msgspec.Raw = msgspec.Raw(b"[]")  # its name in format 3
    execution_count: int | None = None
    prompt_number: int | None = None
    language: str = "python"
    outputs: list[_Output] = []


class _Named(msgspec.Struct):
    name: str = ""
    language: str = ""


class _Metadata(msgspec.Struct):
    kernelspec: _Named = msgspec.field(default_factory=_Named)
    language_info: _Named = msgspec.field(default_factory=_Named)


class _Worksheet(msgspec.Struct):
    cells: list[msgspec.Raw] = []


class _Notebook(msgspec.Struct):
    cells: list[msgspec.Raw] | None = None
    worksheets: list[_Worksheet] = []
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _Line(msgspec.Struct):
    text: str
    physical: int


def read_notebook(path: str, content: bytes) -> Document:
    """Parse a notebook's bytes; the outputs are passed over, never built.

    A cell that is no Python even without its magics becomes a gap.
    Raises: Unreadable where it is no notebook, is in another language, or holds no readable cell.
    """
    if len(content) > MOST_BYTES:
        raise Unreadable(f"larger than {MOST_BYTES // 1_000_000} MB")
    lines: list[str] = []
    cells: list[Cell] = []
    blanked: dict[int, str] = {}
    gaps: list[Gap] = []
    for number, (cell, source) in enumerate(_cells(content), start=1):
        if cell.cell_type != "code" or not source:
            continue
        first = len(lines) + 1
        code, removed, reason = _python([line.text for line in source])
        if reason:
            gaps.append(Gap(number, first, first + len(code) - 1, reason))
        blanked.update({first + index: text for index, text in removed.items()})
        errors = [output.ename or "an error" for output in cell.outputs if output.output_type in {"error", "pyerr"}]
        count = cell.execution_count or cell.prompt_number or None  # Colab writes 0 for a cell that was not run
        cells.append(
            Cell(number, first, len(code), [line.physical for line in source], count, errors[0] if errors else "")
        )
        lines += code
    if gaps and len(gaps) == len(cells):
        raise Unreadable(gaps[0].reason)
    text = "\n".join(lines)
    if len(text) > MOST_CODE:
        raise Unreadable(f"more than {MOST_CODE // 1_000_000} MB of code")
    return Document(path, text, cells, blanked, gaps)


def _cells(content: bytes) -> list[tuple[_Cell, list[_Line]]]:
    try:
        notebook = msgspec.json.decode(content, type=_Notebook)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        content = _as_strict_json(content)
        notebook = _decode(content, _Notebook)
    language = notebook.metadata.kernelspec.language or notebook.metadata.language_info.name
    if language and language.lower() not in {"python", "ipython", "python3", "python2"}:
        raise Unreadable("a notebook in another language")
    raws = notebook.cells
    if raws is None:
        raws = [raw for worksheet in notebook.worksheets for raw in worksheet.cells]
        if not notebook.worksheets:
            raise Unreadable("not a notebook: it has no cells")
    read, position, line = [], 0, 1
    for raw in raws:
        begin = content.index(bytes(raw), position)  # the next cell follows at once, so the first match is it
        line += content.count(b"\n", position, begin)
        cell = _decode(bytes(raw), _Cell)
        read.append((cell, _source(cell, bytes(raw), line)))
        position = begin
    return read


def _decode(content: bytes, type_: Any) -> Any:
    try:
        return msgspec.json.decode(content, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable("not a notebook") from None


def _as_strict_json(content: bytes) -> bytes:
    """What Python's own reader accepts beyond JSON, such as NaN in an output; physical lines are lost."""
    try:
        return json.dumps(json.loads(content), allow_nan=True).replace("NaN", "null").replace("Infinity", "0").encode()
    except (ValueError, RecursionError):
        raise Unreadable("not a notebook: damaged JSON") from None


def _source(cell: _Cell, raw: bytes, line: int) -> list[_Line]:
    """Lines of a cell with the physical line on which each begins; line: where the cell begins."""
    source = bytes(cell.source) if bytes(cell.source) != b"[]" else bytes(cell.input)
    begin = next((m.end() for m in _SOURCE.finditer(raw) if raw.startswith(source, m.end())), 0)
    line += raw.count(b"\n", 0, begin)
    pieces = list(_STRING.finditer(source))
    breaks = accumulate((source.count(b"\n", *gap) for gap in _between(pieces)), initial=line)
    lines: list[_Line] = []
    ended = True
    for piece, physical in zip(pieces, list(breaks)[1:], strict=True):
        for part in _PART.findall(one_line_end(_decode(piece.group(), str))):
            if ended:
                lines.append(_Line("", physical))
            lines[-1].text += part.removesuffix("\n")
            ended = part.endswith("\n")
    return lines


def _between(pieces: list[re.Match[bytes]]) -> list[tuple[int, int]]:
    starts = [piece.start() for piece in pieces]
    return list(zip([0, *starts[:-1]], starts, strict=True)) if starts else []


def _python(source: list[str]) -> tuple[list[str], dict[int, str], str]:
    """A cell's lines as Python, what was blanked by index, and why nothing is left where that is so."""
    magic = next((line.strip() for line in source if line.strip() and not line.lstrip().startswith("#")), "")
    if magic.startswith("%%"):
        first = next(i for i, line in enumerate(source) if line.strip() == magic)
        if magic[2:].partition(" ")[0] not in PYTHON_CELL_MAGICS:
            return [""] * len(source), dict(enumerate(source)), ""
        code, removed, reason = _python(["", *source[first + 1 :]])
        return [""] * first + code, {first: magic} | {first + i: text for i, text in removed.items()}, reason
    source = _dedented(source)
    if not _refusal(source):
        return source, {}, ""
    code, removed = _without_magics(source)
    reason = _refusal(code)
    return ([""] * len(source) if reason else code), removed, reason


def _refusal(code: list[str]) -> str:
    try:
        parse("\n".join(code))
    except Unreadable as error:
        return str(error)
    return ""


def _dedented(source: list[str]) -> list[str]:
    """As IPython does: a cell that begins indented is moved to the margin."""
    first = next((line for line in source if line.strip()), "")
    margin = first[: len(first) - len(first.lstrip())]
    return [line.removeprefix(margin) for line in source] if margin else source


def _without_magics(source: list[str]) -> tuple[list[str], dict[int, str]]:
    code: list[str] = []
    removed: dict[int, str] = {}
    continued = False
    for index, line in enumerate(source):
        timed, assigned = _TIMED.fullmatch(line), _ASSIGNED.match(line)
        if timed and not continued:
            code.append(timed[1] + timed[2])
        elif continued or assigned or _SPECIAL.match(line):
            removed[index] = line
            indent = line[: len(line) - len(line.lstrip())]
            blank = "" if continued or not indent else f"{indent}pass"  # a block needs something in it
            code.append(f"{assigned[1]}{assigned[2]} = ..." if assigned and not continued else blank)
        else:
            code.append(line)
        continued = index in removed and line.rstrip().endswith("\\")
    return code, removed
