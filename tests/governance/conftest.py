"""Fixtures of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.town import Town, populated
from solvent.lineage.entities import Actor
from solvent.store import open_store


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    root = tmp_path / ".solvent"
    url = f"sqlite:///{root / 'solvent.db'}"
    with open_store(url, root=root, project="town", actor=Actor(kind="person", name="mara")) as store:
        yield populated(store)
