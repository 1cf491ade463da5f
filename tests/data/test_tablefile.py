"""The content of a table: what it says, not how it lies in memory or on disk."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing.parametric import dataframes

from solvent.data.tablefile import table_about, table_bytes, table_content, write_table

TABLE = pl.DataFrame(
    {
        "whole": [1, None, 3],
        "text": ["x", None, "yé"],
        "category": pl.Series(["u", "v", None], dtype=pl.Categorical),
        "list": [[1, 2], [], None],
        "struct": [{"a": 1}, None, {"a": 3}],
        "time": [dt.datetime(2020, 1, 1), None, dt.datetime(2020, 1, 2)],
        "real": [1.0, float("nan"), None],
        "truth": [True, None, False],
        "day": [dt.date(2020, 1, 1), None, None],
        "array": pl.Series([[1, 2], [3, 4], [5, 6]], dtype=pl.Array(pl.Int64, 2)),
        "nothing": [None, None, None],
        "bytes": [b"a", None, b"ccc"],
        "money": [Decimal("1.50"), None, Decimal("2.00")],
        "large": pl.Series([2**100, None, 1], dtype=pl.Int128),
    }
)


def reread(table: pl.DataFrame, **options: object) -> pl.DataFrame:
    buffer = io.BytesIO()
    table.write_parquet(buffer, **options)
    return pl.read_parquet(buffer.getvalue())


def test_writing_row_groups_compression_and_chunks_do_not_count():
    content = table_content(TABLE)
    assert table_content(reread(TABLE, row_group_size=1, compression="snappy")) == content
    assert table_content(pl.concat([TABLE[:1], TABLE[1:]], rechunk=False)) == content
    assert table_content(pl.read_parquet(table_bytes(TABLE))) == content


@pytest.mark.parametrize(
    "changed",
    [
        TABLE[::-1],
        TABLE[:2],
        TABLE.rename({"whole": "other"}),
        TABLE.select(reversed(TABLE.columns)),
        TABLE.with_columns(pl.col("whole").cast(pl.Int32)),
        TABLE.with_columns(pl.col("whole").fill_null(0)),
        TABLE.with_columns(text=pl.Series(["xy", None, "é"])),
        TABLE.with_columns(list=pl.Series([[1], [2], None])),
        TABLE.with_columns(list=pl.Series([[1, 2], None, []])),
        TABLE.with_columns(struct=pl.Series([{"a": 1}, {"a": None}, {"a": 3}])),
        TABLE.with_columns(real=pl.Series([1.0, None, float("nan")])),
        TABLE.with_columns(category=pl.Series(["u", "w", None], dtype=pl.Categorical)),
        TABLE.with_columns(bytes=pl.Series([b"ac", None, b"cc"])),
    ],
)
def test_values_missing_values_types_names_and_orders_count(changed):
    assert table_content(changed) != table_content(TABLE)


def test_what_lies_under_a_missing_value_does_not_count():
    clean = pl.DataFrame({"x": [1, None]})
    dirty = pl.DataFrame({"x": [1, 7]}).with_columns(pl.when(pl.col("x") < 5).then("x"))
    assert table_content(clean) == table_content(dirty)


def test_a_slice_is_what_it_shows():
    assert table_content(TABLE[1:]) == table_content(reread(TABLE[1:]))


@settings(deadline=None, max_examples=40)
@given(
    dataframes(
        max_cols=4, max_size=8, allow_null=True, excluded_dtypes=[pl.Object, pl.Categorical, pl.Enum, pl.Decimal]
    )
)
def test_any_table_has_the_content_of_its_copy(table):
    copy = (
        pl.concat([table[: table.height // 2], table[table.height // 2 :]], rechunk=False)
        if table.height > 1
        else table
    )
    assert table_content(copy) == table_content(table)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=4), max_size=5), st.lists(st.text(max_size=4), max_size=5))
def test_equal_content_means_equal_texts(left, right):
    tables = [pl.DataFrame({"t": pl.Series(values, dtype=pl.String)}) for values in (left, right)]
    assert (table_content(tables[0]) == table_content(tables[1])) == (left == right)


def test_the_writer_is_deterministic(tmp_path):
    write_table(TABLE, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == table_bytes(TABLE)


def test_about_names_columns_with_types():
    assert table_about(TABLE[:, :2]) == {"rows": 3, "columns": {"whole": "Int64", "text": "String"}}
