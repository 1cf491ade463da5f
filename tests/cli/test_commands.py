"""Every command, on one small project: it prints text or one JSON document, names a next step, and ends well."""

import shutil
from itertools import product

import msgspec
import polars as pl
import pytest

from small_project import rows
from solvent.cli.program import command_names

ELSEWHERE = {"demo", "reproduce", "serve"}  # they have tests of their own: tests/demo, tests/e2e
LATER = "2024-03-20"
COMMANDS = [
    "init",
    "run",
    "status",
    "why fit",
    "runs list",
    "runs show RUN",
    "runs compare RUN RUN",
    "diff demand@1 demand@2",
    "data diff cases.csv outcomes.csv",
    "compare weeks.csv cases.csv --time time",
    "data contract infer cases.csv --replace",
    "data contract check sales",
    "models list",
    "models show demand",
    "models show demand@champion",
    "models compare demand/1 demand/2",
    "score demand@champion cases.csv",
    "log outcomes outcomes.csv",
    "log predictions cases.csv",
    f"monitor check --now {LATER}",
    "monitor report",
    "decisions",
    "lineage demand@champion",
    "impact sales",
    "asof 2024-03-01",
    "verify",
    "push",
    "fetch",
    "pull",
    "verify --remote",
    "gc",
    "doctor",
    "audit .",
    "debt explain PIP008",
    "debt ledger",
    "backtest weeks.csv --time time --target units --drop known_at --id sale --windows 6",
]
CHANGES = [
    f"tick --now {LATER}",
    f"models promote demand/2 --waive drill --now {LATER}",
    f"models rollback demand --now {LATER}",
]
WATCH = "watch --times 1 --every 1s"  # by the wall clock, after which no earlier tick is taken
FINDINGS = {
    "monitor check",
    "audit .",
    "compare weeks.csv",
}  # 1 where an alert is open, something owed, a table drifted
WIDEST = 100


@pytest.fixture(scope="module")
def project(shop, tmp_path_factory):
    """A copy of the shop with files to score and log."""
    root = shutil.copytree(shop, tmp_path_factory.mktemp("commands") / "project")
    week = rows(9).head(5)
    week.select("sale", "time", "price", "size").write_csv(root / "cases.csv")
    week.select("sale", "units").write_csv(root / "outcomes.csv")
    with (root / "solvent.toml").open("a") as settings:
        settings.write('[remote]\nurl = "../remote"\n')
    pl.concat([rows(week) for week in range(5)]).write_csv(root / "weeks.csv")
    return root


@pytest.fixture(scope="module")
def run_key(project, solvent):
    return solvent("runs", "list", "--json", cwd=project).json[0]["start"]["key"]


def test_every_command_is_in_the_tables():
    assert {command.split()[0] for command in [*COMMANDS, *CHANGES, WATCH]} == set(command_names()) - ELSEWHERE


def check(solvent, project, arguments, *, json):
    allowed = {0, 1} if " ".join(arguments[:2]) in FINDINGS else {0}
    told = solvent(*arguments, *(["--json"] if json else []), cwd=project)
    assert told.code in allowed and told.err == "", told
    if json:
        msgspec.json.decode(told.out)
    else:
        assert max(len(line) for line in told.out.splitlines()) <= WIDEST, told.out
        assert told.out.count("Next: ") == 1, told.out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_text_and_as_json_one_document(solvent, project, run_key, command):
    arguments = [run_key if word == "RUN" else word for word in command.split()]
    check(solvent, project, arguments, json=False)
    check(solvent, project, arguments, json=True)


def test_commands_that_change_what_is_in_service_do_so_too(solvent, project, tmp_path):
    root = shutil.copytree(project, tmp_path / "project")
    for json, command in [*product((False, True), CHANGES), (False, WATCH), (True, WATCH)]:
        check(solvent, root, command.split(), json=json)
