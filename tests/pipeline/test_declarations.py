"""A step stays an ordinary function."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys

import pytest

from solvent import step
from solvent.pipeline.declarations import Output
from solvent.pipeline.errors import BadDeclaration, NotImportable


@step
def double(number: int, *, times: int = 2) -> int:
    """Twice."""
    return number * times


def test_a_step_is_called_like_its_function():
    assert double(3) == 6
    assert double(number=3, times=3) == 9
    assert (double.__name__, double.__doc__) == ("double", "Twice.")
    assert str(inspect.signature(double)) == "(number: 'int', *, times: 'int' = 2) -> 'int'"


def test_a_bound_step_is_called_like_its_function():
    assert double.bind(number=double)(4) == 8


def test_an_attribute_is_an_output_whatever_its_name():
    assert all(isinstance(getattr(double, name), Output) for name in ("train", "name", "function", "env"))


def test_a_step_is_found_by_name_in_another_process():
    assert pickle.loads(pickle.dumps(double)) is double  # noqa: S301 — our own bytes


def test_parameters_with_parentheses_are_optional():
    assert step(env=["CITY"])(_plain)(1) == 1
    with pytest.raises(BadDeclaration, match=r"is one string.*write env=\[\"CITY\"\]"):
        step(env="CITY")


def _plain(x: int) -> int:
    return x


def test_what_a_worker_cannot_import_is_refused_where_it_is_declared():
    with pytest.raises(NotImportable, match="a lambda cannot be a step"):
        step(lambda: 1)
    with pytest.raises(NotImportable, match="is no function"):
        step(print)


def test_a_script_or_notebook_is_told_where_steps_belong():
    program = "from solvent import step\n@step\ndef f(): ...\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "`f` belongs to `__main__` or a notebook" in done.stderr
    assert "put it into pipeline.py and start it with `solvent run`" in done.stderr


def test_importing_solvent_loads_nothing_else():
    program = "import sys, solvent; solvent.__version__; print([m for m in sys.modules if m.startswith('solvent.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
