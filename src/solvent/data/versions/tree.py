"""A folder as a tree: one object per folder, so that one changed file costs its blob and the trees above it.

A tree object is canonical JSON: `{"tree":[["file",NAME,DIGEST,SIZE],["tree",NAME,DIGEST,SIZE,FILES],…]}`,
entries in code point order of their names. The digest of the topmost tree names the
whole folder. Empty folders are not kept, and neither are modes and times: two
folders with the same files have the same digest. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from solvent.foundation.errors import Unexpected
from solvent.lineage.digests import Digest, digest_of

Read = Callable[[Digest], bytes]
_DIGESTS = re.compile(r"[0-9a-f]*")
_RESERVED = frozenset({"", ".", ".."})


class BadTree(Unexpected):
    """Bytes that should be a tree are none, or name what no folder can hold."""

    code = "bad-tree"

    def __init__(self, problem: str) -> None:
        super().__init__(f"this is no tree of files: {problem}", next="`solvent verify` checks the store")


class FileEntry(msgspec.Struct, frozen=True, array_like=True, tag="file"):
    """A file of a folder. size: bytes."""

    name: str
    digest: Digest
    size: int


class FolderEntry(msgspec.Struct, frozen=True, array_like=True, tag="tree"):
    """A folder of a folder. digest: of its tree; size: bytes of all files below it; files: how many."""

    name: str
    digest: Digest
    size: int
    files: int


Entry = FileEntry | FolderEntry


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    tree: list[Entry]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Document)


def encode(entries: Iterable[Entry]) -> bytes:
    """The one text of a folder with these entries, in any order. Raises: BadTree."""
    ordered = sorted(entries, key=lambda entry: entry.name)
    _check(ordered)
    return _encoder.encode(_Document(ordered))


def decode(data: bytes) -> list[Entry]:
    """The entries of a tree object, in order of their names. Raises: BadTree; a tree may come from outside."""
    try:
        entries = _decoder.decode(data).tree
    except msgspec.DecodeError as error:
        raise BadTree(str(error)) from None
    _check(entries)
    return entries


def _check(entries: list[Entry]) -> None:
    """Refuse names that lead out of the folder, or twice to the same place, and digests that are none."""
    names = [entry.name for entry in entries]  # all at once: a folder may hold a million
    if names != sorted(set(names)):
        raise BadTree("its names are not in order, each once")
    if not _RESERVED.isdisjoint(names) or not {"/", "\0"}.isdisjoint("".join(names)):
        raise BadTree("a name in it is not the name of a file")
    if any(len(entry.digest) != 64 for entry in entries) or not _DIGESTS.fullmatch("".join(e.digest for e in entries)):
        raise BadTree("a digest in it is none")
    if any(entry.size < 0 for entry in entries):
        raise BadTree("a size in it is negative")


class Tree(NamedTuple):
    """A whole folder. size: bytes of its files; files: how many; objects: every tree object by digest."""

    digest: Digest
    size: int
    files: int
    objects: dict[Digest, bytes]


def tree_of(files: Mapping[str, tuple[Digest, int]]) -> Tree:
    """The tree of files by relative POSIX path, each with digest and size in bytes.

    Raises: BadTree, for a path that is both a file and a folder.
    """
    folders: dict[str, list[Entry]] = {"": []}
    for path, (digest, size) in files.items():
        parent, _, name = path.rpartition("/")
        folders.setdefault(parent, []).append(FileEntry(name, digest, size))
    for path in list(folders):
        while path:
            path = path.rpartition("/")[0]
            folders.setdefault(path, [])
    objects: dict[Digest, bytes] = {}
    top = FolderEntry("", Digest(""), 0, 0)
    for path in sorted(folders, key=lambda path: path.count("/") + bool(path), reverse=True):  # deepest first
        data = encode(folders[path])
        parent, _, name = path.rpartition("/")
        top = summary(name, digest_of(data), folders[path])
        objects[top.digest] = data
        if path:
            folders[parent].append(top)
    return Tree(top.digest, top.size, top.files, objects)


def summary(name: str, digest: Digest, entries: Iterable[Entry]) -> FolderEntry:
    """How a folder with these entries stands in the folder above it."""
    size = files = 0
    for entry in entries:
        size += entry.size
        files += entry.files if isinstance(entry, FolderEntry) else 1
    return FolderEntry(name, digest, size, files)


def walk_files(root: Digest, read: Read, prefix: str = "") -> Iterator[tuple[str, FileEntry]]:
    """Every file below a tree with its relative POSIX path; a folder's files before its folders'. Raises: BadTree."""
    folders = []
    for entry in decode(read(root)):
        if isinstance(entry, FolderEntry):
            folders.append(entry)
        else:
            yield prefix + entry.name, entry
    for folder in folders:
        yield from walk_files(folder.digest, read, f"{prefix}{folder.name}/")


def walk_folders(root: Digest, read: Read, prefix: str = "") -> Iterator[tuple[str, list[FileEntry]]]:
    """Every folder below a tree that holds files, itself included: its relative path and files. Raises: BadTree."""
    entries = decode(read(root))
    files = [entry for entry in entries if isinstance(entry, FileEntry)]
    if files:
        yield prefix, files
    for entry in entries:
        if isinstance(entry, FolderEntry):
            yield from walk_folders(entry.digest, read, f"{prefix}/{entry.name}" if prefix else entry.name)


class Reached(NamedTuple):
    """An object that a tree needs. kind: `file` or `tree`; size: bytes of the object itself."""

    digest: Digest
    kind: str
    size: int


def reachable(root: Digest, read: Read) -> Iterator[Reached]:
    """Every object that a tree needs, itself included and last.

    What a tree names comes before the tree, so whoever copies in this order never has
    a tree without its content. Equal folders are walked once; a file may come twice.
    """
    yield from _reachable(root, read, set())


def _reachable(tree: Digest, read: Read, seen: set[Digest]) -> Iterator[Reached]:
    if tree in seen:
        return
    seen.add(tree)
    data = read(tree)
    for entry in decode(data):
        if isinstance(entry, FolderEntry):
            yield from _reachable(entry.digest, read, seen)
        else:
            yield Reached(entry.digest, "file", entry.size)
    yield Reached(tree, "tree", len(data))


class Difference(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class FileChange(NamedTuple):
    """One file that differs between two trees. path: relative POSIX; before, after: None where it is not there."""

    path: str
    difference: Difference
    before: FileEntry | None
    after: FileEntry | None


def compare(before: Digest | None, after: Digest | None, read: Read, prefix: str = "") -> Iterator[FileChange]:
    """The files that differ between two trees; None is the empty tree. Equal folders are not read."""
    if before == after:
        return
    left = {entry.name: entry for entry in decode(read(before))} if before else {}
    right = {entry.name: entry for entry in decode(read(after))} if after else {}
    for name in sorted(left.keys() | right.keys()):
        old, new = left.get(name), right.get(name)
        if old == new:
            continue
        old_file, new_file = _file(old), _file(new)
        path = prefix + name
        if old_file and new_file:
            yield FileChange(path, Difference.CHANGED, old_file, new_file)
        elif old_file:
            yield FileChange(path, Difference.REMOVED, old_file, None)
        elif new_file:
            yield FileChange(path, Difference.ADDED, None, new_file)
        yield from compare(_folder(old), _folder(new), read, f"{path}/")


def _file(entry: Entry | None) -> FileEntry | None:
    return entry if isinstance(entry, FileEntry) else None


def _folder(entry: Entry | None) -> Digest | None:
    return entry.digest if isinstance(entry, FolderEntry) else None
