"""A step that gives equal content again leaves what hangs on it fresh; code that its value brings along does not."""

from __future__ import annotations

import pytest

MODEL = """
    import numpy as np
    from solvent import step
    {imports}

    @step
    def fit() -> {kind}:
        x = np.arange(40.0).reshape(20, 2)
        return {kind}({options}).fit(x, (x[:, 0] > {limit}).astype({labels}))

    @step
    def evaluate(fit: {kind}) -> dict[str, float]:
        return {{"sum": float(np.sum(fit.predict(np.ones((3, 2)))))}}
"""
KINDS = {
    "Ridge": ("from sklearn.linear_model import Ridge", "alpha=0.1", "float"),
    "HistGradientBoostingRegressor": (
        "from sklearn.ensemble import HistGradientBoostingRegressor", "max_iter=3, random_state=1", "float",
    ),
    "RandomForestClassifier": (
        "from sklearn.ensemble import RandomForestClassifier", "n_estimators=3, random_state=1", "int",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_is_fitted_to_equal_content_leaves_its_dependents_fresh(project, kind):
    imports, options, labels = KINDS[kind]
    text = MODEL.format(imports=imports, options=options, labels=labels, kind=kind, limit="10")
    project.write("pipeline.py", text)
    assert project.states() == {"fit": "ran", "evaluate": "ran"}
    project.write("pipeline.py", text.replace("> 10", "> 5 + 5"))
    assert project.states() == {"fit": "ran", "evaluate": "cached"}
    project.write("pipeline.py", text.replace("> 10", "> 20"))
    assert project.states() == {"fit": "ran", "evaluate": "ran"}


def test_a_class_whose_instance_crosses_an_edge_counts_for_the_consumer(project):
    """The instance is pickled by name: its bytes stay the same when a method changes."""
    project.write(
        "helper.py",
        """
        class Scaler:
            def apply(self, x):
                return x * 2
        """,
    )
    project.write(
        "pipeline.py",
        """
        from helper import Scaler
        from solvent import step

        @step
        def scaler():
            return Scaler()

        @step
        def scaled(scaler) -> int:
            return scaler.apply(21)

        @step
        def shown(scaled: int) -> str:
            return f"{scaled}"
        """,
    )
    assert project.value(project.run(), "shown") == "42"
    project.edit("helper.py", "x * 2", "x * 3")
    assert project.value(project.run(), "shown") == "63"
    project.edit("helper.py", "x * 3", "x + x + x")
    assert project.states() == {"scaler": "ran", "scaled": "ran", "shown": "cached"}
    assert project.states() == {"scaler": "cached", "scaled": "cached", "shown": "cached"}
