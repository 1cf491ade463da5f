"""The columns that two tables share, made comparable."""

from __future__ import annotations

import polars as pl

from solvent.data.compare.model import SchemaChange


def compare_schemas(left: pl.Schema, right: pl.Schema) -> SchemaChange:
    """Columns added, removed and retyped."""
    shared = [name for name in left if name in right]
    return SchemaChange(
        added={name: str(right[name]) for name in right if name not in left},
        removed={name: str(left[name]) for name in left if name not in right},
        retyped={name: (str(left[name]), str(right[name])) for name in shared if left[name] != right[name]},
        moved=shared != [name for name in right if name in left],
    )


def shared_columns(left: pl.Schema, right: pl.Schema) -> list[pl.Expr]:
    """The shared columns in one type each, so that equal values are equal whatever they were stored as."""
    return [
        pl.col(name) if (wanted := common_type(left[name], right[name])) is None else pl.col(name).cast(wanted)
        for name in left
        if name in right
    ]


def common_type(left: pl.DataType, right: pl.DataType) -> pl.DataType | type[pl.DataType] | None:
    """The type that values of both are compared in; None where they can stay as they are."""
    if isinstance(left, pl.Categorical | pl.Enum) or isinstance(right, pl.Categorical | pl.Enum):
        return pl.String  # categories count by their text
    if left == right:
        return None
    if left.is_numeric() and right.is_numeric():
        return pl.Int64 if left.is_integer() and right.is_integer() else pl.Float64
    if pl.Null in (left, right):
        return right if left == pl.Null else left
    if isinstance(left, pl.Date | pl.Datetime) and isinstance(right, pl.Date | pl.Datetime):
        return pl.Datetime("us")
    return pl.String
