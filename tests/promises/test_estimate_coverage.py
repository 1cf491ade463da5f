"""The interval of a loss without labels covers the realised loss as often as it says, where only inputs move."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import beta

from solvent.statistics.blocks import DAY, HOUR
from solvent.statistics.estimation import learn_loss
from solvent.statistics.losses import row_loss

LIVES = 2000 if os.environ.get("SOLVENT_SOAK") else 150
DAYS, WEEK = 28, 168
Draw = Callable[[np.random.Generator, int, float], tuple[np.ndarray, np.ndarray]]


def binary(rng: np.random.Generator, rows: int, hard: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels and overconfident probabilities; the larger `hard`, the more rows are near one half."""
    truth = rng.beta(hard, hard, rows)
    label = (rng.uniform(size=rows) < truth).astype(float)
    return label, np.clip(0.5 + 1.3 * (truth - 0.5), 0.02, 0.98)


def regression(rng: np.random.Generator, rows: int, hard: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels whose spread grows with the output; the larger `hard`, the larger outputs are."""
    output = 10 * rng.beta(hard, 1.0, rows)
    return output + (0.5 + 0.1 * output) * rng.normal(size=rows), output


@pytest.mark.parametrize(
    ("draw", "task", "metric"), [(binary, "binary", "log_loss"), (regression, "regression", "mse")]
)
@pytest.mark.parametrize("shift", [1.0, 1.3])
def test_estimates_cover_what_is_realised(draw: Draw, task: str, metric: str, shift: float) -> None:
    rng = np.random.default_rng(12)
    hours = np.arange(24 * DAYS) * HOUR
    missed = 0
    for _ in range(LIVES):
        label, output = draw(rng, len(hours), 1.0)
        model = learn_loss(task, metric, label, output, hours, bound=50.0, block=DAY)
        assert model is not None
        new_label, new_output = draw(rng, WEEK, shift)
        found = model.estimate(new_output, hours[:WEEK], level=0.9).loss
        missed += not found.lower <= row_loss(metric, new_label, new_output).mean() <= found.upper
    assert float(beta.ppf(0.025, max(missed, 1), LIVES - missed + 1)) <= 0.1
