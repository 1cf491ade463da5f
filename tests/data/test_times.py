"""Times in every usual spelling are the same instants."""

import polars as pl
import pytest

from backtest.small_tables import sales
from solvent.data.times import BadTime, instants_of, with_times

TIMES = sales(900)["time"].cast(pl.Datetime("us"))
SPELLED = {
    "iso": (TIMES.dt.strftime("%Y-%m-%dT%H:%M:%S"), ""),
    "with blanks": (TIMES.dt.strftime(" %Y-%m-%d %H:%M:%S "), ""),
    "in another zone": ((TIMES.dt.offset_by("2h")).dt.strftime("%Y-%m-%dT%H:%M:%S+02:00"), ""),
    "a zone's type": (TIMES.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"), ""),
    "day first": (TIMES.dt.strftime("%d.%m.%Y %H:%M"), "day.month.year"),
    "month first": (TIMES.dt.strftime("%m/%d/%Y %H:%M:%S"), "month/day/year"),
    "slashes, day first": (TIMES.dt.strftime("%d/%m/%Y %H:%M"), "day/month/year"),
    "seconds": (TIMES.dt.epoch("s"), "counts seconds since 1970"),
    "milliseconds": (TIMES.dt.epoch("ms"), "counts milliseconds since 1970"),
    "microseconds": (TIMES.dt.epoch("us"), "counts microseconds since 1970"),
    "nanoseconds": (TIMES.dt.epoch("ns"), "counts nanoseconds since 1970"),
    "nanoseconds as a type": (TIMES.cast(pl.Datetime("ns")), ""),
    "years of two digits": (TIMES.dt.strftime("%m/%d/%y %H:%M"), "month/day/year"),
    "two digits, day first": (TIMES.dt.strftime("%d.%m.%y %H.%M"), "day.month.year"),
    "morning and afternoon": (TIMES.dt.strftime("%m/%d/%Y %I:%M:%S %p"), "month/day/year"),
    "names of months": (TIMES.dt.strftime("%d %B %Y %H:%M"), "day month year"),
    "short names": (TIMES.dt.strftime("%b %d, %Y %H:%M"), "month day, year"),
    "a server's log": (TIMES.dt.strftime("%d/%b/%Y:%H:%M:%S +0000"), "day/month/year"),
    "UTC in words": (TIMES.dt.strftime("%Y-%m-%d %H:%M:%S UTC"), "year-month-day"),
    "digits to the hour": (TIMES.dt.strftime("%Y%m%d%H").cast(int), "yearmonthdayhour"),
    "digits to the minute": (TIMES.dt.strftime("%Y%m%d%H%M").cast(int), "yearmonthdayhourminute"),
    "a spreadsheet's days": ((TIMES.dt.epoch("us") / 86_400e6 + 25_569), "as spreadsheets do"),
}


@pytest.mark.parametrize("name", SPELLED)
def test_spellings(name):
    series, said = SPELLED[name]
    instants, notes = instants_of(series.alias("at"))
    assert instants.to_physical().to_list() == TIMES.to_physical().to_list()
    assert said in " ".join(notes) and bool(notes) == bool(said)


def test_days_as_numbers_and_missing_cells():
    days = pl.Series("at", [20240131, None, 20240201])
    assert instants_of(days)[0].dt.day().to_list() == [31, None, 1]


MONTHS = pl.datetime_range(pl.datetime(2010, 1, 1), pl.datetime(2014, 12, 1), "1mo", eager=True)
MONTHLY = {
    "201001": MONTHS.dt.strftime("%Y%m").cast(int),
    "201001.0": MONTHS.dt.strftime("%Y%m").cast(float),
    "2010-01": MONTHS.dt.strftime("%Y-%m"),
    "Jan 2010": MONTHS.dt.strftime("%b %Y"),
    "January 2010": MONTHS.dt.strftime("%B %Y"),
    "Jan-10": MONTHS.dt.strftime("%b-%y"),
    "1/1/2010": MONTHS.dt.strftime("%-m/%-d/%Y"),  # days of January, for one who reads it the other way round
}


@pytest.mark.parametrize("spelling", MONTHLY)
def test_months(spelling):
    instants, notes = instants_of(MONTHLY[spelling].alias("at"))
    assert instants.cast(pl.Datetime("us")).to_list() == MONTHS.to_list()
    assert "month" in notes[0]


def test_years_quarters_and_weeks():
    assert instants_of(pl.Series("at", [2010, 2012]))[0].dt.year().to_list() == [2010, 2012]
    assert instants_of(pl.Series("at", ["2010Q1", "2012Q4"]))[0].dt.month().to_list() == [1, 10]
    assert instants_of(pl.Series("at", ["2010-W01", "2012-W40"]))[0].dt.week().to_list() == [1, 40]


def test_a_cell_that_fits_no_format_is_named():
    cells = ["11/23/2004 19:00:00"] * 8 + ["12-02-2004 19:00:00"]
    with pytest.raises(BadTime, match="`12-02-2004 19:00:00` in row 9 of `at` is no time"):
        instants_of(pl.Series("at", cells))


def test_a_column_is_turned_into_times_only_where_all_of_it_is():
    frame = pl.DataFrame(
        {
            "left": ["1/7/2015", "31/7/2015"],
            "ages": ["25-34", "35-44"],
            "version": ["12.5.1", "12.5.2"],
            "clock": ["18:00:00", "19:00:00"],
            "some": ["2015-07-01", "never"],
            "time": ["2015-07-01", "2015-07-02"],
        }
    )
    found = with_times(frame, but=["time"])
    assert [name for name, dtype in found.schema.items() if dtype.is_temporal()] == ["left"]


def test_a_spelling_that_two_formats_fit_is_told():
    instants, notes = instants_of(pl.Series("at", ["03/04/2024", "05/06/2024"]))
    assert instants.dt.month().to_list() == [4, 6]
    assert notes == ["at is written day/month/year, though month/day/year would fit too"]


@pytest.mark.parametrize("cells", [["soon", "later"], [1.5, 2.5], ["31.12.2024", "32.12.2024"], [True, False]])
def test_what_is_no_time_is_refused(cells):
    with pytest.raises(BadTime, match="`at`"):
        instants_of(pl.Series("at", cells))
