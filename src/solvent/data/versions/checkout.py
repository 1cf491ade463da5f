"""`data checkout`: a version's files into the project's folder, and nothing that would be lost over them.

Files are written beside the dataset first, synced, then renamed into place; only what
differs is written. A dataset that is not there yet appears at once. A checkout that was
killed left files of the old version and of the one that it was on the way to, which it
had written down, so the next one goes on from there.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from solvent.data.versions.adding import WAIT
from solvent.data.versions.differences import Plan, differences, make_plan
from solvent.data.versions.lockfile import replace_text
from solvent.data.versions.naming import BadDataset, Dataset
from solvent.data.versions.statcache import FINE_TICK, Known, StatFile, StatWriter, cache_place
from solvent.data.versions.state import Base, LocalFile, Look
from solvent.data.versions.tree import FileEntry, walk_files, walk_folders
from solvent.data.versions.walking import list_folder
from solvent.foundation.errors import Refusal
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest
from solvent.store import disk
from solvent.store.bulk import Link, Stamp, Wrong
from solvent.store.gathering import FEW
from solvent.store.helpers import Helpers
from solvent.store.objects import Corrupt, Missing

if TYPE_CHECKING:
    from solvent.store import Store

BATCH = 256  # files that a helper is given at least
SHOWN = 5  # names in an error
NEVER = Stamp(0, 0, 0, 0)  # of no file: what has it is read again


class LocalChanges(Refusal):
    """Files would be lost that no version has."""

    code = "local-changes"

    def __init__(self, name: str, paths: list[str]) -> None:
        more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
        super().__init__(
            f"local changes would be lost: {', '.join(sorted(paths)[:SHOWN])}{more}",
            where=name,
            next=f"`solvent data add {name}` keeps them, `--force` overwrites them",
        )


class CheckedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkout did. left: files that belong to no version and were left where they are."""

    name: str
    digest: Digest
    files: int
    written: int
    removed: int
    left: list[str] = []


def checkout(dataset: Dataset, target: Digest, store: Store, *, force: bool = False, link: Link = "copy") -> CheckedOut:
    """Make a dataset's files those of a version.

    target: digest of its file or topmost tree. force: overwrite local changes, remove files of no version.
    Raises: LocalChanges, Missing, Corrupt, BadDataset, Busy, OSError.
    """
    with store.lease(f"data {dataset.name}", wait=WAIT):
        place, began_ns = cache_place(store.root, dataset.name), time.time_ns()
        if dataset.kind == "folder" and not any(_names(dataset.base)):
            plan = Plan()
            written, written_ns = _appear(dataset, target, store, link)
        else:
            with StatFile(place) as known:
                if known.digest and not store.objects.exists(known.digest):
                    known.forget()  # its trees are gone: what lies there is anybody's
                base = Base(known)
                look = Look(dataset, base, exact=True)
                local = {file.path: file for file in look.changed() if file.now != file.before}
                plan = make_plan(differences(dataset, base.digest, target, store.objects), local, store.objects)
                plan = plan.resumed(_put_by_killed(dataset, _going(place), local, store))
            if plan.conflicts and not force:
                raise LocalChanges(dataset.name, plan.conflicts)
            plan = plan.forced() if force else plan
            disk.make_folder(place.parent)
            replace_text(_going(place), target)
            written, written_ns = _change(dataset, plan, store, link)
        files = _remember(dataset, target, store, written_ns if written else began_ns)
        _going(place).unlink(missing_ok=True)
    return CheckedOut(
        name=dataset.name,
        digest=target,
        files=files,
        written=written,
        removed=len(plan.remove),
        left=plan.extra,
    )


def _going(place: Path) -> Path:
    """Where a checkout says which version it is on the way to, until it is there."""
    return place.with_name(f"{place.name}.going")


def _put_by_killed(dataset: Dataset, going: Path, local: Mapping[str, LocalFile], store: Store) -> set[str]:
    """Paths at which a checkout that was killed put a file of the version that it was on the way to."""
    if not local or not going.exists():
        return set()
    target = Digest(going.read_text())
    if not store.objects.exists(target):
        return set()
    wanted = {
        f"{path}/{entry.name}" if path else entry.name: entry.digest
        for path, entries in _folders(dataset, target, store)
        for entry in entries
    }
    return {path for path, file in local.items() if file.now is not None and file.now == wanted.get(path)}


def _appear(dataset: Dataset, target: Digest, store: Store, link: Link) -> tuple[int, int]:
    """Write all of a folder, then let it appear under its name. Returns: files written, and when the last was."""
    with _staging(dataset, store) as staging:
        whole = staging / "whole"
        disk.make_folder(whole)

        def items() -> Iterator[tuple[str, FileEntry]]:
            folder = ""
            for path, entry in walk_files(target, store.objects.read):
                parent = path.rpartition("/")[0]
                if parent != folder:
                    disk.make_folder(whole / parent)
                    folder = parent
                yield f"{whole}/{path}", entry

        written, written_ns = _write(items(), store, link), time.time_ns()
        _sync(whole, written)
        disk.make_folder(dataset.base.parent)
        disk.replace(whole, dataset.base)
        disk.sync_folder(dataset.base.parent)
    return written, written_ns


