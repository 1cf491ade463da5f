"""Pipelines of many steps under kill -9 and with several runs at once: nothing that is on record is done twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import pipeline_runner
from solvent.governance.questions import verify
from solvent.lineage.entities import Actor, RunStatus
from solvent.store import Store, open_store
from store.faults import SOAK

STEPS = 200
ME = Actor(kind="person", name="tester")


def many_steps(root: Path, pause: float, runs: int = 1) -> Path:
    """A tree of steps, each of which leaves a mark when it is called. runs: so many must be there for the first."""
    lines = [
        "import glob, os, time", "from solvent import step", "",
        "def called(name: str) -> int:",
        "    file = os.open('called', os.O_WRONLY | os.O_CREAT | os.O_APPEND)",
        "    os.write(file, f'{name}\\n'.encode())", "    os.close(file)",
        f"    time.sleep({pause})", "    return len(name)", "",
        "@step", "def s0() -> int:",
        f"    while len(glob.glob('ready.*')) < {runs}:", "        time.sleep(0.01)",
        "    return called('s0')", "",
    ]  # fmt: skip
    for n in range(1, STEPS):
        above = f"s{(n - 1) // 3}"
        lines += ["@step", f"def s{n}({above}: int) -> int:", f"    return called('s{n}') + 1000 * {n} + {above}", ""]
    root.mkdir(parents=True)
    (root / "pipeline.py").write_text("\n".join(lines))
    return root


def start(root: Path, *url: str) -> subprocess.Popen[str]:
    command = [sys.executable, pipeline_runner.__file__, str(root), *url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def called(root: Path) -> Counter[str]:
    place = root / "called"
    return Counter(place.read_text().split() if place.exists() else [])


def done(store: Store) -> dict[str, int]:
    """How often each step is on record as done."""
    runs = store.facts.runs(status=RunStatus.DONE, limit=10 * STEPS)
    return dict(Counter(run.start.step.partition(".")[2] for run in runs if run.start.recipe))


def opened(root: Path) -> Store:
    return open_store(f"sqlite:///{root}/.solvent/solvent.db", root=root / ".solvent", actor=ME)


@pytest.mark.parametrize("draw", range(SOAK))
def test_after_each_kill_what_is_on_record_is_whole_and_is_not_done_again(draw, tmp_path):
    root, chance = many_steps(tmp_path / "project", 0.005), random.Random(draw)
    before: dict[str, int] = {}
    calls: Counter[str] = Counter()
    for _ in range(4):
        process = start(root)
        wanted = sum(calls.values()) + chance.randint(1, 40)
        while sum(called(root).values()) < wanted and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        process.communicate()
        with opened(root) as store:
            assert verify(store).problems == []
            now = done(store)
        assert now.items() >= before.items(), "what was on record stays so"
        assert set(now.values()) <= {1}
        again = {name for name in before if called(root)[name] > calls[name]}
        assert again == set(), "a step that is on record was called again"
        before, calls = now, called(root)
    answer, errors = start(root).communicate(timeout=120)
    states = json.loads(answer) if answer else errors
    assert {name for name, state in states.items() if state == "cached"} >= set(before)
    assert set(states.values()) <= {"ran", "cached"}
    with opened(root) as store:
        assert done(store) == {f"s{n}": 1 for n in range(STEPS)}
        assert store.facts.runs(status=RunStatus.RUNNING) == []
        assert verify(store).problems == []


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_two_runs_at_once_share_the_work(database, tmp_path, request):
    root = many_steps(tmp_path / "project", 0.05, runs=2)  # longer than a run takes to begin on a busy machine
    url = f"sqlite:///{root}/.solvent/solvent.db"
    if database == "postgresql":
        postgres = request.getfixturevalue("postgres")
        url = postgres.url(postgres.create())
    open_store(url, root=root / ".solvent", actor=ME).close()  # so that neither has to make it
    answers = [process.communicate(timeout=300) for process in [start(root, url), start(root, url)]]
    first, second = (json.loads(answer) if answer else errors for answer, errors in answers)
    assert set(first) == set(second) == {f"s{n}" for n in range(STEPS)}
    assert called(root) == dict.fromkeys(first, 1), "each step was called once"
    ran = [sum(state == "ran" for state in states.values()) for states in (first, second)]
    assert sum(ran) == STEPS
    assert min(ran) > 0, "both worked"
    assert {*first.values(), *second.values()} == {"ran", "cached"}
