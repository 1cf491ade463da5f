"""Losses against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, mean_absolute_error, mean_squared_error

from solvent.statistics.losses import UnknownMetric, metric_named, multiclass_loss, row_loss, stated_bound

RNG = np.random.default_rng(0)
Y, P = RNG.integers(0, 2, 200).astype(float), RNG.uniform(0.01, 0.99, 200)
VALUE, GUESS = RNG.normal(size=200), RNG.normal(size=200)


def test_mean_losses_agree_with_scikit_learn() -> None:
    assert row_loss("log_loss", Y, P).mean() == pytest.approx(log_loss(Y, P))
    assert row_loss("brier", Y, P).mean() == pytest.approx(brier_score_loss(Y, P))
    assert row_loss("accuracy", Y, P).mean() == pytest.approx(1 - accuracy_score(Y, P >= 0.5))
    assert row_loss("mae", VALUE, GUESS).mean() == pytest.approx(mean_absolute_error(VALUE, GUESS))
    assert row_loss("mse", VALUE, GUESS).mean() == pytest.approx(mean_squared_error(VALUE, GUESS))


def test_several_classes_agree_with_scikit_learn() -> None:
    probabilities = RNG.dirichlet(np.full(3, 5.0), size=100)
    label = RNG.integers(0, 3, 100).astype(float)
    assert multiclass_loss("log_loss", label, probabilities).mean() == pytest.approx(
        log_loss(label, probabilities, labels=[0, 1, 2]), rel=0.02
    )
    assert multiclass_loss("accuracy", label, probabilities).mean() == pytest.approx(
        1 - accuracy_score(label, probabilities.argmax(axis=1))
    )
    assert np.isnan(multiclass_loss("error", np.array([np.nan]), probabilities[:1])).all()


def test_a_root_is_shown_and_its_square_is_tested() -> None:
    assert metric_named("rmse").shown(row_loss("rmse", np.array([3.0]), np.array([0.0])).mean()) == 3.0


def test_no_label_or_output_is_no_loss() -> None:
    found = row_loss("log_loss", np.array([np.nan, 1.0, 1.0]), np.array([0.5, np.nan, 0.5]))
    assert np.isnan(found).tolist() == [True, True, False]


def test_losses_are_bounded_by_what_is_stated() -> None:
    sure = row_loss("log_loss", np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert (sure <= stated_bound("log_loss", sure) + 1e-12).all()
    assert stated_bound("mse", np.array([1.0, 3.0])) == pytest.approx(40.0)
    assert stated_bound("mse", np.zeros(5)) == 1.0


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(UnknownMetric, match="did you mean `rmse`"):
        row_loss("rmsee", Y, P)
