"""`dict[str, float]`: a step's figures, kept as JSON and recorded with its run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from solvent.lineage.digests import canonical, digest_of
from solvent.lineage.entities import ArtifactType
from solvent.pipeline.serialisers.base import Saved, Serialiser, Stored

ANNOTATIONS = {
    f"{outer}[str, {inner}]"
    for outer in ("dict", "typing.Dict", "collections.abc.Mapping", "typing.Mapping")
    for inner in ("float", "int", "float | int", "int | float")
}


class Metrics(Serialiser):
    format = "metrics"
    type = ArtifactType.METRICS
    order = 30

    def accepts(self, annotation: str) -> bool:
        return annotation in ANNOTATIONS

    def holds(self, value: Any) -> bool:
        return (
            isinstance(value, dict)
            and bool(value)
            and all(isinstance(k, str) and is_number(v) for k, v in value.items())
        )

    def save(self, value: Any, _scratch: Path) -> Saved:
        data = canonical({name: _plain(figure) for name, figure in value.items()})
        return Saved(data, digest_of(data), {"metrics": sorted(value)})

    def load(self, stored: Stored, _annotation: str) -> Any:
        return {name: float("nan") if v is None else float(v) for name, v in msgspec.json.decode(stored.read()).items()}


def is_number(value: Any) -> bool:
    """A plain number or a NumPy scalar that is one; a truth value is none."""
    return hasattr(value, "__float__") and hasattr(value, "__round__") and not isinstance(value, bool | str)


def _plain(value: Any) -> float | str | None:
    """JSON knows no NaN, which is written as null, and no infinity, which is written as text."""
    figure = float(value)
    if math.isnan(figure):
        return None
    return figure if math.isfinite(figure) else str(figure)
