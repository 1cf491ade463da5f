"""`runs`, `diff` and `data diff` in a real repository."""

import os
from types import SimpleNamespace

import polars as pl
import pytest

import git_project
from git_project import commit, install


@pytest.fixture(scope="module")
def made(tmp_path_factory, solvent):
    """Two commits with a run of each, the second with other code, data, parameters and a newer package."""
    folder = tmp_path_factory.mktemp("compare")
    root, site = git_project.make(folder), folder / "site-packages"
    variables = {"PYTHONPATH": os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))}
    install(site, "1.0", 0.5)
    first = solvent("run", "score", "--json", cwd=root, **variables).json["run"]
    install(site, "1.1", 0.5)
    helper = root / "helper.py"
    helper.write_text(helper.read_text().replace("return WEIGHT", "return 3 * WEIGHT"))
    (root / "solvent.toml").write_text("[pipeline]\nworkers = 1\n[parameters.scaled]\nfactor = 4.0\n")
    rides = pl.read_csv(root / "data" / "rides.csv")
    (root / "before.csv").write_bytes((root / "data" / "rides.csv").read_bytes())
    rides.with_columns(pl.col("count") + 9).tail(150).write_csv(root / "data" / "rides.csv")
    commit(root, "second")
    second = solvent("run", "score", "--json", cwd=root, **variables).json["run"]
    return SimpleNamespace(root=root, variables=variables, first=first, second=second)


def ask(solvent, made, *arguments):
    told = solvent(*arguments, "--json", cwd=made.root, **made.variables)
    assert told.code == 0, told
    return told.json


def test_two_pipeline_runs_differ_in_all_that_changed(solvent, made):
    found = ask(solvent, made, "runs", "compare", made.first, made.second)
    pair, groups = found["pairs"][0], {g["name"]: {r["name"]: r["values"] for r in g["rows"]} for g in found["groups"]}
    assert [part["part"] for part in pair["code"] if part["part"].startswith("helper.py")], pair["code"]
    assert {"distribution": "weights", "left": "1.0", "right": "1.1"} in pair["environment"]
    assert groups["parameters"]["scaled.factor"] == [2.0, 4.0]
    assert groups["metrics"]["rows"] == [200.0, 150.0] and groups["data"]["rides rows"] == [200, 150]
    assert found["tables"]["rides"]["rows"]["removed"] == 200
    causes = {step["step"]: step["causes"] for step in pair["steps"]}
    assert {"code", "parameters", "environment", "inputs"} <= set(causes["pipeline.scaled"])


def test_two_revisions_differ_in_code_and_settings(solvent, made):
    found = ask(solvent, made, "diff", "HEAD~1", "HEAD")
    steps = {s["step"]: (s["causes"], s["through"]) for s in found["pairs"][0]["steps"]}
    assert "code" in steps["pipeline.scaled"][0]
    rows = {row["name"]: row["values"] for group in found["groups"] for row in group["rows"]}
    assert rows["scaled.factor"] == [2.0, 4.0]


def test_a_run_against_a_revision_says_what_is_not_known(solvent, made):
    found = ask(solvent, made, "diff", made.second, "HEAD")
    assert set(found["pairs"][0]["unknown"]) >= {"environment", "results"}
    assert not found["pairs"][0]["code"], "the run is of that code"


def test_a_run_shows_everything(solvent, made):
    found = ask(solvent, made, "runs", "show", "scaled")
    assert found["step"]["parameters"] == {"factor": 4.0} and found["step"]["distributions"]["weights"] == "1.1"
    assert found["who"] == "person tester" and found["run"]["start"]["git_commit"]
    told = solvent("runs", "show", "scaled", cwd=made.root, **made.variables)
    for said in ("factor  4", "made by run", "rows", "environment", "helper.py", "who          person tester"):
        assert said in told.out, told.out


