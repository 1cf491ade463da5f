"""What was known of a dataset's files when they were last read: by it `status` needs no byte of them.

One file per dataset, made anew as a whole; a wrong or missing one only costs time.
Each folder is one record of columns, in the order of the walk, so that an unchanged
folder is found by comparing two pieces of memory. docs/reference/format.md has the bytes.

A stamp is trusted only if the file was at rest when it was read: one that changed
within the file system's clock tick may change again without its stamp telling.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import starmap
from operator import attrgetter
from pathlib import Path
from typing import IO, NamedTuple

from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest, digest_of
from solvent.store.bulk import Stamp

MAGIC = b"SLVSTAT1"
FINE_TICK = 20_000_000  # nanoseconds; Linux stamps files by a clock that ticks each 1 to 10 ms
COARSE_TICK = 2_000_000_000  # of a file system that keeps whole milliseconds, or seconds
_HEAD = struct.Struct("<8s32sQQQ")  # magic, dataset's digest, bytes, files, offset of the end
_RECORD = struct.Struct("<IIIB")  # bytes of the path, of the names, files; 1 where they had settled
_STAMP = struct.Struct("<QqqQ")
_FIELDS = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
_DIGEST = 32  # bytes


def pack_stamps(found: Iterable[os.stat_result]) -> bytes:
    """A folder's stamps, one after the other."""
    return b"".join(starmap(_STAMP.pack, map(_FIELDS, found)))


def unpack_stamps(packed: bytes) -> Iterator[Stamp]:
    """The stamps one by one."""
    return map(Stamp._make, _STAMP.iter_unpack(packed))


def resting_at(stamps: Iterable[Stamp]) -> int:
    """The instant after which a change of any of these files would have shown; ns since 1970."""
    latest = 0
    for stamp in stamps:
        changed = max(stamp.mtime_ns, stamp.ctime_ns)
        latest = max(latest, changed + (FINE_TICK if stamp.ctime_ns % 1_000_000 else COARSE_TICK))
    return latest


class Known(NamedTuple):
    """A folder's record. names: as one text, NUL after each; at_rest: had its files settled when they were read?"""

    names: bytes
    stamps: bytes
    digests: bytes
    at_rest: bool

    @classmethod
    def of(cls, rows: Sequence[tuple[str, Stamp, Digest]], seen_ns: int) -> Known:
        """The record of files in order of their names. seen_ns: an instant before they were read."""
        names = "".join([f"{name}\0" for name, _, _ in rows]).encode()
        stamps = b"".join([_STAMP.pack(*stamp) for _, stamp, _ in rows])
        digests = bytes.fromhex("".join([digest for _, _, digest in rows]))
        return cls(names, stamps, digests, resting_at(stamp for _, stamp, _ in rows) < seen_ns)

    def files(self) -> dict[str, tuple[Stamp, Digest]]:
        """Stamp and digest by name."""
        names = self.names.decode().split("\0")[:-1]
        return {
            name: (stamp, Digest(self.digests[at * _DIGEST : (at + 1) * _DIGEST].hex()))
            for at, (name, stamp) in enumerate(zip(names, unpack_stamps(self.stamps), strict=True))
        }


NOTHING = Known(b"", b"", b"", at_rest=True)


def cache_place(state: Path, name: str) -> Path:
    """Where a dataset's cache lies in the `.solvent` folder."""
    return state / "stat" / digest_of(name.encode())[:32]


class StatFile:
    """A dataset's cache, mapped into memory. Close it, or use it as a context manager.

    digest: of the dataset's version that was there; size, files: in all.
    """

    def __init__(self, place: Path) -> None:
        self.digest: Digest | None = None
        self.size = self.files = 0
        self._folders: dict[str, int] = {}
        self._map: mmap.mmap | None = None
        with suppress(FileNotFoundError, ValueError, struct.error, UnicodeDecodeError):
            self._open(place)

    def _open(self, place: Path) -> None:
        with place.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        magic, digest, size, files, end = _HEAD.unpack_from(self._map, 0)
        if magic != MAGIC or end != len(self._map):
            return
        folders, at = {}, _HEAD.size
        while at < end:
            path, names, count, _ = _RECORD.unpack_from(self._map, at)
            start = at + _RECORD.size
            folders[self._map[start : start + path].decode()] = at
            at = start + path + names + count * (_STAMP.size + _DIGEST)
        if at == end:
            self.digest, self.size, self.files, self._folders = Digest(digest.hex()), size, files, folders

    def paths(self) -> set[str]:
        """The folders that it has a record of."""
        return set(self._folders)

    def folder(self, path: str) -> Known:
        """The record of a folder; an empty one where there is none."""
        at = self._folders.get(path)
        if at is None or self._map is None:
            return NOTHING
        path_size, names_size, count, rest = _RECORD.unpack_from(self._map, at)
        names = at + _RECORD.size + path_size
        stamps = names + names_size
        digests = stamps + count * _STAMP.size
        return Known(
            self._map[names:stamps],
            self._map[stamps:digests],
            self._map[digests : digests + count * _DIGEST],
            at_rest=bool(rest),
        )

    def forget(self) -> None:
        """Know nothing."""
        self.digest, self._folders = None, {}

    def close(self) -> None:
        if self._map is not None:
            self._map.close()

    def __enter__(self) -> StatFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class StatWriter:
    """Makes a dataset's cache, record by record; `finish` gives it its name.

    It needs no sync: after a power cut a torn one is not read, and nothing is lost.
    """

    def __init__(self, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        self._place = place
        self._staged = place.with_name(f"{place.name}.{uuid7()}")
        self._file: IO[bytes] = self._staged.open("xb")
        self._file.write(bytes(_HEAD.size))
        self._size = self._files = 0

    def add(self, path: str, known: Known) -> None:
        """Add a folder's record."""
        where, count = path.encode(), len(known.stamps) // _STAMP.size
        self._file.write(_RECORD.pack(len(where), len(known.names), count, known.at_rest) + where)
        self._file.write(known.names + known.stamps + known.digests)
        self._files += count
        self._size += sum(stamp[0] for stamp in _STAMP.iter_unpack(known.stamps))

    def finish(self, digest: Digest) -> None:
        """The dataset is this version; from now on the cache says so."""
        end = self._file.tell()
        self._file.seek(0)
        self._file.write(_HEAD.pack(MAGIC, bytes.fromhex(digest), self._size, self._files, end))
        self._file.close()
        self._staged.replace(self._place)

    def __enter__(self) -> StatWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._staged.unlink(missing_ok=True)
