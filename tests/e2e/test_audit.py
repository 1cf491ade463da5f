"""`solvent audit` and `solvent debt`, installed, on a repository with a history."""

import json
import subprocess

import pytest

BAD = "import numpy as np\nkept = flights[flights.delay == np.nan]\n"


def git(folder, *arguments, at="2026-01-05T12:00:00Z"):
    who = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "PATH": "/usr/bin:/bin:/usr/local/bin"}
    options = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *options, *arguments], cwd=folder, env=who, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "train.py").write_text(BAD)
    (tmp_path / ".gitignore").write_text("ignored/\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def rules(answer):
    return [(finding["rule"], finding["path"], finding["state"]) for finding in answer.json["findings"]]


def test_the_first_screen_says_what_is_owed_and_what_to_do(repository, solvent):
    answer = solvent("audit", "--rule", "PIP008", cwd=repository)
    lines = answer.out.splitlines()
    assert answer.code == 1
    assert lines[0].startswith("This repository owes about 5.4 min (2–9.9) and pays ")
    assert "train.py:2" in answer.out
    assert lines[-1].startswith("Next: `solvent debt explain PIP008`")
    assert max(map(len, lines)) <= 80


def test_ignored_files_are_not_read_and_new_ones_are(repository, solvent):
    (repository / "ignored").mkdir()
    (repository / "ignored" / "a.py").write_text(BAD)
    (repository / "new.py").write_text(BAD)
    answer = solvent("audit", "--rule", "PIP008", "--json", cwd=repository)
    assert {finding["path"] for finding in answer.json["findings"]} == {"new.py", "train.py"}


def test_only_what_is_new_fails_a_build(repository, solvent):
    assert solvent("audit", "--rule", "PIP008", "--new-since", "HEAD", cwd=repository).code == 0
    (repository / "new.py").write_text(BAD.replace("delay", "late"))
    answer = solvent("audit", "--rule", "PIP008", "--new-since", "HEAD", "--json", cwd=repository)
    assert answer.code == 1
    assert rules(answer) == [("PIP008", "new.py", "new"), ("PIP008", "train.py", "known")]
    assert solvent("audit", "--new-since", "nowhere", cwd=repository).code == 2


def test_a_baseline_is_written_and_kept_to(repository, solvent):
    assert solvent("audit", "--rule", "PIP008", "--write-baseline", "debt.json", cwd=repository).code == 0
    assert solvent("audit", "--rule", "PIP008", "--baseline", "debt.json", cwd=repository).code == 0
    (repository / "debt.json").write_text("{}")
    assert "error[bad-baseline]" in solvent("audit", "--baseline", "debt.json", cwd=repository).err


def test_the_severity_that_fails_can_be_chosen(repository, solvent):
    (repository / "train.py").write_text("x = 1  # solvent: allow[PIP008] not needed\n")
    assert solvent("audit", "--rule", "PIP008,LIV", cwd=repository).code == 1
    assert solvent("audit", "--rule", "PIP008,LIV", "--fail-on", "W", cwd=repository).code == 0


def test_github_and_markdown(repository, solvent):
    annotations = solvent("audit", "--rule", "PIP008", "--github", cwd=repository).out
    assert annotations.startswith("::error file=train.py,line=2,title=PIP008 nan-equality::")
    comment = solvent("audit", "--rule", "PIP008", "--markdown", cwd=repository).out
    assert "| `train.py:2` | PIP008 nan-equality" in comment


def test_nothing_of_the_repository_is_run(repository, solvent):
    told = repository / "told"
    hook = repository / "monitor.sh"
    hook.write_text(f"#!/bin/sh\ntouch {told}\n")
    hook.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(hook))
    git(repository, "config", "log.showSignature", "true")
    git(repository, "config", "gpg.program", str(hook))
    (repository / "conftest.py").write_text(f"open({str(told)!r}, 'w')\n")
    solvent("audit", "--new-since", "HEAD", cwd=repository)
    assert not told.exists()


def test_explain_tells_a_rule_and_names_the_nearest(repository, solvent):
    assert "Why it costs: " in solvent("debt", "explain", "nan-equality", cwd=repository).out
    assert solvent("debt", "explain", "PIP08", cwd=repository).err.endswith("did you mean `PIP008`?\n")
    assert "PIP008" in solvent("debt", "explain", cwd=repository).out


def test_bad_settings_of_a_strange_repository_stop_nothing(repository, solvent):
    (repository / "pyproject.toml").write_text("[tool.solvent\n")
    answer = solvent("audit", "--rule", "PIP008", "--json", cwd=repository)
    assert len(json.loads(answer.out)["findings"]) == 1
    assert answer.err.startswith("settings are left aside: ")
