"""Names of steps, outputs and models as people type them."""

from __future__ import annotations

import pytest

from solvent.pipeline.errors import UnknownStep
from solvent.pipeline.spec import Ref


@pytest.fixture
def spec(project):
    project.write(
        "pipelines/bikes.py",
        """
        from typing import NamedTuple
        from solvent import model, step

        class Split(NamedTuple):
            train: int
            test: int

        @step
        def split() -> Split:
            return Split(1, 2)

        @step
        def fit(train: int) -> int:
            return train

        bike_demand = model(estimator=fit, evaluation=split.test, features=split.train, task="regression",
                            target="count", metric="mae", time="time")
        """,
    )
    project.write("pipelines/flights.py", "from solvent import step\n\n@step\ndef fit() -> int:\n    return 1\n")
    return project.spec


def test_targets_are_steps_outputs_and_models(spec):
    assert spec.refs("split") == [Ref(node="pipelines.bikes.split", output=o) for o in ("train", "test")]
    assert spec.refs("split.test") == [Ref(node="pipelines.bikes.split", output="test")]
    assert spec.refs("pipelines.bikes.split.test") == spec.refs("split.test")
    assert spec.refs("bike-demand") == spec.refs("bike_demand")
    assert {r.node.rpartition(".")[2] for r in spec.refs("bike-demand")} == {"fit", "split"}


def test_a_short_name_serves_where_it_is_unique(spec):
    assert spec.labels["pipelines.bikes.split"] == "split"
    assert spec.labels["pipelines.bikes.fit"] == "pipelines.bikes.fit"
    with pytest.raises(UnknownStep, match=r"`fit` names several steps: pipelines.bikes.fit, pipelines.flights.fit"):
        spec.refs("fit")


def test_the_nearest_name_is_offered(spec):
    with pytest.raises(UnknownStep, match=r"no step `splti` in pipelines/bikes.py, .*did you mean `split`"):
        spec.refs("splti")
    with pytest.raises(UnknownStep, match="did you mean `bike-demand`"):
        spec.model("bike-demnd")


def test_the_order_puts_producers_first(spec):
    assert spec.needed(["bikes.fit"]) == ["pipelines.bikes.split", "pipelines.bikes.fit"]
