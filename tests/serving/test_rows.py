"""Identity and time of rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.serving.errors import BadRows
from solvent.serving.rows import EventClock, event_times, prediction_id, prediction_ids

from .conftest import NOW


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a-1", "a-1"),
        (17, "17"),
        (17.0, "17"),
        (2.5, "2.5"),
        (datetime(2012, 5, 1, 8), "2012-05-01T08:00:00Z"),
        (datetime(2012, 5, 1, 8, tzinfo=UTC), "2012-05-01T08:00:00Z"),
    ],
)
def test_an_id_has_one_text(value, text):
    assert prediction_id(value) == text


@given(st.lists(st.text(min_size=1, max_size=5), unique=True), st.data())
def test_the_first_repeated_id_is_named_by_both_rows(ids, data):
    assert prediction_ids("ride", ids, "r", len(ids)) == ids
    if ids:
        first = data.draw(st.integers(0, len(ids) - 1))
        with pytest.raises(BadRows, match=f"rows {first} and {len(ids)} have one id"):
            prediction_ids("ride", [*ids, ids[first]], "r", len(ids) + 1)


def test_an_id_is_there_and_short():
    for bad in (None, "", "x" * 201):
        with pytest.raises(BadRows, match="the id of row 1"):
            prediction_ids("ride", ["a", bad], "r", 2)


def test_times_are_utc_and_missing_ones_are_now():
    given_times = ["2012-05-01T10:00:00+02:00", "2012-05-01", None, datetime(2012, 5, 1, 3), date(2012, 5, 1)]
    times, bounded = event_times("time", given_times, NOW, 5, EventClock())
    assert [time.hour for time in times] == [8, 0, 0, 3, 0]
    assert (bounded, {time.tzinfo for time in times}) == ([], {UTC})


@given(st.integers(-200, 200))
def test_an_event_is_never_further_from_now_than_the_slack(hours):
    slack = timedelta(hours=36)
    happened = NOW + timedelta(hours=hours)
    (time,), bounded = event_times("time", [happened], NOW, 1, EventClock(slack=slack))
    assert abs(time - NOW) <= slack
    assert (bounded == []) == (time == happened) == (abs(hours) <= 36)
    assert event_times("time", [happened], NOW, 1, EventClock(replay=True)) == ([happened], [])
