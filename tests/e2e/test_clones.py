"""The installed program in two git clones of one project: what one made, the other goes on from."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading

import polars as pl
import pytest

from solvent.project import Project
from solvent.store.remotes.transfer import object_name
from solvent.store.sessions import LOCK, alone, oldest_session
from support import run_solvent

PIPELINE = """
import polars as pl
from solvent import source, step

rides = source("data/rides.csv")

@step
def long(rides: pl.LazyFrame, *, least: int = 3) -> pl.DataFrame:
    return rides.filter(pl.col("minutes") > least).collect()

@step
def total(long: pl.DataFrame) -> dict[str, float]:
    return {"minutes": float(long["minutes"].sum())}
"""


def git(*arguments, cwd):
    subprocess.run(
        ["git", "-c", "user.name=ann", "-c", "user.email=ann@example.org", *map(str, arguments)],
        cwd=cwd,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def ann(request, tmp_path):
    """Ann's clone: data added, pipeline run, everything committed and pushed; and the environment of each command."""
    environment = {"SOLVENT_REMOTE_URL": f"file://{tmp_path}/remote"}
    if getattr(request, "param", "folder") == "s3":
        server = request.getfixturevalue("s3")
        environment = {
            "SOLVENT_REMOTE_URL": f"s3://{server.bucket()}/team",
            "SOLVENT_REMOTE_ENDPOINT": server.endpoint,
        }
    for name, value in environment.items():
        request.getfixturevalue("monkeypatch").setenv(name, value)
    root = tmp_path / "ann"
    (root / "data" / "images").mkdir(parents=True)
    pl.DataFrame({"minutes": range(2000)}).write_csv(root / "data" / "rides.csv")
    for number in range(20):
        (root / "data" / "images" / f"{number}.txt").write_text(f"image {number}\n" * 50)
    (root / "pipeline.py").write_text(PIPELINE)
    (root / "solvent.toml").write_text('[project]\nname = "rides"\n')
    git("init", "-q", cwd=root)
    for command in ("data add data/rides.csv data/images -m first", "run", "push"):
        told = say(root, *command.split(), **environment)
        assert told.code == 0, told
    git("add", ".", cwd=root)
    git("commit", "-qm", "first", cwd=root)
    return root, environment


def say(root, *arguments, **environment):
    return run_solvent(*arguments, cwd=root, **environment)


@pytest.fixture
def bob(ann, tmp_path):
    root, _ = ann
    git("clone", "-q", root, tmp_path / "bob", cwd=tmp_path)
    return tmp_path / "bob"


def states(told):
    return {step["name"].rpartition(".")[2]: step["state"] for step in told.json["steps"]}


@pytest.mark.parametrize("ann", ["folder", "s3"], indirect=True)
def test_a_second_clone_pulls_and_goes_on_where_the_first_was(ann, bob):
    root, environment = ann
    assert not (bob / "data" / "rides.csv").exists()
    told = say(bob, "pull", **environment)
    assert told.code == 0, told
    for name in ("rides.csv", "images/7.txt"):
        assert (bob / "data" / name).read_bytes() == (root / "data" / name).read_bytes()
    assert say(bob, "data", "status", **environment).code == 0
    assert "Everything is up to date" in say(bob, "status", **environment).out
    ran = say(bob, "run", "--json", **environment)
    assert states(ran) == {"rides": "cached", "long": "cached", "total": "cached"}
    again = say(bob, "run", "--json", "--set", "long.least=5", **environment)
    assert states(again) == {"rides": "cached", "long": "ran", "total": "ran"}, "its input came when it was needed"
    assert say(bob, "verify", **environment).code == 0
    assert say(bob, "push", **environment).code == 0
    assert say(root, "fetch", **environment).code == 0
    theirs = say(root, "run", "--json", "--set", "long.least=5", **environment)
    assert set(states(theirs).values()) == {"cached"}
    whole = say(bob, "pull", "--all", "--json", **environment)
    assert (whole.code, whole.json["fetched"]["absent"]) == (0, [])


def test_a_second_clone_reproduces_what_the_first_recorded(ann, bob):
    root, environment = ann
    assert say(root, "run", "--set", "long.least=7", **environment).code == 0
    assert say(root, "push", **environment).code == 0
    assert say(bob, "pull", **environment).code == 0
    told = say(bob, "reproduce", "total", "--same-env", **environment)
    assert told.code == 0, told
    assert "not kept" not in told.out, "what the environment was is fetched"


