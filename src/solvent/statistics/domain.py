"""Joint drift: can a classifier tell the window's rows from the reference's?"""

from __future__ import annotations

import msgspec
import numpy as np
from sklearn.ensemble import RandomForestClassifier

from solvent.statistics.arrays import Floats

LEAST_ROWS = 50  # a side; fewer say nothing
MOST_ROWS = 1_000  # a side; more tell little and cost time
FOLDS = 2


class JointDrift(msgspec.Struct, frozen=True):
    """auc: out of fold, 0.5 where nothing tells them apart, 1 where everything does; importance: shares, shape (p,)."""

    auc: float
    importance: list[float]


def joint_drift(reference: Floats, window: Floats, *, seed: int = 0) -> JointDrift | None:
    """Train a forest to tell two samples apart, and judge it on rows that it has not seen.

    reference, window: shape (n, p) and (m, p), NaN where missing; rows in order of time. Of more than 1,000 rows
        a side an even draw is taken. Folds are contiguous in time, so that neighbours do not give each other away.
    Returns: None with fewer than 50 rows on a side or no column. A figure to show, not an alarm: rows of one
        week always differ a little from another's, so 0.6 is nothing and 0.95 is another world.
    Source: Lopez-Paz and Oquab 2017 (classifier two-sample tests).
    """
    if min(len(reference), len(window)) < LEAST_ROWS or reference.shape[1] == 0:
        return None
    sides = [_draw(reference), _draw(window)]
    rows = np.concatenate(sides)
    label = np.repeat([0, 1], [len(side) for side in sides])
    fold = np.concatenate([np.arange(len(side)) * FOLDS // len(side) for side in sides])
    score, importance = np.empty(len(rows)), np.zeros(rows.shape[1])
    for held in range(FOLDS):
        forest = RandomForestClassifier(n_estimators=25, max_depth=6, min_samples_leaf=10, random_state=seed, n_jobs=1)
        forest.fit(rows[fold != held], label[fold != held])
        score[fold == held] = forest.predict_proba(rows[fold == held])[:, 1]
        importance += forest.feature_importances_ / FOLDS
    return JointDrift(_auc(score, label), importance.tolist())


def _draw(rows: Floats) -> Floats:
    if len(rows) <= MOST_ROWS:
        return rows
    even: Floats = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(int)]
    return even


def _auc(score: Floats, label: Floats) -> float:
    """Area under the ROC curve by ranks, ties counted half."""
    _, which, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[which]
    ones = int(label.sum())
    zeros = len(label) - ones
    return float((rank[label == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))
