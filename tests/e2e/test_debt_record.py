"""What audits of a project leave in its store, and what is asked of that: installed, on a repository with a past."""

import shutil
import socket
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from solvent.foundation.clock import wall_clock
from solvent.lineage.findings import FindingEvent, ProjectAudit
from solvent.project import Project

PIPELINE = """\
import numpy as np
import polars as pl
from solvent import source, step

flights = source("flights.csv")

@step
def kept(flights: pl.DataFrame) -> pl.DataFrame:
    return flights.filter(flights["delay"] != np.nan)

@step
def total(kept: pl.DataFrame) -> dict[str, float]:
    return {"total": float(kept["delay"].sum())}
"""
BAD = "import numpy as np\nmissing = flights[flights.delay == np.nan]\n"
TOKEN = "ghp_" + "8fKq2Lw0Zr7Yb3Vn6Xc9Md1Sg4Hj5Pt2Qa0e"


def git(folder, *arguments, ago=0.0, who="Ann"):
    at = f"{datetime.now(UTC) - timedelta(days=ago):%Y-%m-%dT%H:%M:%SZ}"
    when = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "PATH": "/usr/bin:/bin:/usr/local/bin"}
    options = ("-c", f"user.name={who}", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *options, *arguments], cwd=folder, env=when, check=True, capture_output=True)
    return done.stdout.decode().strip()


