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


def test_dropping_what_was_named_helps():
    frame = sales().with_columns(twin=pl.col("units"))
    refuse_leaks(understood(frame, drop=("twin",)), "units")
