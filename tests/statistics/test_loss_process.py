"""The process over loss matrices: against the textbook formula, and what it believes before and after looking."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.statistics.loss_process import LEARNED, SCALES, Entries, learn


def entries(cells):
    tick, span, window = np.array(cells, dtype=int).reshape(-1, 3).T
    return Entries(tick, span, window, np.log1p(0.1 * tick * (span != 1)))


NOTHING = entries([])
CELLS = [(0, 0, 0), (0, 0, 1), (0, 0, 2), (1, 0, 1), (1, 0, 2), (2, 1, 2), (0, -1, 1), (1, -1, 2)]


def covariance(a, b, scale, *, noisy):
    """Entry by entry, as the docstring of `Prior` has it."""
    p = LEARNED
    apart, age_a, age_b = abs(a[2] - b[2]), (a[2] - a[0]) ** p.power, (b[2] - b[0]) ** p.power
    found = p.trained * min(a[0], b[0]) + age_a * age_b * (p.age + p.age_now * np.exp(-apart / p.now_length))
    if a[1] == b[1]:
        found += p.standing + p.season * np.exp(-apart / p.season_length) + p.trained_span * min(a[0], b[0])
    if a[1] == b[1] == -1:
        found += age_a * age_b * p.ageing**2
    if a[0] == b[0] and (a[1] == b[1] or (a[0] == 0 and -1 not in (a[1], b[1]))):
        found += p.model
    found *= scale
    found += 4.0 + p.level * min(a[2], b[2]) + p.odd * (apart == 0)
    return found + scale * p.noise * (noisy and a == b)


def believed(cells, losses, ahead, scale):
    """Mean and covariance of what is ahead at one scale, by matrix inversion."""
    within = np.array([[covariance(a, b, scale, noisy=True) for b in cells] for a in cells]) + 1e-8 * np.eye(len(cells))
    across = np.array([[covariance(a, b, scale, noisy=False) for b in cells] for a in ahead])
    whole = np.array([[covariance(a, b, scale, noisy=False) for b in ahead] for a in ahead])

    def mean(of):
        age = np.array([window - tick for tick, _, window in of]) ** LEARNED.power
        return np.sqrt(scale) * LEARNED.ageing * age - LEARNED.rows * entries(of).log_rows

    gain = across @ np.linalg.inv(within)
    surprise = losses - mean(cells)
    evidence = -0.5 * surprise @ np.linalg.inv(within) @ surprise - 0.5 * np.linalg.slogdet(within)[1]
    return mean(ahead) + gain @ surprise, whole - gain @ across.T, evidence


@given(st.lists(st.floats(-1, 1), min_size=len(CELLS), max_size=len(CELLS)))
@settings(deadline=None, max_examples=20)
def test_it_is_the_posterior_of_the_stated_covariances(losses):
    ahead, further = [(0, 0, 3), (3, 1, 5), (3, -1, 4)], [(2, 0, 2), (1, 1, 1), (0, -1, 2)]
    found = learn(LEARNED, entries(CELLS), np.array(losses), entries(ahead), entries(further))
    told = [believed(CELLS, np.array(losses), ahead + further, scale) for scale in SCALES]
    evidence = np.array([one[2] for one in told])
    weights = np.exp(evidence - evidence.max()) / np.exp(evidence - evidence.max()).sum()
    assert found.weights == pytest.approx(weights, abs=1e-6)
    assert found.means == pytest.approx(np.array([one[0][:3] for one in told]), abs=1e-5)
    mixed = np.einsum("s,sab->ab", weights, np.array([one[1] for one in told]))
    noise = float(weights @ SCALES) * LEARNED.noise * np.eye(3)
    assert found.covariances == pytest.approx(mixed[:3, 3:], abs=1e-5)
    assert found.spread == pytest.approx(mixed[3:, 3:] + noise, abs=1e-5)


def test_before_any_loss_older_models_lose_more_and_more_rows_help():
    ahead = [(0, 1, 1), (0, 1, 4), (4, 1, 4), (4, 0, 4)]
    usual, older, fresh, fresh_on_all = learn(LEARNED, NOTHING, np.zeros(0), entries(ahead), NOTHING).expected()
    assert older > usual > fresh > fresh_on_all


@given(st.integers(0, 30), st.sampled_from([0.0, 0.3]))
@settings(deadline=None, max_examples=20)
def test_the_scale_follows_what_is_seen(seed, spread):
    """Models that differ by nothing are of the smallest scale, such that differ much are not."""
    cells = [(tick, span, window) for window in range(8) for tick in range(1, window + 1) for span in range(2)]
    losses = np.random.default_rng(seed).normal(0, spread, len(cells))
    weights = learn(LEARNED, entries(cells), losses, entries([(8, 0, 8)]), NOTHING).weights
    assert (weights[0] > 0.99) == (spread == 0.0)


def test_what_everyone_loses_in_a_hard_window_says_nothing_of_age():
    """Two models in four windows, the last one twice as hard: the difference foretold hardly moves."""
    cells = [(tick, 0, window) for window in range(2, 6) for tick in (0, 2)]
    ahead = entries([(0, 0, 6), (6, 0, 6)])
    calm = np.tile([0.1, 0.0], 4)
    hard = calm + np.repeat([0, 0, 0, np.log(2)], 2)
    differences = []
    for losses in (calm, hard):
        believed_now = learn(LEARNED, entries(cells), losses, ahead, NOTHING)
        differences.append(believed_now.weights @ (believed_now.means[:, 0] - believed_now.means[:, 1]))
    assert differences[1] == pytest.approx(differences[0], abs=0.02)
