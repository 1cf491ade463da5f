"""Edges whose annotations disagree are refused; doubt is not disagreement."""

from __future__ import annotations

import pytest

from solvent.pipeline.agreement import agree


@pytest.mark.parametrize(
    ("produced", "wanted"),
    [
        ("polars.DataFrame", "polars.LazyFrame"),
        ("polars.DataFrame", "pandas.DataFrame"),
        ("source", "polars.LazyFrame"),
        ("source", "pathlib.Path"),
        ("source", ""),
        ("dict[str, float]", "dict"),
        ("dict[str, float]", "collections.abc.Mapping[str, float]"),
        ("int", "float"),
        ("int", "int | None"),
        ("int | None", "int"),
        ("typing.Optional[int]", "int"),
        ("list[int]", "list[str]"),
        ("collections.OrderedDict", "dict"),
        ("sklearn.linear_model.Ridge", "sklearn.base.BaseEstimator"),
        ("unheard.of.Model", "other.Model"),
        ("", "int"),
        ("int", "typing.Any"),
    ],
)
def test_these_agree(produced, wanted):
    assert agree(produced, wanted)


@pytest.mark.parametrize(
    ("produced", "wanted"),
    [
        ("polars.DataFrame", "dict[str, float]"),
        ("polars.DataFrame", "str"),
        ("str", "int"),
        ("float", "int"),
        ("sklearn.linear_model.Ridge", "sklearn.linear_model.LogisticRegression"),
        ("sklearn.base.BaseEstimator", "sklearn.linear_model.Ridge"),
        ("source", "str"),
        ("list[int]", "dict[str, int] | None"),
        ("dict", "collections.OrderedDict"),
        ("polars.DataFrame", "unheard.of.Model"),
    ],
)
def test_these_do_not(produced, wanted):
    assert not agree(produced, wanted)
