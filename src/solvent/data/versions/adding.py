"""`data add`: what lies in the project's folder becomes an immutable version.

Order, so that a death at any point leaves the old version or the new one: bytes and
trees are stored and acknowledged, then the version is recorded, then `solvent.lock`
names it, then git is told to ignore the files.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from solvent.data.versions.gathering import Gathered, gather
from solvent.data.versions.lockfile import Entry, changing_lock, read_lock, replace_text
from solvent.data.versions.naming import BadDataset, Dataset, find_dataset, fixed_part, name_of, refuse_overlap
from solvent.data.versions.tree import BadTree, compare
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, ArtifactType, DatasetVersion
from solvent.store.objects import Missing

if TYPE_CHECKING:
    from solvent.store import Store

WAIT = 3600.0  # seconds for another process that adds or checks out the same dataset


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """What `add` did. new: whether this content was not the newest version already; read, stored: files and blobs."""

    version: DatasetVersion
    new: bool
    read: int
    stored: int


def add(root: Path, store: Store, text: str, *, message: str = "", at: datetime, url: str | None = None) -> Added:
    """Make what lies at a path, or matches a glob, the dataset's next version.

    text: as a person writes it. Raises: BadDataset, Restless, Busy, BadLock, OSError.
    """
    name = name_of(text, root)
    dataset = find_dataset(name, root)
    refuse_overlap(name, read_lock(root))
    with store.session(), store.lease(f"data {name}", wait=WAIT):
        try:
            with gather(dataset, store) as gathered:
                recorded = _record(dataset, gathered, store, message, at, url)
                gathered.remember()
        except PermissionError as error:
            raise BadDataset(
                f"cannot read it: {error.strerror}", where=str(error.filename), next="make it readable, or move it away"
            ) from error
        with changing_lock(root, store.root) as entries:
            refuse_overlap(name, entries)
            entries[name] = _entry(dataset, gathered, url)
        ignore(dataset)
    return recorded


def _record(dataset: Dataset, gathered: Gathered, store: Store, message: str, at: datetime, url: str | None) -> Added:
    before = store.facts.dataset_versions(dataset.name)
    version = DatasetVersion(
        name=dataset.name,
        number=0,
        artifact=gathered.digest,
        files=gathered.files,
        size=gathered.size,
        at=at,
        message=message,
        url=url,
        changes=_changes(before[-1].artifact if before else None, gathered, dataset, store),
    )
    recorded = store.facts.add_dataset_version(version, dataset_artifact(dataset, gathered))
    new = not before or recorded.number > before[-1].number
    return Added(version=recorded, new=new, read=gathered.read, stored=gathered.stored)


def dataset_artifact(dataset: Dataset, gathered: Gathered) -> Artifact:
    """The artifact of a version, as `source` names the same files: a tree says so in `about`."""
    about: dict[str, object] = {"name": PurePosixPath(dataset.name).name, "source": dataset.name}
    if dataset.kind != "file":
        about["tree"] = True
    return Artifact(
        digest=gathered.digest,
        content=gathered.digest,
        type=ArtifactType.DATASET,
        format="file",
        size=gathered.object_size,
        about=about,
    )


def _changes(before: Digest | None, gathered: Gathered, dataset: Dataset, store: Store) -> dict[str, int]:
    """How many files were added, removed and changed; nothing where the version before is not here any more."""
    if before is None:
        return {"added": gathered.files}
    if dataset.kind == "file":
        return {"changed": 1} if before != gathered.digest else {}
    counts: dict[str, int] = {}
    try:
        for change in compare(before, gathered.digest, store.objects.read):
            counts[change.difference.value] = counts.get(change.difference.value, 0) + 1
    except (Missing, BadTree):  # collected, or the name meant a file then
        return {}
    return counts


def _entry(dataset: Dataset, gathered: Gathered, url: str | None) -> Entry:
    if dataset.kind == "file":
        return Entry(blob=gathered.digest, size=gathered.size, url=url)
    return Entry(tree=gathered.digest, size=gathered.size, files=gathered.files, url=url)


def ignore(dataset: Dataset) -> None:
    """Tell git to leave the dataset's files alone, in the `.gitignore` of the folder that they lie in."""
    if dataset.kind == "glob":
        folder, pattern = dataset.base, dataset.name.removeprefix(f"{fixed_part(dataset.name)}/")
    else:
        place = dataset.root / dataset.name
        folder = place.parent
        pattern = "".join(f"\\{sign}" if sign in "*?[\\" else sign for sign in place.name)
        pattern = f"{pattern[:-1]}\\ " if pattern.endswith(" ") else pattern
    _add_line(folder / ".gitignore", f"/{pattern}")


def _add_line(path: Path, line: str) -> None:
    text = path.read_text("utf-8") if path.exists() else ""
    if line in text.splitlines():
        return
    if text and not text.endswith("\n"):
        text += "\n"
    replace_text(path, f"{text}{line}\n")
