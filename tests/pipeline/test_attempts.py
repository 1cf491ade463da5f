"""Steps that fail now and then, or take too long."""

from __future__ import annotations

import time

import pytest

from solvent.lineage.entities import RunStatus

FLAKY = """
    import os, signal, time
    from pathlib import Path
    from solvent import step

    @step(retries=2, backoff="0.1s")
    def flaky() -> int:
        tries = Path("tries")
        tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
        if len(tries.read_text()) < {good}:
            {bad}
        return 1

    @step
    def after(flaky: int) -> int:
        return flaky + 1
"""


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ('raise ConnectionError("no answer")', "ConnectionError: no answer"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    ],
)
def test_a_step_is_tried_again_and_each_attempt_is_a_run_on_record(project, bad, says):
    project.write("pipeline.py", FLAKY.format(good=3, bad=bad))
    run = project.run()
    assert run.ok
    assert run.step("flaky").attempts == 3
    assert [note.partition(": ")[0] for note in run.step("flaky").notes] == ["attempt 1 failed", "attempt 2 failed"]
    assert all(says in note for note in run.step("flaky").notes)
    assert run.document()["steps"][0]["attempts"] == 3
    tries = list(reversed(project.store.facts.runs(step="pipeline.flaky")))
    assert [(t.status, t.start.tags.get("attempt")) for t in tries] == [
        (RunStatus.FAILED, None), (RunStatus.FAILED, "2"), (RunStatus.DONE, "3"),
    ]  # fmt: skip
    assert says in tries[0].end.error
    assert project.states() == {"flaky": "cached", "after": "cached"}


def test_a_step_that_never_succeeds_fails_after_its_last_attempt(project):
    project.write("pipeline.py", FLAKY.format(good=99, bad='raise ConnectionError("no answer")'))
    started = time.monotonic()
    run = project.run()
    assert time.monotonic() - started > 0.3  # 0.1 s, then 0.2 s
    assert [(s.label, s.state) for s in run.steps] == [("flaky", "failed"), ("after", "skipped")]
    assert (project.root / "tries").read_text() == "xxx"
    assert run.step("flaky").error["what"] == "ConnectionError: no answer"


def test_a_mistake_in_the_step_is_not_tried_again(project):
    project.write(
        "pipeline.py",
        """
        from solvent import step

        @step(retries=5)
        def odd() -> int:
            open("tried", "a").write("x")
            return "text"
        """,
    )
    assert project.run().step("odd").error["code"] == "wrong-output"
    assert (project.root / "tried").read_text() == "x"


def test_a_step_that_takes_too_long_is_stopped_with_all_that_it_started_and_its_worker_replaced(project):
    project.write(
        "pipeline.py",
        """
        import subprocess, time
        from solvent import step

        @step(timeout="3s")
        def stuck() -> int:
            print("waiting for the other side", flush=True)
            subprocess.run(["sleep", "60"])
            return 1

        @step
        def other() -> int:
            return 2
        """,
    )
    started = time.monotonic()
    run = project.run()
    assert time.monotonic() - started < 30
    stuck = run.step("stuck")
    assert (stuck.state, stuck.error["code"]) == ("failed", "timed-out")
    assert "its timeout" in stuck.error["what"]
    assert stuck.notes == ["pipeline.py:7: starts a program (`subprocess.run`)", "waiting for the other side"]
    assert run.step("other").state == "ran"
    assert project.store.facts.run(stuck.run).status is RunStatus.FAILED
    assert project.states() == {"stuck": "failed", "other": "cached"}


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ("retries=-1", "`retries=-1` is no number of attempts"),
        ('timeout="soon"', "`soon` is no length of time"),
        ('memory="much"', "`much` is no amount of memory"),
    ],
)
def test_limits_that_make_no_sense_are_refused_with_their_place(project, arguments, what):
    from solvent.pipeline.errors import BadDeclaration

    project.write("pipeline.py", f"from solvent import step\n\n@step({arguments})\ndef one() -> int:\n    return 1\n")
    with pytest.raises(BadDeclaration) as refused:
        _ = project.spec
    assert (refused.value.what, refused.value.where) == (what, "pipeline.py:3")


def test_limits_are_no_part_of_the_recipe(project):
    project.write("pipeline.py", "from solvent import step\n\n@step(retries=1)\ndef one() -> int:\n    return 1\n")
    project.run()
    assert project.spec.step("one").limits.retries == 1
    recipe = project.plan().step("one").recipe
    assert "retries" not in str(recipe.parameters)
