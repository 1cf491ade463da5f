"""Modules of a project are what their text says."""

import os
import py_compile
import subprocess
import sys

SCRIPT = """
import sys
from pathlib import Path
from solvent.pipeline.imports import import_from_text
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "text":
    import_from_text(Path(sys.argv[1]))
import rates.scale
import polars
print(rates.scale.CAP, (polars.__spec__.cached or "").endswith(".pyc"))
"""


def test_an_edit_within_a_second_of_equal_size_is_what_runs(tmp_path):
    module = tmp_path / "rates" / "scale.py"
    module.parent.mkdir()
    (module.parent / "__init__.py").touch()
    module.write_text("CAP = 3\n")
    py_compile.compile(str(module))
    before = module.stat()
    module.write_text("CAP = 4\n")
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))

    def said(how):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path), how]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert said("as ever") == ["3", "True"], "Python takes the compiled file for current"
    assert said("text") == ["4", "True"]
