"""Two clones of one project and their remote: what one made the other has, whole, whatever goes wrong on the way."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clones import add_dataset, clone, flip, run, stored, stored_tree
from solvent.data.sharing import check, fetch, push
from solvent.data.sharing.fetch import Wanted
from solvent.data.sharing.push import UnknownName
from solvent.lineage.entities import NodeKind
from solvent.store.objects import Corrupt, Missing
from solvent.store.remotes import open_remote
from solvent.store.remotes.errors import CorruptOnRemote, Unreachable
from solvent.store.remotes.transfer import object_name
from store_samples import DAY, START

SHARER = Path(__file__).with_name("sharer.py")
FILES = {"a.csv": b"a" * 100, "deep/b.csv": b"b" * 5000, "deep/down/c.bin": bytes(2 << 20), "empty": b""}


@pytest.fixture(params=["folder", "s3"])
def place(request, tmp_path):
    """URL and endpoint of an empty remote."""
    if request.param == "folder":
        return f"file://{tmp_path}/remote", ""
    server = request.getfixturevalue("s3")
    return f"s3://{server.bucket()}/team", server.endpoint


@pytest.fixture
def remote(place, tmp_path):
    return open_remote(place[0], root=tmp_path, endpoint=place[1])


@pytest.fixture
def ann(place, tmp_path):
    with clone(tmp_path / "ann", place[0], endpoint=place[1]) as store:
        yield store


@pytest.fixture
def bob(place, tmp_path):
    with clone(tmp_path / "bob", place[0], actor="bob", endpoint=place[1]) as store:
        yield store


def wanted(artifact) -> Wanted:
    return Wanted(artifact.digest, artifact.size, bool(artifact.about.get("tree")))


def test_runs_and_data_of_one_clone_are_at_hand_in_the_other(ann, bob, remote):
    images, rides = stored_tree(ann, FILES), stored(ann, b"rides")
    add_dataset(ann, "images", images)
    add_dataset(ann, "rides.csv", rides, START + DAY)
    table, forest = stored(ann, b"table"), stored(ann, b"forest" * 1000)
    made = run(ann, "bikes.table", {"result": table})
    fitted = run(ann, "bikes.fit", {"result": forest}, inputs=[table])

    sent = push(ann, remote)
    objects = len({*FILES.values()}) + 3 + 1 + 2 + 2  # files, folders, rides, outputs, logs
    assert (sent.objects, sent.runs, sent.datasets, sent.held) == (objects, 2, 2, [])
    again = push(ann, remote)
    assert (again.objects, again.runs, again.datasets) == (0, 0, 0)

    got = fetch(bob, remote, [wanted(images)])
    assert (got.runs, got.datasets, got.objects, got.absent) == (2, 2, len({*FILES.values()}) + 3, [])
    assert bob.objects.read(images.digest) == ann.objects.read(images.digest)
    assert not bob.objects.exists(rides.digest)
    assert [version.name for version in bob.facts.datasets()] == ["images", "rides.csv"]
    assert {node.key for node in bob.facts.ancestors(NodeKind.RUN, fitted).nodes} >= {made, table.digest}

    assert not bob.objects.exists(forest.digest)
    assert bob.available(forest.digest, forest.size)
    assert not bob.available(forest.digest, forest.size + 1)
    assert bob.objects.read(forest.digest) == b"forest" * 1000, "it came when it was needed"
    assert bob.objects.path(table.digest, size=5).read_bytes() == b"table"

    rest = fetch(bob, remote, [], everything=True)
    assert (rest.runs, rest.datasets, rest.absent) == (0, 0, [])
    assert sorted(bob.objects.list()) == sorted(ann.objects.list())
    assert fetch(bob, remote, [wanted(images)], everything=True).objects == 0
    assert push(bob, remote).objects == 0, "what came from there is there"


def test_work_goes_on_in_turn_and_each_sends_only_what_is_new(ann, bob, remote):
    run(ann, "bikes.table", {"result": stored(ann, b"one")})
    push(ann, remote)
    fetch(bob, remote, [])
    run(bob, "bikes.fit", {"result": stored(bob, b"two")}, inputs=[stored(bob, b"one")])
    sent = push(bob, remote)
    assert (sent.runs, sent.objects) == (1, 2)
    fetch(ann, remote, [], everything=True)
    assert {found.start.step for found in ann.facts.runs()} == {"pipeline", "bikes.table", "bikes.fit"}
    assert ann.objects.read(stored(bob, b"two").digest) == b"two"


def test_names_choose_datasets_and_steps_with_what_they_came_of(ann, remote, place, tmp_path):
    add_dataset(ann, "rides.csv", stored(ann, b"rides"))
    add_dataset(ann, "other.csv", stored(ann, b"other"))
    table = stored(ann, b"table")
    run(ann, "bikes.table", {"result": table})
    run(ann, "bikes.fit", {"result": stored(ann, b"forest")}, inputs=[table])
    run(ann, "cars.table", {"result": stored(ann, b"cars")})
    with pytest.raises(UnknownName, match="did you mean `rides"):
        push(ann, remote, ["ride.csv"])
    first = push(ann, remote, ["rides.csv", "fit"])
    assert (first.datasets, first.runs) == (1, 2)
    rest = push(ann, remote)
    assert (rest.datasets, rest.runs) == (1, 1)


def test_what_is_not_here_whole_stays_here_with_the_reason(ann, remote):
    whole, gone, rotten = stored(ann, b"whole"), stored(ann, b"gone"), stored(ann, b"rotten")
    run(ann, "a", {"result": whole})
    run(ann, "b", {"result": gone})
    run(ann, "c", {"result": rotten})
    tree = stored_tree(ann, FILES)
    add_dataset(ann, "images", tree)
    ann.objects.delete(gone.digest)
    flip(ann, rotten.digest)
    ann.objects.delete(tree.digest)
    sent = push(ann, remote)
    assert (sent.runs, sent.datasets) == (1, 0)
    because = " ".join(held.because for held in sent.held)
    assert len(sent.held) == 3
    assert gone.digest in because and rotten.digest in because and tree.digest in because
    assert remote.size(object_name(rotten.digest)) is None


def test_outputs_that_were_collected_are_no_promise(ann, remote):
    old = stored(ann, b"old")
    run(ann, "a", {"result": old})
    with ann.facts.writing() as w:
        ann.facts.mark_collected(w, [old.digest])
    assert [held.because for held in push(ann, remote).held] == ["1 of its outputs were collected or erased"]


@pytest.mark.parametrize("damage", ["flip", "delete"])
def test_a_damaged_or_missing_blob_is_mended_when_it_is_needed(damage, ann, remote):
    table = stored(ann, b"table" * 100)
    run(ann, "a", {"result": table})
    push(ann, remote)

    def harm():
        flip(ann, table.digest) if damage == "flip" else ann.objects.delete(table.digest)

    for ask in (ann.objects.read, ann.objects.checked_path):
        harm()
        with pytest.raises((Corrupt, Missing)):
            ann.objects.verify(table.digest)
        ask(table.digest)
        ann.objects.verify(table.digest)


def test_rot_on_the_remote_is_named_does_not_spread_and_is_mended_by_who_has_the_bytes(ann, bob, remote):
    rides = stored(ann, b"rides" * 50)
    add_dataset(ann, "rides.csv", rides)
    push(ann, remote)
    data = bytearray(b"rides" * 50)
    data[7] ^= 1
    remote.write(object_name(rides.digest), [bytes(data)], len(data))
    with pytest.raises(CorruptOnRemote, match=rides.digest):
        fetch(bob, remote, [wanted(rides)])
    assert not bob.objects.exists(rides.digest)
    with pytest.raises(Missing) as refused:
        bob.objects.read(rides.digest)
    assert "the remote did not help" in refused.value.next
    found = check(bob, remote, repair=True)
    assert (found.objects, found.documents, len(found.damaged), found.repaired) == (1, 1, 1, [])
    assert rides.digest in found.damaged[0]
    assert check(ann, remote, repair=True).repaired == [rides.digest]
    assert check(bob, remote).damaged == []
    assert fetch(bob, remote, [wanted(rides)]).absent == []


def test_documents_that_rot_are_named_and_written_again(ann, bob, remote):
    add_dataset(ann, "rides.csv", stored(ann, b"rides"))
    run(ann, "a", {"result": stored(ann, b"table")})
    push(ann, remote)
    names = [stored.name for folder in ("runs", "datasets") for stored in remote.list(folder)]
    for name in names:
        remote.write(name, [b"{}"], 2)
    with pytest.raises(CorruptOnRemote):
        fetch(bob, remote, [])
    assert len(check(bob, remote, repair=True).damaged) == 2
    assert sorted(check(ann, remote, repair=True).repaired) == sorted(names)
    assert fetch(bob, remote, []).runs == 1


def test_two_pushes_at_once_leave_one_whole_remote(ann, bob, remote, place, tmp_path):
    for day, store in enumerate((ann, bob)):
        add_dataset(store, "images", stored_tree(store, FILES), START + day * DAY)
        for number in range(6):
            run(store, f"step{number}", {"result": stored(store, f"same {number}".encode() * 999)})

    def send(store):
        return push(store, open_remote(place[0], root=tmp_path, endpoint=place[1]))

    with ThreadPoolExecutor(2) as pool:
        sent = list(pool.map(send, (ann, bob)))
    assert [(done.runs, done.held) for done in sent] == [(6, []), (6, [])]
    assert check(ann, remote).damaged == []
    with clone(tmp_path / "third", place[0], endpoint=place[1]) as third:
        got = fetch(third, remote, [], everything=True)
        assert (got.runs, got.datasets, got.absent) == (12, 2, [])


def test_without_the_remote_everything_but_sharing_works(tmp_path):
    with clone(tmp_path / "ann", str(tmp_path / "unmounted" / "remote")) as store:
        table = stored(store, b"table")
        run(store, "a", {"result": table})
        assert store.objects.read(table.digest) == b"table"
        assert store.available(table.digest, 5)
        assert not store.available(stored(store, b"x").digest, 7)
        away = open_remote(str(tmp_path / "unmounted" / "remote"), root=tmp_path)
        for ask in (lambda: push(store, away), lambda: fetch(store, away, [])):
            with pytest.raises(Unreachable):
                ask()


def killed(what, root, place, wait, files=0):
    """Let a process push or fetch, and kill it after so many seconds, or once so many files are staged or stored."""
    command = [sys.executable, str(SHARER), what, str(root), *place]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as sharer:
        assert sharer.stdout.readline() == b"ready\n"
        due = time.monotonic() + wait
        while sharer.poll() is None and time.monotonic() < due and not 0 < files <= blobs(root):
            time.sleep(0.002)
        sharer.kill()


def blobs(root):
    return sum(1 for name in ("staging", "objects") for place in (root / name).rglob("*") if place.is_file())


def much(ann):
    """Thirty runs and a folder of 150 files."""
    draw = random.Random(7)
    for number in range(30):
        run(ann, f"step{number}", {"result": stored(ann, draw.randbytes(200_000))})
    add_dataset(ann, "images", stored_tree(ann, {f"{n % 7}/{n}.bin": draw.randbytes(3000) for n in range(150)}))


def test_a_push_that_is_killed_promises_only_what_is_there_and_the_next_one_ends_it(ann, bob, remote, place, tmp_path):
    much(ann)
    for wait in (0.05, 0.15, 0.3, 0.5, 0.8):
        killed("push", tmp_path / "ann", place, wait)
        with clone(tmp_path / f"look {wait}", place[0], endpoint=place[1]) as look:
            assert fetch(look, remote, [], everything=True).absent == [], "a document is a promise"
    assert push(ann, remote).held == []
    got = fetch(bob, remote, [], everything=True)
    assert (got.runs, got.datasets, got.absent) == (30, 1, [])
    assert check(bob, remote).damaged == []


def test_a_fetch_that_is_killed_leaves_whole_objects_and_runs_and_the_next_one_ends_it(ann, remote, place, tmp_path):
    much(ann)
    push(ann, remote)
    known: set[str] = set()
    held: set[str] = set()
    for wait, files in ((0.1, 0), (30, 1), (30, 40), (30, 120)):
        killed("fetch", tmp_path / "bob", place, wait, files)
        with clone(tmp_path / "bob", place[0], endpoint=place[1]) as bob:
            objects, runs = set(bob.objects.list()), bob.facts.runs(limit=100)
            assert held <= objects
            for digest in objects:
                bob.objects.verify(digest)
            steps = {run.start.key for run in runs if run.start.recipe}
            assert known <= steps, "what was taken in stays"
            assert all(len(run.end.outputs) == 1 for run in runs if run.start.recipe), "wholly there or not at all"
            known, held = steps, objects
    with clone(tmp_path / "bob", place[0], endpoint=place[1]) as bob:
        got = fetch(bob, remote, [], everything=True)
        assert (len(known) + got.runs, got.absent) == (30, [])
        assert got.present >= len(held) - 2, "what was there was not fetched again"
        assert set(bob.objects.list()) == set(ann.objects.list())
        assert check(bob, remote).damaged == []
