"""An estimator is condemned for its errors, not for an error that all of its windows share."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from solvent.statistics.selfscoring import intervals_failed

REACH = float(ndtri(0.95))  # of a 90% interval, in deviations


def condemned(errors: np.ndarray) -> bool:
    """Whether any look, one after each window, condemns the estimator."""
    reach = np.full(len(errors), REACH)
    return any(intervals_failed(-reach[:n], reach[:n], errors[:n], level=0.9) for n in range(1, len(errors) + 1))


def lives(shared: float, count: int = 150, windows: int = 40) -> list[np.ndarray]:
    """Errors of deviation 1, of whose variance such a share is common to all windows of a life."""
    rng = np.random.default_rng(3)
    own = [rng.normal(size=windows) * np.sqrt(1 - shared) for _ in range(count)]
    return [errors + rng.normal() * np.sqrt(shared) for errors in own]


@pytest.mark.parametrize("shared", [0.0, 0.5, 0.9])
def test_true_intervals_are_seldom_condemned_however_windows_depend_on_each_other(shared: float) -> None:
    assert np.mean([condemned(errors) for errors in lives(shared)]) < 0.06


def test_a_relation_that_moves_and_intervals_that_are_too_narrow_are_condemned() -> None:
    moving = [errors + 0.3 * np.arange(40) for errors in lives(0.5)]
    assert np.mean([condemned(errors) for errors in moving]) > 0.95
    assert np.mean([condemned(3 * errors) for errors in lives(0.0)]) > 0.95


def test_windows_without_an_end_say_nothing() -> None:
    assert not intervals_failed(np.zeros(3), np.full(3, np.inf), np.full(3, 9.0), level=0.9)
    assert not intervals_failed(np.zeros(0), np.zeros(0), np.zeros(0), level=0.9)


def test_one_shock_condemns_nobody() -> None:
    assert not condemned(np.where(np.arange(20) == 5, 50.0, 0.1))
