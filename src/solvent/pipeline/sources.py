"""Sources seen from outside: which files a location means now, and their digests, without reading what is unchanged."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from solvent.data.versions.naming import fixed_part
from solvent.data.versions.tree import tree_of
from solvent.foundation.errors import nearest
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest
from solvent.pipeline.download import fetch, is_url
from solvent.pipeline.errors import BadSource
from solvent.pipeline.fingerprint import file_digest
from solvent.pipeline.fingerprint.stamps import Stamp
from solvent.pipeline.spec import SourceSpec

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".feather": "ipc",
    ".arrow": "ipc",
    ".ipc": "ipc",
}


class Member(NamedTuple):
    """One file of a source. name: relative to the folder or to the glob's fixed part."""

    name: str
    path: Path
    digest: Digest
    size: int


class Snapshot(NamedTuple):
    """What a source's location means now. digest, size: of the only file, or of the topmost tree's object.

    trees: the tree objects, the topmost one last; empty for a single file.
    """

    members: tuple[Member, ...]
    digest: Digest
    size: int
    trees: tuple[bytes, ...]


class _Stat(msgspec.Struct, array_like=True):
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    seen_ns: int
    digest: str


class StatCache:
    """Digests of files by their stat, kept in one file; a wrong or missing cache only costs time."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._stats = self._load()
        self._changed = False

    def digest(self, path: Path) -> tuple[Digest, int]:
        """Digest and size of a file, read only where its stat is new or too fresh to be trusted."""
        stat = path.stat()
        stamp = Stamp.of(stat)
        known = self._stats.get(str(path))
        same = known and Stamp(known.size, known.mtime_ns, known.ctime_ns, known.inode) == stamp
        if known and same and stamp.settled(known.seen_ns):
            return Digest(known.digest), stat.st_size
        seen = time.time_ns()
        digest = file_digest(path)
        self._stats[str(path)] = _Stat(stamp.size, stamp.mtime_ns, stamp.ctime_ns, stamp.inode, seen, digest)
        self._changed = True
        return digest, stat.st_size

    def save(self) -> None:
        """Write the cache if it learned anything."""
        if self._changed:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            staged = self.place.with_suffix(f".{uuid7()}")
            staged.write_bytes(msgspec.json.encode(self._stats))
            staged.replace(self.place)
            self._changed = False

    def _load(self) -> dict[str, _Stat]:
        try:
            return msgspec.json.decode(self.place.read_bytes(), type=dict[str, _Stat])
        except (OSError, msgspec.DecodeError):
            return {}


def snapshot(source: SourceSpec, root: Path, state: Path, stats: StatCache, *, refresh: bool) -> Snapshot:
    """The files that a source's location means now.

    state: the `.solvent` folder, where downloads are kept. refresh: ask a URL whether
    it has changed; otherwise what was fetched last counts.
    Raises: BadSource where there are none.
    """
    place = f"{source.file}:{source.line}"
    if is_url(source.location):
        base = fetch(source.location, state / "downloads", place, refresh=refresh)
    else:
        base = root / fixed_part(source.location)
    if base.is_file():
        digest, size = stats.digest(base)
        return Snapshot((Member(base.name, base, digest, size),), digest, size, ())
    found = list(files_of(source, base))
    if not found:
        raise BadSource(f"`{source.location}` matches no file", where=place, next=_hint(base))
    members = tuple(Member(p.relative_to(base).as_posix(), p, *stats.digest(p)) for p in found)
    tree = tree_of({m.name: (m.digest, m.size) for m in members})
    return Snapshot(members, tree.digest, len(tree.objects[tree.digest]), tuple(tree.objects.values()))


def files_of(source: SourceSpec, base: Path) -> Iterator[Path]:
    """The files that a location on disk means, in order. base: its fixed part, below the root."""
    if base.is_file():
        yield base
        return
    pattern = source.location[len(fixed_part(source.location)) :].lstrip("/") if base.is_dir() else ""
    if fixed_part(source.location) == ".":
        pattern = source.location
    wanted = base.rglob("*") if base.is_dir() and not pattern else base.glob(pattern) if pattern else []
    for path in sorted(wanted):
        hidden = any(part.startswith(".") for part in path.relative_to(base).parts)
        if path.is_file() and not hidden and (pattern or path.suffix.lower() in FORMATS):
            yield path


def _hint(base: Path) -> str:
    folder = base if base.is_dir() else base.parent
    if not folder.is_dir():
        return f"there is no folder {folder.name}"
    names = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    return nearest(base.name, names, f"the folder holds {', '.join(names[:5])}" if names else "the folder is empty")


def format_of(path: Path, place: str) -> str:
    """csv, parquet, jsonl or ipc, by suffix. Raises: BadSource."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise BadSource(
            f"`{path.name}` has a suffix that no reader knows", where=place, next=f"known: {', '.join(FORMATS)}"
        )
    return found
