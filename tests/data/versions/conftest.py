"""A project's folder with a store, and what tests of datasets do with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from solvent.data.versions.adding import Added, add
from solvent.data.versions.checkout import CheckedOut, checkout
from solvent.data.versions.lockfile import read_lock
from solvent.data.versions.references import resolve
from solvent.data.versions.state import DatasetStatus, statuses
from solvent.foundation.clock import wall_clock
from solvent.lineage.entities import Actor
from solvent.store import Store, open_store

ANN = Actor(kind="person", name="ann")


class Shelf:
    """A project under test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        state = root / ".solvent"
        self.store: Store = open_store(f"sqlite:///{state / 'solvent.db'}", root=state, actor=ANN)

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def files(self, folder: str) -> dict[str, str]:
        base = self.root / folder
        return {p.relative_to(base).as_posix(): p.read_text() for p in sorted(base.rglob("*")) if p.is_file()}

    def add(self, name: str = "data", **options) -> Added:
        return add(self.root, self.store, str(self.root / name), at=wall_clock(), **options)

    def status(self, name: str = "data") -> DatasetStatus:
        (found,) = statuses(self.root, self.store.root, [name])
        return found

    def differing(self, name: str = "data") -> tuple[str, list[str], list[str], list[str]]:
        found = self.status(name)
        return found.state, found.modified, found.added, found.deleted

    def checkout(self, text: str = "data", **options) -> CheckedOut:
        found = resolve(text, self.root, self.store.facts)
        return checkout(found.dataset, found.digest, self.store, **options)

    def lock(self):
        return read_lock(self.root)

    def leftovers(self) -> list[Path]:
        """What a writer forgot in staging or beside the files."""
        staging = self.store.root / "staging"
        left = list(staging.iterdir()) if staging.is_dir() else []
        return [*left, *self.root.glob(".solvent-*"), *self.root.rglob(".*.lock.*")]

    def remove(self, name: str) -> None:
        place = self.root / name
        shutil.rmtree(place) if place.is_dir() else place.unlink()


@pytest.fixture
def make_shelf(tmp_path) -> Iterator:
    made: list[Shelf] = []

    def make(name: str = "project", like: Shelf | None = None) -> Shelf:
        """A new project, or a copy of one that is told what it is like: that is quicker than to live its life again."""
        if like is not None:
            like.store.close()
            shutil.copytree(like.root, tmp_path / name)
        made.append(Shelf(tmp_path / name))
        return made[-1]

    yield make
    for shelf in made:
        shelf.store.close()


@pytest.fixture
def shelf(make_shelf) -> Shelf:
    return make_shelf()
