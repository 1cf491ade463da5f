"""Joint drift: can a classifier tell the window's rows from the reference's, and which rows look like which?"""

from __future__ import annotations

import msgspec
import numpy as np
from sklearn import config_context
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.tree import DecisionTreeRegressor

from solvent.statistics.arrays import Counts, Floats

LEAST_ROWS = 50  # a side; fewer say nothing
MOST_ROWS = 1_000  # a side; more tell little and cost time
FOLDS = 2
TREES = 25
_LARGE = 1e30  # trees hold 32 bits
_BOOSTING = {
    "max_iter": 33,
    "learning_rate": 0.15,
    "max_leaf_nodes": 4,
    "max_bins": 63,
    "min_samples_leaf": 30,
    "l2_regularization": 20.0,
    "early_stopping": False,
}


class JointDrift(msgspec.Struct, frozen=True):
    """auc: out of fold, 0.5 where nothing tells them apart, 1 where everything does; importance: shares, shape (p,)."""

    auc: float
    importance: list[float]


class Apart(msgspec.Struct, frozen=True):
    """What the classifier says of rows that it has not seen.

    reference, window: shape (n,) and (m,), chance that the row is the window's, were both sides equally likely;
    importance: shares, shape (p,).
    """

    reference: Floats
    window: Floats
    importance: Floats


def joint_drift(reference: Floats, window: Floats, *, seed: int = 0) -> JointDrift | None:
    """Train a forest to tell two samples apart, and judge it on rows that it has not seen.

    reference, window: shape (n, p) and (m, p), NaN where missing; rows in order of time. Of more than 1,000 rows
        a side an even draw is taken. Folds are contiguous in time, so that neighbours do not give each other away.
    Returns: None with fewer than 50 rows on a side or no column. A figure to show, not an alarm: rows of one
        week always differ a little from another's, so 0.6 is nothing and 0.95 is another world.
    Source: Lopez-Paz and Oquab 2017 (classifier two-sample tests).
    """
    sides = [rows[even_draw(len(rows), MOST_ROWS)] for rows in (reference, window)]
    found = tell_apart(*sides, seed=seed)
    if found is None:
        return None
    label = np.repeat([0, 1], [len(side) for side in sides])
    return JointDrift(_auc(np.concatenate([found.reference, found.window]), label), found.importance.tolist())


def tell_apart(reference: Floats, window: Floats, *, seed: int = 0) -> Apart | None:
    """Scores of all rows by forests that did not learn from them nor from their neighbours in time.

    reference, window: shape (n, p) and (m, p), NaN where missing; rows in order of time. A forest learns from at
        most 1,000 rows a side, an even draw. Returns: None with fewer than 50 rows on a side or no column.
    """
    if min(len(reference), len(window)) < LEAST_ROWS or reference.shape[1] == 0:
        return None
    sides = [np.clip(rows, -_LARGE, _LARGE) for rows in (reference, window)]
    folds = [_folds(len(rows)) for rows in sides]
    scores, importance = [np.empty(len(rows)) for rows in sides], np.zeros(reference.shape[1])
    for held in range(FOLDS):
        learned = [rows[fold != held] for rows, fold in zip(sides, folds, strict=True)]
        learned = [rows[even_draw(len(rows), MOST_ROWS)] for rows in learned]
        label = np.repeat([0.0, 1.0], [len(rows) for rows in learned])
        forest = _Forest.learned(np.concatenate(learned), label, seed)
        for rows, fold, score in zip(sides, folds, scores, strict=True):
            score[fold == held] = forest.chance(rows[fold == held])
        importance += forest.importance / FOLDS
    return Apart(scores[0], scores[1], importance)


