"""The fingerprint changes with whatever a step reaches, and with nothing else."""

from __future__ import annotations

import ast

import pytest

from solvent.pipeline.fingerprint import CodeMap, function_digest, normalised_digest, strip_docstrings

MAIN = '''
"""Doc."""
import helper
from package import tool
from package.deep.inner import value

TABLE = "config/limits.json"

def step():
    """What it does."""
    import late
    return helper.f(value)  # a comment
'''
FILES = {
    "main.py": MAIN,
    "helper.py": "import below\ndef f(x):\n    return below.g(x)\n",
    "below.py": "def g(x):\n    return x\n",
    "late.py": "LATE = 1\n",
    "package/__init__.py": "from .sibling import *\n",
    "package/sibling.py": "S = 1\n",
    "package/tool.py": "from . import relative\n",
    "package/relative.py": "R = 1\n",
    "package/deep/__init__.py": "",
    "package/deep/inner.py": "if True:\n    from ..conditional import C\nvalue = 1\n",
    "package/conditional.py": "C = 1\n",
    "config/limits.json": "{}",
    "unrelated.py": "U = 1\n",
    "data/rides.csv": "a\n1\n",
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def reached(root, module: str = "main") -> dict[str, str]:
    code = CodeMap(root, [root / "data" / "rides.csv"])
    return {code.name(p): d for p, d in code.reach(module, root / f"{module}.py").files.items()}


def test_everything_that_an_import_reaches_counts(project):
    assert set(reached(project)) == set(FILES) - {"unrelated.py", "data/rides.csv"}


@pytest.mark.parametrize("name", [n for n in FILES if n not in ("unrelated.py", "data/rides.csv")])
def test_a_change_in_any_reached_file_changes_the_fingerprint(project, name):
    before = reached(project)
    (project / name).write_text(FILES[name] + ("\nNEW = 2\n" if name.endswith(".py") else " "))
    after = reached(project)
    assert {n for n in before if before[n] != after[n]} == {name}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment", "# another"),
        ('"""Doc."""', '"""Other doc."""'),
        ('"""What it does."""', '"""Says something else."""'),
        ("helper.f(value)", "helper.f( value )"),
        ("def step():", "\n\n\ndef step():"),
    ],
)
def test_comments_docstrings_and_formatting_do_not_count(project, old, new):
    before = reached(project)
    assert old in MAIN
    (project / "main.py").write_text(MAIN.replace(old, new))
    assert reached(project) == before


def test_files_outside_the_graph_and_sources_do_not_count(project):
    before = reached(project)
    (project / "unrelated.py").write_text("U = 2\n")
    (project / "data" / "rides.csv").write_text("a\n2\n")
    assert reached(project) == before


@pytest.mark.parametrize(
    "line", ["importlib.import_module(name)", "__import__(name)", "exec(text)", "runpy.run_path(name)", "eval(text)"]
)
def test_a_dynamic_import_takes_in_every_file_of_the_project(project, line):
    (project / "main.py").write_text(f"import importlib, runpy\ndef step(name, text):\n    return {line}\n")
    assert "unrelated.py" in reached(project)
    notes = CodeMap(project).reach("main", project / "main.py").notes
    assert notes == ("main.py:3: imports by name; every project file counts as code",)


def test_a_path_built_from_parts_counts(project):
    (project / "main.py").write_text(
        'from pathlib import Path\nHERE = Path(__file__).parent\nX = HERE / "config" / "limits.json"\n'
    )
    assert "config/limits.json" in reached(project)
    (project / "main.py").write_text('from pathlib import Path\nX = Path("config") / "limits.json"\n')
    assert "config/limits.json" in reached(project)


def test_what_would_take_an_imports_place_is_watched(project):
    (project / "main.py").write_text('import json\nimport helper\nX = "later/thresholds.json"\n')
    absent = {CodeMap(project).name(p) for p in CodeMap(project).reach("main", project / "main.py").absent}
    assert {"json.py", "json/__init__.py", "later/thresholds.json"} <= absent
    assert "helper.py" not in absent


def test_installed_packages_count_by_version_only(project):
    (project / "main.py").write_text("import msgspec\nimport ast\nfrom solvent import step\n")
    assert set(reached(project)) == {"main.py"}


def test_a_module_from_an_editable_install_outside_the_project_counts(project, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "shared_lib_xyz.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(elsewhere)
    (project / "main.py").write_text("import shared_lib_xyz\n")
    assert str(elsewhere / "shared_lib_xyz.py") in reached(project)


def test_renaming_a_function_or_its_docstring_leaves_its_digest():
    first, renamed, other = (
        ast.parse(text).body[0]
        for text in ("def f(x):\n    'doc'\n    return x", "def g(x):\n    return x", "def f(x):\n    return -x")
    )
    assert function_digest(first) == function_digest(renamed) != function_digest(other)


def test_a_function_of_only_a_docstring_is_still_a_function():
    tree = ast.parse('def f():\n    "doc"\n')
    strip_docstrings(tree)
    assert normalised_digest(tree) == normalised_digest(ast.parse("def f():\n    pass\n"))
