"""The course of time: nothing is known before its day."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.small_tables import START, sales
from backtest.test_columns import understood
from solvent.backtest.cut import TooFew, cut
from solvent.backtest.options import Options

OPTIONS = {"path": "sales.csv", "time": "time", "target": "units"}


def course(frame, **more):
    return cut(understood(frame), Options(**OPTIONS, **more))


@given(
    st.integers(1, 60),
    st.sampled_from([{}, {"windows": 7, "windows_given": True}, {"width": timedelta(days=3)}, {"count": 100}]),
    st.integers(0, 200),
    st.floats(0.35, 0.6),
)
@settings(deadline=None, max_examples=40)
def test_rows_are_trained_on_and_windows_known_only_when_their_labels_are(ties, windows, delay, train):
    """ties: rows that share one time."""
    frame = sales().with_columns(time=pl.Series([START + timedelta(hours=at - at % ties) for at in range(1200)]))
    cases = understood(frame)
    lag = timedelta(hours=delay)
    found = cut(cases, Options(**OPTIONS, label_delay=lag, train=train, **windows))
    micros, late = cases.micros, delay * 3_600_000_000
    assert found.bounds[-1] == 1200 and (np.diff(found.bounds) > 0).all()
    for tick in range(found.windows):
        begin = micros[found.bounds[tick]]
        assert begin > micros[found.bounds[tick] - 1], "a window never starts among rows of one time"
        assert (micros[: found.trained_by[tick]] + late < begin).all()
        assert (micros[found.trained_by[tick] :] + late >= begin).all()
        if found.known[tick]:
            assert micros[found.bounds[found.known[tick]] - 1] + late < begin
        assert found.known[tick] <= tick
    assert len(found.block_of) == 1200 - found.bounds[0]
    assert (found.window_of[found.block_of] == np.repeat(np.arange(found.windows), np.diff(found.bounds))).all()


def test_a_date_and_a_share_say_the_same():
    half = course(sales(), train=0.5)
    assert course(sales(), train=START + timedelta(hours=600)).bounds.tolist() == half.bounds.tolist()


def test_a_small_table_gets_fewer_windows_and_says_so():
    found = course(sales(800))
    assert found.windows == 15 and found.assumptions == ["15 windows only, for want of rows"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": 0.01}, "12 of 1,200 rows come before the first window"),
        ({"train": 0.99}, "1,188 of 1,200 rows"),
        ({"width": timedelta(days=300)}, "make 1 windows"),
        ({"width": timedelta(minutes=1)}, "--window makes"),
        ({"label_delay": timedelta(days=12)}, "12 rows are labelled when the first window starts"),
    ],
)
def test_too_few_rows_are_told_with_the_flag_that_helps(options, message):
    with pytest.raises(TooFew, match=message):
        course(sales(), **options)
