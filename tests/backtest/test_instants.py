"""Times in every usual spelling are the same instants."""

import polars as pl
import pytest

from backtest.small_tables import sales
from solvent.backtest.instants import BadTime, instants_of

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
    "nanoseconds as a type": (TIMES.cast(pl.Datetime("ns")), ""),
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


def test_a_spelling_that_two_formats_fit_is_told():
    instants, notes = instants_of(pl.Series("at", ["03/04/2024", "05/06/2024"]))
    assert instants.dt.month().to_list() == [4, 6]
    assert notes == ["at is written day/month/year, though month/day/year would fit too"]


@pytest.mark.parametrize("cells", [["soon", "later"], [1.5, 2.5], ["31.12.2024", "32.12.2024"], [True, False]])
def test_what_is_no_time_is_refused(cells):
    with pytest.raises(BadTime, match="`at`"):
        instants_of(pl.Series("at", cells))
