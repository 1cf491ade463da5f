"""What lies in a dataset's folder now, folder by folder, without reading a byte of any file.

Links to files are followed (their bytes are what a reader sees); links to folders are
refused, so there are no circles. Memory is bounded by the largest folder.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from solvent.data.versions.naming import BadDataset, Dataset

_REGULAR = stat.S_IFREG
_FOLDER = stat.S_IFDIR
_LINK = stat.S_IFLNK
_FORMAT = 0o170000  # the bits of a mode that say what a file is


class Listing(NamedTuple):
    """A folder's files and folders by name, each in order. path: below the base, '' for itself."""

    path: str
    files: list[tuple[str, os.stat_result]]
    folders: list[str]


def list_folder(dataset: Dataset, path: str) -> Listing:
    """A dataset's files in one folder, and the folders there. Raises: BadDataset, OSError.

    path: below the dataset's base. An absent folder is an empty one.
    """
    if dataset.kind == "file":
        return _only_file(dataset)
    return _list(dataset.base, path, dataset.pattern)


def _list(base: Path, path: str, pattern: re.Pattern[str] | None) -> Listing:
    files: list[tuple[str, os.stat_result]] = []
    folders: list[str] = []
    place = f"{base}/{path}" if path else str(base)
    try:
        entries = os.scandir(place)
    except (FileNotFoundError, NotADirectoryError):
        return Listing(path, files, folders)
    with entries:
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            kind = found.st_mode & _FORMAT
            if kind == _FOLDER:
                folders.append(entry.name)
            elif pattern is not None and not pattern.fullmatch(f"{path}/{entry.name}" if path else entry.name):
                continue
            elif kind == _REGULAR:
                files.append((entry.name, found))
            else:
                files.append((entry.name, _followed(entry, kind)))
    files.sort()
    folders.sort()
    return Listing(path, files, folders)


def _followed(entry: os.DirEntry[str], kind: int) -> os.stat_result:
    """What a link leads to, if that is a file. Raises: BadDataset."""
    shown = os.fsencode(entry.path).decode(errors="backslashreplace")
    if kind != _LINK:
        raise BadDataset("it is neither a file nor a folder", where=shown, next="move it away: only files can be kept")
    try:
        found = entry.stat()
    except OSError as error:
        circle = error.errno == errno.ELOOP
        what = "the link leads in a circle" if circle else f"the link leads nowhere: {error.strerror}"
        raise BadDataset(what, where=shown, next="remove the link or mend it") from None
    if found.st_mode & _FORMAT != _REGULAR:
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
    found = [(place.name, place.stat())] if place.is_file() else []
    return Listing("", found, [])


def names_as_text(listing: Listing) -> str:
    """A folder's file names, one after the other, each ended by NUL. Raises: BadDataset where one is not UTF-8."""
    text = "".join([f"{name}\0" for name, _ in listing.files])
    try:
        text.encode()
        "".join(listing.folders).encode()
    except UnicodeEncodeError:
        for name in (*(name for name, _ in listing.files), *listing.folders):
            shown = os.fsencode(name).decode(errors="backslashreplace")
            if shown != name:
                where = f"{listing.path}/{shown}" if listing.path else shown
                raise BadDataset("the name is not UTF-8", where=where, next="rename it") from None
    return text
