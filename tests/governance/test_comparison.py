"""What differs between sides, as pure values and as said."""

from solvent.governance.comparison.compare import compare_sides
from solvent.governance.comparison.sides import Side, StepSide
from solvent.governance.comparison.text import render, sentence
from solvent.lineage.entities import Artifact, ArtifactType


def output(content):
    return {"result": Artifact(digest="d" + content, content=content, type=ArtifactType.ANY, format="json", size=1)}


def document(name, **scale):
    """The code document of a step that uses `scale` of features.py, or what else is given."""
    symbols = {f"features.py::{n}": {"digest": text, "text": text, "uses": []} for n, text in scale.items()}
    root = {"digest": "r", "text": "def step(): ...", "uses": list(symbols)}
    return {"symbols": {f"step {name}": root, **symbols}, "steps": {f"pipeline.{name}": {"root": f"step {name}"}}}


def step(name, **other):
    usual = {
        "run": f"run of {name}",
        "status": "done",
        "code": "c1",
        "document": document(name, scale="CAP = 3"),
        "environment": "e1",
        "interpreter": "cpython-3.11",
        "distributions": {"polars": "2.0.1", "numpy": "2.1"},
        "parameters": {"seed": 7},
        "inputs": {"rides": "i1"},
        "artifacts": output("o1"),
    }
    return StepSide(step=f"pipeline.{name}", **{**usual, **other})


def side(name, *steps, **other):
    return Side(name=name, said=f"run {name}", kind="run", steps={s.step: s for s in steps}, **other)


def test_equal_sides_differ_in_nothing():
    found = compare_sides([side("a", step("fit")), side("b", step("fit"))])
    assert found.equal and sentence(found) == "a and b: nothing differs"


def test_every_kind_of_difference_is_told():
    right = step(
        "fit",
        code="c2",
        document=document("fit", scale="CAP = 4", helper="x = 1"),
        environment="e2",
        interpreter="cpython-3.12",
        distributions={"polars": "2.1.0", "scipy": "1"},
        parameters={"seed": 8, "rate": 0.5},
        inputs={"rides": "i2"},
        artifacts=output("o2"),
        metrics={"mae": 2.0},
    )
    found = compare_sides([side("a", step("fit", metrics={"mae": 3.0})), side("b", right)])
    pair = found.pairs[0]
    assert [(c.part, c.how, c.steps) for c in pair.code] == [
        ("features.py::scale", "changed", ["fit"]), ("features.py::helper", "new", ["fit"]),
    ]  # fmt: skip
    versions = {v.distribution: (v.left, v.right) for v in pair.environment}
    assert versions == {"numpy": ("2.1", None), "polars": ("2.0.1", "2.1.0"), "scipy": (None, "1")}
    assert pair.interpreter == ("cpython-3.11", "cpython-3.12")
    assert pair.steps[0].causes == ["code", "parameters", "environment", "inputs"] and pair.steps[0].result == "differs"
    assert {r.name: r.values for r in found.group("parameters").rows} == {"fit.seed": [7, 8], "fit.rate": [None, 0.5]}
    assert found.group("metrics").rows[0].change == -1.0
    text = "\n".join(render(found))
    for said in (
        "~ `features.py::scale` changed (constant `CAP` 3 → 4)",
        "polars 2.0.1 → 2.1.0",
        "numpy 2.1 removed",
        "seed",
        "result differs",
    ):
        assert said in text


def test_a_rerun_to_the_same_content_is_said_to_be_equal():
    found = compare_sides(
        [side("a", step("clean")), side("b", step("clean", code="c2", document=document("clean", scale="CAP = 4")))]
    )
    assert found.pairs[0].steps[0].result == "equal"


def test_what_one_side_does_not_say_is_not_compared():
    planned = step("fit", run=None, environment="", distributions={}, artifacts={}, inputs={})
    found = compare_sides([side("HEAD", planned), side("b", step("fit"))])
    assert found.pairs[0].unknown == ["environment", "results", "data"] and not found.pairs[0].steps


def test_steps_on_one_side_only():
    found = compare_sides([side("a", step("old")), side("b", step("new"))])
    assert {s.step: s.causes for s in found.pairs[0].steps} == {
        "pipeline.old": ["only here"], "pipeline.new": ["only there"],
    }  # fmt: skip


def test_a_revisions_changes_reach_the_steps_below():
    bare = {"run": None, "environment": "", "distributions": {}, "artifacts": {}, "inputs": {}}
    steps = [step("clean", **bare), step("fit", upstream=["pipeline.clean"], **bare)]
    changed = [step("clean", **bare, code="c2", document=document("clean", scale="CAP = 4")), steps[1]]  # type: ignore[misc]
    found = compare_sides([side("HEAD~1", *steps), side("HEAD", *changed)])
    assert [(s.step, s.causes, s.through) for s in found.pairs[0].steps] == [
        ("pipeline.clean", ["code"], []), ("pipeline.fit", ["inputs"], ["pipeline.clean"]),
    ]  # fmt: skip


def test_three_sides_stand_in_one_table():
    sides = [
        side(name, step("fit", parameters={"alpha": a}, metrics={"mae": a}))
        for name, a in (("a", 1.0), ("b", 2.0), ("c", 1.0))
    ]
    found = compare_sides(sides)
    assert found.group("parameters").rows[0].values == [1.0, 2.0, 1.0] and found.group("parameters").rows[0].differs
    assert [(p.left, p.right, bool(p.steps)) for p in found.pairs] == [("a", "b", True), ("a", "c", False)]
    assert all(len(line) <= 96 for line in render(found))
