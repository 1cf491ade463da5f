"""The models that are aged: the built-in one, or the user's by its factory."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from solvent.backtest.columns import Cases
from solvent.foundation.errors import UsageError, nearest
from solvent.registry.frames import as_fitted
from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.losses import multiclass_loss, row_loss

_TREES = {"max_iter": 80, "learning_rate": 0.12, "max_leaf_nodes": 16, "min_samples_leaf": 15, "early_stopping": False}
BUILT_IN = "gradient boosting, 80 small trees"


class BadModel(UsageError):
    """A `--model` that cannot be imported, made, fitted or asked."""

    code = "bad-model"


class Trained:
    """A model and how to ask it."""

    def __init__(self, learner: Learner, estimator: Any, single: float | None) -> None:
        self._learner, self._estimator, self._single = learner, estimator, single

    def outputs(self, rows: Counts, mixed: tuple[int, Counts] | None = None) -> Floats:
        """Of a regression, values; binary, chances of the second class; else chances, shape (n, n_classes).

        mixed: a feature's position, and the rows whose values it takes instead.
        """
        cases = self._learner.cases
        if self._single is not None:
            return _certain(self._single, len(rows), cases)
        table = self._learner.take(rows, mixed)
        if cases.task == "regression":
            return np.asarray(self._estimator.predict(table), dtype=float).reshape(len(rows))
        if hasattr(self._estimator, "predict_proba"):
            chances = np.asarray(self._estimator.predict_proba(table), dtype=float)
        else:
            said = np.asarray(self._estimator.predict(table))
            chances = (said[:, None] == np.asarray(self._estimator.classes_)[None, :]).astype(float)
        full = np.zeros((len(rows), len(cases.classes)))
        full[:, np.asarray(self._estimator.classes_, dtype=int)] = chances
        return full[:, 1] if cases.task == "binary" else full

    def losses(self, rows: Counts) -> Floats:
        """Unclipped loss of each row."""
        return losses_of(self._learner.cases, rows, self.outputs(rows))


class Learner:
    """Makes models from rows of the table.

    Raises: BadModel.
    """

    def __init__(self, cases: Cases, model: str, seed: int) -> None:
        self.cases = cases
        self._model, self._seed = model, seed
        self.name = model or BUILT_IN
        self._make: Callable[[], Any] = _factory(model) if model else lambda: _built_in(cases, seed)
        self._table: Any = cases.x
        if model:
            self._table = as_fitted(cases.frame, "pandas") if find_spec("pandas") else cases.frame
        self._checked = False

    def without(self, feature: str) -> Learner:
        """The same kind of model, which does not know one feature."""
        cases = self.cases
        kept = [name != feature for name in cases.features]
        fewer = msgspec.structs.replace(
            cases,
            frame=cases.frame.drop(feature),
            x=cases.x[:, kept],
            categorical=cases.categorical[kept],
            clocks=cases.clocks - {feature},
        )
        return Learner(fewer, self._model, self._seed)

    def take(self, rows: Counts, mixed: tuple[int, Counts] | None = None) -> Any:
        """These rows as the estimator takes them; one feature's values of other rows where it is `mixed`."""
        pandas = hasattr(self._table, "iloc")
        taken = self._table.iloc[rows] if pandas else self._table[rows]
        if mixed is None:
            return taken
        at, others = mixed
        name = self.cases.features[at]
        if pandas:
            return taken.assign(**{name: self._table[name].iloc[others].set_axis(taken.index)})
        if isinstance(taken, np.ndarray):
            taken[:, at] = self._table[others, at]  # fancy indexing has copied the rows
            return taken
        return taken.with_columns(self._table[name][others])

    def train(self, rows: Counts) -> Trained:
        """A fresh model fitted on these rows. A single class is foretold as it is, without a fit."""
        y = self.cases.y[rows]
        if self.cases.task != "regression":
            y = y.astype(int)
            if len(np.unique(y)) == 1:
                return Trained(self, None, float(y[0]))
        taken = self.take(rows)
        if self.name == BUILT_IN:  # its trees cannot take a column without a value; one without a split is ignored
            taken[:, np.isnan(taken).all(axis=0)] = 0.0
        estimator = self._make()
        if not self._checked:
            _check(estimator, self.name)
            self._checked = True
        try:
            estimator.fit(taken, y)
        except Exception as error:
            if self.name == BUILT_IN:
                raise
            text = str(error).strip().splitlines() or [type(error).__name__]
            raise BadModel(
                f"`{self.name}` cannot be fitted: {text[0][:200]}",
                next=f"it is given a {type(self._table).__name__} with columns {', '.join(self.cases.features[:8])}",
            ) from error
        return Trained(self, estimator, None)


def losses_of(cases: Cases, rows: Counts, outputs: Floats) -> Floats:
    """Unclipped loss of each row for these outputs."""
    if cases.task == "multiclass":
        return multiclass_loss(cases.metric, cases.y[rows], outputs)
    return row_loss(cases.metric, cases.y[rows], outputs)


def _certain(value: float, rows: int, cases: Cases) -> Floats:
    if cases.task != "multiclass":
        return np.full(rows, value)
    full = np.zeros((rows, len(cases.classes)))
    full[:, int(value)] = 1.0
    return full


def _built_in(cases: Cases, seed: int) -> Any:
    kind = HistGradientBoostingRegressor if cases.task == "regression" else HistGradientBoostingClassifier
    columns = cases.categorical if cases.categorical.any() else None
    return kind(categorical_features=columns, random_state=seed, **_TREES)


def _factory(model: str) -> Callable[[], Any]:
    module, _, name = model.partition(":")
    if not module or not name:
        raise BadModel(f"--model {model} names no factory", next="write module:function, such as models:make_forest")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise BadModel(
            f"cannot import {module}: {error}",
            where=f"--model {model}",
            next="modules are looked for in this folder and among the installed packages",
        ) from None
    factory = getattr(found, name, None)
    if factory is None:
        known = [n for n in vars(found) if not n.startswith("_")]
        raise BadModel(f"{module} has no `{name}`", where=f"--model {model}", next=nearest(name, known, ""))
    if not callable(factory):
        raise BadModel(f"`{name}` cannot be called", where=f"--model {model}", next="name a function or a class")
    made: Callable[[], Any] = factory
    return made


def _check(estimator: Any, name: str) -> None:
    missing = [method for method in ("fit", "predict") if not hasattr(estimator, method)]
    if missing:
        raise BadModel(
            f"`{name}` made a {type(estimator).__name__} without {' and '.join(missing)}",
            next="it must return an unfitted estimator, as scikit-learn's are",
        )
