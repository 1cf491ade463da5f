"""The loss matrix against a model trained and scored by hand."""

import numpy as np
import polars as pl
import pytest
from sklearn.tree import DecisionTreeRegressor

from backtest.small_tables import TREE, sales
from backtest.test_columns import understood
from solvent.backtest.cut import cut
from solvent.backtest.matrix import Plan, fill, fixed_plan, spans_of, write_matrix
from solvent.backtest.models import BadModel, Learner
from solvent.backtest.options import Options

OPTIONS = {"path": "sales.csv", "time": "time", "target": "units"}
NUMBERS = ["price", "size"]


@pytest.fixture
def trees(tmp_path, monkeypatch):
    """A module of factories in the current folder."""
    (tmp_path / "trees_of_test.py").write_text(TREE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return "trees_of_test"


def by_hand(frame, course, tick, span, window):
    until = course.trained_by[tick]
    train = frame[max(until - span, 0) if span else 0 : until]
    test = frame[course.bounds[window] : course.bounds[window + 1]]
    tree = DecisionTreeRegressor(max_depth=3, random_state=0)
    tree.fit(train.select(NUMBERS).to_numpy(), train["units"].to_numpy())
    return float(np.abs(test["units"].to_numpy() - tree.predict(test.select(NUMBERS).to_numpy())).sum())


def test_every_entry_is_the_loss_of_that_model_on_that_window(trees, tmp_path):
    frame = sales(drift=2.0).drop("shop").with_columns(o_clock=pl.col("time").dt.hour())
    cases = understood(frame, drop=("o_clock",))
    cases = understood(frame.drop("o_clock"), drop=()) if cases.features != NUMBERS else cases
    keep = [cases.features.index(name) for name in NUMBERS]
    course = cut(cases, Options(**OPTIONS, windows=6, windows_given=True))
    learner = Learner(cases, f"{trees}:regressor", seed=0)
    learner._table = cases.x[:, keep]
    matrix = fill(learner, course, Plan(None, None), bound=1e9, progress=lambda _: None)
    sums = matrix.by_window()
    assert sums.shape == (6, len(spans_of(course)), 6)
    for tick, span, window in [(0, 0, 0), (0, 1, 5), (2, 0, 3), (3, 1, 3), (5, 1, 5)]:
        expected = by_hand(frame, course, tick, matrix.spans[span].rows, window)
        assert sums[tick, span, window] == pytest.approx(expected)
    assert np.isnan(matrix.losses[3, 0, course.window_of < 3]).all()
    write_matrix(matrix, course, tmp_path / "m.parquet")
    kept = pl.read_parquet(tmp_path / "m.parquet")
    one = kept.filter((pl.col("tick") == 2) & (pl.col("window") == 3) & (pl.col("span") == "all"))
    assert one["loss"].item() == pytest.approx(sums[2, 0, 3]) and one["rows"].item() == one["scored"].item() == 150
    assert kept.filter(pl.col("window") < pl.col("tick")).is_empty()


def test_the_same_seed_gives_the_same_matrix_and_sampling_comes_close():
    cases = understood(sales(drift=1.0))
    course = cut(cases, Options(**OPTIONS, windows=5, windows_given=True))
    learner = Learner(cases, "", seed=3)
    whole, again = (fill(learner, course, Plan(None, None), bound=50, progress=lambda _: None) for _ in range(2))
    assert np.array_equal(whole.losses, again.losses, equal_nan=True)
    drawn = fill(learner, course, Plan(None, 90), bound=50, progress=lambda _: None)
    assert drawn.scored.tolist() == [90] * 5 and len(drawn.said) == 1
    upper = np.triu_indices(5)
    assert drawn.by_window()[:, 0][upper] == pytest.approx(whole.by_window()[:, 0][upper], rel=0.25)
    sparse = fill(learner, course, Plan(300, None, stride=2), bound=50, progress=lambda _: None)
    assert len(sparse.said) == 2
    assert (sparse.by_window()[1, 0, 1:] == sparse.by_window()[0, 0, 1:]).all(), "in between, the model before serves"


def test_the_plan_follows_from_the_rows_alone():
    course = cut(understood(sales()), Options(**OPTIONS))
    assert fixed_plan(course, full=False) == Plan(None, None) == fixed_plan(course, full=True)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("trees_of_test", "names no factory"),
        ("no_such_module:make", "cannot import no_such_module"),
        ("trees_of_test:regresor", "did you mean `regressor`?"),
        ("trees_of_test:DecisionTreeRegressor.x", "has no"),
        ("trees_of_test:NoFit", "without fit and predict"),
        ("trees_of_test:raises", "cannot be fitted: too blue"),
    ],
)
def test_a_model_that_cannot_be_made_is_told(trees, factory, message):
    cases = understood(sales().drop("shop"))
    with pytest.raises(BadModel, match=message.replace("?", r"\?")):
        Learner(cases, factory, seed=0).train(np.arange(400))


def test_classes_that_training_lacks_have_no_chance_and_a_single_class_is_certain(trees):
    frame = (
        sales().drop("shop").with_columns(units=pl.Series(["a"] * 200 + ["a", "b"] * 250 + ["a", "b", "c", "a"] * 125))
    )
    cases = understood(frame)
    assert (cases.task, cases.classes) == ("multiclass", ["a", "b", "c"])
    learner = Learner(cases, f"{trees}:classifier", seed=0)
    outputs = learner.train(np.arange(600)).outputs(np.arange(600, 900))
    assert outputs.shape == (300, 3) and (outputs[:, 2] == 0).all()
    certain = learner.train(np.arange(100))
    assert (certain.outputs(np.arange(5))[:, 0] == 1).all()
    assert np.isfinite(certain.losses(np.arange(1200))).all(), "a class without a chance has a bounded loss"


def test_a_users_model_gets_a_table_with_names(trees, tmp_path):
    (tmp_path / "seen_of_test.py").write_text(
        "from sklearn.dummy import DummyRegressor\n"
        "class Seen(DummyRegressor):\n"
        "    def fit(self, X, y):\n"
        "        assert list(X.columns)[:2] == ['price', 'size'], X\n"
        "        return super().fit(X, y)\n"
    )
    learner = Learner(understood(sales().drop("shop")), "seen_of_test:Seen", seed=0)
    model = learner.train(np.arange(400))
    mixed = model.outputs(np.arange(400, 500), (1, np.arange(100)))
    assert mixed.shape == (100,)


def test_a_budget_buys_rounds_of_models(trees):
    """With none of it the first round alone is made; with enough of it the matrix is the whole one."""
    cases = understood(sales().drop("shop"))
    course = cut(cases, Options(**OPTIONS, windows=9, windows_given=True))
    learner = Learner(cases, f"{trees}:regressor", seed=0)
    little, much, whole = (
        fill(learner, course, Plan(None, None), bound=50, progress=lambda _: None, seconds=seconds)
        for seconds in (0.0, 1e6, None)
    )
    assert little.plan.stride == 8 and little.said == ["a model at every 8th window only, to keep the budget"]
    assert np.array_equal(much.losses, whole.losses, equal_nan=True) and much.plan.stride == 1
    upper = course.window_of >= 8
    assert np.array_equal(little.losses[8, :, upper], whole.losses[8, :, upper])
    assert np.array_equal(little.losses[5, 0, upper], whole.losses[0, 0, upper]), "in between, the model before serves"
