"""`solvent audit` and `solvent debt`, installed, on a repository with a history."""

import gzip
import json
import os
import re
import socket
import subprocess
import zipfile

import pytest
import sarif_pydantic

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


TUNED = """
from imblearn.over_sampling import SMOTE
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

def main(X, y):
    X, y = SMOTE(random_state=0).fit_resample(X, y)
    a, b, c, d = train_test_split(X, y, random_state=0)
    scores = []
    for k in range(1, 9):
        scores.append(KNeighborsClassifier(k).fit(a, c).score(b, d))
    print(max(scores))
"""


def test_two_debts_of_one_cause_are_counted_once_and_said_to_be(repository, solvent):
    (repository / "train.py").write_text(TUNED)
    answer = solvent("audit", "--rule", "DAT103,DAT106", "--html", "page.html", cwd=repository)
    assert answer.code == 1, answer.err
    assert answer.out.count("counted with another debt") == 1
    assert "counted with another debt" in (repository / "page.html").read_text()


def test_a_long_path_stands_in_a_line_of_its_own(repository, solvent):
    folder = repository / "a folder with a long name and an ümlaut" / "another one, for its experiments"
    folder.mkdir(parents=True)
    (folder / "train.py").write_text(BAD)
    (repository / "train.py").unlink()
    lines = solvent("audit", "--rule", "PIP008", cwd=repository).out.splitlines()
    assert max(map(len, lines)) <= 80
    place = next(at for at, line in enumerate(lines) if line.endswith("train.py:2"))
    assert lines[place + 1].strip().startswith("PIP008 nan-equality  ")


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


def test_odd_files_stop_nothing_and_are_said_to_be_left_out(tmp_path, solvent):
    folder = tmp_path / "a folder with ümlauts"
    (folder / "empty").mkdir(parents=True)
    (folder / "good.py").write_text(BAD)
    (folder / os.fsdecode(b"name\xff.py")).write_text(BAD)
    (folder / "two\nlines.py").write_text(BAD)
    (folder / "loop").symlink_to(".")
    (folder / "outside.py").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.py")
    left = {
        "two.py": b"print 'x'\n",
        "binary.py": bytes(range(256)) * 50,
        "latin.py": "name = 'M\xfcller'\n".encode("latin-1"),
        "deep.py": b"x = " + b" + ".join([b"1"] * 20_000),
        "null.ipynb": b'{"cells": null}',
        "odd.ipynb": b'{"cells": [{"cell_type": "code", "source": null, "outputs": null}], "metadata": null}',
    }
    for name, content in left.items():
        (folder / name).write_bytes(content)
    for name in ("dvc.yaml", "dvc.lock", "environment.yml", "pyproject.toml", "solvent.toml", ".python-version"):
        (folder / name).write_text("a: &a [*a]\n- [[[\n")
    answer = solvent("audit", "--preview", "--json", cwd=folder)
    assert answer.code == 1
    assert {path for group in answer.json["not_analysed"] for path in group["files"]} == set(left)
    found = {finding["path"] for finding in answer.json["findings"] if finding["rule"] == "PIP008"}
    assert found == {"good.py", "name\ufffd.py", "two\nlines.py"}


