"""The largest difference of two values."""

import math

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression

from solvent.governance.reproduction.tolerance import array_gap, figures_gap, model_gap, table_gap


def test_a_tables_difference_counts_against_its_columns_largest_value():
    old = pl.DataFrame({"x": [1.0, -200.0, None], "k": ["a", "b", "c"]})
    assert table_gap(old, old).relative == 0
    gap = table_gap(old, old.with_columns(pl.col("x") + 1e-6))
    assert gap.relative == pytest.approx(5e-9) and gap.said.startswith("x by 1e-06, row ")
    assert math.isinf(table_gap(old, old.with_columns(k=pl.Series(["a", "z", "c"]))).relative)
    assert "1 rows, e.g. row 2: b → z" in table_gap(old, old.with_columns(k=pl.Series(["a", "z", "c"]))).said
    assert math.isinf(table_gap(old, old.with_columns(pl.col("x").fill_null(0.0))).relative)
    assert math.isinf(table_gap(old, old.head(2)).relative) and math.isinf(table_gap(old, old.drop("k")).relative)


def test_arrays_of_another_shape_or_with_other_holes_are_not_close():
    old = np.array([1.0, 2.0, np.nan])
    assert array_gap(old, old.copy()).relative == 0
    assert math.isinf(array_gap(old, np.array([1.0, 2.0, 3.0])).relative)
    assert math.isinf(array_gap(old, np.array([1.0, 2.0])).relative)
    assert array_gap(np.array([]), np.array([])).relative == 0


def test_figures_count_each_against_its_own_size():
    gap = figures_gap({"mae": 1e-3, "rows": 1e6}, {"mae": 1.1e-3, "rows": 1e6 + 1})
    assert gap.relative == pytest.approx(0.1 / 1.1) and gap.said == "mae 0.001 → 0.0011"
    assert math.isinf(figures_gap({"a": 1.0}, {"b": 1.0}).relative)
    assert figures_gap({"a": math.nan}, {"a": math.nan}).relative == 0


def test_models_are_compared_by_what_they_predict():
    table = pl.DataFrame({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0], "id": ["a", "b", "c"]})
    old = LinearRegression().fit(table.select("x"), table["y"])
    new = LinearRegression().fit(table.select("x"), table["y"] + 1e-9)
    gap = model_gap(old, new, [table.select("id"), table])
    assert gap is not None and 0 < gap.relative < 1e-9 and gap.said.startswith("predictions by")
    assert model_gap(old, new, [table.select("id")]) is None
