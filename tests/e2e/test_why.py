"""`solvent why` in the installed program, on a project that is edited between the calls."""

from __future__ import annotations

import pytest

FEATURES = '"""Features."""\nCAP = 3\n\ndef scale(x):\n    return min(x, CAP)\n'
PIPELINE = """
import time
from features import scale
from solvent import step

@step
def raw(*, start: int = 5) -> int:
    return start

@step
def clean(raw: int) -> int:
    return scale(raw)

@step
def stamped(clean: int) -> float:
    return clean + 0 * time.time()
"""


@pytest.fixture
def project(tmp_path, solvent):
    (tmp_path / "features.py").write_text(FEATURES)
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    assert solvent("run", cwd=tmp_path).code == 0
    return tmp_path


def test_why_names_the_line_and_diff_shows_it(project, solvent):
    fresh = solvent("why", "clean", cwd=project)
    assert fresh.out.startswith("clean is fresh since ") and ", run " in fresh.out
    (project / "features.py").write_text(FEATURES.replace("Features", "Other words").replace("3", "3  # so far"))
    assert solvent("why", "clean", cwd=project).out == fresh.out
    (project / "features.py").write_text(FEATURES.replace("CAP = 3", "CAP = 4"))
    stale = solvent("why", "clean", "--diff", cwd=project)
    reason = "`features.py::scale` changed (constant `CAP` 3 → 4), reached through `clean`"
    assert stale.out.splitlines()[0] == f"clean is stale: {reason}"
    assert [line.strip() for line in stale.out.splitlines()[2:7]] == [
        "--- features.py::CAP", "+++ features.py::CAP", "@@ -1 +1 @@", "-CAP = 3", "+CAP = 4",
    ]  # fmt: skip
    step = solvent("why", "clean", "--diff", "--json", cwd=project).json["steps"][-1]
    assert (step["state"], step["reason"], step["changes"][0]["new"]) == ("stale", reason, "CAP = 4")


def test_an_uncertain_step_says_so_and_runs_always_where_that_is_set(project, solvent):
    told = solvent("why", "stamped", cwd=project).out
    assert "uncertain: pipeline.py:16: reads the clock (`time.time`)" in told
    (project / "solvent.toml").write_text('[cache]\nuncertain = "always"\n')
    assert "stamped is stale: uncertain: pipeline.py:16: reads the clock" in solvent("why", "stamped", cwd=project).out
    (project / "solvent.toml").write_text('[cache]\nuncertain = "trust"\n')
    assert "counts in another way now (`cache.uncertain`)" in solvent("why", "stamped", cwd=project).out
    assert solvent("run", cwd=project).code == 0
    (project / "features.py").write_text(FEATURES + "\ndef unused(x):\n    return x\n")
    assert "stamped is fresh since" in solvent("why", "stamped", cwd=project).out


def test_an_object_that_is_gone_or_damaged_is_the_reason(project, solvent):
    digest = solvent("runs", "list", "--json", cwd=project)
    assert digest.code == 0
    objects = [p for p in (project / ".solvent" / "objects").glob("??/*") if p.read_bytes() == b"3"]
    assert len(objects) == 1
    objects[0].chmod(0o600)
    objects[0].write_bytes(b"7")
    assert "clean is fresh" in solvent("why", "clean", cwd=project).out
    (project / "solvent.toml").write_text('[cache]\nverify = "digest"\n')
    damaged = "clean is stale: its output is damaged in the store: its bytes are not those that were written"
    assert damaged in solvent("why", "clean", cwd=project).out
    objects[0].write_bytes(b"37")
    assert "its output is damaged in the store: 2 bytes of 1" in solvent("why", "clean", cwd=project).out
    objects[0].unlink()
    assert "clean is stale: its output is missing from the store" in solvent("why", "clean", cwd=project).out
    assert solvent("run", cwd=project).code == 0
    assert "clean is fresh" in solvent("why", "clean", cwd=project).out


def test_a_damaged_object_is_mended_from_the_remote_and_nothing_reruns(project, solvent, tmp_path):
    (project / "solvent.toml").write_text(f'[cache]\nverify = "digest"\n[remote]\nurl = "{tmp_path / "remote"}"\n')
    assert solvent("run", cwd=project).code == 0
    assert solvent("push", cwd=project).code == 0
    (damaged,) = [p for p in (project / ".solvent" / "objects").glob("??/*") if p.read_bytes() == b"3"]
    damaged.chmod(0o600)
    damaged.write_bytes(b"7")
    assert "clean is fresh" in solvent("why", "clean", cwd=project).out
    assert damaged.read_bytes() == b"3"
