"""Windows that tumble by the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.foundation.clock import BadSpan
from solvent.monitoring.windows import closed_windows, windows_from


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_weeks_begin_on_monday_or_where_they_are_anchored() -> None:
    first = next(windows_from(at(2012, 10, 31), "1w"))
    assert first.name == "2012-10-29/2012-11-05"
    assert next(windows_from(at(2012, 10, 31), "1w", at(2011, 7, 1))).start == at(2012, 10, 26)


def test_a_window_is_closed_when_the_watermark_has_passed_its_end() -> None:
    start = at(2012, 10, 1)
    assert len(closed_windows(start, at(2012, 10, 15), "1w")) == 2
    assert len(closed_windows(start, at(2012, 10, 15), "1w", lateness=timedelta(hours=1))) == 1
    assert closed_windows(start, at(2012, 9, 1), "1w") == []


def test_months_are_those_of_the_calendar() -> None:
    names = [window.name for window in islice(windows_from(at(2012, 1, 31), "1mo"), 3)]
    assert names == ["2012-01-01/2012-02-01", "2012-02-01/2012-03-01", "2012-03-01/2012-04-01"]
    assert next(windows_from(at(2012, 11, 30), "3mo")).name == "2012-10-01/2013-01-01"


def test_hours_are_named_with_their_minutes() -> None:
    assert next(windows_from(at(2012, 1, 1, 5), "6h")).name == "2012-01-01T00:00/2012-01-01T06:00"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)), st.integers(1, 400))
def test_windows_tile_time(start: datetime, hours: int) -> None:
    start = start.replace(tzinfo=UTC)
    tiles = list(islice(windows_from(start, timedelta(hours=hours)), 4))
    assert tiles[0].start <= start < tiles[0].end
    assert all(a.end == b.start for a, b in pairwise(tiles))


def test_a_window_without_width_is_refused() -> None:
    with pytest.raises(BadSpan):
        next(windows_from(at(2012, 1, 1), timedelta(0)))
