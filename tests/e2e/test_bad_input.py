"""Bad input through the installed program: exit code, one line that says what to do, the same as JSON."""

import os
import shutil
import socket
import sqlite3
import subprocess
from datetime import timedelta

import pytest

from small_project import MODEL, START, rows, serve_week
from solvent.project import Project
from support import PROGRAM, Answer, clean_environment

PLAIN = """
import polars as pl
from sklearn.linear_model import LogisticRegression
from solvent import model, source, step

rides = source("rides.csv", time="time")

@step
def fit(rides: pl.DataFrame) -> LogisticRegression:
    return LogisticRegression().fit(rides.select("temp"), rides["late"])

late = model(estimator=fit, evaluation=rides, features=rides, task="binary", target="late", metric="log_loss",
             time="time")
"""
CYCLE = """
from solvent import step

@step
def egg(hen: str) -> str:
    return hen

@step
def hen(egg: str) -> str:
    return egg
"""
LAMBDA = "from solvent import step\n\ndouble = step(lambda x: 2 * x)\n"


def refused(solvent, folder, *arguments):
    """The one line that a refused command says."""
    told = solvent(*arguments, cwd=folder)
    assert (told.code, told.out, told.err.count("\n")) == (2, "", 1), told
    return told.err


def as_document(solvent, folder, *arguments):
    """The same as one JSON document."""
    told = solvent(*arguments, "--json", cwd=folder)
    assert (told.code, told.err) == (2, "")
    error = told.json["error"]
    place, hint = error["where"] and f"{error['where']}: ", error["next"] and f": {error['next']}"
    return f"error[{error['code']}]: {place}{error['what']}{hint}\n"


