"""What a request shows only as a whole, on real weeks: a unit, a stuck sensor; and silence on clean ones."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from real_tables import between, bikes, flights, weeks
from solvent.data.contracts import Contract, check_rows, infer_contract

SERVED = ["temp", "feels_like", "humidity", "windspeed", "hour"]


@pytest.fixture(scope="module")
def contract() -> Contract:
    half_year = between(bikes(), "time", datetime(2011, 1, 1), datetime(2011, 7, 1))
    return infer_contract(half_year.select("time", *SERVED), time="time")


def served(week: pl.DataFrame) -> dict[str, list[float]]:
    return week.select(SERVED).cast(pl.Float64).to_dict(as_series=False)


def test_clean_weeks_of_every_season_earn_no_flag(contract: Contract) -> None:
    for week in weeks(bikes(), "time", datetime(2011, 7, 4), datetime(2012, 12, 31)):
        assert not any(check_rows(contract, served(week)).flags)


def test_clean_flights_earn_no_flag_for_a_batch() -> None:
    columns = ["distance", "temp", "wind_speed", "precip", "pressure", "visib"]
    winter = between(flights(), "scheduled", datetime(2013, 1, 1), datetime(2013, 3, 1)).select("scheduled", *columns)
    contract = infer_contract(winter, time="scheduled")
    for week in weeks(flights(), "scheduled", datetime(2013, 3, 4), datetime(2013, 12, 29)):
        codes = {c for row in check_rows(contract, week.select(columns).to_dict(as_series=False)).flags for c in row}
        assert not {code for code in codes if code.startswith(("unit:", "constant:"))}


def test_a_unit_and_a_stuck_sensor_are_flagged_on_every_row(contract: Contract) -> None:
    week = between(bikes(), "time", datetime(2012, 5, 14), datetime(2012, 5, 21))
    spoilt = week.with_columns(temp=pl.col("temp") * 1.8 + 32, humidity=pl.lit(50.0, pl.Float32))
    flags = check_rows(contract, served(spoilt)).flags
    assert all("constant:humidity" in row for row in flags)
    assert sum("unit:temp" in row for row in flags) >= 0.8 * len(flags)


def test_a_single_row_is_never_judged_as_a_batch(contract: Contract) -> None:
    row = {name: values[:1] for name, values in served(bikes()).items()}
    assert check_rows(contract, {**row, "temp": [50.0]}).flags == [[]]
