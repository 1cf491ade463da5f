"""One row that a version can answer: to warm it up, and for the line that an endpoint prints when it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from solvent.lineage.entities import ModelVersion

if TYPE_CHECKING:
    from solvent.store import Store


def example_row(store: Store, version: ModelVersion) -> dict[str, Any]:
    """Values by feature: the first row of the version's reference, else nulls. No id and no time: a new case, now."""
    features = version.signature.get("order", [])
    if version.reference is None or not store.objects.exists(version.reference):
        return dict.fromkeys(features)
    row = pl.read_parquet(store.objects.path(version.reference), n_rows=1).row(0, named=True)
    return {name: row.get(f"f_{name}") for name in features}


def example_body(row: dict[str, Any]) -> str:
    """The row as a body for `/invocations`, safe between single quotes of a shell."""
    return msgspec.json.encode({"dataframe_records": [row]}).decode().replace("'", "'\\''")
