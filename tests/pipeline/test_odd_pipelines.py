"""Every file of `tests/pipelines` is refused with the error in its docstring."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from solvent.foundation.errors import SolventError
from solvent.foundation.settings import Settings
from solvent.pipeline import load_spec

CASES = sorted((Path(__file__).parent.parent / "pipelines").glob("*.py"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_an_odd_pipeline_is_refused_with_file_line_and_the_way_out(case, tmp_path):
    text = case.read_text()
    (tmp_path / "pipeline.py").write_text(text)
    with pytest.raises(SolventError) as caught:
        load_spec(tmp_path, Settings())
    expected = " ".join((ast.get_docstring(ast.parse(text)) or "").split())
    assert f"error[{caught.value.code}]: {caught.value}" == expected
