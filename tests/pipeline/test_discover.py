"""Reading a pipeline: from a child process once, from the cache as long as nothing changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from solvent.foundation.settings import Settings
from solvent.pipeline import discover, load_spec
from solvent.pipeline.errors import BadParameter, NoPipeline, UnknownStep


@pytest.fixture
def asked(monkeypatch) -> list[Path]:
    """The projects that a child process was asked to read."""
    calls: list[Path] = []
    real = discover._ask_child
    monkeypatch.setattr(discover, "_ask_child", lambda root, modules: (calls.append(root), real(root, modules))[1])
    return calls


def test_the_second_time_no_child_is_asked(chain, asked):
    assert chain.spec == chain.spec
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("helper.py", "F = 3\n"),
        ("pipeline.py", "from solvent import step\nimport helper\n"),
        ("limits.json", "{}"),
        ("json.py", ""),
    ],
)
def test_a_changed_or_new_file_that_matters_asks_again(project, asked, name, text):
    project.write("helper.py", "F = 2\n")
    project.write(
        "pipeline.py",
        'from solvent import step\nimport helper, json\n\n@step\ndef f() -> str:\n    return "limits.json"\n',
    )
    _ = project.spec
    project.write(name, text)
    _ = project.spec
    assert len(asked) == 2


def test_a_file_that_does_not_matter_does_not(chain, asked):
    _ = chain.spec
    chain.write("notes.md", "hello")
    chain.write("unrelated.py", "")
    (chain.root / "pipeline.py").touch()
    _ = chain.spec
    assert len(asked) == 1


def test_another_interpreter_or_package_asks_again(chain, asked, monkeypatch):
    _ = chain.spec
    monkeypatch.setattr(discover, "installed_distributions", lambda: ("polars==99",))
    _ = chain.spec
    assert len(asked) == 2


def test_a_damaged_cache_only_costs_time(chain, asked):
    _ = chain.spec
    (chain.root / ".solvent" / "plan" / "spec.json").write_text("{")
    _ = chain.spec
    assert len(asked) == 2


def test_planning_imports_no_user_code_and_no_heavy_library(chain):
    chain.run()
    program = """if True:
        import sys
        from pathlib import Path
        from solvent.foundation.settings import Settings
        from solvent.lineage.entities import Actor
        from solvent.pipeline import load_spec, plan_pipeline, run_pipeline
        from solvent.store import open_store
        root = Path(sys.argv[1])
        url, actor = f"sqlite:///{root}/.solvent/solvent.db", Actor(kind="person", name="t")
        with open_store(url, root=root / ".solvent", actor=actor) as store:
            spec = load_spec(root, Settings())
            assert plan_pipeline(root, spec, store).fresh
            assert run_pipeline(root, spec, store).ok
        print({"polars", "numpy", "sklearn", "pandas", "pipeline", "urllib.request"} & set(sys.modules))
    """
    done = subprocess.run([sys.executable, "-c", program, str(chain.root)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_modules_are_pipeline_py_the_package_or_what_the_settings_say(project):
    step = "from solvent import step\n\n@step\ndef {}() -> int:\n    return 1\n"
    with pytest.raises(NoPipeline, match=r"no pipeline\.py"):
        _ = project.spec
    project.write("pipeline.py", step.format("a"))
    project.write("pipelines/__init__.py", "")
    project.write("pipelines/deep/b.py", step.format("b"))
    assert [s.name for s in project.spec.steps] == ["pipeline.a", "pipelines.deep.b.b"]
    project.write("src/mine/steps.py", step.format("c"))
    project.write("solvent.toml", '[pipeline]\nmodules = ["mine.steps"]\n')
    assert [s.name for s in project.spec.steps] == ["mine.steps.c"]


def test_imported_steps_are_components_under_the_importing_module(project):
    project.write("toolbox.py", "from solvent import step\n\n@step\ndef clean(raw: int) -> int:\n    return raw\n")
    project.write(
        "pipeline.py",
        "from solvent import step\nfrom toolbox import clean as tidy\n\n@step\ndef raw() -> int:\n    return 1\n",
    )
    spec = project.spec
    assert [(s.name, s.module) for s in spec.steps] == [("pipeline.tidy", "toolbox"), ("pipeline.raw", "pipeline")]
    assert project.states() == {"raw": "ran", "tidy": "ran"}
    assert spec.step("tidy").root == "step toolbox.py::clean"


def test_what_modules_print_disturbs_nobody(project):
    project.write("pipeline.py", "from solvent import step\nprint('hello')\n\n@step\ndef f() -> int:\n    return 1\n")
    assert len(project.spec.steps) == 1


def test_a_module_that_ends_the_process_is_an_error(project):
    project.write("pipeline.py", "import os\nos._exit(4)\n")
    with pytest.raises(discover.BrokenChild, match="ended with 4"):
        _ = project.spec


def test_wrong_parameters_are_named(chain):
    chain.write("solvent.toml", "[parameters.oen]\nstart = 2\n")
    with pytest.raises(
        UnknownStep, match=r"\[parameters\] in the settings: no step `oen` in pipeline.py: did you mean `one`"
    ):
        _ = chain.spec
    chain.write("solvent.toml", "[parameters.one]\nstrat = 2\n")
    with pytest.raises(BadParameter, match="`one` has no keyword-only parameter `strat`: did you mean `start`"):
        _ = chain.spec
    chain.write("solvent.toml", '[parameters.one]\nstart = "two"\n')
    with pytest.raises(BadParameter, match="`start` of `one` is a int, got the str `two`"):
        _ = chain.spec


def test_models_are_named_after_their_variable(project):
    project.write(
        "pipeline.py",
        """
        from solvent import model, step

        @step
        def fit() -> int:
            return 1

        facts = {"task": "regression", "target": "y", "metric": "mae", "time": "t"}
        bike_demand = model(estimator=fit, evaluation=fit, features=fit, **facts)
        other = model(estimator=fit, evaluation=fit, features=fit, name="late", **facts)
        """,
    )
    assert [m.name for m in project.spec.models] == ["bike-demand", "late"]


def test_an_empty_folder_has_no_pipeline(tmp_path):
    with pytest.raises(NoPipeline):
        load_spec(tmp_path, Settings())
    assert list(tmp_path.iterdir()) == []
