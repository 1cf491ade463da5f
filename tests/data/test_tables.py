"""Tables of polars, pandas and Arrow say the same, column by column."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from solvent.data.tables import NoColumn, NotATable, as_table, require

NOON = dt.datetime(2012, 10, 29, 12)
FRAME = pl.DataFrame(
    {
        "number": [1.5, None, 3.0],
        "whole": [1, 2, 3],
        "flag": [True, False, True],
        "text": ["a", None, "b"],
        "kind": pl.Series(["x", "y", None], dtype=pl.Categorical),
        "time": [NOON, NOON + dt.timedelta(days=1), None],
    }
)
PLAIN = pd.DataFrame(
    {
        "number": [1.5, np.nan, 3.0],
        "whole": [1, 2, 3],
        "flag": [True, False, True],
        "text": pd.Series(["a", None, "b"], dtype=object),
        "kind": pd.Series(["x", "y", None], dtype="category"),
        "time": pd.Series([NOON, NOON + dt.timedelta(days=1), None]),
    }
).set_index(pd.Index([7, 7, 9]))


def values(table, name):
    column = table.column(name)
    return [None if isinstance(v, float) and np.isnan(v) else v for v in column.to_list()]


@pytest.mark.parametrize(
    "other",
    [
        PLAIN,
        PLAIN.convert_dtypes(),
        PLAIN.assign(time=PLAIN["time"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")),
        FRAME.to_arrow(),
        FRAME.lazy(),
    ],
    ids=["pandas", "pandas nullable", "pandas zone", "arrow", "lazy"],
)
def test_every_kind_of_table_holds_the_same(other):
    table, wanted = as_table(other, "current"), as_table(FRAME, "reference")
    assert (table.names, table.rows) == (wanted.names, 3)
    for name in wanted.names:
        assert values(table, name) == values(wanted, name), name
    assert table.take(np.array([2, 0])).get_column("whole").to_list() == [3, 1]
    assert table.take(np.array([0])).columns == wanted.names


def test_mixed_objects_become_text():
    table = as_table(pd.DataFrame({"mixed": [1, "a", None]}, dtype=object), "current")
    assert table.column("mixed").to_list() == ["1", "a", None]


@pytest.mark.parametrize("wrong", [[1, 2], {"a": [1]}, np.zeros((2, 2)), None])
def test_what_is_no_table_is_named(wrong):
    with pytest.raises(NotATable, match=f"the current side is a {type(wrong).__name__}"):
        as_table(wrong, "current")


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(NotATable, match="two columns `a`"):
        as_table(pd.DataFrame([[1, 2]], columns=["a", "a"]), "current")


def test_a_missing_column_names_the_nearest():
    with pytest.raises(NoColumn, match=r"no column `tme` in the reference table.*`time`"):
        require(as_table(pa.table({"time": [1]}), "reference"), "tme", "reference")
