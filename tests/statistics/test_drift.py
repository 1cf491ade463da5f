"""Drift: p-values, e-values, detectors. The false-alarm rate is held in tests/promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from solvent.statistics.drift import (
    LEAST_WINDOWS,
    average_evidence,
    conformal_p,
    detector_step,
    e_value,
    named_by_e_bh,
    pool_distances,
    predictive_p,
)


def test_an_e_value_of_a_uniform_p_is_one_on_average() -> None:
    assert quad(e_value, 0, 1, limit=500, points=[1e-9, 1e-6, 1e-3])[0] == pytest.approx(1.0, abs=0.06)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_smaller_p_is_no_less_evidence(p: float, q: float) -> None:
    assert e_value(min(p, q)) >= e_value(max(p, q)) - 1e-6


def test_the_window_that_differs_is_the_farthest_from_the_pool() -> None:
    windows = np.array([[50, 50, 0], [48, 52, 0], [51, 49, 0], [10, 30, 60]])
    assert int(np.argmax(pool_distances(windows, None))) == 3
    assert int(np.argmax(pool_distances(windows, np.ones(2)))) == 3


def test_ranks_have_no_power_with_few_windows_and_the_predictive_tail_has() -> None:
    distances = np.array([0.10, 0.12, 0.09, 0.11, 0.10, 5.0])
    assert conformal_p(distances) == pytest.approx(1 / 6)
    assert predictive_p(distances) < 0.001


def test_predictive_p_is_uniform_for_what_it_assumes() -> None:
    rng = np.random.default_rng(0)
    p = np.array([predictive_p(np.exp(row)) for row in rng.normal(size=(2000, LEAST_WINDOWS + 3))])
    for level in (0.01, 0.05, 0.2):
        assert (p <= level).mean() <= level + 4 * np.sqrt(level * (1 - level) / 2000)


def test_windows_that_are_all_alike_are_no_drift() -> None:
    assert predictive_p(np.zeros(8)) >= 0.4
    assert predictive_p(np.array([0.1] * 7 + [0.105])) > 0.2


def test_a_detector_grows_with_evidence_and_forgets_nothing_else() -> None:
    assert detector_step(0.0, 2.0) == 2.0 and detector_step(3.0, 0.5) == 2.0
    assert detector_step(1e300, 1e300) == 1e300


def test_the_average_weighs_features() -> None:
    assert average_evidence(np.array([10.0, 0.0]), np.array([1.0, 3.0])) == pytest.approx(2.5)
    assert average_evidence(np.array([]), np.array([])) == 0.0


def test_e_bh_names_the_strong_and_only_them() -> None:
    assert named_by_e_bh(np.array([0.5, 900.0, 3.0, 800.0]), np.ones(4, dtype=int)) == [1, 3]
    assert named_by_e_bh(np.array([0.5, 900.0, 3.0, 800.0]), np.array([1, 1, 1, 50])) == [1]
    assert named_by_e_bh(np.array([0.5, 1.0, 3.0]), np.ones(3, dtype=int)) == []


def test_few_of_the_named_are_named_wrongly() -> None:
    """One of ten features drifts; the others' detectors walk on under the null."""
    rng, wrong = np.random.default_rng(2), []
    for _ in range(200):
        evidence, steps = np.zeros(10), 30
        for _ in range(steps):
            evidence = (evidence + 1) * np.array([e_value(p) for p in rng.uniform(size=10)])
        evidence[0] = 5e4
        named = named_by_e_bh(evidence, np.full(10, steps))
        wrong.append(sum(at != 0 for at in named) / max(len(named), 1))
    assert np.mean(wrong) <= 0.1