def commit(folder, message="change", **options):
    git(folder, "add", ".", **options)
    git(folder, "commit", "-m", message, **options)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A repository of four months with an opened store."""
    folder = tmp_path_factory.mktemp("first")
    git(folder, "init")
    (folder / "pipeline.py").write_text(PIPELINE)
    (folder / "study.py").write_text(BAD)
    (folder / "flights.csv").write_text("delay\n1\n2\n")
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["numpy==2.3.1", "polars==1.34.0"]\n')
    commit(folder, "first", ago=120)
    (folder / "notes.md").write_text("later\n")
    commit(folder, "second", ago=50)
    Project(folder).store.close()
    return folder


@pytest.fixture
def project(first, tmp_path):
    return shutil.copytree(first, tmp_path / "project")


def findings(solvent, folder, *options):
    return {(one["rule"], one["path"]): one for one in solvent("debt", "findings", *options, "--json", cwd=folder).json}


def names(answer):
    return [finding["fingerprint"] for finding in answer.json["findings"]]


def facts_of(folder):
    return Project(folder).store.facts


def test_a_finding_is_known_from_its_first_audit_to_the_one_that_misses_it(project, solvent):
    head = git(project, "rev-parse", "HEAD")
    first = solvent("audit", "--json", cwd=project).json
    assert first["record"]["changes"] == {"seen": len(first["findings"])}
    assert solvent("audit", "--json", cwd=project).json["record"]["changes"] == {}
    before = findings(solvent, project)["PIP008", "study.py"]
    assert (before["state"], before["first_commit"], before["line"]) == ("open", head, 2)
    assert before["last_seen"] > before["first_seen"]
    (project / "study.py").write_text("# paid\n")
    later = commit(project)
    told = solvent("audit", cwd=project).out
    assert "Recorded: 1 gone (`solvent debt findings`)." in told.splitlines()
    after = findings(solvent, project, "--state", "gone")["PIP008", "study.py"]
    assert (after["state"], after["commit"], after["first_seen"]) == ("gone", later, before["first_seen"])
    text = solvent("debt", "findings", cwd=project).out
    assert f"gone since {after['since'][:10]} at {later[:9]}" in " ".join(text.split())


def test_who_allowed_a_debt_and_why_is_known_without_its_secrets(project, solvent):
    (project / "study.py").write_text(BAD.replace("np.nan]", f"np.nan]  # solvent: allow[PIP008] as in {TOKEN}"))
    solvent("audit", cwd=project)
    one = findings(solvent, project)["PIP008", "study.py"]
    assert (one["state"], one["by"], one["reason"]) == ("allowed", "tester", "as in …"), "nobody committed it yet"
    (project / "study.py").write_text("\n" + BAD.replace("np.nan]", "np.nan]  # solvent: allow[PIP008] on purpose"))
    commit(project, who="Ben")
    (project / "study.py").write_text("\n\n" + (project / "study.py").read_text())
    solvent("audit", cwd=project)
    one = findings(solvent, project)["PIP008", "study.py"]
    assert (one["by"], one["reason"], one["line"]) == ("Ben", "on purpose", 5)
    with closing(sqlite3.connect(project / ".solvent" / "solvent.db")) as database:
        assert TOKEN not in "\n".join(database.iterdump())


def test_an_audit_of_a_part_records_nothing(project, solvent):
    solvent("audit", cwd=project)
    everything = findings(solvent, project)
    (project / "study.py").write_text("# paid\n")
    (project / "sub").mkdir()
    for part in (("--rule", "ENV"), ("pipeline.py",), ("sub",)):
        solvent("audit", *part, cwd=project)
    assert findings(solvent, project) == everything
    solvent("audit", "--new-since", "HEAD", cwd=project)
    assert findings(solvent, project)["PIP008", "study.py"]["state"] == "gone"


def test_a_file_that_cannot_be_read_now_keeps_its_debts(project, solvent):
    solvent("audit", cwd=project)
    (project / "study.py").write_text(BAD + "def half(\n")
    solvent("audit", cwd=project)
    assert findings(solvent, project)["PIP008", "study.py"]["state"] == "open"


def test_a_repository_from_elsewhere_is_left_as_it_is(project, solvent):
    (project / ".solvent" / ".gitignore").unlink()
    git(project, "add", "-f", ".solvent")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file() and ".git" not in path.parts}
    answer = solvent("audit", cwd=project)
    assert answer.err.startswith("the store in .solvent may have come with the repository")
    shutil.rmtree(project / ".solvent")
    solvent("audit", cwd=project)
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file() and ".git" not in path.parts}
    assert after == {path: text for path, text in before.items() if ".solvent" not in path.parts}
    assert before


def test_a_server_is_asked_only_where_the_users_own_environment_names_it(project, solvent, postgres):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://127.0.0.1:{server.getsockname()[1]}/x"
        (project / "solvent.toml").write_text(f'[store]\nurl = "{url}"\n')
        assert solvent("audit", "--json", cwd=project).json["record"] is None
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    mine = postgres.url(postgres.create())
    answer = solvent("audit", "--json", cwd=project, SOLVENT_STORE_URL=mine)
    assert answer.json["record"]["changes"]["seen"] == len(answer.json["findings"])
    listed = solvent("debt", "findings", "--json", cwd=project, SOLVENT_STORE_URL=mine).json
    assert len(listed) == len(answer.json["findings"])


def test_a_store_that_is_busy_or_broken_stops_no_audit(project, solvent):
    wanted = names(solvent("audit", "--json", cwd=project))
    with closing(sqlite3.connect(project / ".solvent" / "solvent.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = solvent("audit", "--json", cwd=project)
        other.execute("ROLLBACK")
    assert (answer.code, names(answer), answer.json["record"]) == (1, wanted, None)
    assert answer.err == (
        "this audit is not recorded: another process kept the store locked for 3 s: `solvent doctor` names it\n"
    )
    for beside in (project / ".solvent").glob("solvent.db*"):
        beside.unlink()
    (project / ".solvent" / "solvent.db").write_text("these are notes, and not a database at all\n" * 100)
    answer = solvent("audit", "--json", cwd=project)
    assert (answer.code, names(answer)) == (1, wanted)
    assert answer.err.startswith("the store is left aside, so this is not recorded: ")


def test_what_rests_on_an_indebted_step_says_so(project, solvent):
    assert solvent("run", cwd=project).code == 0
    assert "Rests on" not in solvent("impact", "total", cwd=project).out
    solvent("audit", cwd=project)
    for name in ("total", "kept"):
        for question in ("impact", "lineage"):
            answer = solvent(question, name, "--json", cwd=project).json
            (file,) = answer["rests_on"]
            assert file["path"] == "pipeline.py", (question, name)
            assert ("PIP008", 9) in [(one["rule"], one["spot"]["line"]) for one in file["findings"]]
    assert "Rests on: " in solvent("impact", "total", cwd=project).out
    assert "PIP008 line 9" in " ".join(solvent("impact", "total", cwd=project).out.split())
    assert solvent("impact", "flights.csv", "--json", cwd=project).json["rests_on"] == [], "a table rests on no step"


def test_the_ledger_tells_a_failure_and_what_it_held_up(project, solvent):
    assert solvent("run", cwd=project).code == 0
    (project / "pipeline.py").write_text(PIPELINE.replace("return flights.filter", "1 / 0\n    return flights.filter"))
    assert solvent("run", cwd=project).code == 1
    lines = solvent("debt", "ledger", cwd=project).out.splitlines()
    assert lines[lines.index("Failed, and what did not run for it:") + 1] == "  pipeline.kept 1 time: total 1"
    assert "undeclared readers: no audit of this project is recorded" in " ".join(" ".join(lines).split())
    solvent("audit", cwd=project)
    answer = solvent("debt", "ledger", "--json", cwd=project).json
    assert (answer["undeclared"], answer["left_out"]) == ([], [])


def test_a_stored_forecast_is_scored_and_the_next_audit_tells(project, solvent):
    solvent("audit", cwd=project)
    now = wall_clock()
    (new,) = facts_of(project).forecasts()
    assert {row[0] for row in new.figures["files"]} == {"pipeline.py", "study.py"}
    answer = solvent("debt", "score", "--json", cwd=project).json
    assert (answer["basis"], answer["why"]) == ("replay", "No forecast that an audit stored here is 30 days old")
    old = ProjectAudit(
        at=now - timedelta(days=40), rule_set="1", rules=frozenset(), sightings=[], git_commit="c0ffee" * 6,
        forecast={"columns": [], "files": [["pipeline.py", 3.0, 2.0, 2.0, 12], ["study.py", 9.0, 0.5, 2.0, 2]]},
    )  # fmt: skip
    facts_of(project).record_audit(old)
    (project / "study.py").write_text(BAD + "#\n")
    commit(project, "Fix the study", ago=5)
    answer = solvent("debt", "score", "--json", cwd=project).json
    assert (answer["basis"], answer["commit"], answer["why"]) == ("stored", old.git_commit, "")
    assert answer["score"]["repairs"] == 1, "everything that came since counts, not thirty days alone"
    assert answer["score"]["days"] == pytest.approx(40, abs=0.1)
    assert answer["score"]["lift"]["interest"] == 2.0
    day = f"{old.at:%Y-%m-%d}"
    assert f"The forecast that the audit of {day} at c0ffeec0f stored" in solvent("debt", "score", cwd=project).out
    told = " ".join(solvent("audit", cwd=project).out.split())
    assert f"The forecast of {day}, scored: " in told
    assert "the most indebted tenth got 2.0 × its share of repairs" in told


def test_outside_of_a_project_a_forecast_is_written_where_asked(project, solvent, tmp_path):
    shutil.rmtree(project / ".solvent")
    file = tmp_path / "forecast.json"
    solvent("audit", "--forecast", file, cwd=project)
    assert not (project / ".solvent").exists()
    kept = msgspec.json.decode(file.read_bytes())
    assert kept["commit"] == git(project, "rev-parse", "HEAD")
    kept["at"] = f"{datetime.now(UTC) - timedelta(days=10):%Y-%m-%dT%H:%M:%SZ}"
    file.write_bytes(msgspec.json.encode(kept))
    (project / "study.py").write_text(BAD + "#\n")
    commit(project, "Fix the study", ago=5)
    answer = solvent("debt", "score", "--forecast", file, "--json", cwd=project).json
    assert (answer["basis"], answer["score"]["repairs"]) == ("file", 1)
    file.write_text("{}")
    assert "error[bad-forecast]" in solvent("debt", "score", "--forecast", file, cwd=project).err


def test_the_record_is_a_series_of_events(project, solvent):
    for text in (BAD, "# paid\n", BAD):
        (project / "study.py").write_text(text)
        solvent("audit", cwd=project)
    one = findings(solvent, project)["PIP008", "study.py"]
    series = [event for event, _ in facts_of(project).finding_events(one["fingerprint"])]
    assert series == [FindingEvent.SEEN, FindingEvent.GONE, FindingEvent.BACK]
