"""Collection: what goes, what stays, and that nobody loses anything by it, whoever works beside it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clones import add_dataset, age, clone, flip, run, stored, stored_tree
from solvent.data.collection import collect, survey
from solvent.foundation.ids import uuid7
from solvent.lineage.entities import RunEnd, RunStart, RunStatus
from solvent.store.objects import Missing
from store.faults import SOAK, deaths, disk_full
from store_samples import START, recipe

NOW = datetime(2100, 1, 1, tzinfo=UTC)  # by which everything is old, unless a session says otherwise
DAY = timedelta(days=1)
COLLECTOR = Path(__file__).with_name("collector.py")


@pytest.fixture
def store(tmp_path):
    with clone(tmp_path / "store", "") as opened:
        yield opened


def gc(store, **options):
    return collect(store, **{"keep_runs": 1, "grace": DAY, "now": NOW, **options})[1]


def reasons(store, **options):
    found = survey(store, **{"keep_runs": 1, "grace": DAY, "now": NOW, **options})
    return {row.reason: row.objects for row in (*found.goes, *found.stays)}


def old_and_new(store):
    """Two runs of a step, each with its output and its log; the first is superseded."""
    old, new = stored(store, b"old output"), stored(store, b"new output")
    run(store, "a", {"result": old})
    run(store, "a", {"result": new})
    return old, new


def whole(store):
    """Raises where anything that a newest run or a dataset needs is not there whole."""
    for need in needs(store):
        store.objects.verify(need.digest)


def needs(store):
    with store.facts.database.read() as connection:
        return list(store.facts.needed(connection, 1))


def test_a_dry_run_says_what_would_go_and_why_and_changes_nothing(store):
    old, _ = old_and_new(store)
    add_dataset(store, "rides.csv", stored(store, b"rides"))
    store.objects.put_bytes(b"nobody's")
    assert reasons(store) == {"superseded": 2, "newest runs": 2, "dataset version": 1, "of no fact": 1}
    assert store.objects.exists(old.digest)
    assert store.facts.collected() == set()


def test_superseded_outputs_go_and_facts_say_so(store):
    old, new = old_and_new(store)
    done = gc(store)
    assert (done.objects, done.kept) == (2, 0)
    assert not store.objects.exists(old.digest)
    assert store.objects.read(new.digest) == b"new output"
    assert store.facts.collected() == {old.digest}
    assert store.facts.runs(step="a")[1].end.outputs["result"].digest == old.digest, "the facts stay"
    assert gc(store).objects == 0


def test_what_was_made_again_is_there_again(store):
    old, _ = old_and_new(store)
    gc(store)
    run(store, "a", {"result": stored(store, b"old output")})
    assert store.facts.collected() == set()
    assert store.objects.read(old.digest) == b"old output"


def test_folders_stay_whole_and_go_whole(store):
    files = {"a": b"a", "deep/b": b"b", "deep/down/c": b"c"}
    add_dataset(store, "images", stored_tree(store, files))
    run(store, "a", {"result": stored_tree(store, {**files, "deep/new": b"new"})})
    run(store, "a", {"result": stored(store, b"small")})
    assert reasons(store)["dataset version"] == 3 + 3
    assert gc(store).objects == 2 + 1 + 1, "two folders and a file that only the superseded one had, and a log"
    whole(store)


def test_what_is_young_or_linked_stays(store, tmp_path):
    old, _ = old_and_new(store)
    assert reasons(store, now=datetime.now(UTC)) == {"young": 2, "newest runs": 2}
    os.link(store.objects.path(old.digest), tmp_path / "checked-out")
    assert reasons(store) == {"superseded": 1, "checked out by hard link": 1, "newest runs": 2}
    gc(store)
    assert store.objects.exists(old.digest)


def test_a_session_keeps_what_is_used_in_it_however_long_it_lasts(store):
    old, _ = old_and_new(store)
    age(store)
    with store.session():
        assert store.available(old.digest, old.size)
        assert gc(store).objects == 1, "the log, which nobody used"
        assert store.objects.read(old.digest) == b"old output"
    assert gc(store).objects == 1


def test_a_tree_that_cannot_be_read_makes_collection_careful(store):
    tree = stored_tree(store, {"a": b"a", "b": b"b"})
    add_dataset(store, "images", tree)
    old_and_new(store)
    store.objects.put_bytes(b"nobody's")
    flip(store, tree.digest)
    found = survey(store, keep_runs=1, grace=DAY, now=NOW)
    assert found.unreadable == [tree.digest]
    assert reasons(store)["unsure"] == 3
    assert gc(store).objects == 2, "what facts know by name goes all the same"


def test_what_a_decision_erased_goes_even_if_it_is_needed(store):
    _, new = old_and_new(store)
    store.facts.mark_erased([new.digest], START)
    assert reasons(store)["erased"] == 1
    gc(store)
    assert not store.objects.exists(new.digest)


def test_half_written_files_go_after_a_day(store):
    old_and_new(store)
    staging = store.root / "staging"
    (staging / "gathering").mkdir(parents=True)
    for path in (staging / "left", staging / "gathering" / "left too"):
        path.write_bytes(b"half")
    (staging / "young").write_bytes(b"half")
    os.utime(staging / "young", (4e9 + 1e9, 4e9 + 1e9))
    assert gc(store).staged == 2
    assert [path.name for path in staging.iterdir()] == ["young"]


@pytest.mark.parametrize("fault", [disk_full, deaths])
def test_whichever_removal_fails_nothing_needed_goes_and_the_next_collection_ends_the_work(fault, tmp_path):
    for attempt in fault():
        with clone(tmp_path / f"{attempt.n}", "") as store:
            for number in range(4):
                run(store, "a", {"result": stored(store, f"output {number}".encode())})
            add_dataset(store, "images", stored_tree(store, {"a": b"a"}))
            with attempt:
                gc(store)
            whole(store)
            gc(store)
            whole(store)
            assert reasons(store) == {"newest runs": 2, "dataset version": 2}
            assert len(store.facts.collected()) == 3
    assert attempt.n > 5


def test_a_fact_that_comes_between_the_look_and_the_mark_is_heard(store, monkeypatch):
    """Somebody promotes old bytes, without storing anything, after collection found them unneeded."""
    old, _ = old_and_new(store)
    age(store)
    looked = survey(store, keep_runs=1, grace=DAY, now=NOW)
    assert old.digest in looked.candidates

    def late(*_: object, **__: object):
        add_dataset(store, "rescued", old)
        return looked

    monkeypatch.setattr("solvent.data.collection.collecting.survey", late)
    done = gc(store)
    assert (done.objects, done.kept) == (0, 2), "the log of the run that made it, too"
    assert store.objects.read(old.digest) == b"old output"
    assert old.digest not in store.facts.collected()


def test_a_mark_that_a_killed_collection_left_on_what_is_needed_again_is_lifted(store):
    old, _ = old_and_new(store)
    with store.facts.writing() as w:
        store.facts.mark_collected(w, [old.digest])  # and killed here
    add_dataset(store, "rescued", old)
    gc(store)
    assert store.facts.collected() == set()
    assert store.objects.exists(old.digest)


class User(threading.Thread):
    """Works like a run: takes old outputs that are there, makes those that are gone anew, and needs both later."""

    def __init__(self, root: Path, blobs: list[bytes], seed: int, enough: threading.Event) -> None:
        super().__init__()
        self.root = root
        self.blobs = blobs
        self.draw = random.Random(seed)
        self.enough = enough
        self.hits = self.misses = 0
        self.lost: list[str] = []

    def run(self) -> None:
        with clone(self.root, "") as store:
            while not self.enough.is_set():
                with store.session():
                    self.session(store)

    def session(self, store) -> None:
        used = []
        for data in self.draw.sample(self.blobs, 6):
            what = recipe(data.hex())
            done = store.facts.cached_runs([what.digest]).get(what.digest)
            made = done.end.outputs["result"] if done else None
            if made is not None and store.available(made.digest, made.size):
                self.hits += 1
            else:
                self.misses += 1
                made = stored(store, data)
                time.sleep(self.draw.uniform(0, 0.02))  # stored, and no fact says so yet
                key = uuid7()
                store.facts.start_run(RunStart(key=key, step=f"made {key}", started_at=START, recipe=what))
                end = RunEnd(key=key, status=RunStatus.DONE, ended_at=START, outputs={"result": made})
                store.facts.end_run(end)
            used.append(made)
        time.sleep(self.draw.uniform(0, 0.05))
        for made in used:
            try:
                store.objects.read(made.digest)
            except Missing as error:
                self.lost.append(str(error))


def test_collections_that_are_killed_again_and_again_take_nothing_from_those_who_work(tmp_path):
    root = tmp_path / "store"
    blobs = [f"blob {number}".encode() * 50 for number in range(300)]
    enough = threading.Event()
    draw = random.Random(1)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with clone(root, "") as store:
        for data in blobs:
            key, what = uuid7(), recipe(data.hex())
            start = RunStart(key=key, step="all the same", started_at=START, recipe=what)
            outputs = {"result": stored(store, data)}
            end = RunEnd(key=key, status=RunStatus.DONE, ended_at=START, outputs=outputs)
            store.facts.record_runs([start, end])
        age(store)
        users = [User(root, blobs, seed, enough) for seed in range(2)]
        removed = 0
        for turn in range(4 * SOAK):
            before = set(store.objects.list())
            with subprocess.Popen(
                [sys.executable, str(COLLECTOR), str(root)], env=environment, stdout=subprocess.PIPE
            ) as collector:
                assert collector.stdout.readline() == b"ready\n"
                for user in users if turn == 0 else ():
                    user.start()  # not before: on a slow machine they would have used everything by now
                for _ in range(draw.randint(6, 12)):
                    assert collector.stdout.readline()
                time.sleep(draw.uniform(0, 0.1))
                collector.kill()
            removed += len(before - set(store.objects.list()))
        enough.set()
        for user in users:
            user.join()
            assert user.lost == []
        hits, misses = (sum(getattr(user, name) for user in users) for name in ("hits", "misses"))
        assert min(hits, misses, removed) > 5, (hits, misses, removed)
        gc(store, now=datetime.now(UTC), grace=timedelta(0))
        whole(store)
