"""`solvent reproduce` in a real repository: what comes out again, what does not, and why."""

import os
import shutil
from types import SimpleNamespace

import pytest

import git_project
from git_project import commit, git, install
from solvent.governance.reproduction.target import NothingToReproduce, find_target
from solvent.lineage.entities import NodeKind
from solvent.project import Project


def variables(site):
    """Where Solvent comes from stays; the package's folder comes before."""
    paths = [site["PYTHONPATH"], os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture(scope="module")
def made(tmp_path_factory, solvent):
    """The project, run once with `weights` 1.0."""
    folder = tmp_path_factory.mktemp("reproduce")
    root, site = git_project.make(folder), folder / "site-packages"
    ours = variables(install(site, "1.0", 0.5))
    ran = solvent("run", "--json", cwd=root, **ours)
    assert ran.code == 0, ran
    return SimpleNamespace(root=root, site=site, variables=ours)


@pytest.fixture
def own(made, tmp_path):
    """A copy of it, with its packages."""
    root = shutil.copytree(made.root, tmp_path / "project", symlinks=True)
    site = shutil.copytree(made.site, tmp_path / "site-packages")
    return SimpleNamespace(root=root, site=site, variables=variables({"PYTHONPATH": str(site)}))


def reproduce(solvent, project, *arguments):
    told = solvent("reproduce", *arguments, "--same-env", "--json", cwd=project.root, **project.variables)
    return told.code, told.json


def test_the_same_comes_out_and_is_recorded(solvent, made):
    before = git(made.root, "status", "--porcelain=v2", "--branch"), git(made.root, "worktree", "list")
    code, found = reproduce(solvent, made, "score")
    assert (code, found["verdict"]) == (0, "bytes")
    assert [s["step"] for s in found["steps"]] == [f"pipeline.{n}" for n in ("rides", "clean", "scaled", "score")]
    assert found["commit"] == git(made.root, "rev-parse", "HEAD").strip() and not found["environment"]
    assert before == (git(made.root, "status", "--porcelain=v2", "--branch"), git(made.root, "worktree", "list"))
    project = Project(made.root)
    record = project.store.facts.run(found["record"])
    assert record.start.tags["of"] == found["target"] and record.start.tags["verdict"] == "bytes"
    below = project.store.facts.descendants(NodeKind.RUN, found["target"]).nodes
    assert found["record"] in {node.key for node in below}, "the graph leads from the run to its reproduction"
    project.close()


def test_chance_is_told_from_cause(solvent, made):
    code, found = reproduce(solvent, made, "after")
    assert (code, found["verdict"]) == (1, "differs")
    verdicts = {s["step"]: (s["equal"], s["cause"]) for s in found["steps"]}
    assert verdicts["pipeline.scaled"] == ("bytes", None)
    assert verdicts["pipeline.drawn"] == ("differs", "randomness")
    assert verdicts["pipeline.after"] == ("differs", "inputs")
    text = solvent("reproduce", "after", "--same-env", cwd=made.root, **made.variables)
    assert text.code == 1 and "differs first at pipeline.drawn, because two executions" in " ".join(text.out.split())


def test_another_version_of_a_package_is_the_cause(solvent, own):
    install(own.site, "2.0", 0.75)
    code, found = reproduce(solvent, own, "score")
    assert code == 1 and found["environment"] == [{"distribution": "weights", "recorded": "1.0", "present": "2.0"}]
    first = next(s for s in found["steps"] if s["equal"] == "differs")
    assert (first["step"], first["cause"]) == ("pipeline.scaled", "environment")
    assert first["outputs"][0]["difference"].startswith("count by 8")


def test_a_trifle_is_within_tolerance(solvent, own):
    install(own.site, "1.1", 0.5 * (1 + 1e-12))
    code, found = reproduce(solvent, own, "score")
    assert (code, found["verdict"]) == (0, "tolerance")
    verdicts = {s["step"]: s for s in found["steps"]}
    assert verdicts["pipeline.scaled"]["equal"] == "tolerance" and verdicts["pipeline.clean"]["equal"] == "bytes"
    assert reproduce(solvent, own, "score", "--tolerance", "1e-15")[0] == 1


def test_uncommitted_code_is_refused_by_name_with_the_way_out(solvent, own):
    helper = own.root / "helper.py"
    helper.write_text(helper.read_text().replace("return WEIGHT", "return 2 * WEIGHT"))
    assert solvent("run", "score", cwd=own.root, **own.variables).code == 0
    code, error = reproduce(solvent, own, "score")
    assert code == 1 and error["error"]["code"] == "uncommitted-code" and "helper.py" in error["error"]["what"]
    assert "commit it, then `solvent reproduce … --rev HEAD`" in error["error"]["next"]
    commit(own.root, "second")
    code, found = reproduce(solvent, own, "score", "--rev", "HEAD")
    assert (code, found["verdict"]) == (0, "bytes")
    code, found = reproduce(solvent, own, "score", "--rev", "HEAD~1")
    assert code == 1, "the newest run at that commit was made from other code"
    assert next(s["cause"] for s in found["steps"] if s["cause"]) == "code"


def test_another_revisions_code_is_the_cause(solvent, own):
    key = solvent("runs", "show", "score", "--json", cwd=own.root, **own.variables).json["run"]["start"]["key"]
    helper = own.root / "helper.py"
    helper.write_text(helper.read_text().replace("return WEIGHT", "return 2 * WEIGHT"))
    commit(own.root, "second")
    code, found = reproduce(solvent, own, key[:14], "--rev", "HEAD")
    first = next(s for s in found["steps"] if s["equal"] == "differs")
    assert (code, first["step"], first["cause"]) == (1, "pipeline.scaled", "code") and "helper.py" in first["because"]


def test_data_comes_from_the_store_whatever_lies_in_the_folder(solvent, own):
    (own.root / "data" / "rides.csv").write_text("hour,count\n1,1\n")
    assert reproduce(solvent, own, "score")[1]["verdict"] == "bytes"


def test_data_that_rotted_is_found(solvent, own):
    project = Project(own.root)
    source = project.store.facts.runs(step="pipeline.rides")[0]
    place = project.store.objects.path(source.start.recipe.inputs["files"])
    project.close()
    place.chmod(0o644)
    data = bytearray(place.read_bytes())
    data[40] ^= 1
    place.write_bytes(data)
    code, error = reproduce(solvent, own, "score")
    assert code == 3 and error["error"]["code"] == "corrupt-object"


def test_a_thing_is_named_in_several_ways(made):
    project = Project(made.root)
    run = project.store.facts.runs(step="pipeline.clean")[0]
    digest = run.end.outputs["result"].digest
    for name in ("clean", "pipeline.clean", run.start.key, run.start.key[:14], digest, digest[:12], "clean.result"):
        assert find_target(project.store, name, None).run.start.key == run.start.key, name
    whole = find_target(project.store, run.start.parent, None)
    assert {step.step.partition(".")[2] for step in whole.steps} >= {"rides", "score", "after"}
    with pytest.raises(NothingToReproduce):
        find_target(project.store, "clean.other", None)
    project.close()


def test_what_cannot_be_repeated_says_why(solvent, own):
    assert reproduce(solvent, own, "nothing")[1]["error"]["code"] == "nothing-to-reproduce"
    assert reproduce(solvent, own, "score", "--rev", "nowhere")[1]["error"]["code"] == "nothing-to-reproduce"
    shutil.rmtree(own.root / ".git")
    code, error = reproduce(solvent, own, "score")
    assert code == 1 and error["error"]["code"] == "not-reproducible" and "git no longer has" in error["error"]["what"]


def test_partitions_and_maps_are_repeated_element_by_element(solvent, tmp_path):
    root = tmp_path / "project"
    (root / "days").mkdir(parents=True)
    (root / "pipeline.py").write_text(MANY)
    (root / ".gitignore").write_text(".solvent/\ndays/\n")
    for name, text in (("monday", "hour,count\n1,10\n"), ("tuesday", "hour,count\n2,20\n")):
        (root / "days" / f"{name}.csv").write_text(text)
    git(root, "init", "--quiet")
    commit(root, "first")
    assert solvent("run", cwd=root).code == 0
    shutil.rmtree(root / "days")
    told = solvent("reproduce", "chosen", "--same-env", "--json", cwd=root)
    assert told.code == 0 and told.json["verdict"] == "bytes", told
    assert len(told.json["steps"]) == 2 + 2 + 1 + 2 + 1


MANY = """
from __future__ import annotations
import polars as pl
from solvent import source, step

days = source("days/*.csv", partitions=True)

@step
def clean(days: pl.LazyFrame) -> pl.DataFrame:
    return days.collect()

cleaned = clean.map(days)

@step
def rides(cleaned: pl.LazyFrame) -> pl.DataFrame:
    return cleaned.sort("hour").collect()

@step
def fit(rides: pl.DataFrame, *, smoothing: float = 0.5) -> float:
    return float(rides["count"].ewm_mean(alpha=smoothing)[-1])

fits = fit.map(smoothing=[0.2, 0.9])

@step
def chosen(fits: dict[str, float]) -> str:
    return max(fits, key=fits.get)
"""
