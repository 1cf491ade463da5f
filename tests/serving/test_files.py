"""`solvent score`: a file gets what the endpoint would have answered."""

from __future__ import annotations

import polars as pl
import pytest

from solvent.registry import resolve
from solvent.registry.signature import Signature
from solvent.serving import files
from solvent.serving.errors import BadRows
from solvent.serving.files import BadFile, score_file

from .conftest import Declaration


@pytest.fixture
def table(rides):
    return rides.drop("busy").with_columns(pl.col("station").cast(pl.String)).head(50)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_answers_are_logged_and_written_beside_the_rows(store, make, table, tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(files, "CHUNK", 20)
    make()
    path = tmp_path / f"week{suffix}"
    files.write_table(table, path)
    report = score_file(store, "bike-demand@champion", path)
    assert (report.model, report.rows, report.flags) == ("bike-demand/1", 50, {})
    written = files.read_table(tmp_path / f"week.scored{suffix}", signature_of(store))
    assert written.columns == [*table.columns, "prediction_id", "prediction", "flags"]
    logged = store.log.scan_predictions("bike-demand").collect().sort("prediction_id")
    assert logged["output"].to_list() == written.sort("prediction_id")["prediction"].to_list()
    assert logged["prediction_id"].to_list() == sorted(table["ride"])
    assert logged["event_time"].dt.year().unique().to_list() == [2012]


def signature_of(store) -> Signature:
    return Signature.of(resolve(store, "bike-demand").signature)


def test_flags_are_written_and_counted(store, make, table, tmp_path):
    make()
    path = tmp_path / "week.csv"
    files.write_table(table.with_columns(station=pl.lit("west")), path)
    report = score_file(store, "bike-demand", path, output=tmp_path / "out.parquet")
    assert report.flags == {"unseen:station": 50}
    assert pl.read_parquet(tmp_path / "out.parquet")["flags"].unique().to_list() == ["unseen:station"]


def test_classifiers_write_the_probability(store, make, table, tmp_path):
    make(Declaration(name="busy", task="binary", target="busy"))
    path = tmp_path / "week.parquet"
    files.write_table(table, path)
    score_file(store, "busy", path)
    written = pl.read_parquet(tmp_path / "week.scored.parquet")
    assert (written["prediction"] == (written["probability_True"] > 0.5)).all()


def test_a_broken_cell_is_named_by_its_row_in_the_file_and_nothing_is_logged(store, make, table, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CHUNK", 20)
    make()
    path = tmp_path / "week.csv"
    rows = table.with_columns(pl.col("hour").cast(pl.String)).to_dicts()
    rows[33]["hour"] = "noon"
    files.write_table(pl.DataFrame(rows), path)
    with pytest.raises(BadFile, match=r"week.csv, row 33, column `hour`: 'noon' is no number"):
        score_file(store, "bike-demand", path)
    late = table.with_columns(
        time=pl.when(pl.col("ride") == "r33").then(pl.lit("soon")).otherwise(pl.lit("2012-05-01"))
    )
    files.write_table(late, path)
    with pytest.raises(BadRows, match=r"week.csv, row 33, column `time`: 'soon' is no time"):
        score_file(store, "bike-demand", path)
    assert store.log.scan_predictions("bike-demand").collect().is_empty()


def test_files_that_cannot_be_scored_say_why(store, make, table, tmp_path):
    make()
    (tmp_path / "empty.csv").write_text("ride,time,temp,hour,station\n")
    (tmp_path / "notes.docx").write_text("")
    (tmp_path / "torn.parquet").write_text("PAR1")
    files.write_table(pl.concat([table, table.head(1)]), tmp_path / "twice.csv")
    files.write_table(table.with_columns(flags=pl.lit("x")), tmp_path / "taken.csv")
    for name, words in [
        ("empty.csv", "no rows"),
        ("notes.docx", "neither CSV nor Parquet"),
        ("torn.parquet", "torn.parquet"),
        ("absent.csv", "no file"),
        ("twice.csv", r"row 0, column `ride`: id `r0` stands on more than one row"),
        ("taken.csv", "has a column `flags` already"),
    ]:
        with pytest.raises(BadFile, match=words):
            score_file(store, "bike-demand", tmp_path / name)
