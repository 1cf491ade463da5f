"""Every family: a value goes in, its artifact comes back equal, and its content digest means what it should."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal
from sklearn.linear_model import Ridge

from solvent.pipeline.errors import Unserialisable, WrongOutput
from solvent.pipeline.serialisers.base import (
    Saved,
    Stored,
    UnknownFormat,
    all_serialisers,
    for_annotation,
    for_format,
    for_value,
)
from solvent.pipeline.worker import choose, put_file
from solvent.store.objects import FolderObjects

TABLE = pl.DataFrame({"time": [dt.datetime(2012, 1, 1)], "temp": [1.5], "city": ["Washington"]})
ARRAY = np.arange(6.0).reshape(2, 3)


class Home:
    def __init__(self, root: Path) -> None:
        self.objects = FolderObjects(root / "objects", staging=root / "staging")
        self.scratch = root

    def keep(self, value: Any, annotation: str = "") -> tuple[Saved, Stored, str]:
        serialiser = choose(annotation, value, "pipeline.py:1")
        saved = serialiser.save(value, self.scratch)
        digest, size = put_file(saved.payload, self.objects)
        if isinstance(saved.payload, bytes):
            assert (self.objects.put_bytes(saved.payload), len(saved.payload)) == (digest, size)
        return saved, Stored(digest, saved.about, self.objects, self.scratch / "in"), serialiser.format

    def round_trip(self, value: Any, annotation: str = "", wanted: str = "") -> Any:
        _, stored, written = self.keep(value, annotation)
        return for_format(written).load(stored, wanted or annotation)

    def content(self, value: Any) -> str:
        return self.keep(value)[0].content


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.mark.parametrize(
    ("annotation", "format"),
    [
        ("polars.DataFrame", "parquet"),
        ("polars.LazyFrame", "parquet"),
        ("pandas.DataFrame", "parquet"),
        ("pyarrow.Table", "parquet"),
        ("sklearn.ensemble.HistGradientBoostingRegressor", "skops"),
        ("sklearn.pipeline.Pipeline", "skops"),
        ("dict[str, float]", "metrics"),
        ("dict", "json"),
        ("list[int]", "json"),
        ("str", "json"),
        ("numpy.ndarray", "npy"),
        ("pathlib.Path", "file"),
        ("torch.nn.Module", "cloudpickle"),
    ],
)
def test_the_annotation_chooses_the_serialiser(annotation, format):
    assert for_annotation(annotation).format == format


@pytest.mark.parametrize("annotation", ["", "typing.Any", "object", "int | None", "typing.Optional[int]"])
def test_where_the_annotation_says_nothing_the_value_does(annotation):
    assert for_annotation(annotation) is None


@pytest.mark.parametrize(
    ("value", "format"),
    [
        (TABLE, "parquet"),
        (TABLE.lazy(), "parquet"),
        (TABLE.to_pandas(), "parquet"),
        (TABLE.to_arrow(), "parquet"),
        (Ridge(), "skops"),
        ({"mae": 1.5, "rows": 3}, "metrics"),
        ({"mae": np.float64(1.5)}, "metrics"),
        ({}, "json"),
        ({"a": [1]}, "json"),
        ({1: 2}, "cloudpickle"),
        ((1, 2), "cloudpickle"),
        ([1, "a", None, {"b": True}], "json"),
        (float("nan"), "cloudpickle"),
        (ARRAY, "npy"),
        (np.array([object()]), "cloudpickle"),
        (Path("x"), "file"),
        (None, "json"),
        ({1, 2}, "cloudpickle"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_value_finds_its_serialiser(value, format):
    assert for_value(value).format == format


@pytest.mark.parametrize(
    "value", [[1, "a", None, {"b": True}], "text", 3, 2.5, {"a": {"b": []}}, (1, 2), {1: 2}, {3, 4}]
)
def test_plain_and_pickled_values_come_back_equal(home, value):
    assert home.round_trip(value) == value


def test_tables_cross_between_libraries(home):
    assert_frame_equal(home.round_trip(TABLE, "polars.DataFrame"), TABLE)
    lazy = home.round_trip(TABLE, "polars.DataFrame", "polars.LazyFrame")
    assert isinstance(lazy, pl.LazyFrame)
    assert_frame_equal(lazy.collect(), TABLE)
    assert list(home.round_trip(TABLE, "polars.DataFrame", "pandas.DataFrame")["city"]) == ["Washington"]
    assert isinstance(home.round_trip(TABLE, "polars.DataFrame", "pyarrow.Table"), pa.Table)
    indexed = pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="key"))
    pd.testing.assert_frame_equal(home.round_trip(indexed, "pandas.DataFrame"), indexed)
    assert home.round_trip(indexed, "pandas.DataFrame", "polars.DataFrame")["x"].to_list() == [1, 2]


def test_a_lazy_table_is_the_table_that_it_collects_to(home):
    assert home.content(TABLE.lazy()) == home.content(TABLE)


def test_arrays_and_models_come_back_equal(home):
    np.testing.assert_array_equal(home.round_trip(ARRAY, "numpy.ndarray"), ARRAY)
    model = Ridge().fit(ARRAY, [1.0, 2.0])
    np.testing.assert_array_equal(
        home.round_trip(model, "sklearn.linear_model.Ridge").predict(ARRAY), model.predict(ARRAY)
    )


def test_metrics_keep_what_json_has_no_word_for(home):
    back = home.round_trip({"mae": float("nan"), "worst": float("inf"), "n": np.int64(3)}, "dict[str, float]")
    assert math.isnan(back["mae"]) and (back["worst"], back["n"]) == (float("inf"), 3.0)


def test_a_path_is_copied_under_its_own_name(home, tmp_path):
    (tmp_path / "report.html").write_text("<p>")
    back = home.round_trip(tmp_path / "report.html", "pathlib.Path")
    assert (back.name, back.read_text()) == ("report.html", "<p>")


def test_a_folder_comes_back_as_a_folder(home, tmp_path):
    (tmp_path / "site" / "deep").mkdir(parents=True)
    (tmp_path / "site" / "deep" / "a.txt").write_text("a")
    (tmp_path / "site" / "b.txt").write_text("b")
    back = home.round_trip(tmp_path / "site", "pathlib.Path")
    assert {p.relative_to(back).as_posix(): p.read_text() for p in back.rglob("*.txt")} == {
        "deep/a.txt": "a",
        "b.txt": "b",
    }


def test_pickle_says_so(home):
    assert "kept by pickle" in home.keep({1, 2})[0].note


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ([1], "dict[str, float]"),
        (TABLE, "pandas.DataFrame"),
        (TABLE, "sklearn.linear_model.Ridge"),
        (Ridge(), "sklearn.linear_model.LogisticRegression"),
        ("1", "int"),
        (None, "polars.DataFrame"),
    ],
)
def test_a_value_that_is_not_what_the_annotation_says_is_refused(value, annotation):
    with pytest.raises(WrongOutput, match="where its annotation says"):
        choose(annotation, value, "pipeline.py:1")


@pytest.mark.parametrize(
    ("value", "annotation"),
    [(TABLE.lazy(), "polars.DataFrame"), (Ridge(), "sklearn.base.BaseEstimator"), (1, "float"), ({"a": TABLE}, "dict")],
)
def test_a_value_that_is_close_enough_passes(value, annotation):
    assert choose(annotation, value, "pipeline.py:1")


def test_a_table_of_objects_is_refused(home):
    with pytest.raises(Unserialisable, match="column `o` holds Python objects"):
        home.keep(pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}))


def test_damaged_bytes_are_never_loaded(home):
    _, stored, written = home.keep(TABLE)
    place = home.objects.path(stored.digest)
    place.chmod(0o600)
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.write_bytes(bytes(data))
    with pytest.raises(Exception, match="other bytes than were stored"):
        for_format(written).load(stored, "polars.LazyFrame")


def test_an_unknown_format_is_named():
    with pytest.raises(UnknownFormat, match="no serialiser reads `onnx`"):
        for_format("onnx")


def test_formats_are_unique():
    formats = [s.format for s in all_serialisers()]
    assert len(formats) == len(set(formats)) == 7