def test_bombs_in_model_files_cost_little(tmp_path, solvent):
    with zipfile.ZipFile(tmp_path / "zeros.pt", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("archive/data.pkl", bytes(60_000_000))
    (tmp_path / "wide.pkl").write_bytes(b"\x80\x02]q\0" + b"(h\0h\0e" * 200_000 + b".")
    (tmp_path / "claims.pkl").write_bytes(b"\x80\x04\x95" + (10**15).to_bytes(8, "little") + b"N.")
    (tmp_path / "odd.pth").write_bytes(b"PK\x03\x04" + bytes(500))
    with gzip.open(tmp_path / "zeros.joblib", "wb") as bomb:
        bomb.write(bytes(60_000_000))
    (tmp_path / "a.py").write_text("x = 1\n")
    answer = solvent("audit", "--rule", "BOX", "--json", cwd=tmp_path)
    assert (answer.code, answer.json["findings"]) == (0, [])


def test_a_repository_without_commits_an_empty_folder_and_a_bare_clone(tmp_path, solvent):
    git(tmp_path, "init")
    (tmp_path / "a.py").write_text(BAD)
    assert "interest is unknown" in solvent("audit", "--rule", "PIP008", cwd=tmp_path).out
    assert solvent("audit", "--history", "3", cwd=tmp_path).out.startswith("No commit to audit here")
    assert solvent("audit", "--new-since", "HEAD", cwd=tmp_path).code == 2
    git(tmp_path, "clone", "--bare", ".", "bare.git")
    for name in ("bare.git", "empty"):
        (tmp_path / name).mkdir(exist_ok=True)
        answer = solvent("audit", name, cwd=tmp_path)
        assert (answer.code, answer.out.splitlines()[0]) == (0, "No Python to audit here.")
        assert answer.out.splitlines()[-1] == "Next: `solvent audit PATH` reads another folder, or one file"


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


def test_the_trend_names_who_took_on_and_who_paid(repository, solvent):
    (repository / "more.py").write_text(BAD.replace("delay", "late"))
    git(repository, "add", ".", at="2026-02-05T12:00:00Z")
    git(repository, "commit", "-m", "more of it", at="2026-02-05T12:00:00Z")
    git(repository, "rm", "train.py", "more.py", at="2026-03-05T12:00:00Z")
    git(repository, "commit", "-m", "paid", at="2026-03-05T12:00:00Z")
    answer = solvent("audit", "--rule", "PIP008", "--history", "10", "--json", cwd=repository)
    points = answer.json["history"]
    assert [(p["subject"], p["findings"], p["added"], p["gone"]) for p in points] == [
        ("first", 1, {}, {}),
        ("more of it", 2, {"PIP008": 1}, {}),
        ("paid", 0, {}, {"PIP008": 2}),
    ]
    text = solvent("audit", "--rule", "PIP008", "--history", "10", cwd=repository).out
    assert text.startswith("This repository owes 0 min (0–0), 5.4 min less than on 2026-01-05.")
    assert "+5.4 min  1 PIP008  more of it" in text


def test_what_a_partial_clone_lacks_is_said(repository, solvent, tmp_path_factory):
    clone = tmp_path_factory.mktemp("partial")
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(repository, "clone", "--filter=blob:none", "--no-checkout", repository.as_uri(), clone / "here")
    text = solvent("audit", "--history", "3", cwd=clone / "here").out
    assert "Not read: up to 1 file a commit, left out of this partial clone." in text


def test_sarif_is_what_others_read(repository, solvent):
    (repository / "train.py").write_text(BAD + "x = df[df.a == np.nan]  # solvent: allow[PIP008] on purpose\n")
    solvent("audit", "--rule", "PIP008", "--sarif", "out.sarif", "--new-since", "HEAD", cwd=repository)
    text = (repository / "out.sarif").read_text()
    parsed = sarif_pydantic.Sarif.model_validate_json(text)
    assert parsed.version == "2.1.0"
    results = json.loads(text)["runs"][0]["results"]
    assert [result.get("baselineState") for result in results] == ["unchanged", None]
    assert results[1]["suppressions"] == [{"kind": "inSource", "justification": "on purpose"}]


def test_the_page_is_one_file_that_loads_nothing(repository, solvent):
    solvent("audit", "--rule", "PIP008", "--html", "debt.html", cwd=repository)
    page = (repository / "debt.html").read_text()
    assert "This repository owes about 5.4 min" in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


def test_a_forecast_is_scored_by_what_came(repository, solvent):
    for month, subject in enumerate(("Fix a crash", "Fix it again", "Say more"), start=3):
        (repository / "train.py").write_text(BAD + "#\n" * month)
        git(repository, "add", ".", at=f"2026-0{month}-05T12:00:00Z")
        git(repository, "commit", "-m", subject, at=f"2026-0{month}-05T12:00:00Z")
    answer = solvent("debt", "score", "--days", "100", "--json", cwd=repository)
    assert answer.json["score"]["files"] == 1
    assert answer.json["score"]["repairs"] == 2
    assert solvent("debt", "score", "--days", "100", cwd=repository).out.count("\n") > 5
    assert "error[too-young]" in solvent("debt", "score", "--days", "1000", cwd=repository).err


def test_the_flow_of_one_file_is_told(repository, solvent):
    (repository / "study.py").write_text(
        "import pandas as pd\nfrom sklearn.svm import SVC\ndf = pd.read_csv('a.csv')\n"
        "SVC().fit(df[:80].drop(columns='y'), df[:80].y)\n"
    )
    answer = solvent("audit", "study.py", "--explain-flow", cwd=repository)
    assert answer.code == 0
    assert "    * SVC learns from table of a.csv (line 3), [:80], without y" in answer.out.splitlines()
    answer = solvent("audit", "nothing.py", "--explain-flow", "--json", cwd=repository)
    assert answer.code == 2 and answer.json["error"]["code"] == "usage"


def test_what_is_known_by_either_is_known_once(repository, solvent):
    solvent("audit", "--rule", "PIP008", "--write-baseline", "debt.json", cwd=repository)
    (repository / "new.py").write_text(BAD)
    both = ("--baseline", "debt.json", "--new-since", "HEAD")
    answer = solvent("audit", "--rule", "PIP008", *both, "--json", cwd=repository)
    assert sorted(state for _, _, state in rules(answer)) == ["known", "new"]


def test_a_strange_repository_cannot_make_the_audit_ask_a_server(repository, solvent):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (repository / "solvent.toml").write_text(f'[store]\nurl = "postgresql://127.0.0.1:{port}/x"\n')
        (repository / ".solvent").mkdir()
        (repository / ".solvent" / "solvent.db").write_bytes(b"")
        assert solvent("audit", "--rule", "PIP008", cwd=repository).code == 1
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_file_that_cannot_be_written_is_named(repository, solvent):
    answer = solvent("audit", "--html", "nowhere/debt.html", cwd=repository)
    assert answer.code == 2
    assert "cannot write nowhere/debt.html" in answer.err
