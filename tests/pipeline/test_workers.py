"""Worker processes: what they do to each other, how they die, and several runs beside each other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import pipeline_runner
from solvent.lineage.entities import RunStatus
from solvent.pipeline import WorkerPool, run_pipeline


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


def test_workers_are_replaced_when_the_users_files_change(chain):
    chain.run()
    chain.edit("pipeline.py", "one * 2", "one * 5")
    assert chain.value(chain.run(), "three") == [5, 1]


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


def _runner(root) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, pipeline_runner.__file__, str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
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
    states = sorted(json.loads(p.communicate(timeout=60)[0])["slow"] for p in (first, second))
    assert states == ["cached", "ran"]
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


def test_a_progress_callback_may_raise_and_nothing_is_left_running(chain):
    def stop(event):
        raise RuntimeError("the screen is gone")

    before = set(threading.enumerate())
    with WorkerPool(chain.root) as pool, pytest.raises(RuntimeError):
        run_pipeline(chain.root, chain.spec, chain.store, progress=stop, pool=pool)
    assert {run.status for run in chain.store.facts.runs()} <= {RunStatus.FAILED, RunStatus.CANCELLED}
    assert set(threading.enumerate()) <= before
