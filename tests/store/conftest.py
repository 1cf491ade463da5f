"""Stores to test: every contract runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import psycopg
import pytest

from solvent.store import Store, open_store, schema
from store_samples import ANN, START


class Clock:
    """The time of recording, moved by the test."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="session")
def postgres_url(postgres, tmp_path_factory) -> str:
    """A database that holds a store, for one test after another."""
    url = postgres.url(postgres.create())
    open_store(url, root=tmp_path_factory.mktemp("postgres"), actor=ANN).close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path) -> str:
    """Where an empty store may be opened."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/.solvent/solvent.db"
    url = request.getfixturevalue("postgres_url")
    filled = ", ".join(name for name in schema.metadata.tables if name != "project")
    with psycopg.connect(url) as connection:
        connection.execute(f"TRUNCATE {filled}")
        connection.execute("DELETE FROM project WHERE id <> 0")
        connection.execute("UPDATE alembic_version SET version_num = %s", [schema.HEAD])
    return url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_again(store_url, tmp_path, clock) -> Iterator[Callable[..., Store]]:
    """Open the test's store, as often as wanted; all are closed at the end."""
    opened = []

    def opener(**options) -> Store:
        options = {"root": tmp_path / ".solvent", "actor": ANN, "clock": clock, **options}
        opened.append(open_store(store_url, **options))
        return opened[-1]

    yield opener
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again) -> Store:
    return open_again()


@pytest.fixture
def facts(store):
    return store.facts
