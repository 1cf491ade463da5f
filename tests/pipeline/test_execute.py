"""Runs of small pipelines in real worker processes."""

from __future__ import annotations

import pytest

from solvent.lineage.entities import Actor, NodeKind, RunStatus
from solvent.pipeline import RunOptions, run_pipeline
from solvent.store import open_store


def test_a_second_run_finds_everything_cached(chain):
    first, second = chain.run(), chain.run()
    assert [(s.label, s.state) for s in first.steps] == [("one", "ran"), ("two", "ran"), ("three", "ran")]
    assert {s.state for s in second.steps} == {"cached"}
    assert [s.outputs for s in first.steps] == [s.outputs for s in second.steps]
    assert [s.run for s in first.steps] == [s.run for s in second.steps]
    assert chain.value(second, "three") == [2, 1]


def test_the_same_on_postgresql(chain, postgres):
    actor = Actor(kind="person", name="tester")
    with open_store(postgres.url(postgres.create()), root=chain.root / ".solvent", actor=actor) as store:
        runs = [run_pipeline(chain.root, chain.spec, store, pool=chain.pool) for _ in range(2)]
    assert [[s.state for s in run.steps] for run in runs] == [["ran"] * 3, ["cached"] * 3]


def test_every_step_is_a_run_of_the_pipelines_run(chain):
    run = chain.run()
    whole = chain.store.facts.run(run.key)
    steps = chain.store.facts.runs(parent=run.key)
    assert whole is not None and whole.status is RunStatus.DONE
    assert sorted(s.start.step for s in steps) == ["pipeline.one", "pipeline.three", "pipeline.two"]
    assert all(s.status is RunStatus.DONE and s.start.recipe is not None for s in steps)
    three = next(s for s in steps if s.start.step == "pipeline.three")
    assert three.start.inputs["two"] == run.output("two").digest
    above = chain.store.facts.ancestors(NodeKind.ARTIFACT, run.output("three").digest)
    assert run.step("one").run in {node.key for node in above.nodes}


def test_an_output_with_equal_content_stops_the_rerun_early(chain):
    chain.run()
    chain.edit("pipeline.py", "one * 2", "one + one")
    assert chain.states() == {"one": "cached", "two": "ran", "three": "cached"}
    chain.write("helper.py", "FACTOR = 2\n")
    chain.write(
        "pipelines/second.py",
        "from solvent import step\nimport helper\n\n@step\ndef four(three: list[int]) -> int:\n"
        "    return 4 + 0 * helper.FACTOR\n",
    )
    chain.write(
        "pipelines/third.py",
        "from solvent import step\n\n@step\ndef five(four: int) -> int:\n    return four + 1\n",
    )
    chain.run()
    chain.write("helper.py", "FACTOR = 3\n")
    assert chain.states() == {"one": "cached", "two": "cached", "three": "cached", "four": "ran", "five": "cached"}


def test_a_failed_step_stops_only_its_dependents(project):
    project.write(
        "pipeline.py",
        """
        from solvent import step

        @step
        def good() -> int:
            return 1

        @step
        def bad(good: int) -> int:
            print("about to fail")
            raise ValueError("no rentals in the file")

        @step
        def after(bad: int) -> int:
            return bad

        @step
        def beside(good: int) -> int:
            return good + 1
        """,
    )
    run = project.run()
    assert {s.label: s.state for s in run.steps} == {
        "good": "ran", "bad": "failed", "after": "skipped", "beside": "ran",
    }  # fmt: skip
    assert not run.ok
    assert run.step("bad").error == {
        "code": "step-failed",
        "what": "ValueError: no rentals in the file",
        "where": "pipeline.py:10",
        "next": "the step's log has the traceback",
    }
    log = project.log(run, "bad")
    assert "about to fail" in log and "Traceback" in log
    failed = project.store.facts.run(run.step("bad").run)
    assert (
        failed.status is RunStatus.FAILED and failed.end.error == "pipeline.py:10: ValueError: no rentals in the file"
    )
    assert project.reasons()["bad"] == "never finished"
    assert run.step("after").reason == "bad did not run through"


def test_without_keep_going_nothing_new_starts_after_a_failure(project):
    project.write(
        "pipeline.py",
        """
        from solvent import step

        @step
        def bad() -> int:
            raise ValueError

        @step
        def after(bad: int) -> int:
            return 1
        """,
    )
    assert project.states(keep_going=False) == {"bad": "failed", "after": "skipped"}


def test_bound_steps_share_code_and_differ_by_what_they_consume(project):
    project.write(
        "pipeline.py",
        """
        from solvent import step

        @step
        def small() -> int:
            return 1

        @step
        def large() -> int:
            return 100

        @step
        def double(small: int, *, times: int = 2) -> int:
            return small * times

        double_large = double.bind(small=large)
        again = double.bind(name="double_again")
        """,
    )
    run = project.run()
    assert (project.value(run, "double"), project.value(run, "double_large")) == (2, 200)
    assert run.step("double_again").run == run.step("double").run  # one recipe, done once


