"""`solvent.compare`: what it finds, what it says, and what a notebook and a page show."""

import re

import msgspec
import numpy as np
import polars as pl
import pytest

import solvent
from governance.test_comparison_pages import EVIL, loads_nothing
from solvent.data.tables import NoColumn, NotATable
from solvent.governance.comparison import drift
from solvent.governance.comparison.data import NoData
from solvent.governance.comparison.drift import BadTime, NothingToCompare
from solvent.governance.comparison.drifttext import natural_said, render


def table(rows, seed, *, temp=15.0, kinds=("sun", "rain"), missing=0.0, days=1.0):
    """Hourly rows of a sensor, `days` after the start of 2012."""
    rng = np.random.default_rng(seed)
    start = pl.datetime(2012, 1, 1) + pl.duration(days=days)
    frame = pl.DataFrame(
        {
            "temp": np.where(rng.random(rows) < missing, np.nan, rng.normal(temp, 5, rows)),
            "weather": rng.choice(kinds, rows),
            "wind": rng.gamma(2, 3, rows),
            "open": rng.random(rows) < 0.5,
        }
    )
    return frame.with_columns(time=start + pl.duration(hours=pl.int_range(pl.len()))).with_columns(
        hour=pl.col("time").dt.hour()
    )


REFERENCE = table(4000, 1)


def test_like_tables_are_fine():
    found = solvent.compare(REFERENCE, table(600, 2))
    assert found.fine and not found.drifted and not found.broken
    assert repr(found).startswith("Nothing drifted and nothing is broken in 6 columns.")
    assert found.natural.kind == "chance" and "rows are taken as exchangeable" in repr(found)


def test_what_moved_comes_first_with_effect_and_limit():
    found = solvent.compare(REFERENCE, table(600, 2, temp=18, missing=0.3), time="time")
    assert [c.column for c in found.drifted] == ["temp"]
    temp = found.columns[0]
    assert temp.effect == pytest.approx(0.6, abs=0.1) and temp.effect > temp.limit > 0.1
    assert temp.ks == pytest.approx(0.24, abs=0.05) and temp.missing_beyond
    assert found.clocks == ["hour"], "functions of the time are left out"
    assert found.natural.blocks == 8 and "8 blocks of the reference in time" in repr(found)
    assert found.joint.columns[0][0] == "temp" and found.joint.auc > 0.6


def test_a_broken_contract_is_told_before_drift():
    current = table(600, 2).with_columns(temp=pl.col("temp") * 1.8 + 32).drop("wind")
    found = solvent.compare(REFERENCE, current, time="time")
    assert {v.column for v in found.broken} == {"temp", "wind"} and not found.fine
    assert repr(found).startswith("The contract is broken 2 times, first: wind is missing")
    assert found.schema.removed == {"wind": "Float64"}


def test_the_same_from_pandas_arrow_and_files(tmp_path):
    current = table(600, 2, kinds=("sun", "snow"))
    wanted = solvent.compare(REFERENCE, current, time="time").to_dict()
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    REFERENCE.write_parquet(paths[0])
    current.write_parquet(paths[1])
    handed = [(REFERENCE.to_pandas(), current.to_pandas()), (REFERENCE.to_arrow(), current.lazy()), paths]
    for pair in handed:
        found = solvent.compare(*pair, time="time").to_dict()
        for key in ("columns", "drifted", "natural", "clocks", "joint"):
            assert found[key] == wanted[key], key
    assert wanted["drifted"] == ["weather"]


def test_the_answer_is_plain_and_repeats():
    current = table(600, 2, temp=18)
    first, again = (solvent.compare(REFERENCE, current, seed=3).to_dict() for _ in range(2))
    first.pop("seconds"), again.pop("seconds")
    assert msgspec.json.encode(first) == msgspec.json.encode(again)
    assert {"fine", "drifted", "columns", "natural", "broken", "joint", "level", "floors"} <= first.keys()


def test_floors_and_drop_decide_what_counts():
    current = table(600, 2, temp=18)
    assert solvent.compare(REFERENCE, current, floor_number=1.0).fine
    assert "temp" not in {c.column for c in solvent.compare(REFERENCE, current, drop=["temp"]).columns}
    assert solvent.compare(REFERENCE, current, joint=False).joint is None


