"""Frames as tables, and tables as the canonical Parquet of a segment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from io import BytesIO
from types import NoneType
from typing import Any

import numpy as np
import polars as pl

from solvent.store.log.columns import OUTCOMES, PREDICTIONS, decode

INSTANT = pl.Datetime("us", "UTC")
SCHEMAS: dict[str, dict[str, pl.DataType]] = {
    PREDICTIONS: {
        "prediction_id": pl.String(),
        "request_id": pl.String(),
        "event_time": INSTANT,
        "answered_at": INSTANT,
        "version": pl.Int32(),
        "output": pl.Float64(),
        "output_classes": pl.List(pl.Float64()),
        "flags": pl.List(pl.String()),
    },
    OUTCOMES: {
        "prediction_id": pl.String(),
        "label": pl.Float64(),
        "happened_at": INSTANT,
        "known_at": INSTANT,
        "recorded_at": INSTANT,
        "revision": pl.Int32(),
    },
}
TIME = {PREDICTIONS: "event_time", OUTCOMES: "known_at"}  # what a segment's range and order are about
ROW_GROUP = 131_072
_INT64 = 1 << 63


def from_frames(kind: str, payloads: Iterable[bytes]) -> pl.DataFrame:
    """The rows of frames in order of writing: the kind's columns, then features by name.

    A feature that some frames lack is null there.
    """
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMAS[kind]}
    rows = 0
    for payload in payloads:
        batch = decode(payload)
        for name, values in batch.items():
            column = columns.setdefault(name, [])
            if len(column) < rows:
                column.extend([None] * (rows - len(column)))
            column.extend(values)
        rows += len(batch["prediction_id"])
    for column in columns.values():
        column.extend([None] * (rows - len(column)))
    fixed = [_fixed(name, columns.pop(name), dtype) for name, dtype in SCHEMAS[kind].items()]
    return pl.DataFrame(fixed + [_inferred(name, columns[name]) for name in sorted(columns)])


def to_parquet(kind: str, table: pl.DataFrame, about: Mapping[str, str]) -> bytes:
    """The bytes of a segment: equal rows and `about` give equal bytes."""
    buffer = BytesIO()
    table.sort(TIME[kind], maintain_order=True).write_parquet(
        buffer,
        compression="zstd",
        compression_level=3,
        row_group_size=ROW_GROUP,
        statistics=True,
        metadata=dict(about),
    )
    return buffer.getvalue()


def has_duplicates(ids: pl.Series) -> bool:
    """Whether any text is there twice. Ten times quicker than comparing texts where, as a rule, none is.

    >>> has_duplicates(pl.Series(["a", "b"])), has_duplicates(pl.Series(["a", "b", "a"]))
    (False, True)
    """
    hashes = np.sort(ids.hash().to_numpy())
    return bool((hashes[1:] == hashes[:-1]).any() and ids.is_duplicated().any())


def _fixed(name: str, values: list[Any], dtype: pl.DataType) -> pl.Series:
    if isinstance(dtype, pl.Datetime):
        return pl.Series(name, values, pl.Int64).cast(dtype)
    return pl.Series(name, values, dtype, strict=False)  # an integer is a fine Float64


def _inferred(name: str, values: list[Any]) -> pl.Series:
    """A feature's values in the smallest type that holds all of them."""
    types = set(map(type, values)) - {NoneType}
    dtype = common([_TYPES[found] for found in types])
    if dtype == pl.Int64 and not all(value is None or -_INT64 <= value < _INT64 for value in values):
        dtype = pl.Float64()
    if dtype == pl.Float64 and types != {float}:
        values = [None if value is None else float(value) for value in values]
    if dtype == pl.String and types != {str}:
        values = [None if value is None else str(value) for value in values]
    return pl.Series(name, values, dtype)


def common(dtypes: Iterable[pl.DataType]) -> pl.DataType:
    """The type that holds the values of all; text where types do not mix.

    >>> common([pl.Int64(), pl.Null(), pl.Float64()])
    Float64
    """
    found = set(dtypes) - {pl.Null()}
    if not found:
        return pl.Null()
    if len(found) == 1:
        return found.pop()
    if found <= {pl.Boolean(), pl.Int64(), pl.Float64()}:
        return pl.Float64() if pl.Float64() in found else pl.Int64()
    return pl.String()


_TYPES: dict[type, pl.DataType] = {
    bool: pl.Boolean(),
    int: pl.Int64(),
    float: pl.Float64(),
    str: pl.String(),
    datetime: INSTANT,
}
