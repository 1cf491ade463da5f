"""Dependency files: each format's spellings, and what must not break the reading of the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.debt.facts.dependencies import kind_of, parse_declaration, parse_requirement


def read(path: str, text: str) -> dict[str, tuple[str, bool]]:
    """Specifier and whether it is bounded, by name."""
    declaration = parse_declaration(path, text)
    assert declaration is not None
    return {one.name: (one.specifier, one.bounded) for one in declaration.dependencies}


REQUIREMENTS = """\
# a comment
-r base.txt
--index-url https://example.org
numpy==1.26.4 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
Scikit_Learn>=1.0  # why
pandas[excel]~=2.1 ; python_version >= "3.9"
torch @ https://example.org/torch-2.0-cp311-none-any.whl
git+https://github.com/owner/tool.git@3f2a9c1#egg=tool
git+https://github.com/owner/loose.git
-e git+https://github.com/owner/edit.git#egg=edit
-e .
./local
pytz>dev
"""


def test_requirements() -> None:
    assert read("requirements.txt", REQUIREMENTS) == {
        "numpy": ("==1.26.4", True),
        "scikit-learn": (">=1.0", False),
        "pandas": ("~=2.1", True),
        "torch": ("", True),
        "tool": ("", True),
        "loose": ("", False),
        "edit": ("", False),
        "pytz": ("", False),
    }


def test_requirements_know_their_lines_and_what_they_include() -> None:
    declaration = parse_declaration("deploy/requirements.txt", "-r ../base.txt\n-c pins.txt\nnumpy \\\n  ==1\npandas\n")
    assert declaration is not None
    assert declaration.includes == ["base.txt", "deploy/pins.txt"]
    assert [(one.name, one.line) for one in declaration.dependencies] == [("numpy", 3), ("pandas", 5)]


ENVIRONMENT = """\
name: a
channels: [conda-forge]
dependencies:
  - python=3.9
  - numpy=1.26=py39_0
  - scipy==1.11.1
  - conda-forge::pandas>=2
  - pytorch
  - scikit-learn 1.3.*
  - pip:
    - -r requirements.txt
    - shap==0.44
"""


def test_environment() -> None:
    declaration = parse_declaration("environment.yml", ENVIRONMENT)
    assert declaration is not None
    assert (declaration.python, declaration.includes) == ("==3.9.*", ["requirements.txt"])
    assert read("environment.yml", ENVIRONMENT) == {
        "numpy": ("==1.26.*", True),
        "scipy": ("==1.11.1", True),
        "pandas": (">=2", False),
        "pytorch": ("", False),
        "scikit-learn": ("==1.3.*", True),
        "shap": ("==0.44", True),
    }


POETRY = """\
[tool.poetry]
name = "a"
[tool.poetry.dependencies]
python = "~3.9"
numpy = "^1.26.4"
pandas = "*"
scipy = { version = ">=1.10", extras = ["x"] }
tool = { git = "https://example.org/tool.git" }
fixed = { git = "https://example.org/fixed.git", rev = "3f2a9c1" }
zero = "^0.2.3"
[tool.poetry.group.dev.dependencies]
pytest = "*"
[build-system]
requires = ["poetry-core"]
"""


def test_poetry() -> None:
    declaration = parse_declaration("pyproject.toml", POETRY)
    assert declaration is not None
    assert (declaration.python, declaration.library) == ("==3.9.*", True)
    assert {one.name for one in declaration.dependencies if one.extra} == {"pytest"}
    assert read("pyproject.toml", POETRY) == {
        "numpy": (">=1.26.4,<2", True),
        "pandas": ("", False),
        "scipy": (">=1.10", False),
        "tool": ("", False),
        "fixed": ("", True),
        "zero": (">=0.2.3,<0.3", True),
        "pytest": ("", False),
    }


def test_pep_621_with_groups_of_pdm_and_uv() -> None:
    text = """\
[project]
name = "a"
requires-python = ">=3.11"
dependencies = ["numpy>=1", "pandas==2.2"]
[project.optional-dependencies]
plot = ["matplotlib"]
[dependency-groups]
test = ["pytest"]
[tool.pdm.dev-dependencies]
lint = ["ruff"]
[tool.uv]
dev-dependencies = ["mypy"]
"""
    declaration = parse_declaration("pyproject.toml", text)
    assert declaration is not None
    assert not declaration.library
    extra = {one.name: one.extra for one in declaration.dependencies}
    assert extra == {"numpy": False, "pandas": False, "matplotlib": True, "pytest": True, "ruff": True, "mypy": True}


def test_setup_py_is_read_not_run() -> None:
    text = """\
raise SystemExit("never run")
REQUIRED = ["numpy>=1", "pandas==2.2"]
setup(name="a", install_requires=REQUIRED, extras_require={"plot": ["matplotlib"]}, python_requires=">=3.8")
"""
    declaration = parse_declaration("setup.py", text)
    assert declaration is not None
    assert (declaration.library, declaration.python) == (True, ">=3.8")
    assert {one.name for one in declaration.dependencies} == {"numpy", "pandas", "matplotlib"}


def test_setup_cfg_and_pipfile() -> None:
    config = "[metadata]\nname = a\n[options]\ninstall_requires =\n    numpy>=1\n    pandas==2\n"
    assert read("setup.cfg", config) == {"numpy": (">=1", False), "pandas": ("==2", True)}
    pipfile = '[packages]\nnumpy = "*"\npandas = "==2.2"\n[requires]\npython_version = "3.8"\n'
    assert read("Pipfile", pipfile) == {"numpy": ("", False), "pandas": ("==2.2", True)}
    declaration = parse_declaration("Pipfile", pipfile)
    assert declaration is not None
    assert declaration.python == "==3.8.*"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "[tool.ruff]\nline-length = 1\n"),
        ("pyproject.toml", "[project\n"),
        ("environment.yml", "name: [a\n"),
        ("environment.yml", "kind: Deployment\n"),
        ("setup.py", "print('python 2'\n"),
        ("setup.cfg", "[flake8]\nmax = 1\n"),
        ("train.py", "import numpy\n"),
    ],
)
def test_what_declares_nothing(path: str, text: str) -> None:
    assert parse_declaration(path, text) is None


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("requirements.txt", "requirements"),
        ("requirements-gpu.txt", "requirements"),
        ("dev-requirements.in", "requirements"),
        ("requirements/base.txt", "requirements"),
        ("conda.yaml", "environment"),
        ("env-gpu.yml", "environment"),
        ("notes.txt", None),
        ("config.yml", None),
    ],
)
def test_names(path: str, kind: str | None) -> None:
    assert kind_of(path) == kind


@given(st.text(max_size=60))
def test_any_text_is_read_without_failing(text: str) -> None:
    parse_requirement(text, 1)
    for path in ("requirements.txt", "pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "environment.yml"):
        parse_declaration(path, text)
