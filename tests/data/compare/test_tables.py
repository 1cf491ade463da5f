"""Rows and columns of two tables, against a count by hand."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.data.compare import KeyRepeats, UnknownKey, compare_tables

CELLS = st.one_of(st.none(), st.integers(0, 3))
ROWS = st.lists(st.tuples(CELLS, st.sampled_from(["a", "b", None]), st.sampled_from([0.0, -0.0, float("nan"), 1.5])))
KEYED = st.dictionaries(st.one_of(st.none(), st.integers(0, 20)), st.tuples(CELLS, st.sampled_from(["a", "b"])))
SCHEMA = {"n": pl.Int64, "s": pl.String, "f": pl.Float64}


def frame(rows):
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def plain(row):
    """A row as a value of which NaN equals NaN, as it does in a table."""
    return tuple("nan" if value != value else value for value in row)


@settings(deadline=None)
@given(ROWS, ROWS)
def test_rows_are_a_multiset_without_a_key(left, right):
    ours, theirs = Counter(map(plain, left)), Counter(map(plain, right))
    rows = compare_tables(frame(left).lazy(), frame(right).lazy()).rows
    assert (rows.removed, rows.added) == ((ours - theirs).total(), (theirs - ours).total())
    assert rows.same == (ours & theirs).total() and rows.changed == 0
    assert rows.reordered == (ours == theirs and list(map(plain, left)) != list(map(plain, right)))
    assert {plain(row.values()) for row in rows.examples_added} <= set(theirs - ours)
    assert bool(rows.examples_removed) == bool(ours - theirs)


@settings(deadline=None)
@given(KEYED, KEYED)
def test_rows_are_added_removed_and_changed_by_key(left, right):
    frames = [
        pl.DataFrame(
            [(k, *row) for k, row in side.items()], schema={"k": pl.Int64, "n": pl.Int64, "s": pl.String}, orient="row"
        )
        for side in (left, right)
    ]
    rows = compare_tables(frames[0].lazy(), frames[1].lazy(), key=["k"]).rows
    shared = left.keys() & right.keys()
    changed = [key for key in shared if left[key] != right[key]]
    assert (rows.added, rows.removed) == (len(right.keys() - left.keys()), len(left.keys() - right.keys()))
    assert (rows.changed, rows.same) == (len(changed), len(shared) - len(changed))
    by_column = {name: sum(left[k][i] != right[k][i] for k in shared) for i, name in enumerate(("n", "s"))}
    assert rows.columns == {name: count for name, count in by_column.items() if count}
    for example in rows.examples_changed:
        key = example.key["k"]
        assert all(
            pair == (left[key][i], right[key][i]) for i, n in enumerate(("n", "s")) if (pair := example.values.get(n))
        )


def test_columns_added_removed_retyped_and_moved():
    left = pl.DataFrame({"a": [1, 2], "gone": [1, 2], "c": ["x", "y"]})
    right = pl.DataFrame({"c": ["x", "y"], "a": [1.0, 2.0], "new": [True, True]})
    found = compare_tables(left.lazy(), right.lazy())
    assert (found.schema.added, found.schema.removed) == ({"new": "Boolean"}, {"gone": "Int64"})
    assert found.schema.retyped == {"a": ("Int64", "Float64")} and found.schema.moved
    assert found.rows.equal and not found.equal, "the values of the shared columns are the same"


def test_categories_count_by_their_text_and_dates_by_their_day():
    left = pl.DataFrame({"c": ["x", "y"], "d": [None, "2024-05-01"]}).with_columns(pl.col("d").str.to_date())
    right = left.with_columns(pl.col("c").cast(pl.Enum(["y", "x"])), pl.col("d").cast(pl.Datetime("ms")))
    assert compare_tables(left.lazy(), right.lazy()).rows.equal


def test_many_changed_rows_are_counted_column_by_column(monkeypatch):
    monkeypatch.setattr("solvent.data.compare.rows.CELLS", 10)
    left = pl.DataFrame({"k": range(100), "a": range(100), "b": range(100), "c": range(100)})
    right = left.with_columns(pl.col("a") + 1, pl.when(pl.col("k") < 7).then(-1).otherwise("c").alias("c")).reverse()
    rows = compare_tables(left.lazy(), right.lazy(), key=["k"]).rows
    assert (rows.changed, rows.columns) == (100, {"a": 100, "c": 7})


def test_a_key_that_names_no_column_or_no_single_row_is_refused():
    left = pl.DataFrame({"city": ["x", "x", "y"], "n": [1, 2, 3]}).lazy()
    with pytest.raises(UnknownKey, match="did you mean `city`"):
        compare_tables(left, left, key=["ctiy"])
    with pytest.raises(KeyRepeats, match=r"2 rows of the left side more than once, e\.g\. city=x"):
        compare_tables(left, left, key=["city"])
    assert compare_tables(left, left.with_columns(pl.col("n") + 0), key=["city", "n"]).rows.equal


def test_a_column_that_names_every_row_is_proposed_as_key():
    left = pl.DataFrame({"x": [1.5, 2.5, 3.5], "g": [1, 1, 2], "id": ["a", "b", "c"]})
    right = left.with_columns(pl.Series("g", [1, 2, 2]))
    assert compare_tables(left.lazy(), right.lazy()).rows.key_hint == "id"


@pytest.mark.parametrize("empty", ["left", "right", "both"])
def test_empty_tables_compare(empty):
    some = frame([(1, "a", 0.5)])
    left = frame([]) if empty in ("left", "both") else some
    right = frame([]) if empty in ("right", "both") else some
    found = compare_tables(left.lazy(), right.lazy())
    assert (found.rows.removed, found.rows.added) == (left.height, right.height)
    assert not compare_tables(left.lazy(), right.lazy(), key=["n"]).rows.changed


def test_tables_without_a_shared_column_share_no_row():
    left, right = pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"b": [1, 2, 3]})
    rows = compare_tables(left.lazy(), right.lazy()).rows
    assert (rows.removed, rows.added, rows.same) == (2, 3, 0)


def test_a_parquet_file_is_scanned(tmp_path):
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"id": range(20_000), "x": rng.normal(size=20_000)})
    table.write_parquet(tmp_path / "a.parquet", row_group_size=1000)
    table.with_columns(pl.when(pl.col("id") == 77).then(9.0).otherwise("x").alias("x")).write_parquet(
        tmp_path / "b.parquet"
    )
    found = compare_tables(*(pl.scan_parquet(tmp_path / f"{side}.parquet") for side in "ab"), key=["id"])
    assert (found.rows.changed, found.rows.columns) == (1, {"x": 1})
    assert found.rows.examples_changed[0].key == {"id": 77} and not found.moved
