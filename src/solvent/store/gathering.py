"""Many blobs in one go: all are staged, synced together, named, and acknowledged by `publish`.

    with objects.gather() as gathering:
        for answers in gathering.take(batches_of_paths): …   # digests, in order
        digest = gathering.put(data)
        gathering.publish()

Left without `publish`, nothing of it is in the store. Memory does not grow with the
number of blobs: what is staged bears its digest as its name.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest, digest_of
from solvent.store import disk
from solvent.store.bulk import Stamp
from solvent.store.helpers import Helpers
from solvent.store.sessions import LOCK, hold, together

if TYPE_CHECKING:
    from solvent.store.objects import FolderObjects

STRIDE = 10_000  # names that are held at once
FEW = 32  # files or folders that are synced one by one; more by one sync of the whole file system


class Gathering:
    """Blobs on their way into the store. Use it as a context manager."""

    def __init__(self, objects: FolderObjects) -> None:
        self._root = objects.root
        self._objects = str(objects.root)
        self._folder = objects.staging / uuid7()
        self._trees = self._folder / "trees"
        self._helpers = Helpers()

    def take(self, batches: Iterable[list[str]]) -> Iterator[list[tuple[Digest, Stamp]]]:
        """Stage the bytes of files by path, batch by batch: their digests and what was read, in order.

        Raises: Restless, OSError.
        """
        staging = str(self._folder)
        items = ([(path, staging, self._objects) for path in batch] for batch in batches)
        for answers in self._helpers.map("take", items):
            yield [(Digest(digest), Stamp(*found)) for digest, found in answers]

    def put(self, data: bytes) -> Digest:
        """Stage one blob."""
        digest = digest_of(data)
        staged = self._trees / digest
        if not staged.exists() and hold(self._root / digest[:2] / digest, self._root / LOCK) != len(data):
            descriptor = disk.create(staged, mode=0o444)
            try:
                disk.write(descriptor, data)
            finally:
                os.close(descriptor)
        return digest

    def publish(self) -> int:
        """Give every staged blob its name. On return all of them survive power loss. Returns: how many were new."""
        sources = [str(folder) for folder in self._folder.iterdir()]
        few = sum(len(_first(source, FEW + 1)) for source in sources) <= FEW
        if few or not disk.sync_file_system(self._folder):
            for source in sources:
                with os.scandir(source) as entries:
                    for entry in entries:
                        _sync_file(entry.path)
        count, folders = 0, set[str]()
        for at, source in enumerate(sources):
            while names := _first(source, STRIDE):
                count += self._name(source, names, folders, first=at == 0)
        if not count:
            return 0
        if few or not disk.sync_file_system(self._root):
            for prefix in sorted(folders):
                disk.sync_folder(self._root / prefix)
            disk.sync_folder(self._root)
            disk.sync_folder(self._root.parent)
        return count

    def _name(self, source: str, names: list[str], folders: set[str], *, first: bool) -> int:
        """Rename staged files into the store; `folders` collects those that they went to.

        first: no other process has staged the same bytes. Returns: how many blobs were new.
        """
        for prefix in {name[:2] for name in names} - folders:
            disk.make_folder(self._root / prefix)
            folders.add(prefix)
        known = 0
        with together(self._root / LOCK):  # collection sees either what was there before or the new file's time
            for name in names:
                target = f"{self._objects}/{name[:2]}/{name}"
                known += not first and Path(target).exists()
                disk.replace(f"{source}/{name}", target)
        return len(names) - known

    def __enter__(self) -> Self:
        disk.make_folder(self._trees)
        return self

    def __exit__(self, *_: object) -> None:
        self._helpers.close()
        shutil.rmtree(self._folder, ignore_errors=True)  # `sweep` removes what stays


def _first(folder: str, count: int) -> list[str]:
    """At most so many names of a folder."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in islice(entries, count)]


def _sync_file(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        disk.sync(descriptor)
    finally:
        os.close(descriptor)
