"""Tables in every dialect are the same table, and what was assumed in reading them is said."""

import gzip
import sqlite3

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backtest.small_tables import sales
from solvent.backtest.options import Options
from solvent.backtest.reading import BadTable, read_rows
from solvent.data.times import with_times

TABLE = sales(600).with_columns(pl.col("price").round(3), pl.col("size").round(3), pl.col("units").round(3))
TOWN = TABLE.with_columns(shop=pl.lit("Köln ") + pl.col("shop"))


def rows(path, **more):
    return read_rows(Options(path=path, time="time", target="units", **more))


def same(found: pl.DataFrame, wanted: pl.DataFrame = TABLE) -> bool:
    found = with_times(found)
    if "time" in found.columns:
        wanted = wanted.cast({"time": found["time"].dtype})
    assert_frame_equal(found, wanted, check_dtypes=False)
    return True


@pytest.mark.parametrize(("separator", "said"), [(",", []), ("\t", ["tabs"]), ("|", ["`|`"]), (";", ["`;`"])])
def test_the_separator_is_told_from_the_file(tmp_path, separator, said):
    TABLE.write_csv(tmp_path / "t.csv", separator=separator)
    found, notes = rows(tmp_path / "t.csv")
    assert same(found) and len(notes) == len(said) and all(part in notes[0] for part in said)


def test_rows_that_r_has_named(tmp_path):
    lines = TABLE.with_row_index().write_csv().splitlines()
    (tmp_path / "t.csv").write_text("\n".join([lines[0].removeprefix("index,"), *lines[1:]]))
    found, notes = rows(tmp_path / "t.csv")
    assert same(found.drop("row")) and found["row"].to_list() == list(range(600)) and len(notes) == 1


def test_text_with_the_separator_in_quotes(tmp_path):
    table = TABLE.with_columns(shop=pl.lit("a;b, c; d"))
    table.write_csv(tmp_path / "t.csv")
    assert same(rows(tmp_path / "t.csv")[0], table)


def test_european_numbers(tmp_path):
    TABLE.write_csv(tmp_path / "t.csv", separator=";", decimal_comma=True)
    found, notes = rows(tmp_path / "t.csv")
    assert same(found) and notes[1] == "numbers are written with a decimal comma"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes(TOWN.write_csv().encode(encoding))
    found, notes = rows(tmp_path / "t.csv")
    assert same(found, TOWN) and bool(notes) == (encoding == "cp1252")


def test_compressed_files_folders_and_arrow(tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TABLE.write_csv().encode()))
    assert same(rows(tmp_path / "t.csv.gz")[0])
    TABLE.write_ipc(tmp_path / "t.arrow")
    assert same(rows(tmp_path / "t.arrow")[0])
    TABLE[:200].write_parquet(tmp_path / "a")
    TABLE[200:].write_csv(tmp_path / "b")
    parts = (("a.parquet", tmp_path / "a"), ("b.csv", tmp_path / "b"))
    assert same(rows("both", files=parts)[0])


def test_a_type_that_shows_only_late(tmp_path):
    late = pl.concat([TABLE.with_columns(code=pl.lit("7"))] * 36)
    late = late.with_columns(
        code=pl.when(pl.int_range(pl.len()) == late.height - 1).then(pl.lit("x")).otherwise("code")
    )
    late.write_csv(tmp_path / "t.csv")
    assert rows(tmp_path / "t.csv")[0]["code"].dtype == pl.String


def test_marks_of_missing_numbers_are_told_and_categories_stay(tmp_path):
    row = pl.int_range(pl.len())
    marked = pl.when(row % 60 == 0).then(pl.lit("?")).otherwise(pl.col("price").cast(pl.String))
    grade = pl.when(row % 60 == 0).then(pl.lit("A")).otherwise((row % 4).cast(pl.String))
    TABLE.with_columns(price=marked, grade=grade).write_csv(tmp_path / "t.csv")
    found, notes = rows(tmp_path / "t.csv")
    assert found["price"].null_count() == 10 and found["grade"].dtype == pl.String
    assert notes == ["price is a number; 10 cells with `?` count as missing"]


def test_usual_marks_of_missing_cells_are_missing_in_text_too(tmp_path):
    grade = pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("NA")).otherwise(pl.lit("None"))
    TABLE.with_columns(grade=grade).write_csv(tmp_path / "t.csv", quote_style="always")
    found, notes = rows(tmp_path / "t.csv")
    assert found["grade"].null_count() == 200 and set(found["grade"].drop_nulls()) == {"None"} and not notes


NUMBER = pl.col("price") * 1000
WRITTEN = {
    "thousands": pl.format("{},{}", (NUMBER // 1000).cast(int), (NUMBER % 1000).cast(int).cast(str).str.zfill(3)),
    "dollars": pl.format("${}", NUMBER.round(2)),
    "percent": pl.format("{} %", NUMBER.round(2)),
    "a decimal comma": NUMBER.round(2).cast(str).str.replace(r"\.", ","),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_numbers_in_other_dress_are_numbers_and_it_is_said(tmp_path, written):
    TABLE.with_columns(worth=WRITTEN[written]).write_csv(tmp_path / "t.csv")
    found, notes = rows(tmp_path / "t.csv")
    assert (found["worth"] - TABLE["price"] * 1000).abs().max() < 1
    assert len(notes) == 1 and notes[0].startswith("worth is a number written with")


def test_codes_in_digits_stay_text(tmp_path):
    TABLE.with_columns(code=pl.int_range(pl.len()).cast(str)).write_parquet(tmp_path / "t.parquet")
    assert rows(tmp_path / "t.parquet")[0]["code"].dtype == pl.String


@pytest.fixture
def shop(tmp_path):
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("create table sales (time text, price real, size real, shop text, units real)")
    connection.executemany(
        "insert into sales values (?, ?, ?, ?, ?)", [(str(row[0]), *row[1:]) for row in TABLE.rows()]
    )
    connection.commit()
    connection.close()
    return tmp_path / "shop.db"


def test_a_database_is_read_and_nothing_is_written(shop):
    for source in (f"sqlite:///{shop}", shop):
        found, _ = rows(source, query="select * from sales order by time")
        assert same(found.drop("time"), TABLE.drop("time"))
    with pytest.raises(BadTable):
        rows(shop, query="delete from sales")
    assert rows(shop, query="select count(*) as n from sales")[0]["n"].item() == 600


@pytest.mark.parametrize(
    ("source", "query", "message"),
    [
        ("sqlite:///{}", "", "which rows"),
        ("sqlite:///{}", "select * from sale", "no such table: sale"),
        ("sqlite:///{}x", "select 1", "there is no such file"),
        ("oracle://me:secret@host/x", "select 1", "needs a driver"),
        ("postgresql://me:secret@localhost:1/x", "select 1", "the query failed"),
    ],
)
def test_faults_of_databases_are_told_without_the_password(shop, source, query, message):
    with pytest.raises(BadTable, match=message) as caught:
        rows(source.format(shop), query=query)
    assert "secret" not in str(caught.value)


def test_a_query_of_a_file_is_refused(tmp_path):
    TABLE.write_csv(tmp_path / "t.csv")
    with pytest.raises(BadTable, match="--query needs a database"):
        rows(tmp_path / "t.csv", query="select 1")
