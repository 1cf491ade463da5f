"""What lies in a dataset's folder now, folder by folder, without reading a byte of any file.

Links to files are followed (their bytes are what a reader sees); links to folders are
refused, so there are no circles. Memory is bounded by the largest folder.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple

from solvent.data.versions.naming import BadDataset, Dataset
from solvent.data.versions.statcache import pack_stamps, unpack_stamps
from solvent.store.bulk import Stamp

_REGULAR = stat.S_IFREG
_FOLDER = stat.S_IFDIR
_LINK = stat.S_IFLNK
AT_ONCE = 2000  # names that the system is asked about before their stamps are packed
_MODE = attrgetter("st_mode")


class Listing(NamedTuple):
    """A folder's files and folders, in order of their names.

    path: below the base, '' for itself; stamps: of the files, packed; folders: in it.
    """

    path: str
    names: list[str]
    stamps: bytes
    folders: list[str]

    @property
    def files(self) -> Iterator[tuple[str, Stamp]]:
        return zip(self.names, unpack_stamps(self.stamps), strict=True)


def list_folder(dataset: Dataset, path: str) -> Listing:
    """A dataset's files in one folder, and the folders there. Raises: BadDataset, OSError.

    path: below the dataset's base. An absent folder is an empty one.
    """
    if dataset.kind == "file":
        return _only_file(dataset)
    place = f"{dataset.base}/{path}" if path else str(dataset.base)
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return Listing(path, [], b"", [])
    try:
        return _Look(dataset, path, place, descriptor).listing()
    finally:
        os.close(descriptor)


class _Look:
    """At one folder, some names at a time: what the system says of a file takes much more memory than its stamp."""

    def __init__(self, dataset: Dataset, path: str, place: str, descriptor: int) -> None:
        self.pattern = dataset.pattern
        self.path = path
        self.place = place
        self.descriptor = descriptor
        self.folders: list[str] = []

    def listing(self) -> Listing:
        everything = sorted(os.listdir(self.descriptor))  # noqa: PTH208  by the hundred thousand
        names: list[str] = []
        stamps: list[bytes] = []
        for at in range(0, len(everything), AT_ONCE):
            some = everything[at : at + AT_ONCE]
            found = [os.stat(name, dir_fd=self.descriptor, follow_symlinks=False) for name in some]
            if self.pattern is not None or {stat.S_IFMT(mode) for mode in set(map(_MODE, found))} != {_REGULAR}:
                some, found = self._sorted_out(some, found)
            names += some
            stamps.append(pack_stamps(found))
        return Listing(self.path, names, b"".join(stamps), self.folders)

    def _sorted_out(self, names: list[str], found: list[os.stat_result]) -> tuple[list[str], list[os.stat_result]]:
        """Folders by themselves, without what does not match, and with what links lead to."""
        kept: dict[str, os.stat_result] = {}
        for name, one in zip(names, found, strict=True):
            kind = stat.S_IFMT(one.st_mode)
            if kind == _FOLDER:
                self.folders.append(name)
            elif self.pattern is None or self.pattern.fullmatch(f"{self.path}/{name}" if self.path else name):
                kept[name] = one if kind == _REGULAR else _followed(name, kind, self.place, self.descriptor)
        return list(kept), list(kept.values())


def _followed(name: str, kind: int, place: str, descriptor: int) -> os.stat_result:
    """What a link leads to, if that is a file. Raises: BadDataset."""
    shown = os.fsencode(f"{place}/{name}").decode(errors="backslashreplace")
    if kind != _LINK:
        raise BadDataset("it is neither a file nor a folder", where=shown, next="move it away: only files can be kept")
    try:
        found = os.stat(name, dir_fd=descriptor)
    except OSError as error:
        circle = error.errno == errno.ELOOP
        what = "the link leads in a circle" if circle else f"the link leads nowhere: {error.strerror}"
        raise BadDataset(what, where=shown, next="remove the link or mend it") from None
    if not stat.S_ISREG(found.st_mode):
        raise BadDataset("the link leads to no file", where=shown, next="put the folder itself in its place")
    return found


def walk(dataset: Dataset, path: str = "") -> Iterator[Listing]:
    """Every folder of a dataset, a folder after those in it; the base itself last. Raises: BadDataset, OSError."""
    listing = list_folder(dataset, path)
    if dataset.deep:
        hidden = dataset.kind != "glob"
        for name in listing.folders:
            if hidden or not name.startswith("."):
                yield from walk(dataset, f"{path}/{name}" if path else name)
    yield listing._replace(folders=listing.folders if dataset.deep else [])


def _only_file(dataset: Dataset) -> Listing:
    place = dataset.root / dataset.name
    there = place.is_file()
    return Listing("", [place.name] * there, pack_stamps([place.stat()] if there else []), [])


def names_as_bytes(listing: Listing) -> bytes:
    """A folder's file names in UTF-8, NUL after each. Raises: BadDataset where one is not UTF-8."""
    try:
        "".join(listing.folders).encode()
        return "".join([f"{name}\0" for name in listing.names]).encode()
    except UnicodeEncodeError:
        name = next(name for name in (*listing.names, *listing.folders) if not _is_utf8(name))
        shown = os.fsencode(name).decode(errors="backslashreplace")
        where = f"{listing.path}/{shown}" if listing.path else shown
        raise BadDataset("the name is not UTF-8", where=where, next="rename it") from None


def _is_utf8(name: str) -> bool:
    return os.fsencode(name).decode(errors="backslashreplace") == name
