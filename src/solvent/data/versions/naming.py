"""What a dataset is called: its path in the project, whatever folder the caller stands in.

A name with a wildcard is a glob; what it stands for starts at its fixed part. Names
of datasets never overlap: a file belongs to one of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from solvent.data.versions.lockfile import NAME as LOCK
from solvent.data.versions.lockfile import Entry
from solvent.foundation.errors import UsageError, nearest

_WILD = frozenset("*?[")
_RESERVED = (".solvent", ".git", LOCK, "solvent.toml")


class BadDataset(UsageError):
    """This path cannot be a dataset."""

    code = "bad-dataset"


class UnknownDataset(UsageError):
    """Nobody added a dataset of this name."""

    code = "unknown-dataset"

    def __init__(self, name: str, known: Collection[str], place: str = "") -> None:
        listed = "`solvent data list` shows them" if known else "`solvent data add PATH` makes the first"
        super().__init__(f"no dataset `{name}`", where=place, next=nearest(name, list(known), listed))


class Dataset(NamedTuple):
    """A place in the project's folder. base: the folder below which its files lie, or the file's folder."""

    name: str
    kind: Literal["file", "folder", "glob"]
    root: Path

    @property
    def base(self) -> Path:
        if self.kind == "file":
            return (self.root / self.name).parent
        return self.root / (fixed_part(self.name) if self.kind == "glob" else self.name)

    @property
    def pattern(self) -> re.Pattern[str] | None:
        """What a file's path below `base` must match; None: every file belongs to it."""
        if self.kind == "folder":
            return None
        if self.kind == "file":
            return re.compile(re.escape(PurePosixPath(self.name).name))
        return glob_pattern(self._below_fixed())

    @property
    def deep(self) -> bool:
        """May its files lie in folders below `base`?"""
        return self.kind == "folder" or (
            self.kind == "glob" and ("/" in self._below_fixed() or self.name.endswith("**"))
        )

    def _below_fixed(self) -> str:
        fixed = fixed_part(self.name)
        return self.name if fixed == "." else self.name[len(fixed) + 1 :]


def fixed_part(location: str) -> str:
    """The location up to the folder in which its first wildcard stands; all of it without one.

    >>> fixed_part("data/2012-*/rides.csv"), fixed_part("*.csv"), fixed_part("data")
    ('data', '.', 'data')
    """
    parts = PurePosixPath(location).parts
    first = next((i for i, part in enumerate(parts) if _WILD & set(part)), None)
    return location if first is None else str(PurePosixPath(*parts[:first])) if first else "."


def glob_pattern(glob: str) -> re.Pattern[str]:
    """A glob as a shell reads it: no wildcard but `**` crosses a folder, none matches a hidden name.

    Raises: BadDataset.

    >>> bool(glob_pattern("**/*.csv").fullmatch("a/b.csv")), bool(glob_pattern("*.csv").fullmatch("a/b.csv"))
    (True, False)
    """
    parts = []
    for part in glob.split("/"):
        if part == "**":
            parts.append(r"(?:[^/.][^/]*/)*")
            continue
        hidden = "" if part.startswith(".") else r"(?!\.)"
        signs = [_sign(sign) for sign in re.findall(r"\[!?[^\]]+\]|.", part)]
        parts.append(f"{hidden}{''.join(signs)}/")
    text = "".join(parts)
    try:
        return re.compile(text.removesuffix("/") if not glob.endswith("**") else f"{text}[^/.][^/]*")
    except re.error as error:
        raise BadDataset(f"`{glob}` is no glob: {error}", next="write `[a-z]` with the lower sign first") from None


def _sign(sign: str) -> str:
    if sign == "*":
        return "[^/]*"
    if sign == "?":
        return "[^/]"
    if sign.startswith("[") and len(sign) > 1:
        inner = sign[1:-1].replace("\\", r"\\")
        return f"[^{inner[1:]}/]" if inner.startswith("!") else f"[{inner}]"
    return re.escape(sign)


