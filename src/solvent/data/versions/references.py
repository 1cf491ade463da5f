"""What people call a version: `NAME`, `NAME@2`, `NAME@GIT-REVISION`; NAME is a path, or the end of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from solvent.data.versions.lockfile import NAME, Entry, lock_of_revision, read_lock
from solvent.data.versions.naming import Dataset, find_name, locked_dataset
from solvent.foundation.errors import UsageError
from solvent.lineage.digests import Digest

if TYPE_CHECKING:
    from solvent.lineage.entities import DatasetVersion
    from solvent.store.facts import Facts


class UnknownVersion(UsageError):
    """The dataset has no such version."""

    code = "unknown-version"


class Reference(NamedTuple):
    """A version of a dataset. label: as people call it."""

    dataset: Dataset
    digest: Digest
    label: str


def resolve(text: str, root: Path, facts: Facts) -> Reference:
    """The version that a person means; without one, what solvent.lock says.

    Raises: UnknownDataset, UnknownVersion, UnknownRevision, BadLock.
    """
    entries = read_lock(root)
    written, at, which = text.rpartition("@")
    if not at or text in entries:
        name = find_name(text, entries, root)
        return Reference(locked_dataset(name, entries[name], root), entries[name].digest, name)
    if which.isdigit():
        name = find_name(written, {*entries, *(version.name for version in facts.datasets())}, root)
        version = _numbered(name, int(which), facts)
        return Reference(_dataset(version, entries.get(name), root, facts), version.artifact, f"{name}@{which}")
    then = lock_of_revision(root, which)
    name = find_name(written, then, root, f"{NAME} of {which}")
    return Reference(locked_dataset(name, then[name], root), then[name].digest, f"{name}@{which}")


def _numbered(name: str, number: int, facts: Facts) -> DatasetVersion:
    found = facts.dataset_version(name, number)
    if found is None:
        newest = facts.dataset_versions(name)
        last = f"its newest is {name}@{newest[-1].number}" if newest else "nobody added it here"
        raise UnknownVersion(f"no version {number} of `{name}`: {last}", next=f"`solvent data history {name}`")
    return found


def _dataset(version: DatasetVersion, entry: Entry | None, root: Path, facts: Facts) -> Dataset:
    artifact = facts.artifact(version.artifact)
    tree = bool(artifact and artifact.about.get("tree"))
    made = Entry(tree=version.artifact, size=version.size) if tree else Entry(blob=version.artifact, size=version.size)
    return locked_dataset(version.name, entry if entry and bool(entry.tree) == tree else made, root)


def versions_of(name: str, root: Path, facts: Facts) -> list[DatasetVersion]:
    """All versions of a dataset, oldest first. Raises: UnknownDataset."""
    known: Mapping[str, object] = {**read_lock(root), **{version.name: version for version in facts.datasets()}}
    return facts.dataset_versions(find_name(name, known, root))