def _change(dataset: Dataset, plan: Plan, store: Store, link: Link) -> tuple[int, int]:
    """Write what differs beside the dataset, then rename and remove file by file. Returns: as above."""
    with _staging(dataset, store) as staging:
        numbered = ((f"{staging}/{number}", entry) for number, (_, entry) in enumerate(plan.write))
        written, written_ns = _write(numbered, store, link), time.time_ns()
        if written:
            _sync(staging, written)
        touched, made = set[Path](), set[Path]()
        for path in plan.remove:
            disk.unlink(dataset.base / path)
            touched.add((dataset.base / path).parent)
        _remove_empty(dataset, touched)
        for number, (path, _) in enumerate(plan.write):
            place = dataset.base / path
            if place.parent not in made:
                disk.make_folder(place.parent)
                made.add(place.parent)
            disk.replace(f"{staging}/{number}", place)
        touched |= made
        if len(touched) <= FEW or not disk.sync_file_system(dataset.base):
            for folder in sorted(folder for folder in touched if folder.is_dir()):
                disk.sync_folder(folder)
    return written, written_ns


def _write(items: Iterable[tuple[str, FileEntry]], store: Store, link: Link) -> int:
    """New files with the bytes of objects. Returns: how many. Raises: Missing, Corrupt, BadDataset, OSError."""
    objects = str(store.objects.root)

    def batches() -> Iterator[list[tuple[Any, ...]]]:
        """Whole folders where they are small: two processes that make files in one folder wait for each other."""
        batch: list[tuple[Any, ...]] = []
        for _, folder in groupby(items, key=lambda item: item[0].rpartition("/")[0]):
            for path, entry in folder:
                batch.append((entry.digest, entry.size, objects, path, link))
                if len(batch) >= 4 * BATCH:
                    yield batch
                    batch = []
            if len(batch) >= BATCH:
                yield batch
                batch = []
        yield batch

    try:
        with Helpers() as helpers:
            return sum(len(answers) for answers in helpers.map("give", batches()))
    except Wrong as error:
        digest = Digest(str(error))
        raise Corrupt(digest, str(store.objects.path(digest)), "they were compared when it was copied") from None
    except FileNotFoundError as error:
        name = Path(str(error.filename)).name
        raise Missing(Digest(name), objects) from None
    except FileExistsError as error:
        raise BadDataset(
            "this file system takes two of its names for one",
            where=Path(str(error.filename)).name,
            next="names that differ in case alone need a file system that tells them apart",
        ) from None


def _sync(folder: Path, count: int) -> None:
    """Everything written below a folder is on the medium."""
    if count > FEW and disk.sync_file_system(folder):
        return
    for place, _, names in os.walk(folder):
        for name in names:
            descriptor = os.open(f"{place}/{name}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                disk.sync(descriptor)
            finally:
                os.close(descriptor)
        disk.sync_folder(Path(place))


@contextmanager
def _staging(dataset: Dataset, store: Store) -> Iterator[Path]:
    """A folder on the dataset's file system, gone afterwards: in the store's staging where that is on the same."""
    above = next(folder for folder in (dataset.base, *dataset.base.parents) if folder.is_dir())
    disk.make_folder(store.objects.staging)
    same = above.stat().st_dev == store.objects.staging.stat().st_dev
    folder = store.objects.staging / uuid7() if same else dataset.root / f".solvent-{uuid7()}"
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        disk.make_folder(folder)
        yield folder


def _remove_empty(dataset: Dataset, folders: Iterable[Path]) -> None:
    """Remove folders that hold nothing any more, and those above them, up to the dataset's own."""
    for folder in sorted(folders, reverse=True):
        place = folder
        while place != dataset.base and dataset.kind == "folder" and place.is_dir() and not any(place.iterdir()):
            place.rmdir()
            place = place.parent


def _names(folder: Path) -> Iterator[str]:
    return (entry.name for entry in folder.iterdir()) if folder.is_dir() else iter([folder.name] * folder.is_file())


def _remember(dataset: Dataset, target: Digest, store: Store, written_ns: int) -> int:
    """Make the stat cache that of the version, as its files lie there now. Returns: files of the version.

    written_ns: when the last of them was written; one that changed later is read again by the next status.
    """
    time.sleep(FINE_TICK / 1e9)  # all that was written has settled: the next status need not read it
    count = 0
    with StatWriter(cache_place(store.root, dataset.name)) as writer:
        for path, entries in _folders(dataset, target, store):
            seen_ns = time.time_ns()
            here = dict(list_folder(dataset, path).files)
            rows = [(e.name, _settled(here.get(e.name), e, written_ns), e.digest) for e in entries]
            writer.add(path, Known.of(rows, seen_ns))
            count += len(rows)
        writer.finish(target)
    return count


def _folders(dataset: Dataset, target: Digest, store: Store) -> Iterator[tuple[str, list[FileEntry]]]:
    if dataset.kind == "file":
        return iter([("", [FileEntry(Path(dataset.name).name, target, store.objects.size(target) or 0)])])
    return walk_folders(target, store.objects.read)


def _settled(found: Stamp | None, entry: FileEntry, written_ns: int) -> Stamp:
    same = found is not None and found.size == entry.size and found.mtime_ns <= written_ns
    return found if found is not None and same else NEVER
