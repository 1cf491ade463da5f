"""Sources end to end: files, folders, globs, cuts in time, contracts, and errors that name file, column and row."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from solvent.lineage.entities import NodeKind

PIPELINE = """
    from __future__ import annotations
    from solvent import source, step

    rides = source({location!r}, time="time", known_at="known", id="id")

    @step
    def count(rides: pl.LazyFrame) -> int:
        return rides.collect().height
"""
HEAD = "id,time,known,temp,city\n"
ROWS = "".join(
    f"{day},2012-01-{day:02} 06:00:00,2012-01-{day + 2:02} 06:00:00,{day / 2},Washington\n" for day in range(1, 21)
)


def declare(project, location: str = "data/rides.csv") -> None:
    text = PIPELINE.format(location=location).replace("from solvent", "import polars as pl\n    from solvent", 1)
    project.write("pipeline.py", text)


@pytest.fixture
def rides(project):
    declare(project)
    project.write("data/rides.csv", HEAD + ROWS)
    return project


def table(project, run) -> pl.DataFrame:
    return pl.read_parquet(project.store.objects.path(run.output("rides").digest))


def test_a_csv_becomes_a_typed_table(rides):
    run = rides.run()
    assert dict(table(rides, run).schema) == {
        "id": pl.Int64, "time": pl.Datetime("us"), "known": pl.Datetime("us"), "temp": pl.Float64, "city": pl.String,
    }  # fmt: skip
    assert rides.value(run, "count") == 20


def test_the_table_hangs_below_the_file_that_it_came_from(rides):
    run = rides.run()
    above = rides.store.facts.ancestors(NodeKind.ARTIFACT, run.output("rides").digest)
    assert "rides.csv" in {node.name for node in above.nodes}


def test_touching_a_file_reruns_nothing_and_changing_it_does(rides):
    rides.run()
    (rides.root / "data" / "rides.csv").touch()
    assert set(rides.states().values()) == {"cached"}
    with (rides.root / "data" / "rides.csv").open("a") as file:
        file.write("21,2012-01-21 06:00:00,2012-01-23 06:00:00,9.5,Washington\n")
    assert rides.reasons()["rides"] == "data/rides.csv changed"
    assert rides.states() == {"rides": "ran", "count": "ran"}


def test_a_file_written_another_way_stops_the_rerun_at_the_source(rides):
    rides.run()
    rides.write("data/rides.csv", HEAD + ROWS.replace("Washington", '"Washington"'))
    assert rides.states() == {"rides": "ran", "count": "cached"}


def test_as_of_hides_what_was_not_known_and_since_what_is_too_old(rides):
    day = lambda n: datetime(2012, 1, n, 6, tzinfo=UTC)  # noqa: E731
    assert rides.value(rides.run(as_of=day(12)), "count") == 10
    assert rides.value(rides.run(as_of=day(12), since=day(5)), "count") == 6
    assert table(rides, rides.run(as_of=day(12), since=day(5)))["id"].to_list() == [5, 6, 7, 8, 9, 10]
    assert rides.states(as_of=day(12)) == {"rides": "cached", "count": "cached"}
    later = rides.run(as_of=datetime(2013, 1, 1, tzinfo=UTC))
    assert {s.label: s.state for s in later.steps} == {"rides": "ran", "count": "ran"}
    assert rides.states(as_of=datetime(2014, 1, 1, tzinfo=UTC)) == {"rides": "ran", "count": "cached"}


def test_rows_without_the_time_they_were_known_fall_out_of_the_past(rides):
    rides.write("data/rides.csv", HEAD + ROWS + "21,2012-01-01 06:00:00,,1.0,Washington\n")
    assert rides.value(rides.run(), "count") == 21
    assert rides.value(rides.run(as_of=datetime(2020, 1, 1, tzinfo=UTC)), "count") == 20


def test_one_parquet_file_goes_on_as_it_is_unless_it_is_cut(project):
    declare(project, "data/rides.parquet")
    project.write("data/rides.csv", HEAD + ROWS)
    pl.read_csv(project.root / "data" / "rides.csv", try_parse_dates=True).write_parquet(
        project.root / "data" / "rides.parquet"
    )
    run = project.run()
    assert (
        project.store.objects.read(run.output("rides").digest) == (project.root / "data" / "rides.parquet").read_bytes()
    )
    cut = project.run(as_of=datetime(2012, 1, 12, 6, tzinfo=UTC))
    assert cut.output("rides").digest != run.output("rides").digest
    above = project.store.facts.ancestors(NodeKind.ARTIFACT, cut.output("rides").digest)
    assert run.output("rides").digest in {node.key for node in above.nodes}


def test_a_parquet_file_with_other_row_groups_has_equal_content(project):
    declare(project, "data/rides.parquet")
    project.write("data/rides.csv", HEAD + ROWS)
    whole = pl.read_csv(project.root / "data" / "rides.csv", try_parse_dates=True)
    whole.write_parquet(project.root / "data" / "rides.parquet")
    project.run()
    whole.write_parquet(project.root / "data" / "rides.parquet", row_group_size=3)
    assert project.states() == {"rides": "ran", "count": "cached"}


@pytest.mark.parametrize("location", ["data", "data/*.csv", "data/**/*.csv"])
def test_a_folder_and_a_glob_are_one_table_with_a_blob_for_each_file(project, location):
    declare(project, location)
    project.write("data/a.csv", HEAD + ROWS)
    project.write("data/b.csv", HEAD + ROWS.replace("Washington", "Ghent"))
    run = project.run()
    assert project.value(run, "count") == 40
    above = project.store.facts.ancestors(NodeKind.ARTIFACT, run.output("rides").digest)
    assert {"a.csv", "b.csv"} <= {node.name for node in above.nodes}
    assert [e.role for e in above.edges].count("member") == 2
    project.write("data/c.csv", HEAD + ROWS)
    assert project.value(project.run(), "count") == 60


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("rides.jsonl", pl.DataFrame.write_ndjson),
        ("rides.feather", pl.DataFrame.write_ipc),
        ("rides.tsv", lambda t, p: t.write_csv(p, separator="\t")),
    ],
)
def test_other_formats_are_known_by_suffix(project, name, write):
    declare(project, f"data/{name}")
    project.write("data/rides.csv", HEAD + ROWS)
    write(pl.read_csv(project.root / "data" / "rides.csv"), project.root / "data" / name)
    assert project.value(project.run(), "count") == 20


def test_a_step_may_want_the_file_itself(project):
    project.write(
        "pipeline.py",
        """
        from pathlib import Path
        from solvent import source, step

        notes = source("notes.md")

        @step
        def words(notes: Path) -> list[str]:
            return [notes.name, *notes.read_text().split()]
        """,
    )
    project.write("notes.md", "two words")
    assert project.value(project.run(), "words") == ["notes.md", "two", "words"]


BROKEN = [
    ("mixed types", HEAD + ROWS.replace("10.0,", "warm,"), "column `temp` mixes numbers and text: row 20 holds `warm`"),
    ("no time", HEAD + ROWS.replace("2012-01-07 06", "soon 06"), "column `time`, row 7: `soon 06:00:00` is no time"),
    ("missing column", HEAD.replace("known", "knwon") + ROWS, "no column `known`"),
    ("missing id", HEAD.replace("id", "key") + ROWS, "no column `id`"),
    ("empty", "", "the file is empty"),
    ("number for time", "id,time,known\n1,5,6\n", "column `time` is Int64, no time"),
    ("ragged", HEAD + "1,2012-01-01,2012-01-01,1,a,b,c\n", "it cannot be read as csv"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "what"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_broken_file_is_an_error_that_names_file_column_and_row(rides, text, what):
    rides.write("data/rides.csv", text)
    run = rides.run()
    error = run.step("rides").error
    assert (error["code"], error["where"]) == ("bad-source", "data/rides.csv")
    assert error["what"].startswith(what)
    assert run.step("count").state == "skipped"


def test_marks_for_missing_are_missing_in_a_column_of_numbers(rides):
    rides.write("data/rides.csv", HEAD + ROWS.replace("10.0,", "NA,"))
    assert table(rides, rides.run())["temp"].null_count() == 1


def test_codes_that_look_half_like_numbers_stay_text(rides):
    rides.write(
        "data/rides.csv", HEAD + "".join(f"{n},2012-01-01,2012-01-01,{'A' if n % 2 else ''}{n},x\n" for n in range(20))
    )
    assert table(rides, rides.run())["temp"].dtype == pl.String


def test_files_of_one_source_must_fit_together(project):
    declare(project, "data/*.csv")
    project.write("data/a.csv", HEAD + ROWS)
    project.write("data/b.csv", "id,time,known,temp\n1,2012-01-01,2012-01-01,1\n")
    error = project.run().step("rides").error
    assert (error["where"], error["what"]) == ("data/*.csv: b.csv", "no column `city`, which data/*.csv: a.csv has")
    project.write("data/b.csv", HEAD + "1,2012-01-01,2012-01-01,cold,Ghent\n")
    error = project.run().step("rides").error
    assert error["what"] == "column `temp` is String, and Float64 in data/*.csv: a.csv"


def test_a_missing_file_is_an_error_with_the_nearest_name(project):
    declare(project, "data/ridse.csv")
    project.write("data/rides.csv", HEAD + ROWS)
    run = project.run()
    assert run.step("rides").error == {
        "code": "bad-source", "what": "`data/ridse.csv` matches no file", "where": "pipeline.py:5",
        "next": "did you mean `rides.csv`?",
    }  # fmt: skip


def test_the_contract_is_inferred_once_and_each_file_checked_once(rides):
    run = rides.run()
    path = rides.root / "contracts" / "rides.json"
    before = path.read_bytes()
    assert '"temp"' in path.read_text()
    [member] = [
        n
        for n in rides.store.facts.ancestors(NodeKind.ARTIFACT, run.output("rides").digest).nodes
        if n.name == "rides.csv"
    ]
    [check] = rides.store.facts.contract_checks([member.key])[member.key]
    assert check.ok
    rides.run(as_of=datetime(2012, 1, 12, 6, tzinfo=UTC))
    assert len(rides.store.facts.contract_checks([member.key])[member.key]) == 1
    assert path.read_bytes() == before


def broken(rides) -> None:
    """A contract is there, and then a column is gone."""
    rides.run()
    rides.write("data/rides.csv", HEAD.replace("temp", "warmth") + ROWS)


def test_a_broken_contract_is_recorded_and_told_and_the_run_goes_on(rides):
    broken(rides)
    run = rides.run()
    assert run.ok
    assert any("temp" in note for note in run.step("rides").notes)
    again = rides.run()
    assert again.step("rides").state == "cached" and again.step("rides").notes == run.step("rides").notes


def test_a_broken_contract_stops_the_run_where_the_settings_say_so_every_time(rides):
    broken(rides)
    rides.write("solvent.toml", '[contracts]\non_break = "stop"\n')
    for _ in range(2):
        run = rides.run()
        assert run.step("rides").error["code"] == "contract-broken"
        assert run.step("count").state == "skipped"


def test_an_edited_contract_is_checked_anew(rides):
    rides.run()
    rides.edit("contracts/rides.json", '"name": "city"', '"name": "town"')
    run = rides.run()
    assert (run.step("rides").state, run.step("rides").reason) == ("ran", "its contract changed")
    assert any("town" in note for note in run.step("rides").notes)
    assert rides.run().step("rides").state == "cached"


def test_a_contract_that_is_no_json_is_an_error_with_its_place(rides):
    rides.run()
    rides.write("contracts/rides.json", "{")
    error = rides.run().step("rides").error
    assert error["what"].startswith("the contract is no JSON") and error["where"].endswith("contracts/rides.json")


def test_a_source_may_do_without_a_contract(rides):
    rides.edit("pipeline.py", 'id="id"', 'id="id", contract=False')
    rides.run()
    assert not (rides.root / "contracts").exists()


def test_a_file_that_was_one_of_several_before_is_a_table_when_it_is_the_only_one(project):
    """The store knows its bytes as a plain file by then; the cached table is a table all the same."""
    project.write(
        "pipeline.py",
        """
        import polars as pl
        from solvent import source, step

        sales = source("sales/*.parquet")

        @step
        def rows(sales: pl.LazyFrame) -> int:
            return sales.collect().height

        @step
        def again(sales: pl.LazyFrame) -> int:
            return sales.collect().height
        """,
    )
    folder = project.root / "sales"
    folder.mkdir()
    for name, height in (("a", 2), ("b", 3)):
        pl.DataFrame({"x": range(height)}).write_parquet(folder / f"{name}.parquet")
    assert project.value(project.run(targets=("rows",)), "rows") == 5
    (folder / "b.parquet").unlink()
    assert project.value(project.run(targets=("rows",)), "rows") == 2
    assert project.value(project.run(targets=("again",)), "again") == 2, "from the cached table"
