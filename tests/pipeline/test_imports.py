"""Modules of a project are what their text says."""

import os
import py_compile
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from pathlib import Path
from solvent.pipeline.imports import import_from_text
root, how = Path(sys.argv[1]), sys.argv[2]
sys.path.insert(0, str(root))
if how == "text":
    import_from_text(root)
{find}
import rates.scale
import json.decoder, polars, solvent.foundation.clock
others = (json.decoder, polars, solvent.foundation.clock)
print(rates.scale.CAP, *(type(module.__loader__).__name__ for module in others))
"""
# How editable installs make a folder elsewhere known: a line of a .pth file, or a finder.
ON_THE_PATH = "sys.path.append(sys.argv[3])"
BY_A_FINDER = """
import importlib.util
class Finder:
    def find_spec(name, path=None, target=None):
        if name == "rates":
            place = Path(sys.argv[3]) / "rates"
            return importlib.util.spec_from_file_location(
                name, place / "__init__.py", submodule_search_locations=[str(place)])
sys.meta_path.append(Finder)
"""


@pytest.mark.parametrize("find", ["", ON_THE_PATH, BY_A_FINDER], ids=["in the project", "on the path", "by a finder"])
@pytest.mark.parametrize("file", ["scale.py", "__init__.py"])
def test_an_edit_within_a_second_of_equal_size_is_what_runs(tmp_path, find, file):
    root, home = tmp_path / "project", tmp_path / ("elsewhere" if find else "project")
    package = home / "rates"
    for folder in {root, package}:
        folder.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").touch()
    (package / "scale.py").write_text("from rates import CAP\n")
    module = package / file
    module.write_text("CAP = 3\n")
    py_compile.compile(str(module))
    before = module.stat()
    module.write_text("CAP = 4\n")
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))

    def said(how):
        command = [sys.executable, "-c", SCRIPT.format(find=find), str(root), how, str(home)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert said("as ever") == ["3", *["SourceFileLoader"] * 3], "Python takes the compiled file for current"
    assert said("text") == ["4", *["SourceFileLoader"] * 3]
