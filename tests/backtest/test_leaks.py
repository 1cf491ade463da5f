"""Columns that could not be known in time are named; columns that are merely good are not."""

import numpy as np
import polars as pl
import pytest

from backtest.small_tables import sales
from backtest.test_columns import understood
from real_tables import bikes
from solvent.backtest.leaks import Leak, refuse_leaks


def leaks(frame, target="units", **more):
    with pytest.raises(Leak) as caught:
        refuse_leaks(understood(frame, target=target, **more), target)
    return caught.value


def test_honest_tables_pass():
    refuse_leaks(understood(sales()), "units")
    refuse_leaks(understood(bikes(), target="count"), "count")
    refuse_leaks(understood(sales().with_columns(units=pl.col("price") + pl.col("size") > 11)), "units")


@pytest.mark.parametrize("copy", [pl.col("units") * 9 / 5 + 32, pl.col("units").exp(), pl.col("units").round(1)])
def test_a_copy_of_the_target_in_another_unit_is_named(copy):
    found = leaks(sales().with_columns(twin=copy))
    assert found.columns == ["twin"] and "`twin` alone foretells" in str(found) and "--drop twin" in str(found)


def test_a_column_that_decides_the_class_is_named():
    late = sales().with_columns(delay=pl.col("units"), units=pl.col("units") > 45)
    assert leaks(late).columns == ["delay"]


def test_parts_of_a_total_are_named_together():
    rng = np.random.default_rng(0)
    casual, registered = rng.poisson(20, 1200), rng.poisson(60, 1200)
    frame = sales().with_columns(casual=casual, registered=registered, units=pl.Series(casual + registered))
    found = leaks(frame)
    assert found.columns == ["casual", "registered"] and "`casual` and `registered` add up to units" in str(found)


def test_the_next_rows_target_is_named():
    frame = sales().with_columns(units=pl.col("units").round())
    found = leaks(frame.with_columns(ahead=pl.col("units").shift(-1).fill_null(0)))
    assert found.columns == ["ahead"] and "of the row after it" in str(found)


def test_what_is_told_to_be_typed_can_be_typed():
    assert "--drop 'the twin (2)'" in str(leaks(sales().with_columns(pl.col("units").alias("the twin (2)"))))


def test_dropping_what_was_named_helps():
    frame = sales().with_columns(twin=pl.col("units"))
    refuse_leaks(understood(frame, drop=("twin",)), "units")


def smooth(rows: int = 1200) -> pl.DataFrame:
    """A table whose target moves slowly, as a temperature does by the hour."""
    walk = np.cumsum(np.random.default_rng(5).normal(0, 1, rows))
    return sales(rows).with_columns(units=pl.Series(walk))


@pytest.mark.parametrize("lag", [1, 3])
def test_what_was_known_before_is_no_leak(lag):
    frame = smooth().with_columns(before=pl.col("units").shift(lag).fill_null(0.0))
    assert np.corrcoef(frame["before"], frame["units"])[0, 1] > 0.98
    refuse_leaks(understood(frame), "units")
    refuse_leaks(understood(frame.with_columns(mean=pl.col("before").rolling_mean(4).fill_null(0.0))), "units")


def panel(shops: int = 30, months: int = 60) -> pl.DataFrame:
    """Monthly sales of shops that differ in size far more than from month to month."""
    rng = np.random.default_rng(4)
    levels = rng.gamma(3, 100, shops) * np.exp(np.cumsum(rng.normal(0, 0.05, (months, shops)), axis=0))
    times = pl.datetime_range(pl.datetime(2010, 1, 1), pl.datetime(2014, 12, 1), "1mo", eager=True)
    frame = pl.DataFrame({"time": np.repeat(times.to_numpy(), shops), "promo": rng.random(shops * months)})
    return frame.with_columns(units=pl.Series(levels.ravel()))


def test_the_same_shop_a_month_ago_is_no_leak_and_a_month_ahead_is_one():
    before = panel().with_columns(before=pl.col("units").shift(30))
    assert np.corrcoef(before["before"][30:], before["units"][30:])[0, 1] > 0.98
    refuse_leaks(understood(before), "units")
    after = leaks(panel().with_columns(after=pl.col("units").shift(-30)))
    assert after.columns == ["after"]
    assert understood(panel()).features == ["promo", "month"], "the weekday of the first of a month says nothing"


def test_the_same_target_in_another_unit_is_a_leak_however_slowly_it_moves():
    assert leaks(smooth().with_columns(twin=pl.col("units") * 1.8 + 32)).columns == ["twin"]


@pytest.mark.parametrize("ahead", [2, 24])
def test_the_target_of_a_later_row_is_named(ahead):
    found = leaks(sales().with_columns(ahead=pl.col("units").shift(-ahead).fill_null(0.0)))
    assert found.columns == ["ahead"] and f"the {ahead}th row after it" in str(found)


def test_a_mean_over_the_rows_to_come_is_named():
    coming = pl.col("units").reverse().rolling_mean(4).reverse().shift(-1).fill_null(30.0)
    found = leaks(sales().with_columns(coming=coming))
    assert found.columns == ["coming"] and "of the 8 rows after it" in str(found)


def test_a_cell_that_is_filled_only_when_it_happened_is_named():
    """Four in five cells are empty, and which ones says it all."""
    gone = pl.int_range(pl.len()) % 5 == 0
    reason = pl.when(gone).then(pl.lit("moved"))
    frame = sales().with_columns(units=gone, reason=reason, closed=pl.when(gone).then("price"))
    assert set(leaks(frame).columns) == {"reason", "closed"}


def test_what_the_user_vouches_for_is_kept():
    cases = understood(sales().with_columns(twin=pl.col("units"), other=pl.col("units")))
    refuse_leaks(cases, "units", keep=("twin", "other"))
    with pytest.raises(Leak) as caught:
        refuse_leaks(cases, "units", keep=("twin",))
    assert caught.value.columns == ["other"]


def test_a_flag_that_the_target_decides_is_named():
    flagged = sales().with_columns(low=pl.col("units") < 33, level=(pl.col("units") / 8).floor().cast(pl.Int32))
    found = leaks(flagged)
    assert found.columns == ["low", "level"] and "`low` follows from units" in str(found)
