"""The log under faults: a full disk, death at any operation, kill -9 at any moment."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from solvent.store.log import NotLogged, PredictionLog
from solvent.store.objects import FolderObjects
from store.batches import MODEL, START, open_project, outcomes, predictions
from store.faults import SOAK, Killed, Operation, deaths, disk_full, recorded
from store.memory_facts import MemoryFacts

PROGRAM = Path(__file__).with_name("batches.py")
FAULTS = pytest.mark.parametrize("fault", [disk_full, deaths])
DURABILITIES = pytest.mark.parametrize("durability", ["process", "full"])


def open_log(root: Path, facts: MemoryFacts, **options) -> PredictionLog:
    return PredictionLog(root / "log", facts, FolderObjects(root / "objects", root / "staging"), **options)


def ids(log: PredictionLog) -> list[str]:
    return sorted(log.scan_predictions(MODEL).collect().get_column("prediction_id"))


def test_a_new_file_and_its_folders_are_synced_before_the_first_append_is_acknowledged(tmp_path: Path) -> None:
    with open_log(tmp_path, MemoryFacts(), durability="full") as log, recorded() as operations:
        log.append_predictions(MODEL, predictions(["a"]))
        log.append_predictions(MODEL, predictions(["b"]))
    folder = log.root / "predictions" / MODEL
    path = operations[1].path
    assert operations == [
        Operation("make_folder", folder),
        Operation("create", path),
        Operation("write", path),
        Operation("sync", path),
        *(Operation("sync_folder", up) for up in (folder, log.root / "predictions", log.root, tmp_path)),
        Operation("write", path),
        Operation("sync_data", path),
        Operation("write", path),
        Operation("sync_data", path),
    ]


def test_a_process_durable_append_is_one_write(tmp_path: Path) -> None:
    with open_log(tmp_path, MemoryFacts()) as log:
        log.append_predictions(MODEL, predictions(["a"]))
        with recorded() as operations:
            log.append_predictions(MODEL, predictions(["b"]))
    assert [operation.name for operation in operations] == ["write"]


def test_the_blob_is_whole_before_the_fact_and_the_fact_is_there_before_the_file_goes(tmp_path: Path) -> None:
    order = []

    class Facts(MemoryFacts):
        def add_segment(self, segment, artifact) -> None:
            order.extend(operation.name for operation in operations)
            operations.clear()
            super().add_segment(segment, artifact)
            order.append("fact")

    with open_log(tmp_path, Facts()) as log:
        log.append_predictions(MODEL, predictions(["a"]))
        with recorded() as operations:
            log.seal(MODEL, "predictions", now=START)
    order.extend(operation.name for operation in operations)
    assert order[order.index("create") :] == [
        *("create", "write", "sync", "make_folder", "replace", "sync_folder", "sync_folder", "sync_folder"),
        *("fact", "unlink", "sync_folder"),
    ]


@FAULTS
@DURABILITIES
def test_an_append_that_fails_loses_nothing_before_it_and_leaves_nothing_half_there(
    fault: Callable, durability: str, tmp_path: Path
) -> None:
    for attempt in fault():
        root, facts, acknowledged = tmp_path / str(attempt.n), MemoryFacts(), []
        log = open_log(root, facts, durability=durability, rotate_bytes=300)
        with attempt:
            for name in "abcd":
                log.append_predictions(MODEL, predictions([name, name.upper()]))
                acknowledged += [name, name.upper()]
        if attempt.struck and not attempt.dies:
            assert isinstance(attempt.error, NotLogged), attempt
        if not attempt.dies:  # the same process goes on
            log.append_predictions(MODEL, predictions(["after"]))
            assert ids(log) == sorted([*acknowledged, "after"]), attempt
        log.close()
        after = open_log(root, facts)
        after.append_predictions(MODEL, predictions(["next"]))
        after.seal(MODEL, "predictions", now=START)
        found = ids(after)
        assert set(acknowledged) <= set(found), attempt
        assert len(found) == len(set(found)), attempt
        whole = [name for name in found if len(name) == 1]
        assert sorted(name.swapcase() for name in whole) == whole, f"half a batch is visible: {attempt}"
        assert not list(root.rglob("*.damaged")), attempt
    assert attempt.n > 10


@FAULTS
def test_sealing_that_fails_anywhere_ends_with_every_row_once_when_it_is_repeated(
    fault: Callable, tmp_path: Path
) -> None:
    for attempt in fault():
        root, facts = tmp_path / str(attempt.n), MemoryFacts()
        living, log = open_log(root, facts), open_log(root, facts)
        for number in range(3):
            dead = open_log(root, facts)
            dead.append_predictions(MODEL, predictions([f"dead {number}"]))
            dead.close()
        living.append_predictions(MODEL, predictions(["living"]))
        expected = ["dead 0", "dead 1", "dead 2", "living"]
        with attempt:
            log.seal(MODEL, "predictions", now=START)
        assert ids(log) == expected, attempt
        living.append_predictions(MODEL, predictions(["more"]))
        log.seal(MODEL, "predictions", now=START)
        assert ids(log) == sorted([*expected, "more"]), attempt
        assert sum(segment.rows for segment in facts.catalogue.values()) == 5, attempt
        living.close()
    assert attempt.n > 10


def test_death_between_the_fact_and_the_removal_of_the_file_doubles_nothing(tmp_path: Path) -> None:
    class Facts(MemoryFacts):
        def add_segment(self, segment, artifact) -> None:
            super().add_segment(segment, artifact)
            if len(self.catalogue) == 1:
                raise Killed

    log = open_log(tmp_path, Facts())
    log.append_outcomes(MODEL, outcomes(["a"], [1.0]))
    with pytest.raises(Killed):
        log.seal(MODEL, "outcomes", now=START)
    assert list(log.root.rglob("*.open"))
    assert log.scan_outcomes(MODEL).collect().height == 1
    assert log.seal(MODEL, "outcomes", now=START).segments == []
    assert log.scan_outcomes(MODEL).collect().height == 1
    assert not list(log.root.rglob("*.open"))


@FAULTS
def test_retention_that_fails_anywhere_brings_no_row_back(fault: Callable, tmp_path: Path) -> None:
    for attempt in fault():
        root, facts = tmp_path / str(attempt.n), MemoryFacts()
        with open_log(root, facts) as log:
            for number in range(3):
                log.append_predictions(MODEL, predictions([str(number)]))
                log.seal(MODEL, "predictions", now=START)
            with attempt:
                log.expire(MODEL, START.replace(year=2013))
            assert ids(log) in (["0", "1", "2"], []), attempt
            log.expire(MODEL, START.replace(year=2013))
            assert ids(log) == [], attempt


@contextmanager
def program(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def acknowledged_until_killed(seconds: float, *arguments: object) -> list[str]:
    """Ids that the program printed before kill -9, `seconds` after its first line."""
    with program(*arguments) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    whole = [line for line in lines if line.endswith("\n")]
    return [name for line in whole for name in line.split()]


@DURABILITIES
def test_what_was_acknowledged_survives_kill(durability: str, tmp_path: Path) -> None:
    acknowledged: list[str] = []
    log = open_log(tmp_path, MemoryFacts())
    for number in range(3 * SOAK):
        seconds = random.uniform(0, 0.05)
        acknowledged += acknowledged_until_killed(seconds, "append", tmp_path, number, durability)
        assert len(acknowledged) > 3 * number
        if number % 2:
            log.seal(MODEL, "predictions", now=START)
        found = ids(log)
        assert len(found) == len(set(found))
        assert set(acknowledged) <= set(found)
        assert len(found) <= len(acknowledged) + 3 * (number + 1)  # at most the batch that a kill cut off its answer
    log.seal(MODEL, "predictions", now=START)
    assert not list(tmp_path.rglob("*.open"))
    assert not list(tmp_path.rglob("*.damaged"))


def test_sealing_killed_at_any_moment_keeps_every_row_once(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    with open_project(tmp_path) as store:
        for number in range(4 * SOAK):
            acknowledged += acknowledged_until_killed(random.uniform(0, 0.3), "seal", tmp_path, number)
            found = ids(store.log)
            assert len(found) == len(set(found))
            assert set(acknowledged) <= set(found)
        store.log.seal(MODEL, "predictions", now=START)
        assert ids(store.log) == found
        assert sum(segment.rows for segment in store.facts.segments(MODEL, "predictions")) == len(found)
        for digest in store.objects.list():
            store.objects.verify(digest)
    assert not list(tmp_path.rglob("*.open"))


def test_two_sealers_and_a_writer_at_once_keep_every_row_once(tmp_path: Path) -> None:
    with open_project(tmp_path) as store, program("seal", tmp_path, "x") as one, program("seal", tmp_path, "y") as two:
        for process in (one, two):
            assert process.stdout is not None
            process.stdout.readline()
        for number in range(20):
            store.log.append_predictions(MODEL, predictions([f"mine-{number}"]))
            if number % 5 == 0:
                store.log.seal(MODEL, "predictions", now=START)
            found = ids(store.log)
            assert len(found) == len(set(found))
            assert f"mine-{number}" in found
    with open_project(tmp_path) as store:
        store.log.seal(MODEL, "predictions", now=START)
        found = ids(store.log)
        assert len(found) == len(set(found))
        assert sum(name.startswith("mine") for name in found) == 20
