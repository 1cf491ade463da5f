"""Loss without labels: calibration, abstention, agreement with scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from solvent.statistics.blocks import DAY, HOUR
from solvent.statistics.calibration import binned_mean, isotonic
from solvent.statistics.estimation import learn_loss
from solvent.statistics.losses import multiclass_loss, row_loss

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
    found = model.estimate(output, HOURS).loss
    assert found.value == pytest.approx(realised, rel=0.05) and found.lower <= realised <= found.upper


def test_a_shift_to_hard_rows_shows_in_the_estimate() -> None:
    rng = np.random.default_rng(2)
    output = rng.uniform(0, 10, size=len(HOURS))
    label = output + output * rng.normal(size=len(HOURS))  # the larger, the harder
    losses = row_loss("mse", label, output)
    model = learn_loss("regression", "mse", label, output, HOURS, bound=float(losses.max()), block=DAY)
    assert model is not None
    hard = rng.uniform(8, 10, size=168)
    found = model.estimate(hard, HOURS[:168]).loss
    assert found.value == pytest.approx(float((hard**2).mean()), rel=0.25)
    assert found.lower > 1.5 * losses.mean()


def test_too_little_to_learn_from_is_no_model_and_an_empty_window_no_figure() -> None:
    few = np.zeros(5)
    assert learn_loss("regression", "mse", few, few, HOURS[:5], bound=1, block=DAY) is None
    assert learn_loss("ranking", "log_loss", np.zeros(99), np.zeros(99), HOURS[:99], bound=1, block=DAY) is None
    one_class = learn_loss("binary", "log_loss", np.zeros(99), np.full(99, 0.1), HOURS[:99], bound=7, block=DAY)
    assert one_class is not None and math.isnan(
        one_class.estimate(np.array([]), np.array([], dtype=np.int64)).loss.value
    )


def test_where_the_loss_hangs_on_a_feature_that_the_output_does_not_show_the_window_is_told_by_its_features() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, size=(len(HOURS), 3))
    spread = np.where(x[:, 1] > 0.4, 4.0, 0.5)
    output = x[:, 0]
    label = output + spread * rng.normal(size=len(HOURS))
    model = learn_loss("regression", "mae", label, output, HOURS, bound=20, block=DAY, features=x)
    assert model is not None
    hard = rng.uniform(-1, 1, size=(300, 3))
    hard[:, 1] = rng.uniform(0.4, 1, size=300)
    found = model.estimate(hard[:, 0], HOURS[:300], features=hard)
    truth = 4.0 * math.sqrt(2 / math.pi)
    assert found.loss.value == pytest.approx(truth, rel=0.15) and found.loss.lower < truth < found.loss.upper
    assert 60 < found.behind < 450 and not found.abstains
    with pytest.raises(ValueError, match="features"):
        model.expected(hard[:, 0])


def test_a_draw_of_a_window_speaks_for_all_its_rows() -> None:
    rng = np.random.default_rng(6)
    output, label = rng.uniform(size=len(HOURS)), rng.uniform(size=len(HOURS))
    model = learn_loss("regression", "mae", label, output, HOURS, bound=2, block=DAY)
    assert model is not None
    alone = model.estimate(output[:100], HOURS[:100]).loss
    drawn = model.estimate(output[:100], HOURS[:100], rows=100_000).loss
    assert drawn.value == alone.value and drawn.upper - drawn.lower < alone.upper - alone.lower


def test_rows_like_none_of_the_reference_are_abstained_from() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(len(HOURS), 2))
    model = learn_loss(
        "binary", "log_loss", (x[:, 0] > 0) * 1.0, np.full(len(x), 0.5), HOURS, bound=7, block=DAY, features=x
    )
    assert model is not None
    found = model.estimate(np.full(200, 0.5), HOURS[:200], features=x[:200] + 40)
    assert found.abstains and found.loss.upper == math.inf
    clock = learn_loss(
        "binary",
        "log_loss",
        (x[:, 0] > 0) * 1.0,
        np.full(len(x), 0.5),
        HOURS,
        bound=7,
        block=DAY,
        features=np.column_stack([x, np.arange(len(x))]),
        compared=np.array([True, True, False]),
    )
    assert clock is not None
    later = np.column_stack([rng.normal(size=(200, 2)), np.full(200, 9e6)])
    assert not clock.estimate(np.full(200, 0.5), HOURS[:200], features=later).abstains


@pytest.mark.parametrize("metric", ["log_loss", "error"])
@pytest.mark.parametrize("with_features", [True, False])
def test_several_classes_have_an_estimate_too(metric: str, with_features: bool) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(len(HOURS), 2))
    sure = np.exp(2 * np.abs(x[:, :1]) * np.array([1.0, 0.0, -1.0]))
    chances = sure / sure.sum(axis=1, keepdims=True)
    label = (rng.uniform(size=(len(x), 1)) > np.cumsum(chances, axis=1)).sum(axis=1).clip(0, 2).astype(float)
    model = learn_loss(
        "multiclass", metric, label, chances, HOURS, bound=7, block=DAY, features=x if with_features else None
    )
    assert model is not None
    easy = np.flatnonzero(np.abs(x[:, 0]) > 1)
    found = model.estimate(chances[easy], HOURS[easy], features=x[easy])
    realised = multiclass_loss(metric, label[easy], chances[easy]).mean()
    assert found.loss.lower <= realised <= found.loss.upper
    assert found.loss.upper < multiclass_loss(metric, label, chances).mean()


def test_a_constant_output_has_one_expected_loss() -> None:
    assert binned_mean(np.full(20, 3.0), np.arange(20.0))(np.array([3.0])).tolist() == [9.5]
