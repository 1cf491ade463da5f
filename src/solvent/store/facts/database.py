"""The seam between one text of SQL and two databases: engines, transactions, surrogate keys.

One writer at a time per database, on both: `BEGIN IMMEDIATE` on SQLite, one
transaction-level advisory lock on PostgreSQL. So a write may read the end of the
chain or the largest id, and act on it, and nobody comes between. Readers never wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Engine, Insert, Select, Table, create_engine, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from solvent.foundation.errors import Refusal, Unexpected

BUSY_SECONDS = 60
WRITER_LOCK = 0x501_7E27  # any number, the same for every Solvent
_writer = text("SELECT pg_advisory_xact_lock(:key)")


class DatabaseBusy(Refusal):
    code = "database-busy"


class DatabaseFull(Refusal):
    code = "disk-full"


class DatabaseFailed(Unexpected):
    code = "database-failed"


class Database:
    """An engine and its two kinds of transaction."""

    def __init__(self, url: str, patience: float = BUSY_SECONDS) -> None:
        """patience: seconds to wait for another writer."""
        self.patience = patience
        self.engine = _engine(url, patience)
        self.sqlite = self.engine.dialect.name == "sqlite"
        self._writing = self.engine.execution_options(solvent_write=True)
        self._reading = self.engine.execution_options(
            **{} if self.sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is alone in writing; committed on leaving, rolled back on an error.

        Raises: DatabaseBusy, DatabaseFull, DatabaseFailed.
        """
        with _told(self.patience), self._writing.begin() as connection:
            if not self.sqlite:
                connection.execute(_writer, {"key": WRITER_LOCK})
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the store throughout."""
        with _told(self.patience), self._reading.begin() as connection:
            yield connection

    def insert_missing(self, table: Table) -> Insert:
        """An INSERT that leaves a row alone whose key is there already."""
        return _insert_missing(table, self.sqlite)

    def close(self) -> None:
        self.engine.dispose()


def next_id(connection: Connection, column: Column[int]) -> int:
    """The next free surrogate key of a table; true until this write ends."""
    return (connection.execute(_select_newest(column)).scalar() or 0) + 1


@cache
def _select_newest(column: Column[int]) -> Select[int]:
    return select(func.max(column))


def _engine(url: str, patience: float) -> Engine:
    if url.startswith("sqlite:"):
        engine = create_engine(url, connect_args={"timeout": patience})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    scheme, _, rest = url.partition("://")
    driver = "postgresql+psycopg" if scheme in {"postgres", "postgresql"} else scheme
    waiting = {} if patience == BUSY_SECONDS else {"options": f"-c lock_timeout={round(patience * 1000)}"}
    return create_engine(f"{driver}://{rest}", pool_pre_ping=True, connect_args=waiting)  # it may have restarted


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "fullfsync=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("solvent_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@cache
def _insert_missing(table: Table, for_sqlite: bool) -> Insert:
    if for_sqlite:
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


@contextmanager
def _told(patience: float) -> Iterator[None]:
    """Turn a driver's error into a sentence with a way out."""
    try:
        yield
    except DBAPIError as error:
        cause = str(error.orig)
        if "database is locked" in cause or "lock timeout" in cause:
            raise DatabaseBusy(
                f"another process kept the store locked for {patience:g} s", next="`solvent doctor` names it"
            ) from error
        if "disk is full" in cause or "No space left" in cause:
            raise DatabaseFull(
                "no space left for the store", next="free some and repeat; nothing is half there"
            ) from error
        raise DatabaseFailed(cause.strip()) from error
