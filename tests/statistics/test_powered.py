"""A few labels and many expected losses: nearer to the truth than either, with an interval that holds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from solvent.statistics.powered import powered_mean
from solvent.statistics.sequential import Interval

ROWS, LABELLED = 1500, 150


def drawn(seed: int, *, skill: float, bias: float = 0.3) -> tuple[Interval, Interval, float]:
    """The powered interval, that of the labels alone, and the window's true mean loss."""
    rng = np.random.default_rng(seed)
    expected = rng.exponential(size=ROWS)
    losses = skill * expected + bias + rng.normal(size=ROWS) * 0.3
    known = rng.permutation(ROWS) < LABELLED
    blocks = (np.arange(ROWS) // 50)[known]
    powered = powered_mean(losses[known], expected[known], expected[~known], blocks)
    alone = powered_mean(losses[known], np.zeros(LABELLED), np.zeros(ROWS - LABELLED), blocks)
    return powered, alone, float(losses.mean())


@pytest.mark.parametrize("skill", [1.0, 0.0])
def test_the_interval_holds_whatever_the_loss_model_is_worth(skill: float) -> None:
    held, widths = 0, []
    for seed in range(200):
        powered, alone, truth = drawn(seed, skill=skill)
        held += powered.lower <= truth <= powered.upper
        widths.append((powered.upper - powered.lower) / (alone.upper - alone.lower))
    assert held >= 170
    assert np.median(widths) < (0.45 if skill else 1.03)


def test_all_labels_are_the_plain_mean_with_no_doubt_left() -> None:
    losses = np.array([1.0, 2.0, 3.0, 6.0])
    found = powered_mean(losses, losses, losses[:0], np.arange(4))
    assert found.value == found.lower == found.upper == 3.0


def test_a_population_is_less_sure_than_its_window() -> None:
    rng = np.random.default_rng(1)
    losses, rest, blocks = rng.normal(size=80), rng.normal(size=80), np.arange(80)
    whole = powered_mean(losses, losses / 2, rest, blocks)
    population = powered_mean(losses, losses / 2, rest, blocks, whole=False)
    assert population.upper - population.lower > whole.upper - whole.lower


def test_too_few_labels_bound_nothing() -> None:
    one = powered_mean(np.ones(3), np.ones(3), np.ones(5), np.zeros(3, dtype=int))
    assert (one.value, one.lower, one.upper) == (1.0, -math.inf, math.inf)
    assert math.isnan(powered_mean(np.ones(0), np.ones(0), np.ones(5), np.zeros(0, dtype=int)).value)
