"""Performance without labels: what the loss should be if only the inputs have changed.

A loss model, learned on the reference, expects a loss of each row. Its out-of-fold residuals correct it, each
reference row weighing by how much it looks like the window's rows, so that the figure is right where either the loss
model or the weights are (doubly robust). Sees covariate shift; cannot see concept drift.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import msgspec
import numpy as np
from scipy.special import stdtrit
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import ThreadpoolController

from solvent.statistics.arrays import Counts, Flags, Floats
from solvent.statistics.calibration import binned_mean, isotonic
from solvent.statistics.domain import even_draw, likeness
from solvent.statistics.losses import multiclass_loss, row_loss
from solvent.statistics.sequential import Interval

TASKS = ("binary", "multiclass", "regression")
_FOLDS = 5
_LEAST_ROWS = 30
_MOST_REFERENCE = 10_000  # rows that the loss model learns from, and that are weighed
_MOST_APART = 2_000  # a side and fold, that window and reference are told apart by
MOST_WINDOW = 20_000  # rows of a window that are looked at one by one
_LEAST_BEHIND = 20.0  # effective rows of the reference, and four blocks, below which an estimate rests on nothing
_LEAST_BLOCKS = 4.0
_LEAST_ALIKE = 0.5  # of the window, that must have its like in the reference
_LARGEST_ODDS = 50.0
_LARGE = 1e30
_BOOSTING = {
    "max_iter": 40,
    "learning_rate": 0.06,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 30,
    "l2_regularization": 5.0,
    "early_stopping": False,
    "random_state": 0,
}

Expectation = Callable[[Floats, Floats | None], Floats]  # outputs and features to expected losses


class Estimate(msgspec.Struct, frozen=True):
    """loss: mean loss of a window with its interval, in the metric's unrooted unit; behind: effective number of
    reference rows that look like the window's. abstains: why the figure should not be believed, or ''.
    """

    loss: Interval
    behind: float
    abstains: str = ""


@dataclass(frozen=True)
class LossModel:
    """Expected loss of a row, learned on labelled reference rows in order of time.

    task, metric: as declared. label: shape (n,), a value or a class's position; output: shape (n,), or (n, k) for the
    probabilities of k classes; losses: shape (n,), clipped at `bound`; micros: shape (n,). features: shape (n, p),
    NaN where missing, or None: then the loss is expected from the output alone, and no row weighs more than another.
    compared: shape (p,), the features whose rows must look alike; functions of the clock are none, since tomorrow is
    never like yesterday. block: microseconds, rows of one lean on each other. It learns when it is first asked.
    """

    task: str
    metric: str
    label: Floats
    output: Floats
    losses: Floats
    micros: Counts
    features: Floats | None
    compared: Flags | None
    bound: float
    block: int

    def expected(self, output: Floats, features: Floats | None = None) -> Floats:
        """Expected loss of each row, shape (n_rows,); for rows that are not the reference's."""
        with _threads().limit(limits=1):
            return self._whole(output, features)

    def estimate(
        self,
        output: Floats,
        micros: Counts,
        *,
        features: Floats | None = None,
        rows: int | None = None,
        level: float = 0.9,
        seed: int = 0,
    ) -> Estimate:
        """Mean loss of a window.

        output, micros, features: as of the reference; features are needed where the reference has them. rows: of the
            whole window, where these are an even draw of it.
        The interval is Student's t over the reference's blocks and covers the sampling of the window's labels and
        the error of the loss model on rows like these.
        """
        if len(output) == 0:
            return Estimate(Interval(math.nan, math.nan, math.nan, level), 0.0, "no rows")
        with _threads().limit(limits=1):
            return self._estimate(output, micros, features, rows or len(output), level, seed)

    def _estimate(
        self, output: Floats, micros: Counts, features: Floats | None, rows: int, level: float, seed: int
    ) -> Estimate:
        drawn = even_draw(len(output), MOST_WINDOW)
        there = features[drawn] if features is not None and self.features is not None else None
        expected = self._whole(output[drawn], there)
        weight = self._weights(output[drawn], there, seed)
        residual, blocks = self.residuals, self.micros // self.block
        total = max(float(weight.sum()), 1e-12)
        correction = float(weight @ residual) / total
        value = max(float(expected.mean()) + correction, 0.0)
        model = _cluster_variance(weight * (residual - correction), blocks) / total**2
        leaning = 1 + self._leaning * rows / len(np.unique(micros // self.block))
        sampling = float(weight @ (residual - correction) ** 2) / total * leaning / rows
        if len(drawn) < rows:
            sampling += float(expected.var()) / len(drawn)
        behind, alike = _effective(weight), float(weight.mean())
        behind_blocks = _effective(_sums(weight, blocks))
        if why := _doubt(behind, behind_blocks, alike):
            return Estimate(Interval(value, 0.0, math.inf, level), behind, why)
        reach = float(stdtrit(behind_blocks - 1, (1 + level) / 2)) * math.sqrt(model + sampling)
        return Estimate(Interval(value, max(value - reach, 0.0), value + reach, level), behind)

    @cached_property
    def residuals(self) -> Floats:
        """Realised less expected loss of each reference row, by a loss model that has not seen its block."""
        expected: Floats = np.full(len(self.losses), float(self.losses.mean()))
        fold = self.micros // self.block % _FOLDS
        for part in np.unique(fold):
            held = fold == part
            if not held.all():
                there = self.features[held] if self.features is not None else None
                expected[held] = self._fit(~held)(self.output[held], there)
        return np.asarray(self.losses - expected)

    @cached_property
    def _whole(self) -> Expectation:
        return self._fit(np.ones(len(self.losses), dtype=bool))

    @cached_property
    def _leaning(self) -> float:
        """By how much the variance of a mean residual grows with each row that a block has, where they lean."""
        residual = self.residuals - self.residuals.mean()
        alone, blocks = float(residual @ residual), self.micros // self.block
        if alone <= 0:
            return 0.0
        more = max(_cluster_variance(residual, blocks) / alone, 1.0) - 1
        return more * len(np.unique(blocks)) / len(residual)

    def _weights(self, output: Floats, features: Floats | None, seed: int) -> Floats:
        """Odds of each reference row to be one of the window's; all 1 where no classifier can be asked."""
        even = np.ones(len(self.losses))
        if features is None or self.features is None:
            return even
        kept = slice(None) if self.compared is None else self.compared
        sides = _joined(self.output, self.features[:, kept]), _joined(output, features[:, kept])
        odds = likeness(*sides, most=_MOST_APART, seed=seed)
        return even if odds is None else np.minimum(odds, _LARGEST_ODDS)

    def _fit(self, rows: Flags) -> Expectation:
        learn = _calibrated if self.task == "binary" else _direct
        with _threads().limit(limits=1):
            return learn(self, rows)


def learn_loss(
    task: str,
    metric: str,
    label: Floats,
    output: Floats,
    micros: Counts,
    *,
    bound: float,
    block: int,
    features: Floats | None = None,
    compared: Flags | None = None,
) -> LossModel | None:
    """A loss model from labelled reference rows; None with fewer than 30 of them or an unknown task.

    label, output, micros, features, compared: as in `LossModel`, finite but for features. Of more than
        10,000 rows an even draw is taken.
    Binary: the expected loss under calibrated probabilities (CBPE); regression and several classes: the loss itself
        is learned (DLE). By boosted trees on outputs and features, or without features by isotonic regression and by
        tenths of the output (of the loss that the probabilities themselves expect).
    Source: weights by a domain classifier as in PAPE, Białek et al. 2024; their doubly robust use on cross-fitted
        residuals, Chernozhukov et al. 2018.
    """
    if len(label) < _LEAST_ROWS or task not in TASKS:
        return None
    rows = even_draw(len(label), _MOST_REFERENCE)
    label, output, micros = label[rows], output[rows], micros[rows]
    losses = multiclass_loss(metric, label, output) if output.ndim == 2 else row_loss(metric, label, output)
    losses = np.minimum(losses, bound)
    known = features[rows] if features is not None and features.shape[1] else None
    return LossModel(task, metric, label, output, losses, micros, known, compared, bound, block)


def _doubt(behind: float, blocks: float, alike: float) -> str:
    """Why the reference says nothing of a window, or ''. alike: share of the window that has its like there."""
    if alike < _LEAST_ALIKE:
        return f"only about {alike:.0%} of these rows have their like in the reference"
    if behind < _LEAST_BEHIND or blocks < _LEAST_BLOCKS:
        return f"too little of the reference looks like these rows ({behind:.0f} rows in {blocks:.1f} blocks of time)"
    return ""


@cache
def _threads() -> ThreadpoolController:
    """For small fits, where waking a team of threads costs more than the work; found once, as looking takes longer."""
    return ThreadpoolController()


def _calibrated(model: LossModel, rows: Flags) -> Expectation:
    """Two classes: the chance of each, and what each would cost."""
    label, one_class = model.label[rows], len(np.unique(model.label[rows])) < 2
    if model.features is None or one_class:
        step = isotonic(model.output[rows], label)
        return lambda output, _: _mixed(model, step(output), output)
    table = _joined(model.output[rows], model.features[rows])
    known = ~np.isnan(table).all(axis=0)
    boosted = HistGradientBoostingClassifier(**_BOOSTING).fit(table[:, known], label > 0.5)

    def expected(output: Floats, features: Floats | None) -> Floats:
        if features is None:
            raise ValueError("this loss model was learned with features, and needs them")
        return _mixed(model, boosted.predict_proba(_joined(output, features)[:, known])[:, 1], output)

    return expected


def _mixed(model: LossModel, chance: Floats, output: Floats) -> Floats:
    ones, zeros = np.ones(len(output)), np.zeros(len(output))
    mixed = chance * row_loss(model.metric, ones, output) + (1 - chance) * row_loss(model.metric, zeros, output)
    return np.asarray(np.minimum(mixed, model.bound))


def _direct(model: LossModel, rows: Flags) -> Expectation:
    """The loss itself as a function of outputs and features."""
    if model.features is None:
        step = binned_mean(_summary(model.metric, model.output[rows]), model.losses[rows])
        return lambda output, _: step(_summary(model.metric, output))
    table = _joined(model.output[rows], model.features[rows])
    known = ~np.isnan(table).all(axis=0)
    boosted = HistGradientBoostingRegressor(**_BOOSTING).fit(table[:, known], model.losses[rows])

    def expected(output: Floats, features: Floats | None) -> Floats:
        if features is None:
            raise ValueError("this loss model was learned with features, and needs them")
        found: Floats = boosted.predict(_joined(output, features)[:, known])
        return np.clip(found, 0.0, model.bound)

    return expected


def _summary(metric: str, output: Floats) -> Floats:
    """One figure of an output: itself, or the loss that the probabilities of several classes expect."""
    if output.ndim == 1:
        return output
    classes = range(output.shape[1])
    costs = [multiclass_loss(metric, np.full(len(output), float(at)), output) for at in classes]
    return np.asarray(sum(output[:, at] * costs[at] for at in classes))


def _joined(output: Floats, features: Floats) -> Floats:
    """One table; what trees cannot hold in 32 bits is as large as they can."""
    return np.clip(np.column_stack([output, features]), -_LARGE, _LARGE)


def _cluster_variance(values: Floats, blocks: Counts) -> float:
    """Variance of a sum where rows of one block lean on each other."""
    sums = _sums(values, blocks)
    return len(sums) / max(len(sums) - 1, 1) * float(sums @ sums)


def _sums(values: Floats, blocks: Counts) -> Floats:
    """Sum of the values of each block."""
    return np.asarray(np.bincount(np.unique(blocks, return_inverse=True)[1], weights=values), dtype=np.float64)


def _effective(weight: Floats) -> float:
    """Number of equal weights that would say as much (Kish)."""
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0
