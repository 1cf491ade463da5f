"""Two tables: columns, rows, and the shape of each column."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import polars as pl

from solvent.data.compare.columns import compare_schemas, shared_columns
from solvent.data.compare.model import ColumnShift, RowChanges, TableDiff
from solvent.data.compare.rows import compare_rows
from solvent.data.compare.sample import Looked, look
from solvent.data.compare.shift import Rule, shifts
from solvent.data.compare.variation import in_order


def compare_tables(left: pl.LazyFrame, right: pl.LazyFrame, *, key: Sequence[str] = ()) -> TableDiff:
    """What differs from `left` to `right`.

    key: columns that name a row; without them a changed row is one removed and one added.
    Memory: 16 bytes a row and side and the sample, whatever the file's size, where the frame can be
    scanned (Parquet, Arrow); by key also the keys of both sides. Raises: UnknownKey, KeyRepeats.
    """
    ours, theirs = left.collect_schema(), right.collect_schema()
    columns = shared_columns(ours, theirs)
    names = [name for name in ours if name in theirs]
    shaped = (left.select(columns), right.select(columns)) if columns else (left, right)
    rows = compare_rows(*shaped, names, key)
    looked = look(left, columns), look(right, columns)
    if not key and (rows.added or rows.removed):
        rows = msgspec.structs.replace(rows, key_hint=_key_hint(rows, *looked))
    return TableDiff(
        schema=compare_schemas(ours, theirs),
        rows=rows,
        shifts=_shifts(*looked),
        sampled=(looked[0].sample.height, looked[1].sample.height),
    )


def _shifts(left: Looked, right: Looked) -> list[ColumnShift]:
    """Distances from the samples, in the order of their rows; figures from all rows."""
    rule = Rule(in_order(left.sample.height, right.sample.height))
    found = shifts(left.sample.get_column, right.sample.get_column, left.sample.columns, rule)
    return [
        msgspec.structs.replace(shift, left=left.summaries[shift.column], right=right.summaries[shift.column])
        for shift in found
    ]


def _key_hint(rows: RowChanges, left: Looked, right: Looked) -> str | None:
    """The first column that names every row of both samples: what `--key` may want."""
    if not (rows.left and rows.right):
        return None
    for name in left.sample.columns:
        sides = left.sample[name], right.sample[name]
        if not sides[0].dtype.is_float() and all(not s.null_count() and s.n_unique() == len(s) for s in sides):
            return name
    return None
