"""Two datasets named by a person: which files they are, and what differs between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from solvent.data.compare.files import compare_files
from solvent.data.compare.model import FilesDiff, TableDiff
from solvent.data.versions.lockfile import read_lock
from solvent.data.versions.naming import Dataset, UnknownDataset, find_dataset, find_name
from solvent.data.versions.references import Reference, resolve
from solvent.data.versions.tree import walk_files
from solvent.foundation.errors import UsageError
from solvent.lineage.digests import Digest
from solvent.pipeline.fingerprint import file_digest
from solvent.pipeline.sources import FORMATS

if TYPE_CHECKING:
    import polars as pl

    from solvent.project import Project
    from solvent.store.objects import ObjectStore


class NoData(UsageError):
    code = "no-data"


class DataFile(NamedTuple):
    """One file of a side. path: where its bytes are now."""

    path: Path
    digest: Digest
    size: int


class DataSide(NamedTuple):
    """One side of a comparison. files: by path relative to the folder; one file stands under its own name."""

    name: str
    folder: bool
    files: dict[str, DataFile]

    @property
    def listing(self) -> dict[str, tuple[Digest, int]]:
        return {name: (file.digest, file.size) for name, file in self.files.items()}

    @property
    def tabular(self) -> bool:
        """Whether all files are tables that a reader knows."""
        return bool(self.files) and all(Path(name).suffix.lower() in FORMATS for name in self.files)


class DataDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two datasets. files: where a side is a folder. table: where both are tables."""

    left: str
    right: str
    equal: bool
    files: FilesDiff | None = None
    table: TableDiff | None = None


def read_side(text: str, base: Path, project: Project | None = None) -> DataSide:
    """A file or folder by its path, `NAME@2` (the second version of a dataset) or `NAME@REV` (its version in git).

    NAME: a dataset's path in the project, or the end of it where that is unique. Hidden files do not count.
    Raises: NoData, what `resolve` raises, Missing (a version whose bytes are not in the store).
    """
    place = base / text
    if place.is_file():
        return DataSide(text, False, {place.name: _file(place)})
    if place.is_dir():
        names = {p.relative_to(place): p for p in sorted(place.rglob("*")) if p.is_file()}
        shown = {name: p for name, p in names.items() if not any(part.startswith(".") for part in name.parts)}
        return DataSide(text, True, {name.as_posix(): _file(p) for name, p in shown.items()})
    if project is None:
        raise NoData(f"no file or folder `{text}`", where=str(base), next="give a path to a table, a file or a folder")
    if "@" not in text:  # the working copy of a dataset
        known = [*read_lock(project.root), *(version.name for version in project.store.facts.datasets())]
        try:
            name = find_name(text, list(dict.fromkeys(known)), project.root)
        except UnknownDataset as error:
            raise NoData(f"no file, folder or dataset `{text}`", where=str(base), next=error.next) from error
        return _working(find_dataset(name, project.root))
    reference = resolve(text, project.root, project.store.facts)
    return _kept(project.store.objects, reference)


def _working(dataset: Dataset) -> DataSide:
    """What lies in the project's folder under a dataset's name."""
    if dataset.kind != "glob":
        return read_side(dataset.name, dataset.root)
    names = {p.relative_to(dataset.base).as_posix(): p for p in sorted(dataset.base.rglob("*")) if p.is_file()}
    wanted = {name: p for name, p in names.items() if dataset.pattern is None or dataset.pattern.fullmatch(name)}
    return DataSide(dataset.name, True, {name: _file(p) for name, p in wanted.items()})


def _kept(objects: ObjectStore, reference: Reference) -> DataSide:
    """A version's files as they lie in the store."""
    digest, name = reference.digest, Path(reference.dataset.name).name
    if reference.dataset.kind == "file":
        place = objects.path(digest)
        return DataSide(reference.label, False, {name: DataFile(place, digest, place.stat().st_size)})
    found = walk_files(digest, objects.read)
    return DataSide(
        reference.label, True, {path: DataFile(objects.path(f.digest), f.digest, f.size) for path, f in found}
    )


def _file(path: Path) -> DataFile:
    return DataFile(path, file_digest(path), path.stat().st_size)


def compare_data(left: DataSide, right: DataSide, *, key: Sequence[str] = ()) -> DataDiff:
    """Files by digest; where both sides are tables, also columns, rows and values.

    Raises: UnknownKey, KeyRepeats, BadSource (a file that cannot be read), NoData (a key, and no tables).
    """
    folders = left.folder or right.folder
    files = compare_files(left.listing, right.listing) if folders else None
    digests = [sorted(file.digest for file in side.files.values()) for side in (left, right)]
    same = digests[0] == digests[1]
    if key and not (left.tabular and right.tabular):
        raise NoData("a key needs tables on both sides", next=f"known tables: {', '.join(FORMATS)}")
    if same or not (left.tabular and right.tabular):
        return DataDiff(left=left.name, right=right.name, equal=same and (files is None or files.equal), files=files)
    from solvent.data.compare.tables import compare_tables

    table = compare_tables(open_table(left), open_table(right), key=key)
    equal = table.equal and (files is None or files.equal)
    return DataDiff(left=left.name, right=right.name, equal=equal, files=files, table=table)


def open_table(side: DataSide) -> pl.LazyFrame:
    """All files of a side as one table: Parquet and Arrow are scanned, text is read whole. Raises: BadSource."""
    import polars as pl

    from solvent.pipeline.reading import read_file

    frames = []
    for name, file in side.files.items():
        match FORMATS[Path(name).suffix.lower()]:
            case "parquet":
                frames.append(pl.scan_parquet(file.path, glob=False))
            case "ipc":
                frames.append(pl.scan_ipc(file.path))
            case "jsonl":
                frames.append(read_file(file.path, name, side.name).lazy())
            case _:
                frames.append(text_table(file.path, name).lazy())
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")


def text_table(path: Path, name: str) -> pl.DataFrame:
    """A file of text in whatever dialect, its times as times. name: as people know it. Raises: NoData."""
    import polars as pl

    from solvent.data.textfile import TEXT, kind_of, numbers_in, read_text
    from solvent.data.times import with_times

    said = list[str]()  # a comparison states no assumptions
    try:
        return with_times(numbers_in(read_text(path, TEXT[kind_of(name)], said), said))
    except (pl.exceptions.PolarsError, OSError, EOFError) as error:
        raise NoData(f"{name} cannot be read: {str(error).partition(chr(10))[0][:160]}") from None
