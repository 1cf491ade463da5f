"""Reading the user's table: every fault has a name, a place and a way out."""

import polars as pl
import pytest

from backtest.small_tables import sales
from solvent.backtest.options import Options
from solvent.backtest.table import BadTable, BadTime, NoColumn, read_table


def options(path, **more):
    return Options(path=path, **{"time": "time", "target": "units", **more})


@pytest.fixture
def write(tmp_path):
    def to(frame, name="sales.csv"):
        path = tmp_path / name
        frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)
        return path

    return to


@pytest.mark.parametrize("name", ["sales.csv", "sales.parquet"])
def test_both_kinds_read_alike_and_rows_are_put_in_order(write, name):
    frame = sales()
    table = read_table(options(write(frame.sample(fraction=1, shuffle=True, seed=1), name)))
    assert table.frame["units"].to_list() == pytest.approx(frame["units"].to_list())
    assert (table.micros[1:] >= table.micros[:-1]).all() and table.notes == []


def test_rows_without_time_or_target_are_left_out_and_told(write):
    frame = sales().with_row_index()
    frame = frame.with_columns(
        pl.when(pl.col("index") % 10 != 0).then("units"), pl.when(pl.col("index") % 10 != 1).then("time")
    )
    table = read_table(options(write(frame.drop("index"))))
    assert (table.total, table.frame.height) == (1200, 960)
    assert table.notes == ["120 rows without a time left out", "120 rows without units left out"]


def test_a_missing_column_names_the_nearest(write):
    with pytest.raises(NoColumn, match=r"--target unit: no column `unit` in sales.csv: did you mean `units`\?"):
        read_table(options(write(sales()), target="unit"))
    with pytest.raises(NoColumn, match=r"did you mean `time`\?"):
        read_table(options(write(sales()), time="TIME"))
    with pytest.raises(NoColumn, match="--drop prize"):
        read_table(options(write(sales()), drop=("prize",)))


SPLIT = {
    "day,clock": lambda at: {"day": at.dt.strftime("%d/%m/%Y"), "clock": at.dt.strftime("%H.%M.%S")},
    "day,hour": lambda at: {"day": at.dt.strftime("%-d/%-m/%Y"), "hour": at.dt.hour()},
    "y,m,d,h": lambda at: {"y": at.dt.year(), "m": at.dt.month(), "d": at.dt.day(), "h": at.dt.hour()},
}


@pytest.mark.parametrize("time", SPLIT)
def test_a_time_in_several_columns(write, time):
    frame = sales()
    parts = frame.drop("time").with_columns(**SPLIT[time](frame["time"]))
    found = read_table(options(write(parts), time=time))
    assert found.micros.tolist() == frame["time"].cast(pl.Datetime("us")).to_physical().to_list()
    assert not set(time.split(",")) & set(found.frame.columns) and found.columns == parts.width


def test_a_time_in_words_and_numbers(write):
    frame = sales(20_000)
    parts = {"y": frame["time"].dt.year(), "m": frame["time"].dt.strftime("%B"), "d": frame["time"].dt.day()}
    found = read_table(options(write(frame.drop("time").with_columns(**parts)), time="y,m,d"))
    days = frame["time"].dt.truncate("1d").cast(pl.Datetime("us"))
    assert found.micros.tolist() == days.to_physical().to_list()


def test_a_part_of_the_time_that_is_missing_is_named(write):
    with pytest.raises(NoColumn, match=r"--time time,hour: no column `hour` in sales.csv"):
        read_table(options(write(sales()), time="time,hour"))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pl.lit("yesterday"), "`yesterday` in row 1 of `time` is no time"),
        (pl.int_range(1200), "holds numbers such as 0"),
        (pl.lit("2024-01-01T00:00:00"), "has one value in all rows"),
    ],
)
def test_a_time_that_is_none_is_shown(write, column, message):
    frame = sales().drop("time").with_columns(time=column)
    with pytest.raises(BadTime, match=message):
        read_table(options(write(frame)))


def test_the_one_bad_cell_is_found(write):
    frame = sales().with_columns(pl.col("time").dt.strftime("%Y-%m-%d %H:%M"))
    frame[700, "time"] = "soon"
    with pytest.raises(BadTime, match="`soon` in row 701"):
        read_table(options(write(frame)))


def test_too_few_rows_folders_and_other_files(write, tmp_path):
    with pytest.raises(BadTable, match="300 rows with a time and a target are too few"):
        read_table(options(write(sales(300))))
    with pytest.raises(BadTable, match="is a folder"):
        read_table(options(tmp_path))
    with pytest.raises(BadTable, match="does not exist"):
        read_table(options(tmp_path / "none.csv"))
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(BadTable, match="cannot be read"):
        read_table(options(tmp_path / "text.parquet"))
    (tmp_path / "t.xlsx").write_text("hello")
    with pytest.raises(BadTable, match=r"`\.xlsx` is no known kind"):
        read_table(options(tmp_path / "t.xlsx"))


def test_rows_of_one_time_stay_in_the_files_order(write):
    frame = sales().with_columns(pl.col("time").dt.truncate("1w"), number=pl.int_range(1200))
    table = read_table(options(write(frame.reverse())))
    for _, week in table.frame.group_by("time"):
        assert (week["number"].diff().drop_nulls() == -1).all()
