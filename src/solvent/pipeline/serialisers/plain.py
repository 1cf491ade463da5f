"""Plain values (text, numbers, truth values, lists and dicts of them) as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from solvent.lineage.digests import canonical, digest_of
from solvent.lineage.entities import ArtifactType
from solvent.pipeline.serialisers.base import Saved, Serialiser, Stored, outer

ANNOTATIONS = {"str", "int", "float", "bool", "list", "dict", "typing.List", "typing.Dict", "None"}


class PlainValues(Serialiser):
    format = "json"
    type = ArtifactType.ANY
    order = 40

    def accepts(self, annotation: str) -> bool:
        return outer(annotation) in ANNOTATIONS

    def holds(self, value: Any) -> bool:
        """Only what JSON gives back exactly: no tuples, no keys that are numbers, no NaN."""
        try:
            return same(msgspec.json.decode(canonical(value)), value)
        except (TypeError, ValueError, OverflowError, RecursionError):
            return False

    def save(self, value: Any, _scratch: Path) -> Saved:
        data = canonical(value)
        return Saved(data, digest_of(data), {"python": type(value).__name__})

    def load(self, stored: Stored, _annotation: str) -> Any:
        return msgspec.json.decode(stored.read())


def same(decoded: Any, value: Any) -> bool:
    """Equal in value and in type, all the way down."""
    if type(decoded) is not type(value):
        return False
    if isinstance(value, list):
        return len(decoded) == len(value) and all(map(same, decoded, value))
    if isinstance(value, dict):
        return decoded.keys() == value.keys() and all(same(decoded[k], v) for k, v in value.items())
    return bool(decoded == value)
