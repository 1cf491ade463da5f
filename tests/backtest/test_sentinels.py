"""Numbers that stand for 'missing' are told from figures, and said."""

import numpy as np
import polars as pl
import pytest

from solvent.backtest.sentinels import without_sentinels

FIGURES = np.random.default_rng(0).gamma(2, 30, 1000)  # of a sensor


def with_some(values, odd):
    values = np.asarray(values, dtype=float).copy()
    values[::50] = odd
    return pl.DataFrame({"count": values})


@pytest.mark.parametrize("odd", [-200, -999, -9999, 9999, 99999])
def test_a_number_far_outside_counts_as_missing(odd):
    frame, said = without_sentinels(with_some(FIGURES, odd))
    assert frame["count"].null_count() == 20 and frame["count"].max() < 1000
    assert said == [f"{odd} in count counts as missing"]


def test_the_only_negative_number_is_one_however_large_the_others():
    assert without_sentinels(with_some(100 * FIGURES, -200))[0]["count"].null_count() == 20


@pytest.mark.parametrize(
    ("figures", "odd"),
    [
        (FIGURES, -1),  # a code among counts
        (FIGURES, 0),
        (FIGURES, 1000),  # a dear item
        (FIGURES * 20, 999),  # within
        (FIGURES - 100, -200),  # negative figures are usual
        (np.arange(1000) % 4, -200),  # classes
    ],
)
def test_a_figure_like_others_stays(figures, odd):
    frame, said = without_sentinels(with_some(figures, odd))
    assert frame["count"].null_count() == 0 and said == []


def test_one_cell_is_an_outlier_and_not_finite_cells_are_left_alone():
    frame = pl.DataFrame({"a": [*FIGURES, -999.0], "b": [*FIGURES, float("-inf")], "c": [None] * 1001})
    assert without_sentinels(frame)[1] == []


def test_columns_of_one_value_are_named_together():
    frame = pl.concat([with_some(FIGURES + at, -200).rename({"count": f"s{at}"}) for at in range(6)], how="horizontal")
    assert without_sentinels(frame)[1] == ["-200 in s0, s1, s2 and 3 more counts as missing"]
