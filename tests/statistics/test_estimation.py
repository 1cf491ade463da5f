"""Loss without labels: calibration, abstention, agreement with scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from solvent.statistics.blocks import DAY, HOUR
from solvent.statistics.estimation import binned_mean, isotonic, learn_loss
from solvent.statistics.losses import row_loss

HOURS = np.arange(24 * 40) * HOUR


def test_isotonic_agrees_with_scikit_learn_up_to_its_shrinkage() -> None:
    rng = np.random.default_rng(0)
    at = rng.uniform(size=3000)
    target = (rng.uniform(size=3000) < at**2).astype(float)
    grid = np.linspace(0.05, 0.95, 50)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(at, target).predict(grid)
    assert np.abs(isotonic(at, target)(grid) - theirs).mean() < 0.02
    assert (np.diff(isotonic(at, target)(grid)) >= -0.02).all()


def test_overconfident_probabilities_are_calibrated_before_they_are_believed() -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(0.2, 0.8, size=len(HOURS))
    label = (rng.uniform(size=len(HOURS)) < truth).astype(float)
    output = np.clip(0.5 + 2 * (truth - 0.5), 0.01, 0.99)
    model = learn_loss("binary", "log_loss", label, output, HOURS, bound=7, block=DAY)
    assert model is not None
    realised = row_loss("log_loss", label, output).mean()
    found = model.estimate(output, HOURS)
    assert found.value == pytest.approx(realised, rel=0.05) and found.lower <= realised <= found.upper


def test_a_shift_to_hard_rows_shows_in_the_estimate() -> None:
    rng = np.random.default_rng(2)
    output = rng.uniform(0, 10, size=len(HOURS))
    label = output + output * rng.normal(size=len(HOURS))  # the larger, the harder
    losses = row_loss("mse", label, output)
    model = learn_loss("regression", "mse", label, output, HOURS, bound=float(losses.max()), block=DAY)
    assert model is not None
    hard = rng.uniform(8, 10, size=168)
    found = model.estimate(hard, HOURS[:168])
    assert found.value == pytest.approx(float((hard**2).mean()), rel=0.25)
    assert found.lower > 1.5 * losses.mean()


def test_too_little_to_learn_from_is_no_model_and_an_empty_window_no_figure() -> None:
    few = np.zeros(5)
    assert learn_loss("regression", "mse", few, few, HOURS[:5], bound=1, block=DAY) is None
    assert learn_loss("multiclass", "log_loss", np.zeros(99), np.zeros(99), HOURS[:99], bound=1, block=DAY) is None
    one_class = learn_loss("binary", "log_loss", np.zeros(99), np.full(99, 0.1), HOURS[:99], bound=7, block=DAY)
    assert one_class is not None and math.isnan(one_class.estimate(np.array([]), np.array([], dtype=np.int64)).value)


def test_a_constant_output_has_one_expected_loss() -> None:
    assert binned_mean(np.full(20, 3.0), np.arange(20.0))(np.array([3.0])).tolist() == [9.5]
