"""Steps over many: values of a parameter, partitions of a source, elements of another map."""

from __future__ import annotations

import polars as pl
import pytest

from solvent.foundation.errors import SolventError

GRID = """
    from __future__ import annotations
    from solvent import step

    @step
    def base() -> int:
        return 10

    @step
    def fit(base: int, *, rate: float = 0.1, seed: int = 7) -> float:
        return base * rate + seed

    fits = fit.map(rate=[0.1, 0.2, 0.5])

    @step
    def best(fits: list[float]) -> float:
        return max(fits)

    @step
    def table(fits: dict[str, float]) -> list[str]:
        return sorted(fits)
"""


def test_a_step_mapped_over_values_is_a_step_for_each_with_a_run_of_its_own(project):
    project.write("pipeline.py", GRID)
    run = project.run()
    assert {s.label for s in run.steps} == {
        "base", "fit[rate=0.1]", "fit[rate=0.2]", "fit[rate=0.5]", "best", "table",
    }  # fmt: skip
    assert len({s.run for s in run.steps}) == 6
    assert project.value(run, "fit[rate=0.5]") == 12.0
    assert project.value(run, "best") == 12.0
    assert project.value(run, "table") == ["rate=0.1", "rate=0.2", "rate=0.5"]
    assert project.plan().fresh


def test_another_value_is_another_element(project):
    project.write("pipeline.py", GRID)
    project.run()
    project.edit("pipeline.py", "[0.1, 0.2, 0.5]", "[0.1, 0.5, 0.9]")
    assert [s.label for s in project.plan().steps if s.label.startswith("fit")] == [
        "fit[rate=0.1]", "fit[rate=0.5]", "fit[rate=0.9]",
    ]  # fmt: skip
    run = project.run()
    assert project.value(run, "best") == 16.0


def test_several_lists_are_combined_each_with_each(project):
    project.write(
        "pipeline.py",
        """
        from __future__ import annotations
        from solvent import step

        @step
        def area(*, wide: int = 1, high: int = 1) -> int:
            return wide * high

        areas = area.map(wide=[1, 2], high=[3, 4], name="field")

        @step
        def total(areas: dict[str, int]) -> dict[str, int]:
            return areas
        """,
    )
    run = project.run()
    assert project.value(run, "total") == {
        "wide=1,high=3": 3, "wide=1,high=4": 4, "wide=2,high=3": 6, "wide=2,high=4": 8,
    }  # fmt: skip
    assert "field[wide=2,high=4]" in {s.label for s in run.steps}


def test_targets_and_parameters_may_name_all_elements_or_one(project):
    project.write("pipeline.py", GRID)
    assert set(project.states(targets=("fits",))) == {"base", "fit[rate=0.1]", "fit[rate=0.2]", "fit[rate=0.5]"}
    assert set(project.states(targets=("fit",))) == set(project.states(targets=("fits",)))
    assert set(project.states(targets=("fit[rate=0.2]",))) == {"base", "fit[rate=0.2]"}
    run = project.run(parameters={"fit": {"seed": 0}})
    assert project.value(run, "best") == 5.0
    project.write("solvent.toml", "[parameters.fit]\nseed = 1\n")
    assert project.value(project.run(), "best") == 6.0
    with pytest.raises(SolventError, match="tells the elements of `fit` apart"):
        project.run(parameters={"fit": {"rate": 0.3}})


DAYS = """
    from __future__ import annotations
    from pathlib import Path
    import polars as pl
    from solvent import source, step

    days = source("data/days/*.parquet", partitions=True)

    @step
    def clean(days: pl.LazyFrame, *, least: int = 0) -> pl.DataFrame:
        with Path("cleaned").open("a") as file:
            file.write("x")
        return days.filter(pl.col("n") >= least).collect()

    cleaned = clean.map(days)

    @step
    def size(table: pl.DataFrame) -> int:
        return table.height

    sizes = size.map(table=cleaned)

    @step
    def whole(cleaned: pl.LazyFrame) -> pl.DataFrame:
        return cleaned.sort("n").collect()

    @step
    def by_day(sizes: dict[str, int]) -> dict[str, int]:
        return sizes

    @step
    def raw(days: pl.DataFrame) -> int:
        return days.height
"""


def day(project, name, *values):
    place = project.root / "data" / "days" / f"{name}.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({"n": values}).write_parquet(place)


def test_only_new_and_changed_partitions_are_processed(project):
    project.write("pipeline.py", DAYS)
    day(project, "1", 1, 2)
    day(project, "2", 3)
    run = project.run()
    assert run.ok, run.document()
    assert project.value(run, "whole")["n"].to_list() == [1, 2, 3]
    assert project.value(run, "by_day") == {"1.parquet": 2, "2.parquet": 1}
    assert project.value(run, "raw") == 3
    assert (project.root / "cleaned").read_text() == "xx"
    assert set(project.states().values()) == {"cached"}
    day(project, "3", 4, 5, 6)
    day(project, "2", 7, 8)
    run = project.run()
    assert (project.root / "cleaned").read_text() == "xxxx"
    assert run.step("clean[1.parquet]").state == "cached"
    assert project.value(run, "whole")["n"].to_list() == [1, 2, 4, 5, 6, 7, 8]
    assert project.value(run, "by_day") == {"1.parquet": 2, "2.parquet": 2, "3.parquet": 3}
    (project.root / "data" / "days" / "1.parquet").unlink()
    run = project.run()
    assert (project.root / "cleaned").read_text() == "xxxx"
    assert project.value(run, "whole")["n"].to_list() == [4, 5, 6, 7, 8]
    whole = project.store.facts.run(run.step("whole").run)
    assert set(whole.start.inputs) == {"cleaned[2.parquet]", "cleaned[3.parquet]"}