def test_the_page_and_the_notebook_show_it_safely(tmp_path):
    left = REFERENCE.with_columns(pl.col("weather").alias(EVIL))
    right = table(600, 2, temp=25, kinds=("sun", EVIL)).with_columns(pl.col("weather").alias(EVIL))
    found = solvent.compare(left, right)
    page = found.save(tmp_path / "x.html").read_text("utf-8")
    loads_nothing(page)
    assert "temp: reference filled" in page and "Broken contract" in page and page.count("<svg") >= 8
    shown = found._repr_html_()
    assert EVIL not in shown and "<body" not in shown and "<script" not in shown
    style = re.search(r"<style>(.*?)</style>", shown, re.DOTALL)[1]
    assert style.startswith(".solvent {") and style.count("{") == style.count("}")
    assert ":root" not in style, "colours stay inside"
    assert all(len(line) <= 95 for line in render(found))


def test_large_tables_are_held_to_their_contract_in_stretches(monkeypatch):
    monkeypatch.setattr(drift, "CONTRACT_ROWS", 800)
    found = solvent.compare(REFERENCE, table(600, 2).with_columns(wind=pl.lit(7.0)))
    assert found.contract_rows == (800, 600)
    assert "wind is constant" in found.broken[0].cause, "neighbours stay neighbours"


@pytest.mark.parametrize(
    ("current", "options", "error", "said"),
    [
        (REFERENCE.clear(), {}, NothingToCompare, "the current table has no rows"),
        (pl.DataFrame({"other": [1]}), {}, NothingToCompare, "share no column"),
        (REFERENCE, {"time": "tme"}, NoColumn, "`time`"),
        (REFERENCE, {"time": "weather"}, BadTime, "in row 1 of `weather` is no time"),
        (REFERENCE, {"time": "temp"}, BadTime, "`temp` holds numbers such as "),
        (REFERENCE, {"drop": ["wnd"]}, NoColumn, "`wind`"),
        (REFERENCE, {"level": 7}, NothingToCompare, "no probability"),
        ([1, 2], {}, NotATable, "the current side is a list"),
        ("nowhere.csv", {}, NoData, "no file or folder `nowhere.csv`"),
    ],
)
def test_errors_name_what_is_wrong(current, options, error, said):
    with pytest.raises(error, match=re.escape(said)):
        solvent.compare(REFERENCE, current, **options)


def test_times_that_are_missing_or_all_one_are_refused():
    holes = REFERENCE.with_columns(time=pl.when(pl.col("temp") > 15).then("time"))
    with pytest.raises(BadTime, match="is missing in"):
        solvent.compare(holes, REFERENCE, time="time")
    with pytest.raises(BadTime, match="one value in all rows"):
        solvent.compare(REFERENCE.with_columns(time=pl.lit("2012-01-01")), REFERENCE, time="time")


@pytest.mark.parametrize(("rows", "time"), [(1, None), (3, None), (12, None), (3, "time"), (12, "time")])
def test_few_rows_are_compared_without_a_verdict_that_they_cannot_bear(rows, time):
    found = solvent.compare(table(rows, 1), table(rows, 2, temp=16), time=time)
    assert not found.drifted and repr(found)


def test_odd_columns_are_compared():
    odd = pl.DataFrame(
        {
            "none": pl.Series([None] * 60),
            "list": [[1], [2], [3]] * 20,
            "binary": [b"a", b"b", b"c"] * 20,
            "huge": [1e200, -1e200, float("inf")] * 20,
            "text": [f"row {i}" for i in range(60)],
            "date": pl.Series(range(60)).cast(pl.Date),
        }
    )
    found = solvent.compare(odd, odd)
    assert not found.drifted and len(found.columns) == 6 and found._repr_html_()


def test_natural_variation_is_said_as_it_was_taken():
    said = natural_said(solvent.compare(REFERENCE, table(100, 3), time="time").natural)
    assert said.startswith("Natural variation: 40 blocks of the reference in time, each 4.2 days, about 100 rows each")
