"""A change of loss is laid to the inputs or to the relation, whichever it was."""

from __future__ import annotations

import numpy as np
import pytest

from solvent.statistics.decomposition import Parts, decompose


def changed(*, shift: float, concept: float, seed: int = 0, rows: int = 3000) -> Parts:
    """One input; the loss is its square, and `concept` more in the window. The true scores are known."""
    rng = np.random.default_rng(seed)
    before, after = rng.normal(size=rows), shift + rng.normal(size=rows)

    def score(x: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-(shift * x - shift**2 / 2))))

    losses = [x**2 + rng.exponential(size=rows) for x in (before, after)]
    blocks = np.arange(rows) // 30
    found = decompose(losses[0], losses[1] + concept, score(before), score(after), blocks, blocks)
    assert found is not None
    return found


def test_where_only_inputs_move_nothing_is_laid_to_the_relation() -> None:
    found = changed(shift=1.0, concept=0.0)
    assert found.covariate.value == pytest.approx(1.0, abs=0.15) and abs(found.concept.value) < 0.15
    assert found.concept.lower < 0 < found.concept.upper and found.covariate.lower > 0.5


def test_where_only_the_relation_moves_nothing_is_laid_to_the_inputs() -> None:
    found = changed(shift=0.0, concept=0.7)
    assert found.concept.lower > 0.5 and abs(found.covariate.value) < 0.1
    assert found.total.value == pytest.approx(found.covariate.value + found.concept.value)


def test_both_at_once_add_up_and_the_intervals_hold() -> None:
    found = [changed(shift=0.7, concept=0.5, seed=seed, rows=900) for seed in range(40)]
    assert np.mean([one.concept.lower <= 0.5 <= one.concept.upper for one in found]) >= 0.8
    assert np.mean([one.total.lower <= 0.7**2 + 0.5 <= one.total.upper for one in found]) >= 0.8


def test_worlds_without_a_common_input_cannot_be_compared() -> None:
    ones, blocks = np.ones(100), np.arange(100)
    assert decompose(ones, ones, np.zeros(100), ones, blocks, blocks) is None
    assert decompose(ones[:0], ones, ones[:0], ones, blocks[:0], blocks) is None


def test_one_block_has_no_interval() -> None:
    ones, half = np.ones(100), np.full(100, 0.5)
    found = decompose(ones, ones, half, half, np.zeros(100, dtype=int), np.arange(100))
    assert found is not None and found.total.upper == np.inf
