"""Rows as the endpoint gets them: hard errors name row and column, soft flags mark a row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.data.contracts import ColumnContract, ColumnType, Contract, Role, RowChecker, check_rows

CONTRACT = Contract(
    rows=1000,
    columns=[
        ColumnContract(name="temp", type=ColumnType.NUMBER, allowed=(-28.0, 58.0)),
        ColumnContract(name="hour", type=ColumnType.NUMBER, role=Role.CLOCK),
        ColumnContract(name="weather", type=ColumnType.CATEGORY, categories=["Clear", "Mist"]),
        ColumnContract(name="holiday", type=ColumnType.BOOLEAN),
        ColumnContract(name="count", type=ColumnType.NUMBER, role=Role.TARGET),
        ColumnContract(name="time", type=ColumnType.TIME, role=Role.TIME),
    ],
)
GOOD: dict[str, list[Any]] = {"temp": [3.5, 21], "hour": [8, 9], "weather": ["Clear", None], "holiday": [True, False]}


def test_good_rows_have_neither_errors_nor_flags() -> None:
    checked = check_rows(CONTRACT, {**GOOD, "weather": ["Clear", "Mist"]})
    assert checked.errors == [] and checked.flags == [[], []]


def test_target_and_time_are_optional_and_not_looked_at() -> None:
    assert check_rows(CONTRACT, {**GOOD, "count": ["?", None], "time": ["2012-01-01", "x"]}).errors == []


@pytest.mark.parametrize(
    ("column", "values", "flags"),
    [
        ("temp", [86.0, 21.0], [["range:temp"], []]),
        ("weather", ["Hail", "Mist"], [["unseen:weather"], []]),
        ("temp", [None, 21.0], [["missing:temp"], []]),
        ("temp", [float("nan"), float("inf")], [[], ["range:temp"]]),
        ("hour", [99, 8], [[], []]),
        ("holiday", [1, 0], [[], []]),
    ],
)
def test_soft_breaches_flag_their_row(column: str, values: list[Any], flags: list[list[str]]) -> None:
    checked = check_rows(CONTRACT, {**GOOD, "weather": ["Clear", "Mist"], column: values})
    assert checked.errors == [] and checked.flags == flags


@pytest.mark.parametrize(
    ("change", "code", "column", "row", "what"),
    [
        ({"temp": [1.0, "warm"]}, "type", "temp", 1, "`temp` is 'warm', expected a number"),
        ({"temp": [True, 2.0]}, "type", "temp", 0, "`temp` is True, expected a number"),
        ({"weather": [3, "Mist"]}, "type", "weather", 0, "`weather` is 3, expected text"),
        ({"tmep": [1, 2]}, "extra-column", "tmep", None, "column `tmep` is none of the model's: did you mean `temp`?"),
        ({"hour": [1]}, "length", "hour", None, "column `hour` has 1 values, expected 2"),
    ],
)
def test_hard_breaches_name_row_and_column(
    change: dict[str, list[Any]], code: str, column: str, row: int | None, what: str
) -> None:
    (error,) = check_rows(CONTRACT, {**GOOD, **change}).errors
    assert (error.code, error.column, error.row, error.what) == (code, column, row, what)


def test_a_missing_column_is_an_error() -> None:
    (error,) = check_rows(CONTRACT, {k: v for k, v in GOOD.items() if k != "holiday"}).errors
    assert (error.code, error.column) == ("missing-column", "holiday")


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(-100, 100)), max_size=40))
def test_each_row_is_judged_as_if_it_were_alone(values: list[float | None]) -> None:
    checker = RowChecker(CONTRACT)
    rest = {"hour": [1], "weather": ["Clear"], "holiday": [True]}
    together = checker.check({"temp": values, **{k: v * len(values) for k, v in rest.items()}})
    alone = [checker.check({"temp": [value], **rest}).flags[0] for value in values]
    assert together.errors == [] and together.flags == alone
