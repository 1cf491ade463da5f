"""Profiles of tables: partitions merged say what the whole says, and nothing that names a person is kept."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.data import profile
from solvent.data.profile import ColumnProfile, TableProfile, profile_table

rows = st.fixed_dictionaries(
    {
        "number": st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(float("inf"))),
        "whole": st.integers(-5, 5),
        "text": st.one_of(st.none(), st.sampled_from(["a", "b", "ä", ""])),
        "flag": st.booleans(),
    }
)
SCHEMA = {"number": pl.Float64, "whole": pl.Int64, "text": pl.String, "flag": pl.Boolean}
tables = st.lists(rows, max_size=25).map(lambda r: pl.DataFrame(r, schema=SCHEMA))


def same(a: TableProfile, b: TableProfile) -> bool:
    """Equal but for rounding in the moments."""
    for name, one in a.columns.items():
        other = b.columns[name]
        assert (one.rows, one.missing, one.distinct) == (other.rows, other.missing, other.distinct)
        assert (one.frequent, one.quantiles) == (other.frequent, other.quantiles)
        if one.moments is not None and other.moments is not None:
            assert (one.moments.low, one.moments.high) == (other.moments.low, other.moments.high)
            assert one.moments.mean == pytest.approx(other.moments.mean, abs=1e-6)
    return True


def profiled(table: pl.DataFrame) -> TableProfile:
    return TableProfile({name: ColumnProfile.of(table[name]) for name in table.columns})


@settings(max_examples=25, deadline=None)
@given(tables, tables, tables)
def test_partitions_in_any_order_and_grouping_are_the_whole(a: pl.DataFrame, b: pl.DataFrame, c: pl.DataFrame) -> None:
    whole, (x, y, z) = profiled(pl.concat([a, b, c])), (profiled(part) for part in (a, b, c))
    assert same(x + y + z, whole) and same(x + (y + z), whole) and same(z + x + y, whole)


def test_a_file_is_read_piece_by_piece_and_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"x": rng.normal(size=5000), "kind": rng.choice(["a", "b"], 5000)})
    table.write_parquet(tmp_path / "t.parquet")
    at_once = profile_table(table)
    monkeypatch.setattr(profile, "_PIECE", 700)
    in_pieces = profile_table(tmp_path / "t.parquet")
    x, y = at_once.columns["x"], in_pieces.columns["x"]
    assert (x.rows, x.distinct) == (y.rows, y.distinct) and at_once.columns["kind"] == in_pieces.columns["kind"]
    assert x.quantiles is not None and y.quantiles is not None
    for share in (0.01, 0.5, 0.99):
        told = y.quantiles.at(share)
        assert float((table["x"] <= told).mean()) == pytest.approx(share, abs=y.quantiles.rank_error + 2e-3)


def test_equal_tables_have_equal_bytes_which_come_back() -> None:
    table = pl.DataFrame({"x": [1.0, None, float("inf")], "name": ["Ann"] * 2 + ["Bo"]})
    data = profile_table(table).encoded()
    assert data == profile_table(table.clone()).encoded() and b"Ann" not in data
    back = TableProfile.decoded(data)
    assert back.columns["x"] == profile_table(table).columns["x"]
    often = profile_table(pl.DataFrame({"name": ["Ann"] * 20 + ["Bo"] * 19})).encoded()
    assert b"Ann" in often and b"Bo" not in often


@pytest.mark.parametrize(
    ("series", "kind"),
    [
        (pl.Series("c", [date(2024, 1, 1), None]), "time"),
        (pl.Series("c", [datetime(2024, 1, 1, 12)]), "time"),
        (pl.Series("c", [], dtype=pl.Float32), "number"),
        (pl.Series("c", [None, None], dtype=pl.String), "text"),
        (pl.Series("c", ["a", "b"], dtype=pl.Categorical), "text"),
        (pl.Series("c", [[1], [2, 3]]), "other"),
    ],
)
def test_every_kind_of_column_has_a_profile(series: pl.Series, kind: str) -> None:
    found = ColumnProfile.of(series)
    assert (found.kind, found.rows, found.missing) == (kind, len(series), series.null_count())
    merged = found + found
    assert merged.rows == 2 * len(series) and merged.distinct == found.distinct


def test_what_does_not_belong_together_is_refused() -> None:
    number, text = profile_table(pl.DataFrame({"x": [1.0]})), profile_table(pl.DataFrame({"x": ["a"]}))
    with pytest.raises(ValueError, match="no common profile"):
        number + text
    with pytest.raises(ValueError, match="on one side only"):
        number + profile_table(pl.DataFrame({"y": [1.0]}))