def test_runs_are_listed_by_step_status_and_time(solvent, made):
    assert {r["start"]["step"] for r in ask(solvent, made, "runs", "list", "--step", "scaled")} == {"pipeline.scaled"}
    assert len(ask(solvent, made, "runs", "list", "--step", "pipeline.scaled")) == 2
    assert ask(solvent, made, "runs", "list", "--status", "failed") == []
    assert ask(solvent, made, "runs", "list", "--since", "2100-01-01") == []
    assert len(ask(solvent, made, "runs", "list", "--limit", "3")) == 3


def test_pages_are_written_where_asked(solvent, made, tmp_path):
    page = tmp_path / "page.html"
    told = solvent("diff", made.first, made.second, "--html", page, cwd=made.root, **made.variables)
    assert told.code == 0 and "The table rides" in page.read_text() and "open" in told.err
    told = solvent("data", "diff", "before.csv", "data/rides.csv", "--html", page, cwd=made.root, **made.variables)
    assert told.code == 0 and "200 → 150" in page.read_text()
    refused = solvent("data", "diff", "before.csv", "data/rides.csv", "--html", tmp_path / "no" / "x", cwd=made.root)
    assert refused.code == 2 and "cannot write" in refused.err


def test_unknown_names_are_refused_with_a_hint(solvent, made):
    told = solvent("diff", "scald", "HEAD", cwd=made.root, **made.variables)
    assert told.code == 2 and "did you mean `scaled`?" in told.err
    told = solvent("data", "diff", "before.csv", "nowhere.csv", cwd=made.root)
    assert told.code == 2 and "no file, folder or dataset `nowhere.csv`" in told.err
    told = solvent("data", "diff", "before.csv", "data/rides.csv", "--key", "hours", cwd=made.root)
    assert told.code == 2 and "did you mean `hour`?" in told.err


def test_versions_of_a_dataset_are_compared_and_held_to_their_contract(solvent, tmp_path):
    root = tmp_path / "project"
    (root / "data" / "days").mkdir(parents=True)
    (root / "solvent.toml").write_text("")
    rides = pl.DataFrame({"ride": range(300), "temp": [float(i % 40) for i in range(300)]})
    place = root / "data" / "rides.csv"
    rides.write_csv(place)
    assert solvent("data", "contract", "infer", "data/rides.csv", cwd=root).code == 0
    added = solvent("data", "add", "data/rides.csv", cwd=root)
    assert added.code == 0 and added.err == "", added
    rides.with_columns(temp=pl.when(pl.col("ride") < 3).then(-1.0).otherwise("temp")).head(290).write_csv(place)
    assert solvent("data", "add", "data/rides.csv", cwd=root).code == 0
    found = solvent("data", "diff", "rides@1", "rides@2", "--key", "ride", "--json", cwd=root).json
    rows = found["table"]["rows"]
    assert (found["left"], rows["removed"], rows["changed"]) == ("data/rides.csv@1", 10, 3)
    rides.drop("temp").write_csv(place)
    found = solvent("data", "diff", "rides@1", "rides", "--json", cwd=root).json
    assert found["table"]["schema"]["removed"] == {"temp": "Float64"} and found["right"] == "data/rides.csv"
    told = solvent("data", "contract", "check", "data/rides.csv", "--json", cwd=root)
    assert told.code == 1 and told.json["files"][0]["violations"][0]["column"] == "temp"
    added = solvent("data", "add", "data/rides.csv", cwd=root)
    assert added.code == 0 and "temp is missing" in added.err
    (root / "solvent.toml").write_text('[contracts]\non_break = "stop"\n')
    rides.rename({"temp": "t"}).write_csv(place)
    added = solvent("data", "add", "data/rides.csv", cwd=root)
    assert added.code == 1 and "breaks its contract" in added.err
    for name, text in (("a.txt", "1"), ("b.txt", "2")):
        (root / "data" / "days" / name).write_text(text)
    assert solvent("data", "add", "data/days", cwd=root).code == 0
    (root / "data" / "days" / "b.txt").rename(root / "data" / "days" / "c.txt")
    found = solvent("data", "diff", "days@1", "days", "--json", cwd=root).json
    assert found["files"]["renamed"] == {"b.txt": "c.txt"} and found["files"]["same"] == 1
