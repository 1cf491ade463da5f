"""Cells keep their types, or are refused by row and column."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from solvent.registry.frames import BadValue, MissingColumn, as_fitted, build_table, fit_table

SCHEMA = {
    "temp": pl.Float64(),
    "hour": pl.Int64(),
    "station": pl.Enum(["north", "south"]),
    "open": pl.Boolean(),
    "at": pl.Datetime("us", "UTC"),
}
ROW = {"temp": [1], "hour": [3.0], "station": ["west"], "open": [None], "at": ["2012-01-01T00:00:00Z"], "more": [1]}


def test_columns_come_in_the_order_and_types_of_the_schema():
    table = build_table(dict(reversed(ROW.items())), SCHEMA)
    assert table.schema == SCHEMA
    assert table.row(0) == (1.0, 3, None, None, datetime(2012, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("column", "value"),
    [("temp", "warm"), ("hour", 3.5), ("hour", 2**70), ("open", 1), ("at", "yesterday"), ("station", 4), ("temp", [])],
)
def test_a_cell_that_does_not_fit_is_named(column, value):
    columns = {name: values * 2 for name, values in ROW.items()} | {column: [ROW[column][0], value]}
    with pytest.raises(BadValue) as caught:
        build_table(columns, SCHEMA)
    assert (caught.value.row, caught.value.column) == (1, column)
    assert f"row 1, column `{column}`" in str(caught.value)


def test_a_missing_column_is_named_with_the_nearest():
    with pytest.raises(MissingColumn, match="column `hour` is missing: did you mean `hours`"):
        build_table({"temp": [1.0], "hours": [1]}, SCHEMA)
    with pytest.raises(MissingColumn, match="column `hour`"):
        fit_table(pl.DataFrame({"temp": [1.0]}), SCHEMA)


def test_a_typed_table_is_cast_without_loss_or_refused():
    assert fit_table(pl.DataFrame({"hour": [3.0]}), {"hour": pl.Int64()})["hour"].to_list() == [3]
    with pytest.raises(BadValue, match="row 1, column `hour`"):
        fit_table(pl.DataFrame({"hour": ["3", "x"]}), {"hour": pl.Int64()})


def test_an_estimator_gets_the_kind_of_table_that_it_was_fitted_on():
    table = build_table({name: ROW[name] * 2 for name in SCHEMA}, SCHEMA)
    assert as_fitted(table, "polars") is table
    assert as_fitted(table[["temp", "hour"]], "numpy").tolist() == [[1.0, 3.0]] * 2
    frame = as_fitted(table.with_columns(hour=pl.Series([None, 4])), "pandas")
    assert list(frame.columns) == list(SCHEMA)
    assert list(frame["station"].cat.categories) == ["north", "south"]
    assert np.isnan(frame["hour"][0])
    assert frame["temp"].dtype == np.float64
