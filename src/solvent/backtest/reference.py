"""What the first model promises: judged on the last part of its own training time, which it has not seen there."""

from __future__ import annotations

import msgspec
import numpy as np

from solvent.backtest.columns import Cases
from solvent.backtest.cut import Course
from solvent.backtest.matrix import sample
from solvent.backtest.models import Learner, Trained, losses_of
from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.blocks import block_means
from solvent.statistics.bootstrap import block_bootstrap
from solvent.statistics.estimation import LossModel, learn_loss
from solvent.statistics.losses import metric_named, stated_bound
from solvent.statistics.sequential import Interval

_SHARE = 0.75  # of the training part that the judged model is trained on
_SHUFFLED = 2_000  # rows that features are shuffled on
LEVEL = 0.9


class Reference(msgspec.Struct, frozen=True):
    """Judged on rows that the model had not seen.

    rows: positions of those; risk: mean clipped loss; bound: where losses are clipped; naive: mean loss of a constant;
    estimator: of the loss without labels, None where there is none; gain: share of its loss that the model in service,
    trained on the whole training part, is expected to save over the judged one. reliance: by feature, the share of the
    model's skill that is lost when the feature is shuffled, summing to 1.
    """

    rows: Counts
    risk: Interval
    bound: float
    naive: float
    estimator: LossModel | None
    gain: float
    reliance: dict[str, float]


def judge(learner: Learner, course: Course, *, fit_rows: int | None, seed: int) -> Reference:
    """Train on the first three quarters of the training part, and judge on the last."""
    cases, until = learner.cases, int(course.trained_by[0])
    start = int(np.searchsorted(cases.micros, cases.micros[int(until * _SHARE)], side="left"))
    start = start if start >= until // 4 else int(until * _SHARE)
    rows = np.arange(start, until)
    model = learner.train(sample(np.arange(start), fit_rows))
    outputs = model.outputs(rows)
    raw = losses_of(cases, rows, outputs)
    bound = stated_bound(cases.metric, raw)
    losses, micros = np.minimum(raw, bound), cases.micros[rows]
    means, _, sizes = block_means(losses, micros, course.block)
    estimator = learn_loss(
        cases.task,
        cases.metric,
        cases.y[rows],
        outputs,
        micros,
        bound=bound,
        block=course.block,
        features=cases.x[rows],
        compared=np.array([name not in cases.clocks for name in cases.features], dtype=bool),
    )
    naive = float(np.minimum(losses_of(cases, rows, constant(cases, np.arange(start), len(rows))), bound).mean())
    return Reference(
        rows=rows,
        risk=block_bootstrap(means, sizes, level=LEVEL, seed=seed),
        bound=bound,
        naive=naive,
        estimator=estimator,
        gain=_gain(learner, losses, rows, start, until, bound, fit_rows),
        reliance=_reliance(cases, model, rows, bound, seed),
    )


def _gain(
    learner: Learner, losses: Floats, rows: Counts, start: int, until: int, bound: float, fit_rows: int | None
) -> float:
    """What more rows are worth: from every second training row to all of them, carried on along a root of their number.

    The ratio of the two steps hardly depends on the exponent of the learning curve (0.36 to 0.25 of the measured step
    for exponents 0.3 to 1, with a third more rows). Source: learning curves as power laws, Viering and Loog 2023.
    """
    judged, served = len(sample(np.arange(start), fit_rows)), len(sample(np.arange(until), fit_rows))
    half = sample(np.arange(start)[::2], fit_rows)
    if served <= judged or len(half) >= judged or not losses.any():
        return 0.0
    outputs = learner.train(half).outputs(rows)
    worse = float(np.minimum(losses_of(learner.cases, rows, outputs), bound).mean() / losses.mean()) - 1
    steps = (judged / len(half)) ** 0.5 - 1, 1 - (judged / served) ** 0.5
    return float(np.clip(worse * steps[1] / steps[0], 0.0, 0.5))


def constant(cases: Cases, trained: Counts, count: int) -> Floats:
    """The naive forecast: one figure (or the share of each class) learned from these rows, for so many rows."""
    y = cases.y[trained]
    if cases.task == "regression":
        return np.full(count, float(np.median(y) if metric_named(cases.metric).name == "mae" else y.mean()))
    if cases.task == "binary":
        return np.full(count, float(y.mean()))
    shares = np.bincount(y.astype(int), minlength=len(cases.classes)) / max(len(y), 1)
    return np.tile(shares, (count, 1))


def _reliance(cases: Cases, model: Trained, rows: Counts, bound: float, seed: int) -> dict[str, float]:
    """Permutation importance on rows that the model has not seen, as shares of their sum (Breiman 2001)."""
    rows = sample(rows, _SHUFFLED)
    order = np.random.default_rng(seed).permutation(len(rows))

    def loss(mixed: tuple[int, Counts] | None) -> float:
        return float(np.minimum(losses_of(cases, rows, model.outputs(rows, mixed)), bound).mean())

    whole = loss(None)
    lost = {name: max(loss((at, rows[order])) - whole, 0.0) for at, name in enumerate(cases.features)}
    total = sum(lost.values())
    return {name: one / total if total else 1 / len(lost) for name, one in lost.items()}
