"""What a signature keeps of an estimator and its table."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

from solvent.lineage.digests import canonical
from solvent.registry.column_types import PLAIN, UnknownType, parse_type, type_text
from solvent.registry.signature import BadLabel, BadModel, Signature, infer_signature, label_value

from .conftest import Declaration

TYPES = st.one_of(
    st.sampled_from([dtype() for dtype in PLAIN]),
    st.builds(pl.Datetime, st.sampled_from(["ms", "us", "ns"]), st.sampled_from([None, "UTC", "America/New_York"])),
    st.builds(pl.Enum, st.lists(st.text(), unique=True, min_size=1)),
)


@settings(deadline=None)
@given(TYPES)
def test_every_type_survives_its_text(dtype):
    assert parse_type(type_text(dtype)) == dtype


@pytest.mark.parametrize("text", ["List(Int64)", "__import__('os')", "Datetime(", "Object", "pl.Int64", "Enum(1)"])
def test_other_text_is_no_type(text):
    with pytest.raises(UnknownType):
        parse_type(text)


def test_features_stand_in_the_order_of_the_estimator_and_not_of_the_table(rides, regressor):
    signature = infer_signature(regressor, Declaration(), rides.select("hour", "count", "time", "temp", "station"))
    assert signature.features == {"temp": "Float64", "hour": "Int64"}
    assert signature.extras == {"station": "String"}
    assert (signature.frame, signature.task, signature.classes) == ("polars", "regression", [])


def test_a_pipeline_of_transformers_knows_its_first_columns(rides):
    encode = make_column_transformer((OrdinalEncoder(), ["station"]), remainder="passthrough")
    fitted = make_pipeline(encode, HistGradientBoostingRegressor(max_iter=2)).fit(
        rides[["station", "temp"]], rides["count"]
    )
    assert list(infer_signature(fitted, Declaration(), rides).features) == ["station", "temp"]


def test_an_estimator_fitted_on_an_array_takes_the_tables_columns(rides):
    table = rides.select("ride", "time", "temp", "hour", "count")
    fitted = HistGradientBoostingRegressor(max_iter=2).fit(table[["temp", "hour"]].to_numpy(), table["count"])
    signature = infer_signature(fitted, Declaration(), table)
    assert (list(signature.features), signature.frame) == (["temp", "hour"], "numpy")
    with pytest.raises(BadModel, match="an array of 2 columns"):
        infer_signature(fitted, Declaration(), rides)


def test_classes_are_plain_python_in_the_order_of_the_estimator(rides, classifier):
    declared = Declaration(name="busy", task="classification", target="busy")
    signature = infer_signature(classifier, declared, rides)
    assert (signature.task, signature.classes, signature.positive) == ("binary", [False, True], 1)
    levels = DecisionTreeClassifier().fit(rides[["temp", "hour"]], rides["level"])
    signature = infer_signature(levels, Declaration(task="multiclass", target="level"), rides)
    assert (signature.task, signature.classes) == ("multiclass", ["high", "low", "middle"])
    assert Signature.of(signature.as_dict()) == signature


def test_the_order_of_features_survives_a_store_that_sorts_keys(rides, regressor):
    signature = infer_signature(regressor, Declaration(), rides)
    sorted_keys = msgspec.json.decode(canonical(signature.as_dict()))
    assert list(Signature.of(sorted_keys).features) == ["temp", "hour"]


def test_what_does_not_fit_together_is_refused_with_a_way_out(rides, regressor, classifier):
    with pytest.raises(BadModel, match=r"column `temp`.*did you mean `temq`"):
        infer_signature(regressor, Declaration(), rides.rename({"temp": "temq"}))
    with pytest.raises(BadModel, match="declared a regression"):
        infer_signature(classifier, Declaration(), rides)
    with pytest.raises(BadModel, match="has no classes"):
        infer_signature(regressor, Declaration(task="binary"), rides)
    with pytest.raises(BadModel, match="did you mean `regression`"):
        infer_signature(regressor, Declaration(task="regresion"), rides)
    one = DecisionTreeClassifier().fit(np.zeros((3, 1)), [True] * 3)
    with pytest.raises(BadModel, match="one class only"):
        infer_signature(one, Declaration(task="binary"), rides.select("temp"))


def test_labels_become_numbers_by_class():
    levels = Signature(task="multiclass", target="level", metric="", features={}, classes=["high", "low"])
    assert label_value(levels, "low") == 1.0
    with pytest.raises(BadLabel, match=r"'lw' is no class.*'high', 'low'"):
        label_value(levels, "lw")
    count = Signature(task="regression", target="count", metric="mae", features={})
    assert label_value(count, 3) == 3.0
    for bad in (True, "3", float("nan"), None):
        with pytest.raises(BadLabel):
            label_value(count, bad)
