from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.foundation.clock import BadInstant, BadSpan, from_micros, iso, parse_instant, parse_span, to_micros

instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))


@given(instants)
def test_instants_survive_storage_and_print(instant):
    assert from_micros(to_micros(instant)) == instant
    assert parse_instant(iso(instant)) == instant


def test_offsets_are_converted_and_bare_dates_are_utc():
    assert parse_instant("2012-10-29T02:00:00+02:00") == parse_instant("2012-10-29")


@pytest.mark.parametrize("text", ["yesterday", "2012-13-01", ""])
def test_a_bad_instant_is_refused(text):
    with pytest.raises(BadInstant):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "span"), [("36h", timedelta(hours=36)), ("10w", timedelta(weeks=10)), ("0.5d", timedelta(hours=12))]
)
def test_spans(text, span):
    assert parse_span(text) == span


@pytest.mark.parametrize("text", ["1 fortnight", "w", "-1d"])
def test_a_bad_span_is_refused(text):
    with pytest.raises(BadSpan):
        parse_span(text)
