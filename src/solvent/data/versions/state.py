"""`data status`: how a dataset's files differ from the version that they came from.

A folder whose names and stamps are what the stat cache knows is done with; only files
with another stamp, or that had not settled when they were last read, are read. Opens
no store.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from solvent.data.versions.lockfile import Entry, read_lock
from solvent.data.versions.naming import Dataset, UnknownDataset, locked_dataset
from solvent.data.versions.statcache import Known, StatFile, StatWriter, cache_place
from solvent.data.versions.tree import FolderEntry, decode
from solvent.data.versions.walking import Listing, names_as_bytes, walk
from solvent.lineage.digests import Digest
from solvent.store.bulk import Stamp, digest_file

Read = Callable[[Digest], bytes]
UNREAD = Digest("unread")  # of a file that changed, and nobody asked into what


class LocalFile(NamedTuple):
    """A file as it lies there, or is missing, beside what its version says of it.

    path: below the dataset's base. now, before: digests, None where there is none; UNREAD: not the one before.
    """

    path: str
    now: Digest | None
    before: Digest | None


class DatasetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a dataset stands. state: `unchanged`, `changed`, `missing` (nothing lies there), or `other-version`:
    the files are another version than the one that solvent.lock names."""

    name: str
    state: str
    files: int
    size: int
    modified: list[str] = []
    added: list[str] = []
    deleted: list[str] = []


def statuses(root: Path, state: Path, names: list[str] | None = None) -> list[DatasetStatus]:
    """The status of datasets of the lock, or of all. Raises: UnknownDataset, BadLock, BadDataset, OSError."""
    entries = read_lock(root)
    for name in names or ():
        if name not in entries:
            raise UnknownDataset(name, entries)
    return [status(locked_dataset(name, entries[name], root), entries[name], state) for name in names or entries]


def status(dataset: Dataset, entry: Entry, state: Path) -> DatasetStatus:
    """How one dataset stands against the version that lies there, and that against the lock."""
    place = cache_place(state, dataset.name)
    with StatFile(place) as known:
        base = Base(known) if known.digest else Base.of_objects(entry, dataset, known, state / "objects")
        look = Look(dataset, base)
        changed = [file for file in look.changed() if file.now != file.before]
        if look.settled and known.digest:
            _refresh(place, known, known.digest, look.settled)
    modified = sorted(file.path for file in changed if file.now and file.before)
    added = sorted(file.path for file in changed if not file.before)
    deleted = sorted(file.path for file in changed if not file.now)
    if not look.files:
        found = "missing"
    elif changed:
        found = "changed"
    else:
        found = "unchanged" if base.digest == entry.digest else "other-version"
    return DatasetStatus(
        name=dataset.name,
        state=found,
        files=entry.files,
        size=entry.size,
        modified=modified,
        added=added,
        deleted=deleted,
    )


class Base:
    """The version that lies in the project's folder: its files by folder, from the stat cache or its trees."""

    def __init__(self, known: StatFile) -> None:
        self.digest = known.digest
        self.paths = known.paths()
        self._known = known
        self._trees: dict[str, dict[str, tuple[Stamp | None, Digest]]] = {}

    @classmethod
    def of_objects(cls, entry: Entry, dataset: Dataset, known: StatFile, objects: Path) -> Base:
        """What the lock says, where the cache is empty; nothing where its trees are not here."""
        base = cls(known)
        base.digest = entry.digest
        if entry.blob:
            base._trees[""] = {Path(dataset.name).name: (None, entry.blob)}
        else:
            base._read(entry.digest, "", lambda digest: (objects / digest[:2] / digest).read_bytes())
        base.paths = set(base._trees)
        return base

    def _read(self, tree: Digest, path: str, read: Read) -> None:
        try:
            entries = decode(read(tree))
        except FileNotFoundError:
            return
        self._trees[path] = {e.name: (None, e.digest) for e in entries if not isinstance(e, FolderEntry)}
        for entry in entries:
            if isinstance(entry, FolderEntry):
                self._read(entry.digest, f"{path}/{entry.name}" if path else entry.name, read)

    def record(self, path: str) -> Known:
        return self._known.folder(path)

    def files(self, path: str) -> dict[str, tuple[Stamp | None, Digest]]:
        """Stamp and digest of the files of one folder by name."""
        return self._trees.get(path) or dict(self._known.folder(path).files())


class Look:
    """One walk over a dataset's files.

    exact: read a file even where its size alone tells that it changed.
    files: how many lie there; settled: records of folders that had to be read and are what they were.
    """

    def __init__(self, dataset: Dataset, base: Base, *, exact: bool = False) -> None:
        self.dataset = dataset
        self.exact = exact
        self.base = base
        self.files = 0
        self.settled: dict[str, Known] = {}

    def changed(self) -> Iterator[LocalFile]:
        """The files that differ from the base or could, folder by folder. Raises: BadDataset, Restless, OSError."""
        left = set(self.base.paths)
        seen_ns = time.time_ns()
        for listing in walk(self.dataset):
            left.discard(listing.path)
            self.files += len(listing.names)
            names, record = names_as_bytes(listing), self.base.record(listing.path)
            same = record.stamps == listing.stamps
            if not (same and record.at_rest and names == record.names):
                yield from self._compare(listing, seen_ns)
            seen_ns = time.time_ns()
        for path in sorted(left):
            yield from self._compare(Listing(path, [], b"", []), seen_ns)

    def _compare(self, listing: Listing, seen_ns: int) -> Iterator[LocalFile]:
        before = self.base.files(listing.path)
        at_rest = self.base.record(listing.path).at_rest
        prefix = f"{listing.path}/" if listing.path else ""
        rows: list[tuple[str, Stamp, Digest]] = []
        for name, now in listing.files:
            known, digest = before.pop(name, (None, None))
            if known == now and at_rest and digest is not None:
                rows.append((name, now, digest))
                continue
            if known is not None and known.size != now.size and not self.exact:
                yield LocalFile(prefix + name, UNREAD, digest)
                continue
            read, now = digest_file(f"{self.dataset.base}/{prefix}{name}")
            yield LocalFile(prefix + name, Digest(read), digest)
            if digest == read:
                rows.append((name, now, digest))
        for name, (_, digest) in before.items():
            yield LocalFile(prefix + name, None, digest)
        if rows and not before and len(rows) == len(listing.names):
            self.settled[listing.path] = Known.of(rows, seen_ns)


def _refresh(place: Path, known: StatFile, digest: Digest, settled: dict[str, Known]) -> None:
    """Write the cache of a version with the new stamps of files that were read and are the same."""
    with StatWriter(place) as writer:
        for path in known.paths():
            writer.add(path, settled.get(path) or known.folder(path))
        writer.finish(digest)
