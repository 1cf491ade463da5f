"""Tables as text, in whatever dialect: encoding, separator, decimal sign and marks of missing values are told."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

TEXT = {".csv": ",", ".tsv": "\t", ".txt": ","}  # the usual separator, by a name's ending
_SEPARATORS = ",;\t|"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SNIFFED = 65_536  # characters that the dialect is told from
_INFERRED = 20_000  # rows that types are told from
_MISSING = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null"]
_DECIMAL_COMMA = re.compile(r"(?:^|;)\s*-?\d+,\d+\s*(?=;|$)", re.MULTILINE)
_DECIMAL_POINT = re.compile(r"(?:^|;)\s*-?\d+\.\d+\s*(?=;|$)", re.MULTILINE)
_GROUPED = r"^[-+]?[$€£]? ?[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)? ?%?$"  # 1,234.5 or $1,234 or 3.2%
_WITH_COMMA = r"^[-+]?\d+(?:,\d+)?$"  # 2,6
_NUMBERS = 0.9  # of a text column's cells, that must be numbers for the others to count as missing
_FIGURES = 20  # different numbers, below which such a column is left a category
_TRIED = 1_000  # cells of which half must be numbers before all are tried
_MOST_MARKS = 5  # different cells that mean 'missing' in a column of numbers


def kind_of(name: str) -> str:
    """The ending that says what a file holds: that before `.gz` or `.zst` where it is compressed."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    return suffixes[-2] if suffixes[-1:] in ([".gz"], [".zst"]) and len(suffixes) > 1 else "".join(suffixes[-1:])


def read_text(path: Path, usual: str, notes: list[str]) -> pl.DataFrame:
    """A table in text; what was assumed is added to `notes`, in sentences.

    usual: the separator where the file tells none. Times stay text. Raises: PolarsError, OSError, EOFError.
    """
    if path.name.lower().endswith(".zst"):
        return pl.read_csv(path, separator=usual, null_values=_MISSING, infer_schema_length=_INFERRED)
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    raw = _utf8(raw, notes)
    if _lacks_a_name(raw):
        raw = b"row," + raw
        notes.append("the first column has no name, and is called row")
    head = raw[:_SNIFFED].decode("utf-8", errors="ignore")
    separator = _separator(head, usual)
    if separator != usual:
        notes.append(f"columns are separated by {'tabs' if separator == chr(9) else f'`{separator}`'}")
    comma = separator == ";" and len(_DECIMAL_COMMA.findall(head)) > len(_DECIMAL_POINT.findall(head))
    if comma:
        notes.append("numbers are written with a decimal comma")

    def read(rows: int | None) -> pl.DataFrame:
        return pl.read_csv(
            io.BytesIO(raw), separator=separator, decimal_comma=comma, null_values=_MISSING, infer_schema_length=rows
        )

    try:
        return read(_INFERRED)
    except PolarsError:  # a type that only shows later
        return read(None)


def _lacks_a_name(raw: bytes) -> bool:
    """Whether the header is one name short, as R writes it where rows have names."""
    lines = raw[:_SNIFFED].decode("utf-8", errors="ignore").splitlines()[:20]
    header, *rows = [len(row) for row in csv.reader(lines)] or [0]
    return len(rows) > 1 and header > 1 and set(rows[:-1]) == {header + 1}


def _utf8(raw: bytes, notes: list[str]) -> bytes:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace").encode()
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        notes.append("the file is no UTF-8 and was read as Windows-1252")
        return raw.decode("cp1252", errors="replace").encode()
    return raw


def _separator(head: str, usual: str) -> str:
    """The one that parts the first lines into the same number of columns, and the most."""
    lines = [line for line in head.splitlines()[:20] if line.strip()][: max(len(head.splitlines()) - 1, 1)]

    def columns(separator: str) -> int:
        found = [len(row) for row in csv.reader(lines, delimiter=separator)]
        return found[0] if found and len(set(found)) == 1 else 1

    best = max(_SEPARATORS, key=lambda separator: (columns(separator), separator == usual))
    return best if columns(best) > 1 else usual


def _grouped(cells: pl.Series) -> pl.Series:
    return cells.set(~cells.str.contains(_GROUPED), None).str.replace_all(r"[,$€£% +]", "")


def _with_comma(cells: pl.Series) -> pl.Series:
    return cells.set(~cells.str.contains(_WITH_COMMA), None).str.replace(",", ".")


_DRESSES: tuple[tuple[Callable[[pl.Series], pl.Series], str], ...] = (
    (lambda cells: cells, ""),
    (_grouped, " written with `,`, `%` or a currency"),
    (_with_comma, " written with a decimal comma"),
)


def numbers_in(frame: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    """Text columns that are numbers but for how they are written, or for a few marks such as `?`, which are missing."""
    for name, dtype in frame.schema.items():
        if dtype != pl.String:
            continue
        cells = frame[name].str.strip_chars()
        if cells.cast(pl.Float64, strict=False).null_count() == cells.null_count():
            continue  # codes in digits, which their owner keeps as text
        some = cells.drop_nulls().head(_TRIED)
        for undress, written in _DRESSES:
            if undress(some).cast(pl.Float64, strict=False).null_count() > len(some) / 2:
                continue
            figures = undress(cells).cast(pl.Float64, strict=False)
            odd = cells.filter(figures.is_null() & cells.is_not_null())
            marks = odd.unique().sort()
            few = len(odd) <= (1 - _NUMBERS) * (len(cells) - cells.null_count()) and len(marks) <= _MOST_MARKS
            if not few or figures.n_unique() < _FIGURES:
                continue
            said = ", ".join(f"`{mark[:20]}`" for mark in marks)
            missing = f"; {len(odd):,} cells with {said} count as missing" if said else ""
            notes.append(f"{name} is a number{written}{missing}")
            frame = frame.with_columns(figures.alias(name))
            break
    return frame
