"""What a checkout has to do: two versions and what lies there, set against each other. Pure but for reading trees."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

import msgspec

from solvent.data.versions.naming import Dataset
from solvent.data.versions.state import LocalFile
from solvent.data.versions.tree import Difference, FileChange, FileEntry, compare
from solvent.lineage.digests import Digest
from solvent.store.objects import Missing, ObjectStore


class Plan(msgspec.Struct):
    """write: paths and what belongs there; remove: files that only the version before has; extra: files of no version.

    conflicts: files that differ from both versions, or stand in the way of a folder; `lost` and `over` are
    what is removed and written in their place when they may go.
    """

    write: list[tuple[str, FileEntry]] = []
    remove: list[str] = []
    extra: list[str] = []
    conflicts: list[str] = []
    lost: list[str] = []
    over: list[tuple[str, FileEntry]] = []

    def forced(self) -> Plan:
        """The same where local changes may be lost: afterwards the version's files are there and no other."""
        lost = [*self.lost, *self.extra]
        return Plan(write=self.write + self.over, remove=self.remove + lost)

    def resumed(self, ours: Collection[str]) -> Plan:
        """The same where these files are what a checkout that was killed put there: nothing is lost with them."""
        return Plan(
            write=self.write + [one for one in self.over if one[0] in ours],
            remove=self.remove + [path for path in (*self.lost, *self.extra) if path in ours],
            extra=[path for path in self.extra if path not in ours],
            conflicts=[path for path in self.conflicts if path not in ours],
            lost=[path for path in self.lost if path not in ours],
            over=[one for one in self.over if one[0] not in ours],
        )


def differences(dataset: Dataset, before: Digest | None, after: Digest, objects: ObjectStore) -> Iterator[FileChange]:
    """The files that differ between the version that lies there and the one that is wanted. Raises: Missing."""
    if dataset.kind == "file":
        name = PurePosixPath(dataset.name).name
        old, new = (FileEntry(name, d, objects.size(d) or 0) if d else None for d in (before, after))
        if old != new:
            yield FileChange(name, Difference.CHANGED if old else Difference.ADDED, old, new)
        return
    readable = before is not None and objects.exists(before)
    yield from compare(before if readable else None, after, objects.read)


def make_plan(changes: Iterable[FileChange], local: Mapping[str, LocalFile], objects: ObjectStore) -> Plan:
    """What to do so that the wanted version lies there.

    changes: between the version before and the wanted one; local: what differs from the version before.
    Raises: Missing, where a file must be restored whose bytes are not here.
    """
    plan, rest = Plan(), dict(local)
    for change in changes:
        mine = rest.pop(change.path, None)
        _one(plan, change, mine)
    for path, mine in rest.items():  # in both versions alike, or in none
        if mine.before is None:
            plan.extra.append(path)
            continue
        entry = _entry(path, mine.before, objects)
        if mine.now is None:
            plan.write.append((path, entry))
        else:
            plan.conflicts.append(path)
            plan.over.append((path, entry))
    _clear_the_way(plan)
    return plan


def _one(plan: Plan, change: FileChange, mine: LocalFile | None) -> None:
    now = mine.now if mine else (change.before.digest if change.before else None)
    if change.after is None:
        if now is None:
            return
        if mine is None:
            plan.remove.append(change.path)
        else:
            plan.conflicts.append(change.path)
            plan.lost.append(change.path)
    elif now == change.after.digest:
        return
    elif now is None or mine is None:
        plan.write.append((change.path, change.after))
    else:
        plan.conflicts.append(change.path)
        plan.over.append((change.path, change.after))


def _clear_the_way(plan: Plan) -> None:
    """A file of no version that stands where a folder must be, or below where a file must be, is a conflict."""
    if not plan.extra:
        return
    wanted = {path for path, _ in (*plan.write, *plan.over)}
    folders = {str(parent) for path in wanted for parent in PurePosixPath(path).parents}
    blocking = [
        path for path in plan.extra if path in folders or not wanted.isdisjoint(map(str, PurePosixPath(path).parents))
    ]
    plan.conflicts += blocking


def _entry(path: str, digest: Digest, objects: ObjectStore) -> FileEntry:
    size = objects.size(digest)
    if size is None:
        raise Missing(digest, path)
    return FileEntry(PurePosixPath(path).name, digest, size)
