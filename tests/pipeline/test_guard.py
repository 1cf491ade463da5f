"""Files that change between reading the pipeline and running it never give a result a wrong key."""

from __future__ import annotations

import sys

import pytest

from solvent.pipeline import RunOptions, run_pipeline
from solvent.pipeline.errors import ChangedMeanwhile
from solvent.pipeline.fingerprint import file_digest
from solvent.pipeline.guard import CodeGuard


def test_code_edited_after_it_was_read_fails_the_step_and_the_next_run_is_right(chain):
    spec = chain.spec
    chain.edit("pipeline.py", "one * 2", "one * 3")
    run = run_pipeline(chain.root, spec, chain.store, RunOptions(), pool=chain.pool)
    assert run.step("one").error["code"] == "changed-meanwhile"
    assert chain.value(chain.run(), "three") == [3, 1]


def test_code_edited_after_its_import_changes_nothing(project):
    project.write(
        "pipeline.py",
        """
        from pathlib import Path
        from solvent import step

        @step
        def edits() -> int:
            Path("pipeline.py").write_text(Path("pipeline.py").read_text().replace("return 1", "return 2"))
            return 1
        """,
    )
    assert project.value(project.run(), "edits") == 1
    assert project.reasons() == {
        "edits": "`pipeline.py::edits` changed (2 lines); `pipeline.py` changed, reached through `edits`"
    }


def test_a_data_file_that_a_step_names_counts_as_it_was_read(project):
    project.write("limits.json", "1")
    project.write(
        "pipeline.py",
        """
        from pathlib import Path
        from solvent import step

        @step
        def limit() -> str:
            return Path("limits.json").read_text()
        """,
    )
    spec = project.spec
    project.write("limits.json", "2")
    run = run_pipeline(project.root, spec, project.store, RunOptions(), pool=project.pool)
    assert run.step("limit").error["what"] == "limits.json changed while the step ran"
    assert project.value(project.run(), "limit") == "2"


def test_each_module_is_compared_when_it_is_first_loaded(tmp_path, monkeypatch):
    (tmp_path / "late_module_xyz.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    guard = CodeGuard(tmp_path, {"late_module_xyz.py": file_digest(tmp_path / "late_module_xyz.py")})
    guard.check(())
    (tmp_path / "late_module_xyz.py").write_text("A = 2\n")
    guard.check(())
    import late_module_xyz  # noqa: F401

    with pytest.raises(ChangedMeanwhile, match=r"late_module_xyz\.py changed"):
        guard.check(())
    del sys.modules["late_module_xyz"]