def test_checkout_fetches_what_it_needs(ann, bob):
    _, environment = ann
    told = say(bob, "data", "checkout", "data/images", **environment)
    assert told.code == 0, told
    assert len(list((bob / "data" / "images").iterdir())) == 20
    shutil.rmtree(bob / "data" / "images")
    project = Project(bob)
    victim = next(iter(project.store.objects.list()))
    flip(project, victim)
    project.close()
    found = say(bob, "verify", **environment)
    assert found.code == 1 and victim in found.out.replace("\n", ""), found
    assert say(bob, "data", "checkout", "data/images", **environment).code == 0
    assert say(bob, "verify", **environment).code == 0


def test_a_flipped_byte_is_named_and_repaired_from_the_remote(ann):
    root, environment = ann
    project = Project(root)
    victim = project.store.facts.runs(step="pipeline.long")[0].end.outputs["result"].digest
    flip(project, victim)
    found = say(root, "verify", "--json", **environment)
    assert found.code == 1
    assert [problem["kind"] for problem in found.json["problems"]] == ["corrupt-object"]
    assert victim in found.json["problems"][0]["what"]
    mended = say(root, "verify", "--repair", "--json", **environment)
    assert (mended.code, mended.json["problems"], len(mended.json["repaired"])) == (0, [], 1)
    project.store.objects.verify(victim)
    project.store.objects.delete(victim)
    ran = say(root, "run", "--json", "--set", "total.unused=1", **environment)
    assert ran.code == 2, "no such parameter; nothing ran"
    name = object_name(victim)
    data = bytearray(b"".join(project.remote.read(name)))
    data[3] ^= 1
    project.remote.write(name, [bytes(data)], len(data))
    project.close()
    rotten = say(root, "verify", "--remote", **environment)
    assert rotten.code == 1 and victim in rotten.out, rotten
    assert set(states(say(root, "run", "--json", "--force", **environment)).values()) == {"ran"}
    assert say(root, "verify", "--remote", "--repair", **environment).code == 0
    assert say(root, "verify", "--remote", **environment).code == 0


def flip(project, digest):
    place = project.state / "objects" / digest[:2] / digest
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.chmod(0o644)
    place.write_bytes(data)


def test_without_its_remote_a_clone_works_and_says_so_where_it_cannot(ann, tmp_path):
    root, environment = ann
    away = environment | {"SOLVENT_REMOTE_URL": f"{tmp_path}/unmounted/remote"}
    assert states(say(root, "run", "--json", **away)) == {"rides": "cached", "long": "cached", "total": "cached"}
    for command in ("push", "pull", "fetch"):
        told = say(root, command, **away)
        assert (told.code, told.out) == (1, "")
        assert told.err.startswith("error[remote-unreachable]"), told.err
    none = dict.fromkeys(environment, "")
    told = say(root, "push", **none)
    assert told.code == 2 and told.err.startswith("error[no-remote]"), told.err


def test_collections_beside_running_pipelines_take_nothing_from_them(ann):
    root, environment = ann
    stop, told = threading.Event(), []

    def collect():
        while not stop.is_set():
            objects = root / ".solvent" / "objects"
            with alone(objects / LOCK):
                if oldest_session(root / ".solvent" / "locks") is None:  # nobody uses anything now
                    for place in objects.glob("*/*"):
                        os.utime(place, (1e9, 1e9))
            told.append(say(root, "gc", "--yes", "--grace", "0s", "--json", **environment | {"SOLVENT_REMOTE_URL": ""}))

    collector = threading.Thread(target=collect)
    collector.start()
    offline = environment | {"SOLVENT_REMOTE_URL": ""}
    for least in (5, 6, 5, 7, 5):
        ran = say(root, "run", "--json", "--set", f"long.least={least}", **offline)
        assert ran.code == 0, ran
        assert {step["name"].rpartition(".")[2] for step in ran.json["steps"]} == {"rides", "long", "total"}
    stop.set()
    collector.join()
    assert all(answer.code == 0 for answer in told)
    assert sum(answer.json["removed"]["objects"] for answer in told) > 0
    assert say(root, "verify", **offline).code == 0
