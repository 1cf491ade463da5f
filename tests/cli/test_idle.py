"""A run with nothing to do is answered without the store opened; it must say and do what a whole run would."""

import pytest

from small_project import make_project
from support import HEAVY, imported_by

PIPELINE = """
from solvent import step

@step
def numbers(*, most: int = 3) -> list:
    return list(range(most))

@step
def first(numbers: list) -> int:
    return numbers[0]

@step
def total(numbers: list) -> int:
    return sum(numbers)

@step
def both(total: int, first: int) -> int:
    return total + first
"""


@pytest.fixture
def project(tmp_path, solvent):
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    assert solvent("run", cwd=tmp_path).code == 0
    return tmp_path


def told(answer):
    """What a run says, but for its key and its time."""
    return {name: value for name, value in answer.json.items() if name not in ("run", "seconds")}


def whole(project):
    """Make the next run look at everything: someone left something in the scratch folder."""
    (project / ".solvent" / "scratch" / "left-behind").mkdir(parents=True)


def test_an_idle_run_says_what_a_whole_run_says_and_is_recorded(project, solvent):
    idle = solvent("run", "--json", cwd=project)
    assert "sqlalchemy" not in imported_by("run", cwd=project)
    whole(project)
    full = solvent("run", "--json", cwd=project)
    assert told(idle) == told(full)
    assert {step["state"] for step in idle.json["steps"]} == {"cached"}
    assert not list((project / ".solvent" / "scratch").iterdir()), "the whole run swept it away"
    listed = solvent("runs", "list", "--json", cwd=project).out
    assert idle.json["run"] in listed
    assert full.json["run"] in listed


def test_an_idle_run_with_a_model_imports_nothing_heavy_and_names_its_version(tmp_path, solvent):
    root = make_project(tmp_path / "p")
    assert solvent("run", cwd=root).code == 0
    idle = solvent("run", cwd=root)
    assert not imported_by("run", cwd=root) & HEAVY
    whole(root)
    assert solvent("run", cwd=root).out == idle.out
    assert "/1 (champion)" in idle.out
    contract = root / "contracts" / "sales.json"
    contract.write_text(contract.read_text().replace('"units"', '"sold"'))
    assert "contract: " in solvent("run", cwd=root).out, "the contract changed, so its files are read again"


def test_what_has_something_to_do_is_no_idle_run(project, solvent):
    def states(*arguments):
        steps = solvent("run", "--json", *arguments, cwd=project).json["steps"]
        return {step["name"].removeprefix("pipeline."): step["state"] for step in steps}

    assert set(states("--force").values()) == {"ran"}
    assert states("--set", "numbers.most=4", "first") == {"numbers": "ran", "first": "ran"}
    assert states("first") == {"numbers": "cached", "first": "cached"}
    total = next(
        step for step in solvent("run", "--json", cwd=project).json["steps"] if step["name"] == "pipeline.total"
    )
    digest = total["outputs"][0]["digest"]
    blob = project / ".solvent" / "objects" / digest[:2] / digest
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes()[:-1])
    assert states()["total"] == "ran", "its object has lost a byte"
    assert set(states().values()) == {"cached"}


def test_why_of_a_fresh_step_needs_no_store(project, solvent):
    assert "sqlalchemy" not in imported_by("why", "both", cwd=project)
    quick = solvent("why", "both", "--json", cwd=project)
    assert quick.json["steps"][-1]["run"] in solvent("runs", "list", "--json", cwd=project).out
    assert {step["state"] for step in quick.json["steps"]} == {"fresh"}
    unknown = solvent("why", "bth", cwd=project)
    assert (unknown.code, "did you mean `both`?" in unknown.err) == (2, True)
