import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from solvent.statistics.domain import TREES, _auc, _Forest, joint_drift, likeness

rng = np.random.default_rng(3)


def test_equal_samples_cannot_be_told_apart():
    found = joint_drift(rng.normal(size=(800, 4)), rng.normal(size=(800, 4)))
    assert found.auc == pytest.approx(0.5, abs=0.08)
    assert sum(found.importance) == pytest.approx(1)


def test_a_joint_change_that_no_single_feature_shows_is_seen():
    one = rng.normal(size=(800, 1))
    reference = np.hstack([one, one + rng.normal(size=(800, 1)) / 4])
    window = np.hstack([rng.normal(size=(800, 1)), rng.normal(size=(800, 1))])
    assert joint_drift(reference, window).auc > 0.7


def test_the_feature_that_moved_is_named_and_missing_values_are_welcome():
    reference, window = rng.normal(size=(300, 3)), rng.normal(size=(200, 3))
    window[:, 1] += 3
    window[::7, 0] = np.nan
    found = joint_drift(reference, window)
    assert found.auc > 0.9
    assert int(np.argmax(found.importance)) == 1


def test_likeness_makes_the_reference_look_like_the_window():
    reference, window = rng.normal(size=(4000, 4)), rng.normal([1, 0, 0, 0], size=(1000, 4))
    odds = likeness(reference, window, most=2000)
    assert odds @ reference / odds.sum() == pytest.approx([1, 0, 0, 0], abs=0.25)
    assert odds.mean() == pytest.approx(1, abs=0.2)
    ratio = np.exp(reference[:, 0] - 0.5)  # of two normal densities
    assert np.corrcoef(np.log(odds), np.log(ratio))[0, 1] > 0.9


def test_likeness_is_even_where_nothing_moved_and_little_where_the_window_left_the_reference():
    reference = rng.normal(size=(2000, 4))
    same = likeness(reference, rng.normal(size=(2000, 4)), most=2000)
    assert same.sum() ** 2 / (same @ same) > 0.75 * len(reference)
    assert likeness(reference, rng.normal(size=(500, 4)) + 9, most=2000).mean() < 0.25


def test_likeness_bears_columns_without_a_value_and_says_nothing_of_too_few_rows():
    reference, window = rng.normal(size=(300, 2)), rng.normal(size=(300, 2))
    reference[:, 1] = window[:, 1] = np.nan
    assert np.isfinite(likeness(reference, window, most=2000)).all()
    assert likeness(reference[:, 1:], window[:, 1:], most=2000) is None
    assert likeness(reference, window[:49], most=2000) is None


@pytest.mark.parametrize("shape", [(10, 2), (0, 2), (300, 0)])
def test_too_little_says_nothing(shape):
    assert joint_drift(np.zeros((300, shape[1])), np.zeros(shape)) is None


def test_the_area_agrees_with_scikit_learn_ties_included():
    score, label = rng.integers(0, 5, 200).astype(float), rng.integers(0, 2, 200)
    assert _auc(score, label) == pytest.approx(roc_auc_score(label, score))


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_the_forest_is_the_one_that_scikit_learn_grows(missing):
    rows, label = rng.normal(size=(400, 5)), np.repeat([0.0, 1.0], [150, 250])
    rows[label > 0, 0] += 1
    rows[rng.random(rows.shape) < missing] = np.nan
    ours = _Forest.learned(rows, label, seed=3)
    theirs = RandomForestClassifier(
        n_estimators=TREES, max_depth=6, min_samples_leaf=10, class_weight="balanced", random_state=3
    ).fit(rows, label)
    assert ours.chance(rows) == pytest.approx(theirs.predict_proba(rows)[:, 1], abs=1e-9)
    assert ours.importance == pytest.approx(theirs.feature_importances_, abs=1e-9)
