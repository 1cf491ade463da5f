"""`solvent data` as a person uses it, and killed in the middle of its work."""

import random
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from solvent.data.versions.checkout import checkout
from solvent.data.versions.lockfile import read_lock
from solvent.data.versions.references import resolve
from solvent.data.versions.tree import walk_files
from solvent.governance.questions import verify
from solvent.project import Project
from store.faults import SOAK
from support import clean_environment

WORKER = Path(__file__).with_name("data_worker.py")


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / "data/images").mkdir(parents=True)
    (root / "solvent.toml").write_text("")
    (root / "data/images/one.png").write_text("1")
    (root / "data/rides.csv").write_text("a,b\n1,2\n")
    return root


def test_a_life_with_data(solvent, project):
    told = solvent("data", "add", "data/images", "data/rides.csv", "-m", "from the city", cwd=project)
    assert told.code == 0, told.err
    assert told.out.startswith("data/images@1 is kept (1 file, 1 B)\ndata/rides.csv@1 is kept")
    assert solvent("data", "status", cwd=project).out.startswith("Every dataset is what solvent.lock says")
    (project / "data/images/two.png").write_text("2")
    told = solvent("data", "status", "images", cwd=project)
    assert (told.code, "added     two.png" in told.out) == (1, True)
    assert solvent("data", "status", "--json", cwd=project).json[0]["added"] == ["two.png"]
    assert ": 1 added" in solvent("data", "add", "images", cwd=project / "data").out
    told = solvent("data", "history", "images", "--json", cwd=project).json
    assert [(v["number"], v["message"], v["actor"]["name"], v["changes"]) for v in told] == [
        (1, "from the city", "tester", {"added": 1}),
        (2, "", "tester", {"added": 1}),
    ]
    assert "newest first" in solvent("data", "history", "images", cwd=project).out
    assert solvent("data", "checkout", "images@1", cwd=project).code == 0
    assert [p.name for p in (project / "data/images").iterdir()] == ["one.png"]
    (project / "data/images/one.png").write_text("mine")
    told = solvent("data", "checkout", "images", cwd=project)
    assert (told.code, told.err.count("\n")) == (1, 1)
    assert told.err.startswith("error[local-changes]: data/images: local changes would be lost: one.png")
    assert solvent("data", "checkout", "--force", cwd=project).code == 0
    assert (project / "data/images/two.png").read_text() == "2"
    listed = solvent("data", "list", "--json", cwd=project).json
    assert [(one["name"], one["versions"], one["files"]) for one in listed] == [
        ("data/images", 2, 2),
        ("data/rides.csv", 1, 1),
    ]
    assert max(map(len, solvent("data", "list", cwd=project).out.splitlines())) <= 80


def test_a_revision_of_git_says_which_versions_belong_to_it(solvent, project):
    def git(*arguments):
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        return subprocess.run(["git", *who, *arguments], cwd=project, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    solvent("data", "add", "data/images", cwd=project)
    git("add", ".")
    git("commit", "-qm", "one")
    assert sorted(git("ls-files").split()) == ["data/.gitignore", "data/rides.csv", "solvent.lock", "solvent.toml"]
    (project / "data/images/one.png").write_text("changed")
    solvent("data", "add", "data/images", cwd=project)
    git("commit", "-qam", "two")
    assert solvent("data", "checkout", "images@HEAD~1", cwd=project).code == 0
    assert (project / "data/images/one.png").read_text() == "1"
    git("checkout", "-q", "HEAD~1")
    assert solvent("data", "status", cwd=project).code == 0
    git("checkout", "-q", "-")
    assert solvent("data", "status", cwd=project).code == 1
    assert solvent("data", "checkout", cwd=project).code == 0
    assert (project / "data/images/one.png").read_text() == "changed"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("add",), 2, "what should be added?"),
        (("add", "dota"), 2, "`dota` is not there: did you mean `data`?"),
        (("add", "../x"), 2, "lies outside of the project"),
        (("status", "nothing"), 2, "no dataset `nothing`"),
        (("history", "nothing"), 2, "no dataset `nothing`"),
        (("checkout", "nothing@3"), 2, "no dataset `nothing`"),
        (("import-url", "ftp://x"), 2, "no http(s) URL"),
        (("import-url", "http://127.0.0.1:1/x.csv"), 2, "cannot be reached"),
    ],
)
def test_what_cannot_be_done_is_one_line(solvent, project, arguments, code, told):
    answer = solvent("data", *arguments, cwd=project)
    assert (answer.code, answer.out, answer.err.count("\n")) == (code, "", 1)
    assert told in answer.err
    assert told in solvent("data", *arguments, "--json", cwd=project).json["error"]["what"] + answer.err


