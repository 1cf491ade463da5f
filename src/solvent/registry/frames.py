"""From columns of plain values to the table that an estimator was fitted on.

Types are kept exactly: a value that does not fit its column's type is an error
that names row and column, never a silent null. Two kindnesses are allowed, since
JSON and CSV cannot help it: `3.0` fits an integer column, and a category that an
`Enum` column does not know becomes missing (the contract flags it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from solvent.foundation.errors import UsageError, nearest
from solvent.registry.signature import Frame


class MissingColumn(UsageError):
    code = "missing-column"

    def __init__(self, name: str, given: Sequence[str]) -> None:
        super().__init__(f"column `{name}` is missing", next=nearest(name, given, f"given: {', '.join(given)[:200]}"))
        self.column = name


class BadValue(UsageError):
    """One cell does not fit its column. row: 0-based position in what was given."""

    code = "bad-value"

    def __init__(self, row: int, column: str, value: Any, dtype: pl.DataType) -> None:
        text = repr(value)
        super().__init__(
            f"{text if len(text) <= 60 else text[:57] + '...'} does not fit type {dtype}",
            where=f"row {row}, column `{column}`",
        )
        self.row = row
        self.column = column


def build_table(columns: Mapping[str, Sequence[Any]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The columns of `schema`, in its order; other columns are left out.

    columns: name → values, all of one length.
    Raises: MissingColumn; BadValue for the first cell (by column, then row) that does not fit.
    """
    for name in schema:
        if name not in columns:
            raise MissingColumn(name, list(columns))
    return pl.DataFrame([build_series(name, columns[name], dtype) for name, dtype in schema.items()])


def build_series(name: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    """One column, with the two kindnesses. Raises: BadValue."""
    try:
        return pl.Series(name, values, dtype=dtype, strict=True)
    except (PolarsError, TypeError, OverflowError, ValueError):
        return pl.Series(name, [_fit(value, row, name, dtype) for row, value in enumerate(values)], dtype=dtype)


def fit_table(table: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """As `build_table`, for a table whose columns have types already: equal types pass, others are cast strictly."""
    for name in schema:
        if name not in table.columns:
            raise MissingColumn(name, table.columns)
    fitted = [
        table[name] if table.schema[name] == dtype else _cast(table[name], name, dtype)
        for name, dtype in schema.items()
    ]
    return pl.DataFrame(fitted)


def as_fitted(table: pl.DataFrame, frame: Frame) -> Any:
    """The table as the estimator knows it: polars itself, a pandas DataFrame, or a 2-D array."""
    if frame == "polars":
        return table
    return table.to_numpy() if frame == "numpy" else _to_pandas(table)


def _fit(value: Any, row: int, name: str, dtype: pl.DataType) -> Any:
    if value is None:
        return None
    if isinstance(value, float) and dtype.is_integer() and value.is_integer():
        value = int(value)
    if isinstance(dtype, pl.Enum) and isinstance(value, str):
        return value if value in dtype.categories else None
    try:
        pl.Series(name, [value], dtype=dtype, strict=True)
    except (PolarsError, TypeError, OverflowError, ValueError):
        raise BadValue(row, name, value, dtype) from None
    return value


def _cast(series: pl.Series, name: str, dtype: pl.DataType) -> pl.Series:
    try:
        return series.cast(dtype, strict=not isinstance(dtype, pl.Enum))
    except PolarsError:
        cast = series.cast(dtype, strict=False)
        bad = (cast.is_null() & series.is_not_null()).arg_max() or 0
        raise BadValue(bad, name, series[bad], dtype) from None


def _to_pandas(table: pl.DataFrame) -> Any:
    import pandas as pd

    return pd.DataFrame({series.name: _pandas_column(series) for series in table})


def _pandas_column(series: pl.Series) -> Any:
    """Without pyarrow, which pandas does not bring: numbers as arrays, categories as categories, text as objects."""
    import pandas as pd

    if isinstance(series.dtype, pl.Enum):
        return pd.Categorical(series.to_list(), categories=series.dtype.categories.to_list())
    if isinstance(series.dtype, pl.Categorical):
        return pd.Categorical(series.to_list())
    if series.dtype.is_numeric() and series.null_count():
        return series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    if series.dtype.is_numeric() or (series.dtype == pl.Boolean and not series.null_count()):
        return series.to_numpy()
    return pd.Series(series.to_list())
