"""How far two values of one output are apart: tables, arrays, figures, and models by what they predict."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from solvent.lineage.entities import Artifact
from solvent.pipeline.serialisers.base import Stored, for_format
from solvent.store.objects import ObjectStore

TABLES, MODELS = ("parquet",), ("skops", "cloudpickle")


class Gap(NamedTuple):
    """relative: the largest difference as a share of the largest value; inf where it has no size. said: in words."""

    relative: float
    said: str


class Place(NamedTuple):
    """Where an artifact's value is read from."""

    objects: ObjectStore
    scratch: Path
    modules: frozenset[str]

    def load(self, artifact: Artifact) -> Any:
        annotation = "polars.DataFrame" if artifact.format in TABLES else ""
        stored = Stored(artifact.digest, artifact.about, self.objects, self.scratch, self.modules)
        return for_format(artifact.format).load(stored, annotation)


def gap_between(recorded: Artifact, made: Artifact, then: Place, now: Place, inputs: list[Artifact]) -> Gap | None:
    """The largest difference of two outputs; None where their values cannot be compared.

    inputs: what the step took, as the recorded run had it; a model is asked about the first that has its features.
    """
    if recorded.format != made.format or recorded.format not in ("parquet", "npy", "metrics", *MODELS):
        return None
    old, new = then.load(recorded), now.load(made)
    if isinstance(old, pl.DataFrame):
        return table_gap(old, new)
    if isinstance(old, np.ndarray):
        return array_gap(old, new)
    if isinstance(old, dict):
        return figures_gap(old, new)
    tables = [then.load(artifact) for artifact in inputs if artifact.format in TABLES]
    return model_gap(old, new, tables)


def table_gap(old: pl.DataFrame, new: pl.DataFrame) -> Gap:
    """Column by column, rows in order.

    >>> table_gap(pl.DataFrame({"a": [1.0, 2.0]}), pl.DataFrame({"a": [1.0, 2.5]})).said
    'a by 0.5, row 2'
    """
    if old.schema != new.schema:
        return Gap(math.inf, "other columns or types")
    if old.height != new.height:
        return Gap(math.inf, f"{old.height:,} rows were {new.height:,}")
    gaps = [Gap(0.0, "")]
    for name, dtype in old.schema.items():
        before, after = old[name], new[name]
        if dtype.is_float():
            gap = array_gap(before.to_numpy(), after.to_numpy())
            missing = int((before.is_null() != after.is_null()).sum())
            gaps.append(
                Gap(math.inf, f"{name} missing in other rows") if missing else Gap(gap[0], f"{name} by {gap[1]}")
            )
        else:
            other = before.ne_missing(after)
            if other.any():
                row = int(other.arg_max() or 0)
                said = f"{name} in {int(other.sum()):,} rows, e.g. row {row + 1}: {before[row]} → {after[row]}"
                gaps.append(Gap(math.inf, said))
    return max(gaps, key=lambda gap: gap.relative)


def array_gap(old: np.ndarray[Any, Any], new: np.ndarray[Any, Any]) -> Gap:
    """Two arrays of numbers; a difference counts against the largest finite value."""
    if old.shape != new.shape or old.dtype.kind not in "fiub" or new.dtype.kind not in "fiub":
        return Gap(math.inf, f"shape {list(old.shape)} was {list(new.shape)}")
    before, after = old.astype(np.float64).ravel(), new.astype(np.float64).ravel()
    if not np.array_equal(np.isfinite(before), np.isfinite(after)):
        return Gap(math.inf, "other values are finite")
    finite = np.isfinite(before)
    if not finite.any():
        return Gap(0.0, "0")
    differences = np.where(finite, np.abs(np.where(finite, after, 0) - np.where(finite, before, 0)), 0.0)
    at = int(np.argmax(differences))
    scale = float(np.abs(before[finite]).max()) or 1.0
    return Gap(float(differences[at]) / scale, f"{differences[at]:.3g}, row {at + 1}")


def figures_gap(old: dict[str, Any], new: dict[str, Any]) -> Gap:
    """Two mappings of figures, each figure against its own size."""
    if old.keys() != new.keys():
        return Gap(math.inf, f"other figures: {', '.join(sorted(old.keys() ^ new.keys()))}")
    gaps = [Gap(0.0, "")]
    for name, before in old.items():
        after = new[name]
        if not isinstance(before, int | float) or not isinstance(after, int | float):
            gaps += [] if before == after else [Gap(math.inf, f"{name} {before} → {after}")]
        elif before != after and not (math.isnan(before) and math.isnan(after)):
            size = max(abs(before), abs(after))
            relative = abs(after - before) / size if math.isfinite(size) else math.inf
            gaps.append(Gap(relative, f"{name} {before:.6g} → {after:.6g}"))
    return max(gaps, key=lambda gap: gap.relative)


def model_gap(old: Any, new: Any, tables: list[pl.DataFrame]) -> Gap | None:
    """Two fitted models by what they predict for the rows that the recorded one was made from."""
    names = [str(name) for name in getattr(old, "feature_names_in_", [])]
    table = next((t for t in tables if names and set(names) <= set(t.columns)), None)
    if table is None or not hasattr(old, "predict") or not hasattr(new, "predict"):
        return None
    rows = table.select(names)
    before, after = (np.asarray(model.predict(rows)) for model in (old, new))
    if before.dtype.kind in "fiub":
        gap = array_gap(before, after)
        return Gap(gap.relative, f"predictions by {gap.said}")
    other = int((before != after).sum())
    return Gap(other / max(len(before), 1), f"{other:,} of {len(before):,} predictions")
