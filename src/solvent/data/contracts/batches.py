"""What is wrong with a batch of served rows and shows in no single one: its unit, or a value that is stuck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from solvent.data.contracts.check import constant_stretch
from solvent.data.contracts.model import ColumnContract
from solvent.data.contracts.units import find_unit


def batch_flag(column: ColumnContract, values: Sequence[Any]) -> tuple[str, list[int]] | None:
    """The flag that a numeric column earns in this batch, and the positions of its rows; None where it looks right.

    values: plain numbers, None where missing. The same rules that a whole window is held to.
    """
    floats = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    unit = find_unit(column, floats)
    if unit is not None:
        return f"unit:{column.name}", unit.rows.tolist()
    stuck = constant_stretch(column, pl.Series(floats))
    if stuck is not None:
        run, start = stuck
        return f"constant:{column.name}", list(range(start, start + run))
    return None