def name_of(text: str, root: Path) -> str:
    """The name of what a person wrote: relative to the folder they stand in, or to the project. Raises: BadDataset."""
    here = Path.cwd()
    written = Path(text)
    absolute = written if written.is_absolute() else (here if here.is_relative_to(root) else root) / written
    plain = Path(*_without_dots(absolute))
    if not plain.is_relative_to(root):
        raise BadDataset(f"`{text}` lies outside of the project", where=str(root), next="copy it in, or import-url it")
    name = plain.relative_to(root).as_posix()
    first = PurePosixPath(name).parts[0] if name != "." else "."
    if first in _RESERVED or name == ".":
        what = "the whole project" if name == "." else f"`{name}`, which is Solvent's or git's own,"
        raise BadDataset(f"{what} cannot be a dataset", next="name a file, folder or glob below it")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise BadDataset(f"the name {name!r} is not UTF-8", next="rename it") from None
    return name


def _without_dots(path: Path) -> list[str]:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return parts


def find_dataset(name: str, root: Path) -> Dataset:
    """The dataset that a name means by what lies there now. Raises: BadDataset."""
    if _WILD & set(name) and not (root / name).exists():
        dataset = Dataset(name, "glob", root)
    else:
        place = root / name
        if not place.exists():
            known = sorted(p.name for p in place.parent.iterdir()) if place.parent.is_dir() else []
            what = "is a link that leads nowhere" if place.is_symlink() else "is not there"
            raise BadDataset(f"`{name}` {what}", next=nearest(place.name, known, "name a file, a folder or a glob"))
        if not place.is_file() and not place.is_dir():
            raise BadDataset(f"`{name}` is neither a file nor a folder", next="only files can be kept")
        dataset = Dataset(name, "folder" if place.is_dir() else "file", root)
    for folder in (dataset.base, *dataset.base.parents):
        if folder == root:
            break
        if folder.is_symlink():
            raise BadDataset(
                f"`{folder.relative_to(root)}` is a link to another folder",
                where=name,
                next="move the folder itself here, or make the link to it a mount",
            )
    return dataset


def locked_dataset(name: str, entry: Entry, root: Path) -> Dataset:
    """The dataset of a line of the lock, whether or not anything lies there."""
    if entry.blob:
        return Dataset(name, "file", root)
    wild = _WILD & set(name) and not (root / name).is_dir()
    return Dataset(name, "glob" if wild else "folder", root)


def find_name(text: str, known: Collection[str], root: Path, place: str = "") -> str:
    """The dataset that a path, the end of one, or a file's name without its suffix means. Raises: UnknownDataset."""
    if text in known:
        return text
    try:
        name = name_of(text, root)
    except BadDataset:
        name = text
    if name in known:
        return name
    ends = [path for path in known if path.endswith(f"/{text}") or PurePosixPath(path).stem == text]
    if len(ends) != 1:
        raise UnknownDataset(text, known, place)
    return ends[0]


def refuse_overlap(name: str, others: Collection[str]) -> None:
    """Raises: BadDataset, where a file could belong to this dataset and to one of the others."""
    for other in others:
        if other != name and _overlap(name, other):
            raise BadDataset(
                f"`{name}` and the dataset `{other}` would share files",
                next="add one of them, or put them into folders of their own",
            )


def _overlap(one: str, other: str) -> bool:
    """Could one file belong to both? Two globs that start in one folder part only by their suffixes."""
    wild = [name for name in (one, other) if _WILD & set(name)]
    if not wild:
        return _below(one, other) or _below(other, one)
    if len(wild) == 2:
        start, end = fixed_part(one), fixed_part(other)
        suffixes = {PurePosixPath(name).suffix for name in wild}
        return (_below(start, end) or _below(end, start)) and (len(suffixes) == 1 or "" in suffixes)
    (glob,), plain = wild, other if wild == [one] else one
    if _below(fixed_part(glob), plain):
        return True
    return _below(plain, fixed_part(glob)) and ("**" in glob or glob_pattern(glob).fullmatch(plain) is not None)


def _below(path: str, folder: str) -> bool:
    return folder == "." or PurePosixPath(path).is_relative_to(folder)
