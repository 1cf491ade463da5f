"""Tables as Parquet with fixed writer options, and the digest of what a table says.

Two files that hold the same rows in the same order have equal content, however
they are cut into row groups or compressed.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from blake3 import blake3

from solvent.lineage.digests import Digest, canonical

ROW_GROUP = 131_072  # rows; small enough to scan in parallel, large enough to compress


def write_table(table: pl.DataFrame, target: Path | io.BytesIO) -> None:
    """Write Parquet with the options that all our tables share."""
    table.write_parquet(target, compression="zstd", compression_level=3, statistics=True, row_group_size=ROW_GROUP)


def table_bytes(table: pl.DataFrame) -> bytes:
    """`write_table` in memory, for small tables."""
    buffer = io.BytesIO()
    write_table(table, buffer)
    return buffer.getvalue()


def table_about(table: pl.DataFrame) -> dict[str, Any]:
    """What an artifact's `about` says of a table: its row count and its columns with types."""
    return {"rows": table.height, "columns": {name: str(dtype) for name, dtype in table.schema.items()}}


def table_content(table: pl.DataFrame) -> Digest:
    """Digest of a table's column names, types and values in order.

    Missing values count as missing whatever bytes lie under them, all NaN are one,
    categories count by their text. Raises: TypeError for columns of Python objects.
    """
    hasher = blake3(max_threads=blake3.AUTO)
    hasher.update(canonical({"rows": table.height, "columns": [[n, _kind(t)] for n, t in table.schema.items()]}))
    for column in table.iter_columns():
        _feed(hasher, column)
    return Digest(hasher.hexdigest())


def _kind(dtype: pl.DataType) -> str:
    return "Categorical" if isinstance(dtype, pl.Categorical) else str(dtype)


def _feed(hasher: Any, column: pl.Series) -> None:
    """Add a column's values in a form that does not depend on how they lie in memory."""
    if column.null_count():
        hasher.update(b"missing")
        _feed_array(hasher, np.packbits(column.is_null().to_numpy()))
    dtype = column.dtype
    match dtype:
        case pl.Null():
            return
        case pl.Object():
            raise TypeError(f"column `{column.name}` holds Python objects")
        case pl.Categorical() | pl.Enum() | pl.Decimal():
            _feed(hasher, column.drop_nulls().cast(pl.String))
        case pl.String():
            filled = column.fill_null("")
            _feed_array(hasher, filled.str.len_bytes().to_numpy())
            hasher.update(filled.str.join("").item().encode())
        case pl.Binary():
            values = column.fill_null(b"").to_list()
            _feed_array(hasher, np.array([len(v) for v in values], dtype=np.uint32))
            hasher.update(b"".join(values))
        case pl.Array():
            _feed(hasher, column.arr.to_list())
        case pl.List():
            lengths = column.list.len().fill_null(0)
            _feed_array(hasher, lengths.to_numpy())
            _feed(hasher, column.filter(lengths > 0).explode())
        case pl.Struct():
            present = column.drop_nulls()
            for field in dtype.fields:
                _feed(hasher, present.struct.field(field.name))
        case pl.Boolean():
            _feed_array(hasher, np.packbits(column.fill_null(False).to_numpy()))
        case _:
            _feed_numbers(hasher, column.to_physical())


def _feed_numbers(hasher: Any, column: pl.Series) -> None:
    if column.dtype.is_float():
        column = column.fill_nan(float("nan"))
    if column.dtype in (pl.Int128, pl.UInt128):
        _feed(hasher, column.cast(pl.String))
        return
    _feed_array(hasher, column.fill_null(0).to_numpy())


def _feed_array(hasher: Any, values: np.ndarray[Any, Any]) -> None:
    hasher.update(np.ascontiguousarray(values).view(np.uint8).data)
