"""The user's rows from wherever they lie: CSV of any dialect, Parquet, several files of one table, a database query."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from solvent.backtest.options import Options
from solvent.data.textfile import TEXT, kind_of, numbers_in, read_text
from solvent.foundation.errors import UsageError

_PARQUET = (".parquet", ".pq")
_ARROW = (".arrow", ".feather", ".ipc")
_DATABASES = (".db", ".sqlite", ".sqlite3")


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
    return numbers_in(frame, notes), list(dict.fromkeys(notes))


def _file(path: Path, name: str, notes: list[str]) -> pl.DataFrame:
    """path: where the bytes are; name: whose ending says what they are."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise BadTable(f"{name} {what}", next="name a CSV or Parquet file, or a database with --query")
    kind = kind_of(name)
    try:
        if kind in _PARQUET:
            return pl.read_parquet(path)
        if kind in _ARROW:
            return pl.read_ipc(path)
        if kind in TEXT:
            return read_text(path, TEXT[kind], notes)
    except (PolarsError, OSError, EOFError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise BadTable(
            f"cannot be read: {reason}", where=name, next="is it CSV or Parquet, with one header line?"
        ) from None
    raise BadTable(f"`{kind}` is no known kind of table", where=name, next="CSV, Parquet or Arrow")


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
