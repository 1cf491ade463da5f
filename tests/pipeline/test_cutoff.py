"""A step that gives equal content again leaves what hangs on it fresh; code that its value brings along does not."""

from __future__ import annotations

from textwrap import dedent

import pytest

from .conftest import Workshop

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


def test_a_table_whose_bytes_the_store_knows_as_a_file_is_a_hit_all_the_same(project):
    """Equal bytes are one artifact, and the file was there first."""
    made = """
        import polars as pl
        from pathlib import Path
        from solvent import source, step

        @step
        def table() -> pl.DataFrame:
            return pl.DataFrame({"x": [1, 2, 3]})

        @step
        def kind(table) -> str:
            return type(table).__name__
        """
    project.write("pipeline.py", made)
    output = project.run().output("table")
    data = project.store.objects.read(output.digest)

    other = Workshop(project.root / "other")
    try:
        (other.root / "first.parquet").write_bytes(data)
        as_file = """
        first = source("first.parquet")

        @step
        def size(first: Path) -> int:
            return first.stat().st_size
        """
        other.write("pipeline.py", dedent(made) + dedent(as_file))
        assert other.states(targets=("size",)) == {"first": "ran", "size": "ran"}
        assert set(other.states().values()) == {"ran", "cached"}
        assert other.states()["table"] == "cached", "its bytes are those of the file"
        again = other.run()
        assert {step.state for step in again.steps} == {"cached"}
        assert again.output("table").format == "parquet"
        assert other.value(again, "kind") == "DataFrame"
        table, file = again.output("table"), again.output("first")
        assert table.digest == file.digest
        assert table.content != file.content, "a consumer without an annotation takes them for different things"
    finally:
        other.pool.close()
        other.store.close()
