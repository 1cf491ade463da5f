from small_project import make_project
from solvent.cli.program import build, command_names
from support import HEAVY, imported_by


def test_version_imports_next_to_nothing(tmp_path):
    modules = imported_by("--version", cwd=tmp_path)
    assert not modules & (HEAVY | {"cyclopts", "rich", "msgspec"})


def test_an_unknown_command_names_the_nearest(solvent, tmp_path):
    answer = solvent("statsu", cwd=tmp_path)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "error[usage]: no command `statsu`: did you mean `status`?\n"


def test_an_unknown_option_names_the_nearest(solvent, tmp_path):
    answer = solvent("status", "--jsno", cwd=tmp_path)
    assert answer.code == 2
    assert "--json" in answer.err


def test_errors_are_json_too(solvent, tmp_path):
    answer = solvent("status", "--json", cwd=tmp_path)
    assert answer.code == 2
    assert answer.json["error"]["code"] == "no-project"
    assert set(answer.json["error"]) == {"code", "what", "where", "next"}


def test_another_folder_by_capital_c(solvent, tmp_path):
    answer = solvent("-C", tmp_path / "nowhere", "status", cwd=tmp_path)
    assert answer.code == 2
    assert "cannot work in" in answer.err


def test_every_command_has_help_and_a_summary():
    app = build()
    for name in command_names():
        assert app[name].help, f"{name} has no help"


def test_status_imports_nothing_heavy(solvent, tmp_path):
    root = make_project(tmp_path / "p")
    assert solvent("run", cwd=root).code == 0
    modules = imported_by("status", cwd=root)
    assert not modules & HEAVY
    assert len(modules) < 135, sorted(modules)