def likeness(reference: Floats, window: Floats, *, most: int, seed: int = 0) -> Floats | None:
    """Density of the window over that of the reference at each reference row: its odds, were both sides equally likely.

    reference, window: as for `tell_apart`; most: rows a side and fold that a classifier learns from, an even draw.
    Returns: shape (n,), > 0, by boosted trees that have not seen the row nor its neighbours. Their log odds add up, so
        they follow a shift where a forest's averages stay near one. The mean is about the share of the window's
        distribution that lies where the reference has rows: 1, or less where the window left it. None as `tell_apart`.
    Source: Sugiyama, Suzuki and Kanamori 2012 (density ratios by classification).
    """
    if min(len(reference), len(window)) < LEAST_ROWS:
        return None
    sides = [np.clip(rows, -_LARGE, _LARGE) for rows in (reference, window)]
    folds, odds = [_folds(len(rows)) for rows in sides], np.ones(len(reference))
    for held in range(FOLDS):
        learned = [rows[fold != held] for rows, fold in zip(sides, folds, strict=True)]
        learned = [rows[even_draw(len(rows), most)] for rows in learned]
        table, sizes = np.concatenate(learned), [len(rows) for rows in learned]
        known = ~np.isnan(table).all(axis=0)
        if not known.any():
            return None
        boosted = HistGradientBoostingClassifier(**_BOOSTING, random_state=seed)
        boosted.fit(table[:, known], np.repeat([0, 1], sizes))
        asked = folds[0] == held
        odds[asked] = np.exp(boosted.decision_function(sides[0][asked][:, known])) * sizes[0] / sizes[1]
    return odds


class _Forest(msgspec.Struct, frozen=True):
    """A random forest for two classes of equal weight, and small samples: for those most of the time of a
    `RandomForestClassifier` goes into its own upkeep. Its trees are the same (0 and 1 as numbers split alike, since
    Gini's impurity is twice their variance).
    """

    trees: list[DecisionTreeRegressor]

    @classmethod
    def learned(cls, rows: Floats, label: Floats, seed: int) -> _Forest:
        """rows: shape (n, p), NaN where missing; label: shape (n,), 0 or 1, of both."""
        table, missing = rows.astype(np.float32), bool(np.isnan(rows).any())
        even = 0.5 / np.where(label > 0, label.sum(), len(label) - label.sum())
        below = np.cumsum(even)
        below /= below[-1]
        chance, trees = np.random.RandomState(seed), list[DecisionTreeRegressor]()
        with config_context(skip_parameter_validation=True):
            for of_tree in chance.randint(np.iinfo(np.int32).max, size=TREES):
                tree = DecisionTreeRegressor(
                    max_depth=6, min_samples_leaf=10, max_features="sqrt", random_state=int(of_tree)
                )
                drawn = below.searchsorted(np.random.RandomState(of_tree).random_sample(len(label)), side="right")
                weight = np.bincount(drawn, minlength=len(label)).astype(float)
                trees.append(tree.fit(table, label, sample_weight=weight, check_input=missing))
        return cls(trees)

    def chance(self, rows: Floats) -> Floats:
        """That each row is of class 1, shape (n,)."""
        table = rows.astype(np.float32)
        return np.asarray(np.mean([tree.tree_.predict(table)[:, 0] for tree in self.trees], axis=0))

    @property
    def importance(self) -> Floats:
        """Share of each column in what the splits explain, shape (p,); all 0 where nothing was split."""
        grown = [tree.tree_.compute_feature_importances() for tree in self.trees if tree.tree_.node_count > 1]
        shares = np.sum(grown, axis=0) if grown else np.zeros(self.trees[0].n_features_in_)
        return np.asarray(shares / max(float(np.sum(shares)), 1e-300))


def even_draw(count: int, most: int) -> Counts:
    """Positions of at most `most` of `count` rows, evenly spaced."""
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).astype(np.int64)


def _folds(count: int) -> Counts:
    """Contiguous in time, so that neighbours do not give each other away."""
    return np.arange(count) * FOLDS // count


def _auc(score: Floats, label: Floats) -> float:
    """Area under the ROC curve by ranks, ties counted half."""
    _, which, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[which]
    ones = int(label.sum())
    zeros = len(label) - ones
    return float((rank[label == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))
