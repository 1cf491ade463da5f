"""Processes that measure: what becomes of their errors, of their deaths, and of them when the loop dies."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children

import pytest

from small_project import BEGIN, MODEL, SETTINGS, end, fitted, make_project, rows, serve_week
from solvent.automation.tick import Loop
from solvent.pipeline.processes import LiveProcesses
from solvent.project import Project
from solvent.store.objects import Missing

OFF = SETTINGS.replace("[policy]", "[policy]\nenabled = false")
KILLED = """
import sys, time
from datetime import datetime
from multiprocessing import active_children
from pathlib import Path
from solvent.automation.tick import Loop
from solvent.project import Project

if __name__ == "__main__":
    with Loop(Project(Path(sys.argv[1])), workers=1) as loop:
        loop.tick(datetime.fromisoformat(sys.argv[2]))
        print(*(child.pid for child in active_children()), flush=True)
        time.sleep(600)
"""


@pytest.fixture
def project(tmp_path):
    project = Project(make_project(tmp_path / "project", OFF))
    fitted(project, BEGIN)
    serve_week(project, 8, rows(8))
    yield project
    project.close()


def test_a_process_that_was_killed_is_not_missed(project):
    with Loop(project, workers=1) as loop:
        (first,) = loop.tick(end(8)).models
        (process,) = active_children()
        process.kill()
        process.join()
        serve_week(project, 9, rows(9))
        (second,) = loop.tick(end(9)).models
        serve_week(project, 10, rows(10))
        (third,) = loop.tick(end(10)).models
    assert [len(done.windows) for done in (first, second, third)] == [1, 1, 1]
    assert len(second.measurements) == len(third.measurements)
    assert not active_children()


def test_its_errors_are_those_of_the_loop(project):
    version = project.store.facts.version(MODEL, 1)
    project.store.objects.delete(version.reference)
    with Loop(project, workers=1) as loop, pytest.raises(Missing) as caught:
        loop.tick(end(8))
    assert caught.value.digest == version.reference and "run again what makes it" in str(caught.value)


def test_nothing_outlives_a_loop_that_was_killed(project, tmp_path):
    project.close()
    script = tmp_path / "ticks.py"
    script.write_text(KILLED)
    command = [sys.executable, script, project.root, end(8).isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as loop:
        (process,) = map(int, loop.stdout.readline().split())
        assert process in LiveProcesses()
        os.kill(loop.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while process in LiveProcesses() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process not in LiveProcesses()
