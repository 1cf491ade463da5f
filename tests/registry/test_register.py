"""From an estimator to a version that answers as the estimator did."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.tree import DecisionTreeClassifier

from solvent.lineage.entities import NodeKind
from solvent.registry import resolve
from solvent.registry.package import UnsafeFormat, load_version
from solvent.registry.register import EmptyEvaluation, register
from solvent.store.objects import Corrupt

from .conftest import NOW, TESTER, Declaration


@pytest.fixture
def registered(store, keep, rides):
    def make(estimator, declared=None, **more):
        given = {"run": None, "features": rides.head(300), "evaluation": rides.tail(100), "actor": TESTER, "at": NOW}
        return register(store, declared or Declaration(), estimator=keep(estimator), **(given | more))

    return make


def test_a_loaded_version_answers_as_the_estimator_did(store, registered, rides, regressor):
    registered(regressor, about={"span": "all"})
    loaded = load_version(store, resolve(store, "bike-demand@champion"))
    table = rides.tail(5)
    expected = regressor.predict(table[["temp", "hour"]])
    assert np.array_equal(loaded.predict(table).output, expected)
    columns = {name: table[name].to_list() for name in ("hour", "temp")}
    assert np.array_equal(loaded.predict(columns).output, expected)
    assert loaded.contract.by_name()["temp"].allowed is not None
    assert loaded.version.about["span"] == "all"
    assert 0 < loaded.version.about["latency_seconds"] < 1
    assert loaded.version.about["size_bytes"] > 1000


def test_classifiers_answer_class_and_probability(store, registered, rides, classifier):
    loaded = load_version(store, registered(classifier, Declaration(name="busy", task="binary", target="busy")))
    outputs = loaded.predict(rides.head(50))
    assert np.array_equal(outputs.output, classifier.predict_proba(rides[["temp", "hour"]].head(50))[:, 1])
    assert outputs.predictions == classifier.predict(rides[["temp", "hour"]].head(50)).tolist()
    levels = DecisionTreeClassifier(max_depth=3).fit(rides[["temp", "hour"]], rides["level"])
    loaded = load_version(store, registered(levels, Declaration(name="level", task="multiclass", target="level")))
    outputs = loaded.predict(rides.head(50))
    assert outputs.predictions == levels.predict(rides[["temp", "hour"]].head(50)).tolist()
    assert [loaded.signature.classes[int(i)] for i in outputs.output] == outputs.predictions


def test_the_reference_holds_the_evaluation_answered(store, registered, rides, regressor):
    version = registered(regressor)
    reference = pl.read_parquet(store.objects.path(version.reference))
    assert reference.columns == ["prediction_id", "event_time", "output", "label", "f_temp", "f_hour"]
    assert reference["label"].to_list() == rides["count"].tail(100).to_list()
    assert reference.schema["event_time"] == pl.Datetime("us", "UTC")


def test_lineage_leads_from_the_tables_and_columns_to_the_version(store, registered, rides, regressor, keep):
    features, evaluation = keep(regressor.__class__(max_iter=1).fit([[1], [2]], [1, 2])), keep(regressor)
    version = registered(regressor, made_from={"features": features, "evaluation": evaluation})
    up = store.facts.ancestors(NodeKind.VERSION, version.name)
    keys = {(node.kind, node.key) for node in up.nodes}
    assert (NodeKind.ARTIFACT, features) in keys
    assert (NodeKind.COLUMN, f"{version.name}#temp") in keys


def test_equal_content_under_the_same_declaration_is_one_version(store, registered, regressor):
    first, again = registered(regressor), registered(regressor)  # two dumps, so other bytes
    assert (first.number, again) == (1, first)
    assert registered(regressor, Declaration(id=None)).number == 2
    assert len(store.facts.versions("bike-demand")) == 2


def test_nothing_that_runs_code_at_load_becomes_a_version(store, keep, registered, rides, regressor):
    with pytest.raises(UnsafeFormat, match="run code while it loads"):
        register(
            store,
            Declaration(),
            estimator=keep(regressor, format="pickle"),
            run=None,
            features=rides,
            evaluation=rides,
            actor=TESTER,
            at=NOW,
        )


def test_an_empty_evaluation_is_refused(registered, rides, regressor):
    with pytest.raises(EmptyEvaluation):
        registered(regressor, evaluation=rides.clear())


def test_changed_bytes_are_never_loaded(store, registered, regressor):
    version = registered(regressor)
    path = store.objects.path(version.artifact)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(Corrupt):
        load_version(store, version)
