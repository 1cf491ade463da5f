"""Features as numbers, coded alike in the reference and in every window."""

from __future__ import annotations

import numpy as np
import polars as pl

from solvent.data.contracts import ColumnType, Contract, Role
from solvent.data.contracts.model import ColumnContract
from solvent.monitoring.frames import floats_of
from solvent.statistics.arrays import Flags, Floats


def coded(contract: Contract) -> list[ColumnContract]:
    """Columns that have a numeric form: features and functions of the clock, but no free text."""
    kinds = (ColumnType.NUMBER, ColumnType.BOOLEAN, ColumnType.CATEGORY)
    return [c for c in contract.columns if c.role in (Role.FEATURE, Role.CLOCK) and c.type in kinds]


def feature_matrix(frame: pl.DataFrame, contract: Contract) -> Floats:
    """Shape (n_rows, n_coded): numbers, and categories by their place in the contract; NaN where missing or unknown."""
    columns = [_codes(frame, column) for column in coded(contract)]
    return np.column_stack(columns) if columns else np.empty((frame.height, 0))


def compared(contract: Contract) -> Flags:
    """Which of the columns of `feature_matrix` are no functions of the clock, shape (n_coded,)."""
    return np.array([column.role is Role.FEATURE for column in coded(contract)], dtype=bool)


def _codes(frame: pl.DataFrame, column: ColumnContract) -> Floats:
    if column.name not in frame.columns:
        return np.full(frame.height, np.nan)
    series = frame[column.name]
    if column.type is not ColumnType.CATEGORY:
        return floats_of(series) if series.dtype.is_numeric() or series.dtype == pl.Boolean else _unknown(frame)
    if not column.categories:
        return _unknown(frame)
    text, places = series.cast(pl.String), [float(at) for at in range(len(column.categories))]
    return floats_of(text.replace_strict(column.categories, places, default=None, return_dtype=pl.Float64))


def _unknown(frame: pl.DataFrame) -> Floats:
    return np.full(frame.height, np.nan)
