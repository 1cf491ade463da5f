"""What the log takes, what it refuses by column and row, and how values come back."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.store.log.columns import encode
from solvent.store.log.errors import BadBatch
from solvent.store.log.tables import from_frames
from store.batches import START, outcomes, predictions


def table(*batches: dict[str, Any], kind: str = "predictions") -> pl.DataFrame:
    return from_frames(kind, [encode(kind, batch)[1] for batch in batches])


def feature(*values: list[Any]) -> pl.Series:
    """The column of one feature, logged in batches."""
    return table(*(predictions(["p"] * len(some), f_x=some) for some in values)).get_column("f_x")


def test_a_prediction_comes_back_as_it_was_logged() -> None:
    batch = predictions(
        ["a", "b"],
        request_id=["r", None],
        output_classes=[[0.25, 0.75], None],
        flags=[["range:temp"], []],
        f_city=["Rome", None],
    )
    assert table(batch).to_dicts() == [
        {
            "prediction_id": "a",
            "request_id": "r",
            "event_time": START,
            "answered_at": START,
            "version": 1,
            "output": 0.5,
            "output_classes": [0.25, 0.75],
            "flags": ["range:temp"],
            "f_city": "Rome",
            "f_temp": 0.0,
        },
        {
            "prediction_id": "b",
            "request_id": None,
            "event_time": START + timedelta(hours=1),
            "answered_at": START + timedelta(hours=1),
            "version": 1,
            "output": 0.5,
            "output_classes": None,
            "flags": [],
            "f_city": None,
            "f_temp": 1.0,
        },
    ]


def test_columns_have_the_types_that_the_format_states() -> None:
    instant = pl.Datetime("us", "UTC")
    assert dict(table(predictions(["a"])).schema) == {
        "prediction_id": pl.String,
        "request_id": pl.String,
        "event_time": instant,
        "answered_at": instant,
        "version": pl.Int32,
        "output": pl.Float64,
        "output_classes": pl.List(pl.Float64),
        "flags": pl.List(pl.String),
        "f_temp": pl.Float64,
    }
    assert dict(table(outcomes(["a"], [1]), kind="outcomes").schema) == {
        "prediction_id": pl.String,
        "label": pl.Float64,
        "happened_at": instant,
        "known_at": instant,
        "recorded_at": instant,
        "revision": pl.Int32,
    }


def test_arrays_series_and_tuples_are_columns_too() -> None:
    batch = predictions(
        ["a", "b"],
        version=np.array([3, 4]),
        output=pl.Series([1, 2]),
        f_x=np.array([1.5, 2.5], dtype=np.float32),
        f_y=(np.int64(1), np.bool_(True)),
    )
    found = table(batch)
    assert found.select("version", "output", "f_x", "f_y").rows() == [(3, 1.0, 1.5, 1), (4, 2.0, 2.5, 1)]


@pytest.mark.parametrize(
    ("batches", "dtype", "values"),
    [
        ([[1, 2], [None]], pl.Int64, [1, 2, None]),
        ([[1], [2.5]], pl.Float64, [1.0, 2.5]),
        ([[True, None]], pl.Boolean, [True, None]),
        ([[True], [3]], pl.Int64, [1, 3]),
        ([[1, 2.5], ["x"]], pl.String, ["1", "2.5", "x"]),
        ([[None]], pl.Null, [None]),
        ([[2**63], [1]], pl.Float64, [2.0**63, 1.0]),
        ([[date(2012, 1, 1)]], pl.String, ["2012-01-01"]),
        ([[Decimal("1.5")]], pl.Float64, [1.5]),
        ([[START]], pl.Datetime("us", "UTC"), [START]),
        ([[datetime(2012, 1, 1)]], pl.Datetime("us", "UTC"), [START]),
        ([[START], [1]], pl.String, [str(START), "1"]),
    ],
)
def test_a_feature_gets_the_smallest_type_that_holds_all_its_values(
    batches: list[list[Any]], dtype: Any, values: list[Any]
) -> None:
    found = feature(*batches)
    assert (found.dtype, found.to_list()) == (dtype, values)


def test_not_a_number_stays_apart_from_missing() -> None:
    found = feature([math.nan, None]).to_list()
    assert math.isnan(found[0])
    assert found[1] is None


values = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()


@given(batches=st.lists(st.lists(values, max_size=5), max_size=5))
@settings(deadline=None)
def test_whatever_was_accepted_can_be_made_a_table(batches: list[list[Any]]) -> None:
    found = table(*(predictions(["p"] * len(some), f_x=some) for some in batches if some))
    expected = [value for some in batches for value in some]
    assert found.height == len(expected)
    if expected:
        assert [value is None for value in found.get_column("f_x")] == [value is None for value in expected]


def test_a_feature_that_some_batches_lack_is_null_there() -> None:
    found = table(predictions(["a"]), predictions(["b"], f_new=["x"]), predictions(["c"]))
    assert found.get_column("f_new").to_list() == [None, "x", None]
    assert found.columns[-2:] == ["f_new", "f_temp"]


def test_instants_are_utc_and_keep_their_microseconds() -> None:
    tokyo = datetime(2012, 1, 1, 9, 0, 0, 1, tzinfo=timezone(timedelta(hours=9)))
    found = table(predictions(["a"], event_time=[tokyo])).get_column("event_time")
    assert found.to_list() == [datetime(2012, 1, 1, 0, 0, 0, 1, tzinfo=UTC)]


def test_labels_may_be_booleans_or_missing() -> None:
    found = table(outcomes(["a", "b", "c"], [True, False, None]), kind="outcomes")
    assert found.get_column("label").to_list() == [1.0, 0.0, None]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"output": [0.5]}, "column `output` has 1 rows, `prediction_id` has 2"),
        ({"f_temp": "warm"}, "column `f_temp` is a str"),
        ({"f_temp": 3}, "column `f_temp` is a int"),
        ({"temp": [1, 2]}, "predictions have no column `temp`"),
        ({"prediction_id": ["a", 7]}, "column `prediction_id`, row 1: a int is not text"),
        ({"request_id": ["a", 7]}, "column `request_id`, row 1: a int is not text or null"),
        ({"event_time": [START, "noon"]}, "column `event_time`, row 1: a str is not an instant (datetime)"),
        ({"answered_at": [None, START]}, "column `answered_at`, row 0: a NoneType is not an instant (datetime)"),
        ({"version": [1, 1.5]}, "column `version`, row 1: a float is not a whole number"),
        ({"version": [1, 2**31]}, "column `version`, row 1: a int is not a whole number from 0 to 2,147,483,647"),
        ({"output": [1.0, "x"]}, "column `output`, row 1: a str is not a number or null"),
        ({"output_classes": [[0.5], ["x"]]}, "column `output_classes`, row 0: a str is not a number or null"),
        ({"flags": [["a"], "b"]}, "column `flags` is a str"),
        (
            {"f_temp": [1, {"a": 1}]},
            "column `f_temp`, row 1: a dict is not null, a boolean, a number, text or an instant",
        ),
        ({"f_temp": [1, [1]]}, "column `f_temp`, row 1: a list is not null, a boolean, a number, text or an instant"),
        ({"f_temp": [1, 2**64]}, "a value cannot be kept"),
        ({"f_temp": [1, "\ud800"]}, "a value cannot be kept"),
    ],
)
def test_a_batch_that_cannot_be_kept_is_refused_with_its_column_and_row(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(BadBatch) as refused:
        encode("predictions", predictions(["a", "b"], **changes))
    assert refused.value.what.startswith(what)
    assert refused.value.next
    assert (refused.value.code, refused.value.exit_code) == ("bad-batch", 2)


def test_a_missing_column_and_a_near_miss_are_named() -> None:
    batch = predictions(["a"])
    del batch["output"]
    with pytest.raises(BadBatch, match="predictions without the column `output`: columns given: prediction_id"):
        encode("predictions", batch)
    with pytest.raises(BadBatch, match=r"predictions have no column `flag`: did you mean `flags`\?"):
        encode("predictions", predictions(["a"], flag=[None]))
    with pytest.raises(BadBatch, match="outcomes have no column `f_temp`"):
        encode("outcomes", outcomes(["a"], [1.0], f_temp=[1]))
