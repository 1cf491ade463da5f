"""Anything else: cloudpickle, with a note, since only code that we trust may be unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from solvent.lineage.digests import digest_of
from solvent.lineage.entities import ArtifactType
from solvent.pipeline.errors import Unserialisable
from solvent.pipeline.serialisers.base import Saved, Serialiser, Stored


class Pickled(Serialiser):
    format = "cloudpickle"
    type = ArtifactType.ANY
    order = 100

    def accepts(self, _annotation: str) -> bool:
        return True

    def holds(self, _value: Any) -> bool:
        return True

    def save(self, value: Any, _scratch: Path) -> Saved:
        import cloudpickle

        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        try:
            data: bytes = cloudpickle.dumps(value)
        except Exception as error:  # any object's own __reduce__ may raise anything
            raise Unserialisable(
                f"a {kind} cannot be kept: {type(error).__name__}: {error}",
                next="return a table, a model, figures or a Path instead",
            ) from error
        note = f"a {kind} is kept by pickle, which other versions may not read and a server never will"
        return Saved(data, digest_of(data), {"python": kind}, note)

    def load(self, stored: Stored, _annotation: str) -> Any:
        import cloudpickle

        return cloudpickle.loads(stored.read())
