"""What a serialiser is, and how the right one is found."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from solvent.foundation.errors import UsageError
from solvent.lineage.digests import Digest
from solvent.lineage.entities import ArtifactType
from solvent.pipeline import serialisers

if TYPE_CHECKING:
    from solvent.store.objects import ObjectStore

GROUP = "solvent.plugins"
PREFIX = "serialiser."


class BadPlugin(UsageError):
    code = "bad-plugin"


class UnknownFormat(UsageError):
    code = "unknown-format"


class Saved(NamedTuple):
    """A value ready to be stored. payload: bytes, a file, or a folder; note: a warning for people."""

    payload: bytes | Path
    content: Digest
    about: dict[str, Any]
    note: str = ""


class Stored(NamedTuple):
    """An artifact to be read. scratch: a folder of the running step's own.

    data: its bytes where they were handed over; they may not be stored yet.
    """

    digest: Digest
    about: dict[str, Any]
    objects: ObjectStore
    scratch: Path
    project_modules: frozenset[str] = frozenset()
    data: bytes | None = None

    def read(self) -> bytes:
        return self.objects.read(self.digest) if self.data is None else self.data

    def path(self) -> Path:
        """A verified local file, to be scanned and never changed."""
        if self.data is not None:
            handed = self.scratch / self.digest
            handed.write_bytes(self.data)
            return handed
        place = self.objects.path(self.digest)
        stat = place.stat()
        stamp = (self.digest, stat.st_size, stat.st_mtime_ns, stat.st_ino)
        if stamp not in _verified:
            place = self.objects.checked_path(self.digest)
            stat = place.stat()
            _verified.add((self.digest, stat.st_size, stat.st_mtime_ns, stat.st_ino))
        return place


_verified: set[tuple[str, int, int, int]] = set()  # files that this process has compared with their digest


class Serialiser(ABC):
    """A family of types with one format on disk.

    order: lower is asked first when a value decides. formats: what it reads.
    """

    format: ClassVar[str]
    type: ClassVar[ArtifactType]
    order: ClassVar[int] = 50

    @abstractmethod
    def accepts(self, annotation: str) -> bool:
        """Whether a dotted annotation (without `[…]` for generics other than its own) is of this family."""

    @abstractmethod
    def holds(self, value: Any) -> bool:
        """Whether a value is of this family. May import only what the value's presence has imported."""

    @abstractmethod
    def save(self, value: Any, scratch: Path) -> Saved:
        """Make the bytes. Raises: any SolventError or exception that says why it cannot."""

    @abstractmethod
    def load(self, stored: Stored, annotation: str) -> Any:
        """The value, as the consumer's annotation wants it."""


@cache
def all_serialisers() -> tuple[Serialiser, ...]:
    """Built-in ones and those of plugins, in the order in which they are asked."""
    from importlib.metadata import entry_points

    found: list[Serialiser] = []
    for module in pkgutil.iter_modules(serialisers.__path__, f"{serialisers.__name__}."):
        loaded = importlib.import_module(module.name)
        for value in vars(loaded).values():
            if isinstance(value, type) and issubclass(value, Serialiser) and value.__module__ == module.name:
                found += [value()] if value is not Serialiser else []
    for point in entry_points(group=GROUP):
        if point.name.startswith(PREFIX):
            found.append(_plugin(point))
    return tuple(sorted(found, key=lambda s: (s.order, s.format)))


def _plugin(point: Any) -> Serialiser:
    try:
        made = point.load()()
    except Exception as error:
        raise BadPlugin(f"the plugin `{point.value}` cannot be loaded: {error}", next="update or remove it") from error
    if not isinstance(made, Serialiser):
        raise BadPlugin(f"the plugin `{point.value}` is no Serialiser", next="update or remove it")
    return made


def for_annotation(annotation: str) -> Serialiser | None:
    """The serialiser that an annotation chooses; None where only the value can say."""
    if (
        annotation in ("", "typing.Any", "object", "None")
        or " | " in annotation
        or annotation.startswith("typing.Optional[")
    ):
        return None
    return next((s for s in all_serialisers() if s.accepts(annotation)), None)


def for_value(value: Any) -> Serialiser:
    """The first serialiser that holds a value; pickle holds anything."""
    return next(s for s in all_serialisers() if s.holds(value))


def for_format(format: str) -> Serialiser:
    """The serialiser that reads a format. Raises: UnknownFormat."""
    found = next((s for s in all_serialisers() if s.format == format), None)
    if found is None:
        raise UnknownFormat(f"no serialiser reads `{format}`", next="install the plugin that wrote it")
    return found


def outer(annotation: str) -> str:
    """`dict` of `dict[str, float]`."""
    return annotation.partition("[")[0]