def test_a_source_in_partitions_that_has_none_is_an_error_of_its_own(project):
    project.write("pipeline.py", DAYS)
    run = project.run()
    assert not run.ok
    assert run.step("days").error["what"] == "`data/days/*.parquet` matches no file"


def test_a_mapped_step_may_have_several_outputs(project):
    project.write(
        "pipeline.py",
        """
        from typing import NamedTuple
        from solvent import step

        class Parts(NamedTuple):
            values: list[int]  # a name that a map could have had for itself
            rest: int

        @step
        def cut(*, size: int = 1) -> Parts:
            return Parts(list(range(size)), size * 10)

        cuts = cut.map(size=[2, 3])

        @step
        def total(values: list[int], *, plus: int = 0) -> int:
            return sum(values) + plus

        totals = total.map(cuts.values)
        both = total.map(values=cuts.values, plus=[100], name="more")

        @step
        def report(totals: dict[str, int], rest: list[int], both: list[int]) -> str:
            return f"{totals} {rest} {both}"

        @step
        def tens(rest: list[int]) -> int:
            return sum(rest)

        last = tens.bind(rest=cuts.rest)
        """,
    )
    run = project.run()
    assert run.ok
    assert project.value(run, "report") == "{'size=2': 1, 'size=3': 3} [20, 30] [101, 103]"
    assert project.value(run, "last") == 50
    assert project.value(run, "cut[size=3].rest") == 30
    assert [s.label for s in project.plan(targets=("cuts.rest",)).steps] == ["cut[size=2]", "cut[size=3]"]
    project.edit("pipeline.py", "[2, 3]", "[2, 3, 4]")
    states = project.states()
    assert (states["cut[size=3]"], states["cut[size=4]"], states["total[size=4]"]) == ("cached", "ran", "ran")


@pytest.mark.parametrize(
    ("line", "what", "hint"),
    [
        ("fits = fit.map(rate=0.1)", "`map(rate=0.1)` is no list of values", "write map(rate=[...])"),
        ("fits = fit.map(rate=[])", "`map(rate=[])` is no list of values", "write map(rate=[...])"),
        ("fits = fit.map(rate=[1, 1])", "`map(rate=…)` has 1 twice", "name each value once"),
        ("fits = fit.map()", "`fit.map()` has nothing to map over",
         "write map(days) or map(learning_rate=[0.05, 0.1])"),
        ("fits = fit.map(base=[1])", "`fit` has no keyword-only parameter `base`",
         "values are given to keyword-only parameters"),
        ("fits = fit.map(rat=[1])", "`fit` has no keyword-only parameter `rat`", "did you mean `rate`?"),
        ("fits = fit.map(whole)", "the source `data.csv` is one dataset, so there is nothing to map over",
         "declare it with partitions=True to take its files one by one"),
        ("fits = fit.map(base.first)", "<step base>.first is one value, so there is nothing to map over",
         "map over an output of a map"),
        ("fits = fit.map(base=parts)\ngrown = fit.map(base=fits.low)", "`pipeline.fits` has one output, not `low`",
         "write `fits`"),
        ("fits = fit.map(7)", "`fit` cannot be mapped over a int",
         "map over a source with partitions=True, a mapped step, or name=[values]"),
        ("fits = fit.map(parts, base=parts)", "`fit` is mapped over several things at once",
         "map over one, and over values of keyword-only parameters"),
        ("fits = fit.map(parts)", "`fit` takes `base`, `other`: which of them is mapped?", "write map(base=parts)"),
        ("fits = fit.map(rate=[0.1])\n@step\ndef one(fits: float) -> float:\n    return fits",
         "`one` takes `fits` as `float`, but `fits` (pipeline.py:15) makes many of `float`",
         "annotate it list[...] or dict[str, ...], or map over it"),
        ("fits = fit.map(rate=[0.1])\n@step\ndef one(fit: float) -> float:\n    return fit",
         "nothing makes `fit`, which `one` takes",
         "`fit` is mapped: take all of them as `fits: list[...]`, or map over `fits`"),
    ],
)  # fmt: skip
def test_misuse_is_refused_with_the_way_out(project, line, what, hint):
    project.write(
        "pipeline.py",
        """
        from solvent import source, step

        whole = source("data.csv")
        parts = source("parts/*.csv", partitions=True)

        @step
        def base() -> int:
            return 1

        @step
        def fit(base: int, other: int = 3, *, rate: float = 0.1) -> float:
            return base * rate

        """,
    )
    with (project.root / "pipeline.py").open("a") as file:
        file.write("\n" + line + "\n")
    with pytest.raises(SolventError) as refused:
        _ = project.spec
    assert (refused.value.what, refused.value.next) == (what, hint)
    assert refused.value.where.startswith("pipeline.py:")
