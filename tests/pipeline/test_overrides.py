"""Parameters as people type them."""

from __future__ import annotations

import pytest

from solvent.foundation.errors import SolventError
from solvent.pipeline.overrides import parse_overrides

STEPS = """
    from solvent import step

    @step
    def fit(*, seed: int = 7, rate: float = 0.1, name: str = "a", quick: bool = False,
            layers: list[int] = [1], limit: int | None = None) -> float:
        return seed * rate

    @step
    def grow(*, size: int = 1, seed: int = 2) -> int:
        return size

    grown = grow.map(size=[1, 2])
"""


@pytest.fixture
def spec(project):
    project.write("pipeline.py", STEPS)
    return project.spec


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("fit.seed=3", 3), ("fit.rate=1", 1.0), ("fit.rate=2e-3", 0.002), ("pipeline.fit.name=7", "7"),
        ("fit.name=a=b", "a=b"), ("fit.name=", ""), ("fit.quick=yes", True), ("fit.layers=[1, 2]", [1, 2]),
        ("fit.limit=4", 4), ("fit.limit=none yet", "none yet"), ("grow.seed=3", 3), ("grown.seed=3", 3),
        ("grow[size=2].seed=5", 5),
    ],
)  # fmt: skip
def test_a_value_takes_the_type_of_the_parameter(spec, text, value):
    ((_, found),) = parse_overrides(spec, [text]).items()
    ((_, got),) = found.items()
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("fit.sed=3", "`fit` has no keyword-only parameter `sed`", "did you mean `seed`?"),
        ("fot.seed=3", "no step `fot` in pipeline.py", "did you mean `fit`?"),
        ("seed=3", "`seed=3` sets nothing", "write step.parameter=value, as in fit.seed=3"),
        ("fit.seed", "`fit.seed` sets nothing", "write step.parameter=value, as in fit.seed=3"),
        ("fit.seed=much", "`seed` of `fit` is a int, and `much` is none", ""),
        ("fit.quick=perhaps", "`quick` of `fit` is a bool, and `perhaps` is none", ""),
        ("fit.layers=3", "`layers` of `fit` is a list, and `3` is none", ""),
    ],
)
def test_what_cannot_be_set_is_refused(spec, text, what, hint):
    with pytest.raises(SolventError) as refused:
        parse_overrides(spec, [text])
    assert (refused.value.what, refused.value.next) == (what, hint)


def test_run_takes_them(spec, project, solvent):
    answer = solvent("run", "--set", "fit.seed=3", "--set", "fit.rate=2", "fit", "--json", cwd=project.root)
    assert answer.code == 0
    run = project.store.facts.run(answer.json["run"])
    (fit,) = project.store.facts.runs(parent=run.start.key)
    assert (fit.start.recipe.parameters["seed"], fit.start.recipe.parameters["rate"]) == (3, 2.0)
    wrong = solvent("run", "--set", "fit.sed=3", cwd=project.root)
    assert (wrong.code, wrong.out) == (2, "")
    assert "error[bad-parameter]: `fit` has no keyword-only parameter `sed`: did you mean `seed`?" in wrong.err
