"""Contracts on real tables: silent on clean weeks of any season, and right about what is broken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_tables import WEEK, between, bikes, flights, weeks
from solvent.data.contracts import (
    BadContract,
    ColumnType,
    Contract,
    Role,
    Severity,
    check_contract,
    infer_contract,
    load_contract,
    read_contract,
    write_contract,
)
from solvent.data.contracts.check import constant_stretch
from solvent.data.contracts.columns import longest_run, may_hold_run
from solvent.data.contracts.model import ColumnContract

SUMMER_2011, YEAR_END = datetime(2011, 7, 1), datetime(2012, 12, 31)


@pytest.fixture(scope="module")
def bike_contract() -> Contract:
    reference = between(bikes(), "time", datetime(2011, 1, 1), SUMMER_2011)
    return infer_contract(reference, time="time", target="count")


@pytest.fixture(scope="module")
def flight_contract() -> Contract:
    reference = between(flights(), "scheduled", datetime(2013, 1, 1), datetime(2013, 3, 1))
    return infer_contract(reference, time="scheduled", target="late")


def test_no_clean_week_of_the_bikes_breaks_the_contract_of_their_first_half_year(bike_contract: Contract) -> None:
    found = [
        v
        for week in weeks(bikes(), "time", datetime(2011, 1, 1), YEAR_END)
        for v in check_contract(bike_contract, week)
    ]
    assert found == []


def test_no_clean_week_of_the_flights_breaks_the_contract_of_their_first_two_months(flight_contract: Contract) -> None:
    year = weeks(flights(), "scheduled", datetime(2013, 1, 1), datetime(2013, 12, 29))
    assert [v for week in year for v in check_contract(flight_contract, week)] == []


def test_the_two_days_without_weather_at_the_end_of_2013_are_named(flight_contract: Contract) -> None:
    lost = between(flights(), "scheduled", datetime(2013, 12, 30), datetime(2014, 1, 1))
    assert {(v.column, v.kind) for v in check_contract(flight_contract, lost)} >= {("temp", "missing-rate")}


@pytest.mark.parametrize(
    ("column", "broken", "words"),
    [
        ("temp", lambda c: c * 1.8 + 32, "like °F (reference in °C)"),
        ("feels_like", lambda c: c * 1.8 + 32, "like °F (reference in °C)"),
        ("temp", lambda c: c + 273.15, "like K (reference in °C)"),
        ("humidity", lambda c: c / 100, "divided by 100"),
        ("windspeed", lambda c: c / 3.6, "divided by 3.6 (m/s and km/h?)"),
    ],
)
def test_another_unit_is_named_in_every_week(
    bike_contract: Contract, column: str, broken: Callable[[pl.Expr], pl.Expr], words: str
) -> None:
    for week in weeks(bikes(), "time", SUMMER_2011, YEAR_END):
        found = check_contract(bike_contract, week.with_columns(broken(pl.col(column)).alias(column)))
        assert [(v.column, v.kind, v.cause) for v in found] == [(column, "unit", f"{column} looks {words}")]


def test_celsius_where_fahrenheit_is_due_is_named_in_every_week(flight_contract: Contract) -> None:
    for week in weeks(flights(), "scheduled", datetime(2013, 3, 1), datetime(2013, 12, 29)):
        found = check_contract(flight_contract, week.with_columns((pl.col("temp") - 32) / 1.8))
        assert [v.cause.split(" in ")[0] for v in found if v.column == "temp"] == ["temp looks like °C (reference"]


def test_a_unit_that_changes_in_the_middle_of_a_week_is_named_with_its_share(bike_contract: Contract) -> None:
    week = between(bikes(), "time", datetime(2012, 3, 5), datetime(2012, 3, 12))
    late = pl.col("time") >= datetime(2012, 3, 9)
    broken = week.with_columns(pl.when(late).then(pl.col("temp") * 1.8 + 32).otherwise(pl.col("temp")).alias("temp"))
    (found,) = check_contract(bike_contract, broken)
    assert found.kind == "unit" and 0.3 < found.share < 0.45 and min(found.rows) >= 90


@pytest.mark.parametrize("column", ["temp", "feels_like", "humidity", "windspeed", "weather", "hour"])
def test_a_column_that_stopped_moving_is_named_in_every_week(bike_contract: Contract, column: str) -> None:
    for week in weeks(bikes(), "time", SUMMER_2011, YEAR_END):
        value = week[column].drop_nulls()[0]
        found = check_contract(bike_contract, week.with_columns(pl.lit(value, dtype=week[column].dtype).alias(column)))
        assert [(v.column, v.kind) for v in found] == [(column, "constant")]


def test_functions_of_the_clock_are_found(bike_contract: Contract, flight_contract: Contract) -> None:
    clocks = {c.name for c in bike_contract.columns if c.role is Role.CLOCK}
    assert clocks == {"hour", "weekday", "month", "season"}
    assert {c.name for c in flight_contract.columns if c.role is Role.CLOCK} == {"minute_of_day", "weekday"}


def test_a_new_season_and_a_new_destination_are_notes_that_break_nothing(
    bike_contract: Contract, flight_contract: Contract
) -> None:
    autumn = between(bikes(), "time", datetime(2011, 10, 3), datetime(2011, 10, 10))
    kinds = {(v.column, v.kind, v.severity) for v in check_contract(bike_contract, autumn, notes=True)}
    assert ("season", "unseen-season", Severity.NOTE) in kinds
    summer = between(flights(), "scheduled", datetime(2013, 7, 1), datetime(2013, 7, 8))
    notes = check_contract(flight_contract, summer, notes=True)
    assert all(v.severity is Severity.NOTE for v in notes)


def test_a_placeholder_and_a_flood_of_new_categories_break() -> None:
    reference = pl.DataFrame({"t": [float(i % 40) for i in range(400)], "kind": ["a", "b"] * 200})
    contract = infer_contract(reference)
    faulty = reference.head(100).with_columns(
        pl.when(pl.int_range(100) < 4).then(-999.0).otherwise(pl.col("t")).alias("t"),
        pl.Series("kind", ["new", "b"] * 50),
    )
    found = {v.column: v for v in check_contract(contract, faulty)}
    assert found["t"].kind == "range" and found["t"].rows == [0, 1, 2, 3]
    assert found["kind"].kind == "unseen-category" and found["kind"].observed == ["new"]


def test_missing_and_retyped_columns_are_named() -> None:
    reference = pl.DataFrame({"a": [float(i) for i in range(50)], "b": ["x", "y"] * 25})
    contract = infer_contract(reference)
    text = pl.DataFrame({"a": ["1.5"] * 3 + ["n/a"] + ["2"] * 26, "c": [1] * 30})
    found = check_contract(contract, text, role="source", notes=True)
    assert {(v.column, v.kind) for v in found} == {("a", "type"), ("b", "missing-column"), ("c", "extra-column")}
    assert "a is no number in 1 of 30 rows, e.g. `n/a`" in {v.cause for v in found}


def test_a_source_needs_its_target_and_a_served_window_does_not(bike_contract: Contract) -> None:
    week = between(bikes(), "time", datetime(2012, 3, 5), datetime(2012, 3, 12)).drop("count", "time")
    assert check_contract(bike_contract, week) == []
    missing = check_contract(bike_contract, week, role="source")
    assert {v.column for v in missing if v.kind == "missing-column"} == {"count", "time"}


def test_repeated_ids_and_repeated_rows_are_named() -> None:
    reference = pl.DataFrame({"id": list(range(60)), "x": [float(i) for i in range(60)]})
    contract = infer_contract(reference, id="id")
    twice = pl.concat([reference.head(20), reference.head(20)])
    assert {(v.column, v.kind) for v in check_contract(contract, twice)} == {("id", "duplicates"), ("", "duplicates")}


def test_a_source_that_stopped_is_stale(bike_contract: Contract) -> None:
    week = between(bikes(), "time", datetime(2012, 3, 5), datetime(2012, 3, 12))
    fresh = check_contract(bike_contract, week, now=datetime(2012, 3, 12, 6, tzinfo=UTC))
    assert fresh == []
    stale = check_contract(bike_contract, week, now=datetime(2012, 3, 25, tzinfo=UTC))
    assert [v.kind for v in stale] == ["stale"]


def test_a_contract_comes_back_from_its_file_and_says_where_it_is_no_contract(
    bike_contract: Contract, tmp_path: Path
) -> None:
    path = tmp_path / "bikes.json"
    write_contract(bike_contract, path)
    assert read_contract(path) == bike_contract and read_contract(path).digest == bike_contract.digest
    path.write_text('{"columns": [{"name": "temp", "type": "numbr"}], "rows": 3}')
    with pytest.raises(BadContract, match=r"bikes.json.*numbr"):
        read_contract(path)
    with pytest.raises(BadContract):
        load_contract(b"[]")


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame({"x": []}, schema={"x": pl.Float64}),
        pl.DataFrame({"x": [1.0]}),
        pl.DataFrame({"x": [None] * 30}, schema={"x": pl.Float64}),
        pl.DataFrame({"x": [float("inf"), float("-inf"), float("nan")] * 10}),
        pl.DataFrame({"x": [7.0] * 50}),
        pl.DataFrame({"x": [str(i) for i in range(500)]}),
        pl.DataFrame({"x": [None] * 30}),
    ],
    ids=["empty", "one row", "all missing", "infinite", "constant", "text", "no type"],
)
def test_degenerate_tables_have_contracts_that_they_keep(table: pl.DataFrame) -> None:
    contract = infer_contract(table)
    assert load_contract(msgspec.json.encode(contract)) == contract
    assert check_contract(contract, table) == []


def test_types_are_told_apart() -> None:
    table = pl.DataFrame(
        {"n": [1, 2, 3], "b": [True, False, None], "c": ["a", "b", "a"], "t": [datetime(2020, 1, 1)] * 3}
    )
    types = {c.name: c.type for c in infer_contract(table).columns}
    assert types == {"n": ColumnType.NUMBER, "b": ColumnType.BOOLEAN, "c": ColumnType.CATEGORY, "t": ColumnType.TIME}


@pytest.mark.parametrize("span", [4, 10])
def test_a_contract_of_a_few_weeks_keeps_quiet_through_the_seasons_that_follow(span: int) -> None:
    for start in range(0, 80, 13):
        begin = datetime(2011, 1, 3) + start * WEEK
        contract = infer_contract(between(bikes(), "time", begin, begin + span * WEEK), time="time", target="count")
        later = weeks(bikes(), "time", begin + span * WEEK, begin + (span + 16) * WEEK)
        assert [v for week in later for v in check_contract(contract, week)] == []


@given(st.lists(st.sampled_from([0.0, 1.0, float("nan")]), max_size=40), st.integers(2, 24))
def test_a_run_is_ruled_out_only_where_there_is_none(values: list[float], length: int) -> None:
    if longest_run(pl.Series(values, dtype=pl.Float64))[0] >= length:
        assert may_hold_run(np.array(values), length)
    assert not may_hold_run(np.arange(len(values), dtype=float), 4)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(1, 60)), max_size=6), st.integers(1, 5))
def test_a_stretch_of_one_text_is_found_whatever_holds_the_text(
    runs: list[tuple[str | None, int]], before: int
) -> None:
    column = ColumnContract(name="kind", type=ColumnType.CATEGORY, longest_run=before)
    texts = pl.Series("kind", [text for text, length in runs for _ in range(length)], dtype=pl.String)
    assert constant_stretch(column, texts) == constant_stretch(column, texts.cast(pl.Categorical))
