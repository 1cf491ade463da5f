"""Runs of small pipelines in real worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from textwrap import dedent

import pytest

from solvent.lineage.entities import Actor, NodeKind, RunStatus
from solvent.pipeline import WorkerPool, run_pipeline
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


def test_what_steps_print_is_kept_as_their_log_and_not_shown(project, capfd):
    project.write(
        "pipeline.py",
        """
        import os
        from solvent import step

        @step
        def noisy() -> int:
            print("from python")
            os.system("echo from a shell")
            return 1
        """,
    )
    run = project.run()
    assert project.log(run, "noisy").splitlines() == ["from python", "from a shell"]
    assert capfd.readouterr().out == ""


def test_a_killed_worker_is_a_failed_step_that_names_the_signal(project):
    project.write(
        "pipeline.py",
        """
        import os, signal
        from solvent import step

        @step
        def victim() -> int:
            os.kill(os.getpid(), signal.SIGKILL)
            return 1

        @step
        def other() -> int:
            return 2
        """,
    )
    run = project.run()
    assert run.step("other").state == "ran"
    assert run.step("victim").error["code"] == "worker-died"
    assert "SIGKILL" in run.step("victim").error["what"]
    assert project.states()["victim"] == "failed"  # the pool has replaced the worker


def test_what_a_step_starts_cannot_reach_the_workers_pipes_and_dies_with_it(project):
    project.write(
        "pipeline.py",
        """
        import os, signal, subprocess
        from solvent import step

        @step
        def reads() -> str:
            return subprocess.run(["cat"], capture_output=True, text=True, check=True).stdout

        @step
        def forks(reads: str) -> int:
            if (child := os.fork()) == 0:
                signal.pause()
            open("child", "w").write(str(child))
            os.kill(os.getpid(), signal.SIGKILL)
            return 1
        """,
    )
    run = project.run()
    assert project.value(run, "reads") == ""
    assert "SIGKILL" in run.step("forks").error["what"]
    child = Path("/proc") / (project.root / "child").read_text() / "stat"
    if child.parent.parent.is_dir() and child.exists():
        assert child.read_text().split()[2] == "Z"  # dead, though nobody has asked after it yet


def test_a_step_may_call_sys_exit_without_taking_the_worker_along(project):
    project.write(
        "pipeline.py", "import sys\nfrom solvent import step\n\n@step\ndef leaves() -> int:\n    sys.exit(3)\n"
    )
    assert project.run().step("leaves").error["what"] == "SystemExit: 3"


def test_steps_that_do_not_depend_on_each_other_run_at_once(project):
    project.write(
        "pipeline.py",
        """
        import time
        from pathlib import Path
        from solvent import step

        def meet(name: str, other: str) -> int:
            Path(f"{name}.here").touch()
            for _ in range(500):
                if Path(f"{other}.here").exists():
                    return 1
                time.sleep(0.02)
            raise TimeoutError(other)

        @step
        def left() -> int:
            return meet("left", "right")

        @step
        def right() -> int:
            return meet("right", "left")
        """,
    )
    assert project.states() == {"left": "ran", "right": "ran"}


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


def test_workers_are_replaced_when_the_users_files_change(chain):
    chain.run()
    chain.edit("pipeline.py", "one * 2", "one * 5")
    assert chain.value(chain.run(), "three") == [5, 1]


def test_progress_tells_starts_and_ends_with_a_count(chain):
    chain.run(targets=("two",))
    told = [(event.label, event.state, event.done, event.total) for event in chain.events]
    assert told == [("one", "running", 0, 2), ("one", "ran", 1, 2), ("two", "running", 1, 2), ("two", "ran", 2, 2)]


def test_the_run_document_is_the_public_one(chain):
    document = chain.run(targets=("one",)).document()
    assert document["steps"][0]["name"] == "pipeline.one"
    assert set(document["steps"][0]) == {"name", "state", "reason", "seconds", "outputs"}
    assert set(document["steps"][0]["outputs"][0]) == {"name", "digest", "content", "type"}


SLOW = """
    import time
    from solvent import step

    @step
    def slow() -> int:
        print("working", flush=True)
        open("started", "w").close()
        time.sleep(%s)
        with open("worked", "a") as file:
            file.write("x")
        return 1
"""
RUNNER = """
    import sys
    from pathlib import Path
    from solvent.foundation.settings import Settings
    from solvent.lineage.entities import Actor
    from solvent.pipeline import load_spec, run_pipeline
    from solvent.store import open_store

    root = Path(sys.argv[1])
    actor = Actor(kind="person", name="tester")
    with open_store(f"sqlite:///{root}/.solvent/solvent.db", root=root / ".solvent", actor=actor) as store:
        print([step.state for step in run_pipeline(root, load_spec(root, Settings()), store).steps])
"""


def _runner(root) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", dedent(RUNNER), str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _wait_for(path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.02)


def test_two_processes_do_the_work_of_one_recipe_once(project):
    project.write("pipeline.py", SLOW % 3)
    _ = project.spec
    first = _runner(project.root)
    _wait_for(project.root / "started")
    second = _runner(project.root)
    assert sorted(p.communicate(timeout=60)[0].strip() for p in (first, second)) == ["['cached']", "['ran']"]
    assert (project.root / "worked").read_text() == "x"


def test_ctrl_c_records_the_runs_as_cancelled_and_leaves_no_process(project):
    project.write("pipeline.py", SLOW % 60)
    process = _runner(project.root)
    _wait_for(project.root / "started")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    statuses = {run.start.step: run.status for run in project.store.facts.runs()}
    assert statuses == {"pipeline": RunStatus.CANCELLED, "pipeline.slow": RunStatus.CANCELLED}
    assert list((project.root / ".solvent" / "scratch").iterdir()) == []


def test_after_kill_9_the_next_run_calls_the_old_one_lost_and_does_the_work(project):
    project.write("pipeline.py", SLOW % 1)
    process = _runner(project.root)
    _wait_for(project.root / "started")
    process.kill()
    process.communicate(timeout=30)
    assert project.states() == {"slow": "ran"}
    lost = [run.start.step for run in project.store.facts.runs(status=RunStatus.LOST)]
    assert sorted(lost) == ["pipeline", "pipeline.slow"]


def test_a_pool_serves_many_runs_with_the_same_processes(chain):
    chain.write(
        "pipeline.py",
        "import os\nfrom solvent import step\n\n@step\ndef pid(*, turn: int = 0) -> int:\n    return os.getpid()\n",
    )
    pids = [chain.value(chain.run(parameters={"pid": {"turn": turn}}), "pid") for turn in range(3)]
    assert len(set(pids)) == 1 and pids[0] != os.getpid()


def test_threads_are_shared_between_workers(project):
    project.write(
        "pipeline.py",
        """
        import os
        from solvent import step

        @step
        def threads() -> str:
            return os.environ["POLARS_MAX_THREADS"]
        """,
    )
    run = project.run()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert project.value(run, "threads") == str(max(1, cores // 2))
    assert project.store.facts.run(run.step("threads").run).end.resources["threads"] == max(1, cores // 2)


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


def test_a_progress_callback_may_raise_and_nothing_is_left_running(chain):
    def stop(event):
        raise RuntimeError("the screen is gone")

    with WorkerPool(chain.root) as pool, pytest.raises(RuntimeError):
        run_pipeline(chain.root, chain.spec, chain.store, progress=stop, pool=pool)
    assert {run.status for run in chain.store.facts.runs()} <= {RunStatus.FAILED, RunStatus.CANCELLED}
    assert threading.active_count() == 1