def test_named_outputs_go_to_whoever_asks_for_them(project):
    project.write(
        "pipeline.py",
        """
        from __future__ import annotations
        from typing import NamedTuple
        from solvent import step

        class Split(NamedTuple):
            train: list[int]
            test: list[int]

        @step
        def split() -> Split:
            return Split([1, 2], [3])

        @step
        def count(train: list[int]) -> int:
            return len(train)

        count_test = count.bind(train=split.test)
        """,
    )
    run = project.run()
    assert (project.value(run, "count"), project.value(run, "count_test")) == (2, 1)
    assert project.value(run, "split.test") == [3]
    assert set(run.outputs("split")) == {"train", "test"}


def test_optional_inputs_keep_their_default_where_nothing_makes_them(project):
    project.write(
        "pipeline.py",
        """
        from solvent import step

        @step
        def f(a: int = 3, /, b: int = 4) -> list[int]:
            return [a, b]

        @step
        def b() -> int:
            return 9
        """,
    )
    run = project.run()
    assert project.value(run, "f") == [3, 9]


def test_parameters_come_from_the_settings_and_from_the_run(chain):
    chain.run()
    chain.write("solvent.toml", "[parameters.one]\nstart = 5\n")
    assert chain.reasons()["one"] == "parameter start 1 → 5"
    assert chain.value(chain.run(), "three") == [10, 5]
    assert chain.value(chain.run(parameters={"one": {"start": 7}}), "three") == [14, 7]


def test_targets_limit_a_run_to_what_they_need(chain):
    assert chain.states(targets=("two",)) == {"one": "ran", "two": "ran"}


def test_force_runs_what_is_fresh(chain):
    chain.run()
    assert set(chain.states(force=True).values()) == {"ran"}


def test_a_lost_object_is_made_again(chain):
    run = chain.run()
    chain.store.objects.delete(run.output("two").digest)
    assert chain.reasons()["two"] == "its output is missing from the store"
    assert chain.states() == {"one": "cached", "two": "ran", "three": "cached"}


def test_a_declared_environment_variable_is_part_of_the_recipe(project, monkeypatch):
    project.write(
        "pipeline.py",
        """
        import os
        from solvent import step

        @step(env=["CITY"])
        def city() -> str:
            return os.environ.get("CITY", "none")
        """,
    )
    monkeypatch.setenv("CITY", "Ghent")
    project.run()
    assert project.plan().fresh
    monkeypatch.setenv("CITY", "Bruges")
    assert project.reasons() == {"city": "environment variable CITY changed"}


def test_progress_tells_starts_and_ends_with_a_count_and_an_end_only_when_it_is_on_record(chain):
    seen = []

    def listen(event):
        run = chain.store.facts.run(event.result.run) if event.result else None
        seen.append((event.label, event.state, event.done, event.total, run.status if run else None))

    run_pipeline(chain.root, chain.spec, chain.store, RunOptions(targets=("two",)), progress=listen, pool=chain.pool)
    done = RunStatus.DONE
    assert [s for s in seen if s[1] != "running"] == [("one", "ran", 1, 2, done), ("two", "ran", 2, 2, done)]
    for label in ("one", "two"):
        states = [state for name, state, *_ in seen if name == label]
        assert states == ["running", "ran"]


def test_the_run_document_is_the_public_one(chain):
    document = chain.run(targets=("one",)).document()
    assert document["steps"][0]["name"] == "pipeline.one"
    assert set(document["steps"][0]) == {"name", "state", "reason", "seconds", "outputs"}
    assert set(document["steps"][0]["outputs"][0]) == {"name", "digest", "content", "type"}


@pytest.mark.parametrize(
    ("returned", "annotation", "what"),
    [
        ("[1]", "dict[str, float]", "it returned a builtins.list where its annotation says dict[str, float]"),
        ("'x'", "int", "it returned a builtins.str where its annotation says int"),
        ("threading.Lock()", "threading.Lock", "a _thread.lock cannot be kept: TypeError: cannot pickle"),
        ("Path('gone.txt')", "Path", "the returned path `gone.txt` does not exist"),
    ],
)  # fmt: skip
def test_an_output_that_cannot_be_kept_fails_the_step_with_its_place(project, returned, annotation, what):
    project.write(
        "pipeline.py",
        f"""
        from __future__ import annotations
        import threading
        from pathlib import Path
        from solvent import step

        @step
        def odd() -> {annotation}:
            return {returned}
        """,
    )
    error = project.run().step("odd").error
    assert (error["what"].startswith(what), error["where"]) == (True, "pipeline.py:7")
