"""Models on disk: equal content for equal models, and nothing loaded that was not reviewed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from sklearn.cluster import Birch
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, SplineTransformer, StandardScaler

from solvent.data.modelfile import (
    Undumpable,
    UnsafeModel,
    content_digest,
    dump_model,
    load_model,
    reviewed_types,
    untrusted_types,
)

ROWS = np.random.default_rng(0).normal(size=(200, 4))
VALUES = ROWS[:, 0] + ROWS[:, 1] ** 2
CODES = np.c_[np.arange(200) % 3, ROWS]
MAKERS = {
    "boosting": lambda seed: HistGradientBoostingRegressor(max_iter=5, random_state=seed, max_features=0.5).fit(
        ROWS, VALUES
    ),
    "categorical boosting": lambda seed: HistGradientBoostingClassifier(
        max_iter=5, random_state=seed, categorical_features=[0], max_features=0.5
    ).fit(CODES, VALUES > 1),
    "forest": lambda seed: RandomForestClassifier(5, random_state=seed).fit(ROWS, VALUES > 1),
    "gradient boosting": lambda seed: GradientBoostingRegressor(n_estimators=5, random_state=seed, subsample=0.5).fit(
        ROWS, VALUES
    ),
    "splines": lambda seed: make_pipeline(SplineTransformer(n_knots=seed + 3), StandardScaler(), Ridge()).fit(
        ROWS, VALUES
    ),
    "one-hot": lambda seed: make_pipeline(
        make_column_transformer((OneHotEncoder(), [0]), remainder="passthrough"), LogisticRegression(C=seed + 1)
    ).fit(CODES, VALUES > 1),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_model_comes_back_and_its_content_is_its_own(kind):
    rows = CODES if kind in ("categorical boosting", "one-hot") else ROWS
    one, same, other = MAKERS[kind](1), MAKERS[kind](1), MAKERS[kind](2)
    data = dump_model(one)
    loaded = load_model(data)
    np.testing.assert_array_equal(loaded.predict(rows), one.predict(rows))
    assert content_digest(data) == content_digest(dump_model(same)) == content_digest(dump_model(loaded))
    assert content_digest(data) != content_digest(dump_model(other))


def test_the_content_is_the_same_in_another_process():
    program = (
        "from sklearn.ensemble import RandomForestClassifier as F\n"
        "from solvent.data.modelfile import content_digest, dump_model\n"
        "forest = F(3, random_state=1, class_weight={0: 1, 1: 2}).fit([[0], [1], [2], [3]], [0, 0, 1, 1])\n"
        "print(content_digest(dump_model(forest)))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in (1, 2)
    }
    assert len(answers) == 1


def test_a_type_that_nobody_reviewed_is_refused_by_name():
    data = dump_model(KNeighborsClassifier(algorithm="kd_tree").fit(ROWS, VALUES > 1))
    assert "sklearn.neighbors._kd_tree.KDTree" in untrusted_types(data)
    with pytest.raises(UnsafeModel, match=r"sklearn\.neighbors\._kd_tree\.KDTree"):
        load_model(data)


def test_a_caller_may_vouch_for_a_type_and_only_for_that():
    data = dump_model(FunctionTransformer(_double))
    with pytest.raises(UnsafeModel, match="_double"):
        load_model(data)
    [name] = untrusted_types(data)
    assert name.endswith("_double")


def _double(rows):
    return rows * 2


def test_what_skops_cannot_write_is_said():
    with pytest.raises(Undumpable, match="skops cannot write this Birch"):
        dump_model(Birch())
    with pytest.raises(Undumpable, match="this FunctionTransformer holds a lambda"):
        dump_model(FunctionTransformer(lambda rows: rows))


def _crafted(data: bytes, change) -> bytes:
    """The file with each array of records changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member.endswith(".npy"):
                array = np.load(io.BytesIO(content))
                if array.dtype.names:
                    change(array)
                    buffer = io.BytesIO()
                    np.save(buffer, array)
                    content = buffer.getvalue()
            new.writestr(member, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("field", "value"), [("left", 10**6), ("left", 0), ("right", 10**6), ("feature_idx", 99), ("feature_idx", -1)]
)
def test_a_boosted_tree_that_points_outside_of_itself_is_refused(field, value):
    def change(nodes):
        nodes[field][nodes["is_leaf"] == 0] = value

    data = _crafted(dump_model(MAKERS["boosting"](1)), change)
    with pytest.raises(UnsafeModel, match="boosted tree"):
        load_model(data)


def test_a_category_set_that_is_not_there_is_refused():
    def change(nodes):
        nodes["is_categorical"] = 1
        nodes["bitset_idx"] = 1000

    with pytest.raises(UnsafeModel, match="boosted tree"):
        load_model(_crafted(dump_model(MAKERS["categorical boosting"](1)), change))


@pytest.mark.parametrize(("field", "value"), [("left_child", 10**6), ("right_child", 0), ("feature", 99)])
def test_a_forests_tree_that_points_outside_of_itself_is_refused(field, value):
    def change(nodes):
        nodes[field][nodes["left_child"] != -1] = value

    with pytest.raises(UnsafeModel):
        load_model(_crafted(dump_model(MAKERS["forest"](1)), change))


def test_what_is_no_model_file_is_refused():
    with pytest.raises(UnsafeModel, match="no skops file"):
        load_model(b"no zip")
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("other.json", "{}")
    with pytest.raises(UnsafeModel, match=r"no schema\.json"):
        load_model(empty.getvalue())


def test_a_file_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr("solvent.data.modelfile.MAX_BYTES", 1000)
    with pytest.raises(UnsafeModel, match="unpacks to"):
        load_model(dump_model(MAKERS["boosting"](1)))


def test_a_call_hidden_in_a_file_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(dump_model(Ridge()))) as old, zipfile.ZipFile(out, "w") as new:
        schema = json.loads(old.read("schema.json"))
        schema["__class__"], schema["__module__"] = "system", "os"
        new.writestr("schema.json", json.dumps(schema))
    with pytest.raises(UnsafeModel, match=r"os\.system"):
        load_model(out.getvalue())


def test_the_reviewed_list_is_chosen_by_version():
    assert "sklearn.tree._tree.Tree" in reviewed_types("1.9.0")
    assert reviewed_types("1.2.0") == []
