"""Contracts by hand: inferred, reviewed, checked, at import too."""

import polars as pl
import pytest

from solvent.foundation.settings import Settings
from solvent.pipeline import load_spec
from solvent.pipeline.contracting import (
    ContractExists,
    NoContract,
    Roles,
    UnknownData,
    check,
    check_on_add,
    infer,
    subject_of,
)

PIPELINE = """
from solvent import source, step
import polars as pl

rides = source("data/rides.csv", time="time", id="ride")

@step
def clean(rides: pl.DataFrame) -> pl.DataFrame:
    return rides
"""


def table(rows=400, **other):
    hours = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 12, 31), "1h", eager=True)[:rows]
    columns = {
        "time": hours,
        "ride": range(rows),
        "temp": [float(i % 30) for i in range(rows)],
        "kind": ["a", "b"] * (rows // 2),
    }
    return pl.DataFrame({**columns, **other})


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "data").mkdir()
    table().write_csv(tmp_path / "data" / "rides.csv")
    return tmp_path


def test_a_files_contract_stands_under_its_name_and_is_kept(project):
    subject = subject_of(project, "data/rides.csv", None)
    contract, path = infer(subject, Roles(time="time", id="ride"))
    assert path == project / "contracts" / "rides.json" and contract.by_name()["ride"].unique
    report = check(subject)
    assert report.ok and [file.file for file in report.files] == ["rides.csv"]
    with pytest.raises(ContractExists, match="`--replace`"):
        infer(subject, Roles())
    infer(subject, Roles(time="time"), replace=True)


def test_broken_columns_are_named_with_their_causes(project):
    subject = subject_of(project, "data/rides.csv", None)
    infer(subject, Roles(time="time"))
    table(temp=[5000.0 + i for i in range(400)]).drop("kind").write_csv(project / "data" / "rides.csv")
    report = check(subject)
    assert not report.ok and {v.column for v in report.broken} == {"temp", "kind"}
    assert all(v.cause for v in report.broken)


def test_a_source_brings_its_columns_and_its_contracts_place(project):
    spec = load_spec(project, Settings())
    subject = subject_of(project, "rides", spec)
    assert subject.roles.time == "time" and subject.roles.id == "ride"
    contract, path = infer(subject, Roles())
    assert path == project / "contracts" / "rides.json"
    assert {c.role.value for c in contract.columns if c.name in ("time", "ride")} == {"time", "id"}
    assert subject_of(project, "data/rides.csv", spec).roles.time == "time", "its path means the source, too"


def test_a_value_that_is_no_time_breaks_the_contract_and_stops_nothing(project):
    subject = subject_of(project, "data/rides.csv", None)
    infer(subject, Roles(time="time"))
    table().with_columns(pl.lit("yesterday").alias("time")).write_csv(project / "data" / "rides.csv")
    assert [(v.column, v.kind) for v in check(subject).broken] == [("time", "type")]


def test_a_folder_is_checked_file_by_file(project):
    for day in (1, 2):
        table(ride=range(400 * day, 400 * day + 400)).write_parquet(project / "data" / f"{day}.parquet")
    (project / "data" / "rides.csv").unlink()
    subject = subject_of(project, "data", None)
    infer(subject, Roles())
    table(temp=["cold"] * 400).write_parquet(project / "data" / "2.parquet")
    report = check(subject)
    assert [(file.file, file.ok) for file in report.files] == [("1.parquet", True), ("2.parquet", False)]


def test_at_import_only_a_table_with_a_contract_is_held_to_it(project):
    rides = "data/rides.csv"
    assert check_on_add(project, rides) is None
    infer(subject_of(project, rides, None), Roles())
    assert check_on_add(project, rides).ok
    table().drop("temp").write_csv(project / rides)
    assert [v.column for v in check_on_add(project, rides).broken] == ["temp"]
    (project / "data" / "notes.txt").write_text("words")
    assert check_on_add(project, "data/notes.txt") is None
    (project / "contracts" / "data.json").write_bytes((project / "contracts" / "rides.json").read_bytes())
    assert check_on_add(project, "data") is None, "a folder of other files than tables"


def test_what_is_not_there_is_said(project):
    spec = load_spec(project, Settings())
    with pytest.raises(UnknownData, match="did you mean `rides`"):
        subject_of(project, "ridse", spec)
    with pytest.raises(NoContract, match=r"contract infer data/rides\.csv"):
        check(subject_of(project, "data/rides.csv", None))
    with pytest.raises(UnknownData, match="no column `hour`"):
        infer(subject_of(project, "data/rides.csv", None), Roles(target="hour"))
