"""Stores to test: every contract runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from solvent.store import Store, open_store
from store_samples import ANN, START


class Clock:
    """The time of recording, moved by the test."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="session")
def postgres_template(postgres, tmp_path_factory) -> str:
    """The name of a database that holds an empty store; copying it is quicker than migrating."""
    name = postgres.create()
    open_store(postgres.url(name), root=tmp_path_factory.mktemp("template"), actor=ANN).close()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path) -> str:
    """Where a store may be opened, afresh for each test."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/.solvent/solvent.db"
    server = request.getfixturevalue("postgres")
    return server.url(server.create(request.getfixturevalue("postgres_template")))


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
