"""The user's rows from wherever they lie: CSV of any dialect, Parquet, several files of one table, a database query."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from solvent.backtest.options import Options
from solvent.foundation.errors import UsageError

_CSV = {".csv": ",", ".tsv": "\t", ".txt": ","}
_PARQUET = (".parquet", ".pq")
_ARROW = (".arrow", ".feather", ".ipc")
_DATABASES = (".db", ".sqlite", ".sqlite3")
_SEPARATORS = ",;\t|"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SNIFFED = 65_536  # characters that the dialect is told from
_INFERRED = 20_000  # rows that types are told from
_DECIMAL_COMMA = re.compile(r"(?:^|;)\s*-?\d+,\d+\s*(?=;|$)", re.MULTILINE)
_DECIMAL_POINT = re.compile(r"(?:^|;)\s*-?\d+\.\d+\s*(?=;|$)", re.MULTILINE)
_NUMBERS = 0.9  # of a text column's cells, that must be numbers for the others to count as missing
_FIGURES = 20  # different numbers, below which such a column is left a category
_MOST_MARKS = 5  # different cells that mean 'missing' in a column of numbers


class BadTable(UsageError):
    """Something that is no table, or not one that can be read."""

    code = "bad-table"


def read_rows(options: Options) -> tuple[pl.DataFrame, list[str]]:
    """All rows and columns as they are, and what was assumed in reading them, in sentences.

    A URL such as `sqlite:///shop.db` or `postgresql://…` and an SQLite file need a query; with several `files` their
    rows are put together by column names. Raises: BadTable.
    """
    source, notes = str(options.path), list[str]()
    if "://" in source or Path(source).suffix.lower() in _DATABASES:
        frame = _query(source, options.query)
    elif options.query:
        raise BadTable(
            f"--query needs a database, not {source}", next="name sqlite:///FILE or postgresql://USER@HOST/DB"
        )
    elif options.files:
        parts = [_file(path, name, notes) for name, path in options.files]
        frame = _together(parts, source)
    else:
        frame = _file(Path(source), source, notes)
    frame = frame.rename({name: name.strip() for name in frame.columns if name != name.strip()}, strict=False)
    return _numbers(frame, notes), list(dict.fromkeys(notes))


def _file(path: Path, name: str, notes: list[str]) -> pl.DataFrame:
    """path: where the bytes are; name: whose ending says what they are."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise BadTable(f"{name} {what}", next="name a CSV or Parquet file, or a database with --query")
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    kind = suffixes[-2] if suffixes[-1:] in ([".gz"], [".zst"]) and len(suffixes) > 1 else "".join(suffixes[-1:])
    try:
        if kind in _PARQUET:
            return pl.read_parquet(path)
        if kind in _ARROW:
            return pl.read_ipc(path)
        if kind in _CSV:
            return _csv(path, _CSV[kind], notes)
    except (PolarsError, OSError, EOFError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise BadTable(
            f"cannot be read: {reason}", where=name, next="is it CSV or Parquet, with one header line?"
        ) from None
    raise BadTable(f"`{kind}` is no known kind of table", where=name, next="CSV, Parquet or Arrow")


def _csv(path: Path, usual: str, notes: list[str]) -> pl.DataFrame:
    """Encoding, separator and decimal sign are told from the file itself."""
    if path.suffix.lower() == ".zst" or path.name.lower().endswith(".zst"):
        return pl.read_csv(path, separator=usual, try_parse_dates=True, infer_schema_length=_INFERRED)
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    raw = _utf8(raw, notes)
    head = raw[:_SNIFFED].decode("utf-8", errors="ignore")
    separator = _separator(head, usual)
    if separator != usual:
        notes.append(f"columns are separated by {'tabs' if separator == chr(9) else f'`{separator}`'}")
    comma = separator == ";" and len(_DECIMAL_COMMA.findall(head)) > len(_DECIMAL_POINT.findall(head))
    if comma:
        notes.append("numbers are written with a decimal comma")

    def read(rows: int | None) -> pl.DataFrame:
        return pl.read_csv(
            io.BytesIO(raw),
            separator=separator,
            decimal_comma=comma,
            try_parse_dates=True,
            infer_schema_length=rows,
        )

    try:
        return read(_INFERRED)
    except PolarsError:  # a type that only shows later
        return read(None)


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


def _together(parts: list[pl.DataFrame], source: str) -> pl.DataFrame:
    if not parts:
        raise BadTable(f"{source} holds no file")
    try:
        return pl.concat(parts, how="diagonal_relaxed")
    except PolarsError as error:
        raise BadTable(f"the files do not fit together: {str(error).splitlines()[0][:160]}", where=source) from None


def _query(source: str, query: str) -> pl.DataFrame:
    """Rows of a query, in a transaction that is rolled back: nothing is written."""
    url = source if "://" in source else f"sqlite:///{source}"
    try:
        shown = make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        raise BadTable("this URL of a database cannot be read", next="write postgresql://USER@HOST/DATABASE") from None
    if not query:
        raise BadTable(f"{shown} is a database: which rows?", next='--query "SELECT * FROM table"')
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and not Path(rest.removeprefix("/")).is_file():
        raise BadTable(f"{shown}: there is no such file", next="sqlite:///relative.db or sqlite:////absolute.db")
    driver = "postgresql+psycopg" if scheme in {"postgres", "postgresql"} else scheme
    try:
        engine = create_engine(f"{driver}://{rest}")
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        extra = "pip install 'solvent[postgres]'" if "psycopg" in str(error) else "install its SQLAlchemy driver"
        raise BadTable(f"{scheme}:// needs a driver that is not installed", where=shown, next=extra) from None
    try:
        with engine.connect() as connection:
            rows = connection.execute(text(query))
            names = list(rows.keys())
            return pl.DataFrame(rows.fetchall(), schema=names, orient="row", infer_schema_length=None)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0][:160]
        raise BadTable(f"the query failed: {reason}", where=shown, next="try it in the database's own shell") from None
    except (PolarsError, TypeError) as error:
        raise BadTable(f"its rows make no table: {str(error).splitlines()[0][:160]}", where=shown) from None
    finally:
        engine.dispose()


def _numbers(frame: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    """Text columns that are numbers but for a few marks such as `N/A` or `?`: these cells count as missing."""
    for name, dtype in frame.schema.items():
        if dtype != pl.String:
            continue
        cells = frame[name].str.strip_chars()
        figures = cells.cast(pl.Float64, strict=False)
        odd = cells.is_not_null() & figures.is_null()
        known = len(cells) - cells.null_count()
        marks = cells.filter(odd).unique().sort().to_list()
        if not 0 < odd.sum() <= (1 - _NUMBERS) * known or len(marks) > _MOST_MARKS or figures.n_unique() < _FIGURES:
            continue
        frame = frame.with_columns(figures.alias(name))
        said = ", ".join(f"`{mark[:20]}`" for mark in marks)
        notes.append(f"{name} is a number; {int(odd.sum()):,} cells with {said} count as missing")
    return frame
