"""`solvent compare` as installed: files and dataset versions, exit codes, JSON, the page."""

import numpy as np
import polars as pl
import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("drift")
    rng = np.random.default_rng(1)
    for name, temp, rows in (("reference", 15, 2000), ("alike", 15, 400), ("warm", 19, 400)):
        hours = pl.datetime_range(pl.datetime(2012, 1, 1), pl.datetime(2012, 12, 31), "1h", eager=True)
        frame = pl.DataFrame({"time": hours[:rows], "temp": rng.normal(temp, 5, rows), "id": range(rows)})
        frame.write_csv(root / f"{name}.csv")
    return root


def test_like_tables_end_with_0_and_drift_with_1(solvent, folder):
    alike = solvent("compare", "reference.csv", "alike.csv", "--time", "time", "--drop", "id", cwd=folder)
    assert (alike.code, alike.err) == (0, "")
    assert alike.out.startswith("Nothing drifted and nothing is broken in 1 column.\nreference.csv: 2,000 rows")
    asked = ["--drop", "id", "--no-joint", "--html", "page.html", "--json"]
    warm = solvent("compare", "reference.csv", "warm.csv", *asked, cwd=folder)
    assert warm.code == 1 and "page.html" in warm.err
    found = warm.json
    assert (found["fine"], found["drifted"], found["joint"]) == (False, ["temp"], None)
    assert found["natural"]["kind"] == "chance" and found["columns"][0]["effect"] > found["columns"][0]["limit"]
    assert "temp: reference.csv filled" in (folder / "page.html").read_text()


def test_versions_of_a_dataset_are_compared(solvent, folder, tmp_path):
    (tmp_path / "rides.csv").write_bytes((folder / "reference.csv").read_bytes())
    assert solvent("init", cwd=tmp_path).code == 0
    assert solvent("data", "add", "rides.csv", cwd=tmp_path).code == 0
    (tmp_path / "rides.csv").write_bytes((folder / "warm.csv").read_bytes())
    told = solvent("compare", "rides.csv@1", "rides.csv", "--drop", "id", "--no-joint", cwd=tmp_path)
    assert told.code == 1 and "1 of 2 columns drifted: temp by 0.8" in told.out, told


def test_a_table_in_another_dialect_is_the_same_table(solvent, folder):
    frame = pl.read_csv(folder / "reference.csv", try_parse_dates=True)
    frame.with_columns(pl.col("time").dt.strftime("%d.%m.%Y %H:%M")).write_csv(
        folder / "german.txt", separator=";", decimal_comma=True
    )
    told = solvent("compare", "german.txt", "reference.csv", "--time", "time", "--drop", "id", cwd=folder)
    assert told.code == 0 and "Nothing drifted and nothing is broken in 1 column" in told.out, told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reference.csv", "nowhere.csv"], "error[no-data]"),
        (["reference.csv", "warm.csv", "--time", "tme"], "no column `tme` in the reference table"),
        (["reference.csv", "warm.csv", "--level", "7"], "error[nothing-to-compare]"),
    ],
)
def test_errors_name_what_is_wrong(solvent, folder, arguments, said):
    told = solvent("compare", *arguments, cwd=folder)
    assert (told.code, told.out) == (2, "") and said in told.err
