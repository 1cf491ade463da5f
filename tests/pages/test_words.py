from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.pages.figures import Figure
from solvent.pages.words import alike, between, number, percent, times, window_noun, with_interval

figures = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-12)


@settings(deadline=None)
@given(figures)
def test_a_number_keeps_its_sign_and_two_significant_digits(value: float) -> None:
    said = float(number(value).replace(",", "").replace("−", "-"))
    assert abs(said - value) <= 0.051 * abs(value)


def test_figures_that_differ_are_told_apart_and_equal_ones_are_not() -> None:
    assert alike([0.6071, 0.6072]) == ["0.6071", "0.6072"]
    assert alike([42.0, 42.0, 74.0]) == ["42", "42", "74"]


def test_an_interval_below_zero_is_not_joined_by_a_dash() -> None:
    assert with_interval(Figure(value=0.4, lower=-1.1, upper=1.9)) == "0.40 (−1.1 to 1.9)"
    assert with_interval(Figure(value=43.0)) == "43"


def test_less_than_all_is_never_called_all() -> None:
    assert percent(0.9999) == "over 99%" and percent(1.0) == "100%"


def test_a_window_is_named_by_its_days_without_its_end() -> None:
    start = datetime(2012, 10, 29, tzinfo=UTC)
    assert between(start, start + timedelta(weeks=1)) == "29 Oct – 4 Nov 2012"
    assert between(start, start + timedelta(days=1)) == "29 Oct 2012"
    assert between(datetime(2012, 12, 31, tzinfo=UTC), datetime(2013, 1, 7, tzinfo=UTC)) == "31 Dec 2012 – 6 Jan 2013"


def test_widths_and_counts_are_called_as_people_call_them() -> None:
    assert [window_noun(timedelta(days=d)) for d in (1, 7, 14, 30, 10)] == [
        "day",
        "week",
        "fortnight",
        "month",
        "10-day window",
    ]
    assert [times(n) for n in (1, 2, 3)] == ["once", "twice", "three times"]