def test_a_url_becomes_a_dataset_that_knows_where_it_came_from(solvent, project, tmp_path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www/far.csv").write_text("1")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "www")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/far.csv"
        assert solvent("data", "import-url", url, "data/far.csv", cwd=project).code == 0
        assert url in (project / "solvent.lock").read_text()
        (tmp_path / "www/far.csv").write_text("22")
        assert "@2 is kept" in solvent("data", "import-url", url, "data/far.csv", cwd=project).out
        (project / "data/far.csv").write_text("mine")
        told = solvent("data", "import-url", url, "data/far.csv", cwd=project)
        assert (told.code, (project / "data/far.csv").read_text()) == (1, "mine")
        assert solvent("data", "import-url", url, "data/far.csv", "--force", cwd=project).code == 0
        assert (project / "data/far.csv").read_text() == "22"
        assert solvent("data", "history", "far", "--json", cwd=project).json[-1]["url"] == url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def killed(work, root, chance):
    """Let the worker work, and kill it at a random moment of a random turn."""
    command = [sys.executable, str(WORKER), work, str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean_environment()) as process:
        for _ in range(chance.choice((1, 3, 5))):
            process.stdout.readline()
        time.sleep(chance.uniform(0, 0.15))
        process.kill()


def whole(root):
    """Everything recorded is there, and the lock names a version that can be read to its last file."""
    project = Project(root)
    try:
        assert verify(project.store).problems == []
        for entry in read_lock(root).values():
            for _, file in walk_files(entry.tree, project.store.objects.read):
                project.store.objects.verify(file.digest)
    finally:
        project.close()


def go_to(version, root):
    """As `data checkout` does it, without a program's start."""
    project = Project(root)
    try:
        reference = resolve(version, root, project.store.facts)
        checkout(reference.dataset, reference.digest, project.store)
    finally:
        project.close()


def test_adds_that_are_killed_leave_whole_versions(project, solvent):
    for number in range(6):
        (project / "data" / str(number)).mkdir()
    chance = random.Random(7)
    for _ in range(4 * SOAK):
        killed("add", project, chance)
        whole(project)
    assert solvent("data", "add", "data", cwd=project).code == 0
    assert solvent("data", "status", cwd=project).code == 0


def test_checkouts_that_are_killed_are_made_good_by_the_next(project, solvent):
    contents = {}
    for turn in (1, 2):
        contents[turn] = {f"data/{n % 6}/{n + turn}": f"{turn} {n}" for n in range(60)}
        for number in range(6):
            for old in (project / "data" / str(number)).glob("*"):
                old.unlink()
        for name, text in contents[turn].items():
            (project / name).parent.mkdir(exist_ok=True)
            (project / name).write_text(text)
        assert solvent("data", "add", "data", cwd=project).code == 0
    chance = random.Random(8)
    for _ in range(4 * SOAK):
        killed("checkout", project, chance)
        for turn in (1, 2):
            go_to(f"data@{turn}", project)
            found = {p.relative_to(project).as_posix(): p.read_text() for p in (project / "data").glob("?/*")}
            assert found == contents[turn]
