"""A `Path` that a step returns: the file's bytes as they are, or a folder as a tree."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from solvent.data.versions.tree import tree_of, walk_files
from solvent.lineage.entities import ArtifactType
from solvent.pipeline.errors import Unserialisable
from solvent.pipeline.fingerprint import file_digest
from solvent.pipeline.serialisers.base import Saved, Serialiser, Stored, outer


class Files(Serialiser):
    format = "file"
    type = ArtifactType.ANY
    order = 15

    def accepts(self, annotation: str) -> bool:
        return outer(annotation) in ("pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath")

    def holds(self, value: Any) -> bool:
        return isinstance(value, Path)

    def save(self, value: Any, _scratch: Path) -> Saved:
        path = Path(value)
        if path.is_dir():
            tree = tree_of({name: (file_digest(p), p.stat().st_size) for name, p in folder_files(path).items()})
            return Saved(path, tree.digest, {"name": path.name, "tree": True})
        if not path.is_file():
            raise Unserialisable(
                f"the returned path `{path}` does not exist", next="write the file before returning it"
            )
        return Saved(path, file_digest(path), {"name": path.name})

    def load(self, stored: Stored, _annotation: str) -> Any:
        """A copy of the step's own, under the name that the producer gave it."""
        target = stored.scratch / stored.digest[:12] / (stored.about.get("name") or "file")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not stored.about.get("tree"):
            shutil.copyfile(stored.path(), target)
            return target
        target.mkdir(exist_ok=True)
        for name, member in walk_files(stored.digest, stored.objects.read):
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(stored._replace(digest=member.digest).path(), place)
        return target


def folder_files(folder: Path) -> dict[str, Path]:
    """Relative POSIX path → file, for every file below a folder."""
    return {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
