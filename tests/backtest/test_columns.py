"""What the columns are taken for, and that every assumption is said."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from backtest.small_tables import START, sales
from solvent.backtest.columns import BadTarget, NoFeatures, understand
from solvent.backtest.options import BadOption, Options
from solvent.backtest.table import Table


def understood(frame, **more):
    options = Options(path=Path("sales.csv"), **{"time": "time", "target": "units", **more})
    micros = frame["time"].cast(pl.Datetime("us")).to_physical().to_numpy()
    return understand(Table(frame, micros, frame.height, frame.width, []), options)


def test_numbers_categories_and_the_calendar():
    cases = understood(sales())
    assert (cases.task, cases.metric) == ("regression", "mae")
    assert cases.features == ["price", "size", "shop", "hour", "weekday", "month"]
    assert cases.categorical.tolist() == [False, False, True, False, False, False]
    assert cases.clocks == {"hour", "weekday", "month"}
    assert any("hour, weekday and month made from the time" in said for said in cases.assumptions)


def test_a_table_with_a_clock_of_its_own_gets_no_other():
    cases = understood(sales().with_columns(o_clock=pl.col("time").dt.hour()))
    assert cases.features == ["price", "size", "shop", "o_clock"] and cases.clocks == {"o_clock"}


def test_a_season_alone_tells_no_hour():
    cases = understood(sales(4000).with_columns(season=pl.col("time").dt.quarter().cast(pl.String)))
    assert cases.features == ["price", "size", "shop", "season", "hour", "weekday", "month"]
    told = understood(sales(4000).with_columns(half_hour=pl.col("time").dt.hour() * 2))
    assert told.features == ["price", "size", "shop", "half_hour"]


def test_figures_of_weeks_are_no_clock():
    weeks = sales(900).with_columns(time=pl.datetime_range(START, START + timedelta(weeks=899), "1w", eager=True))
    count = (pl.col("units") / 10).round()  # some neighbours are alike
    cases = understood(weeks.with_columns(visits=count, year=pl.col("time").dt.year()))
    assert cases.clocks == {"year"}


@pytest.mark.parametrize(
    ("target", "task", "classes"),
    [
        (pl.col("price") > 10, "binary", ["false", "true"]),
        (pl.when(pl.col("price") > 10).then(pl.lit("yes")).otherwise(pl.lit("no")), "binary", ["no", "yes"]),
        ((pl.col("price") > 10).cast(pl.Int8), "binary", ["0", "1"]),
        (pl.col("shop"), "multiclass", ["east", "north", "south"]),
        (pl.col("price").round().cast(pl.Int32), "regression", []),
    ],
)
def test_the_task_follows_from_the_target(target, task, classes):
    cases = understood(sales().with_columns(units=target))
    assert (cases.task, cases.classes) == (task, classes)
    if task != "regression":
        assert set(np.unique(cases.y)) == set(range(len(classes)))


def test_targets_that_cannot_be_foretold():
    with pytest.raises(BadTarget, match="`units` is 1 in all rows"):
        understood(sales().with_columns(units=pl.lit(1)))
    with pytest.raises(BadTarget, match="1,200 classes such as"):
        understood(sales().with_columns(units=pl.int_range(1200).cast(pl.String)))
    with pytest.raises(BadOption, match="--metric log_loss does not fit a regression target: fitting: mae, rmse"):
        understood(sales(), metric="log_loss")


def test_what_is_left_out_is_said():
    frame = sales().with_columns(
        note=pl.int_range(1200).cast(pl.String),
        closed=pl.col("time") + timedelta(days=3),
        one=pl.lit(1),
        number=pl.int_range(1200),
    )
    cases = understood(frame)
    assert cases.features == understood(sales()).features
    said = " ".join(cases.assumptions)
    for name in ("note", "closed", "one", "number"):
        assert f"{name} left out: " in said


def test_nothing_left_to_predict_with():
    with pytest.raises(NoFeatures):
        understood(
            pl.DataFrame({"time": [START] * 600 + [START + timedelta(days=7)] * 600, "units": np.arange(1200) % 7.0})
        )


def test_codes_tell_nothing_of_the_future():
    """A category's code is its place in order of appearance; missing is missing."""
    names = [f"c{at:04}" for at in reversed(range(150))]
    frame = sales().with_columns(shop=pl.Series([None if at % 9 == 0 else names[at // 8] for at in range(1200)]))
    cases = understood(frame.with_columns(pl.col("shop").cast(pl.Categorical)))
    codes = cases.x[:, cases.features.index("shop")]
    known = codes[np.isfinite(codes)]
    assert np.isnan(codes).sum() == frame["shop"].null_count()
    assert (np.diff(known) >= 0).all() and known.max() == 149
    half = understood(frame[:900]).x[:, 2]
    assert np.array_equal(half, codes[:900], equal_nan=True)


def test_few_numbers_are_classes_where_the_metric_is_one_of_classes():
    frame = sales().with_columns(units=pl.int_range(1200) % 4 + 1)
    assert understood(frame).task == "regression"
    cases = understood(frame, metric="log_loss")
    assert (cases.task, cases.classes) == ("multiclass", ["1", "2", "3", "4"])
