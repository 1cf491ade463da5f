"""Odd tables: each is answered or refused by name, and never with a warning of NumPy's."""

import json
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from backtest.small_tables import START, sales
from solvent.backtest.document import document
from solvent.backtest.options import Options
from solvent.backtest.run import backtest
from solvent.backtest.terminal import render

ROW = pl.int_range(pl.len())
ODD = {
    "days of many rows": {"time": pl.lit(START) + pl.duration(days=ROW // 40)},
    "dates": {"time": pl.col("time").dt.date()},
    "a zone": {"time": pl.col("time").dt.replace_time_zone("Europe/Berlin", ambiguous="earliest", non_existent="null")},
    "a gap of years": {"time": pl.when(ROW < 500).then("time").otherwise(pl.col("time") + timedelta(days=900))},
    "a rare class": {"units": ROW % 200 == 0},
    "a class that appears late": {"units": ROW > 700},
    "a class that training alone has": {"units": ROW < 150},
    "targets that are mostly zero": {"units": pl.when(ROW % 3 == 0).then("units").otherwise(0.0)},
    "infinite and missing targets": {"units": pl.when(ROW % 9 > 1).then("units").when(ROW % 9 == 0).then(np.inf)},
    "huge figures": {"units": pl.col("units") * 1e12, "price": pl.col("price") * 1e300},
    "tiny figures": {"units": pl.col("units") * 1e-12},
    "decimals": {"units": pl.col("units").cast(pl.Decimal(10, 2))},
    "columns of lists, spans and nothing": {
        "tags": pl.concat_list([pl.lit(1), pl.lit(2)]),
        "wait": pl.duration(hours=ROW % 5),
        "nothing": pl.lit(None),
    },
    "a feature that is hardly ever known": {"price": pl.when(ROW > 950).then("price")},
    "a column named as a calendar feature": {"hour": pl.when(ROW % 2 == 0).then(pl.lit("x")).otherwise(pl.lit("y"))},
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_table_is_answered(tmp_path, name):
    sales(1000, drift=1.0).with_columns(**ODD[name]).write_parquet(tmp_path / "odd.parquet")
    asked = Options(
        path=tmp_path / "odd.parquet", time="time", target="units", windows=5, windows_given=True, prices=(0.1,)
    )
    found = backtest(asked, lambda _: None)
    json.dumps(document(found), allow_nan=False)
    assert max(len(line) for line in render(found)) <= 80