@pytest.mark.parametrize(
    ("files", "arguments", "line"),
    [
        ({}, ["run"], "error[no-project]: no Solvent project in "),
        ({"solvent.toml": "[monitor"}, ["tick"], "error[bad-settings]: solvent.toml: not valid TOML: "),
        (
            {"solvent.toml": "[policy]\nrollot = 1\n"},
            ["run"],
            "error[bad-settings]: solvent.toml: [policy]: unknown setting `rollot`: did you mean `rollout`?",
        ),
        ({"pipeline.py": CYCLE}, ["run"], "error[cycle]: pipeline.py:5, pipeline.py:9: steps wait for each other"),
        ({"pipeline.py": LAMBDA}, ["run"], "error[not-importable]: pipeline.py:3: a lambda cannot be a step"),
        (
            {"pipeline.py": PLAIN},
            ["run", "fitt"],
            "error[unknown-step]: no step `fitt` in pipeline.py: did you mean `f",
        ),
    ],
    ids=["no project", "malformed settings", "unknown setting", "cycle", "lambda", "unknown step"],
)
def test_a_project_that_cannot_be_read_is_named(solvent, tmp_path, files, arguments, line):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    told = refused(solvent, tmp_path, *arguments)
    assert told.startswith(line)
    assert as_document(solvent, tmp_path, *arguments) == told


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (None, "failed: rides (pipeline.py:6): `rides.csv` matches no file"),
        (
            "2024-01-01,1.5,0\n" * 9 + "2024-01-02,warm,1\n",
            "failed: rides (rides.csv): column `temp` mixes numbers and text: row ",
        ),
        ("2024-01-01,1.5,0\n2024-01-02,2.5,0\n", "only one class"),
        ("", "failed: "),
    ],
    ids=["no file", "mixed types", "one class", "no rows"],
)
def test_a_step_that_fails_names_what_is_wrong_and_where(solvent, tmp_path, table, says):
    (tmp_path / "pipeline.py").write_text(PLAIN)
    if table is not None:
        (tmp_path / "rides.csv").write_text("time,temp,late\n" + table)
    told = solvent("run", cwd=tmp_path)
    assert told.code == 1 and says in told.out and told.err == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["tick", "demnd"], "error[unknown-model]: no model `demnd`: did you mean `demand`?"),
        (["monitor", "report", "demnd"], "error[unknown-model]: no model `demnd`: did you mean `demand`?"),
        (
            ["models", "show", "demand@champoin"],
            "error[unknown-alias]: model `demand` has no alias `champoin`: did you",
        ),
        (
            ["models", "promote", "demand/7"],
            "error[unknown-version]: model `demand` has no version 7: its versions are 1",
        ),
        (["score", "demand@champion", "no.csv"], "error[bad-file]: no file no.csv"),
        (
            ["score", "demand@champion", "twice.csv"],
            "error[bad-file]: twice.csv, row 0, column `sale`: id `a` stands on",
        ),
        (["log", "outcomes", "words.csv"], "error[bad-outcome]: outcome 0: label 'many' is no finite number"),
        (
            ["tick", "--now", "2024-03-03"],
            "error[clock-went-back]: the last tick of `demand` was at 2024-03-04T00:00:00Z",
        ),
        (["tick", "--now", "yesterday"], "error[bad-instant]: "),
        (["lineage", "nothing"], "error[unknown-name]: nothing here is called `nothing`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_exist_or_does_not_fit_is_named(solvent, shop, arguments, line):
    (shop / "twice.csv").write_text("sale,time,price,size\na,2024-03-01,9,0.5\na,2024-03-02,9,0.5\n")
    (shop / "words.csv").write_text("prediction_id,label\nx,many\n")
    assert refused(solvent, shop, *arguments).startswith(line)


def test_outcomes_that_are_unknown_early_repeated_or_corrected_are_kept_and_told(solvent, shop, tmp_path):
    root = shutil.copytree(shop, tmp_path / "project")
    known, _ = rows(8)["sale"][:2]
    table = "prediction_id,label,known_at\n"
    (root / "one.csv").write_text(f"{table}nobody,30,2024-03-02\n{known},30,2099-01-01\n")
    (root / "two.csv").write_text(f"{table}nobody,30,2024-03-03\n{known},31,2099-01-01\n")
    first = solvent("log", "outcomes", "one.csv", "--json", cwd=root).json
    assert (first["new"], first["corrected"], first["unknown_ids"]) == (1, 1, ["nobody"])
    assert first["bounded"] == 1, "a clock that is ahead of ours counts as ours"
    told = solvent("log", "outcomes", "two.csv", cwd=root)
    assert told.code == 0 and told.out.startswith("0 outcomes of demand logged, 1 corrected, 1 known already\n")
    assert "known later than now" in told.out


def test_a_window_without_rows_is_told_and_decides_nothing(solvent, shop, tmp_path):
    root = shutil.copytree(shop, tmp_path / "project")
    told = solvent("tick", "--now", (START + timedelta(weeks=11)).isoformat(), cwd=root)
    assert told.code == 0 and "gap" in told.out
    assert "retrain" not in told.out


def test_a_folder_that_cannot_be_written_is_named(solvent, tmp_path):
    (tmp_path / "pipeline.py").write_text(PLAIN)
    tmp_path.chmod(0o555)
    told = [without_override(command, cwd=tmp_path) for command in ("run", "verify")]
    tmp_path.chmod(0o755)
    assert [answer.code for answer in told] == [2, 2]
    assert told[0].err.startswith(f"error[no-permission]: {tmp_path}/.solvent: Permission denied: ")
    assert told[1].err.startswith(f"error[read-only-folder]: {tmp_path}/.solvent: cannot write here")


def without_override(*arguments, cwd):
    """The program as one whom the modes of files bind, which they do not bind root."""
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*drop, str(PROGRAM), *arguments]
    done = subprocess.run(command, cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False)
    return Answer(done.returncode, done.stdout, done.stderr)


def test_a_taken_port_is_named_before_a_model_is_loaded(solvent, shop):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = solvent("serve", f"{MODEL}@champion", "--port", port, cwd=shop)
    assert (told.code, told.out) == (2, "")
    assert told.err == f"error[port-in-use]: port {port} of 127.0.0.1 is taken: `--port 0` takes a free one\n"


@pytest.mark.parametrize("command", ["run", "status", "tick", "verify"])
def test_a_store_of_a_newer_solvent_is_left_alone(solvent, shop, tmp_path, command):
    root = shutil.copytree(shop, tmp_path / "project")
    with sqlite3.connect(root / ".solvent" / "solvent.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    line = refused(solvent, root, command)
    assert line.startswith("error[store-too-new]: the store was written by a newer Solvent (schema 9999; ")


def test_two_ticks_at_once_both_succeed_and_decide_once(solvent, shop, tmp_path):
    root = shutil.copytree(shop, tmp_path / "project")
    project = Project(root)
    serve_week(project, 9, rows(9))
    command = [str(PROGRAM), "tick", "--now", (START + timedelta(weeks=10)).isoformat(), "--json"]
    ticks = [
        subprocess.Popen(command, cwd=root, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in "ab"
    ]
    said = [tick.communicate(timeout=120) for tick in ticks]
    assert [tick.returncode for tick in ticks] == [0, 0], said
    holds = [made for made in project.store.facts.decisions(MODEL) if made.decision.at == START + timedelta(weeks=10)]
    assert len(holds) == 1
    effects = [alert.effect for alert in project.store.facts.alerts(MODEL)]
    assert len(effects) == len(set(effects))
    project.close()
