"""The rates that monitoring promises, by simulation. SOLVENT_SOAK=1 draws twenty times as much.

An observed rate passes where the lower end of its 95% interval does not exceed the promise.
"""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import beta

from solvent.statistics.drift import LAG, average_evidence, detector_step, e_value, pool_distances, predictive_p
from solvent.statistics.profiles import bin_gaps, edges_of, histogram
from solvent.statistics.sequential import Bets, ChangeDetector, confidence_sequence

SOAK = 20 if os.environ.get("SOLVENT_SOAK") else 1
WINDOW, FEATURES, THRESHOLD = 168, 3, 104.0


def lowest(hits: int, trials: int) -> float:
    """Lower end of the 95% interval of a rate (Clopper and Pearson)."""
    return float(beta.ppf(0.025, hits, trials - hits + 1)) if hits else 0.0


def series(kind: str, rng: np.random.Generator, rows: int) -> np.ndarray:
    """One feature without drift."""
    noise = rng.normal(size=rows)
    match kind:
        case "autocorrelated":
            return np.asarray(lfilter([1], [1, -0.95], noise))
        case "seasonal":  # a cycle of thirteen windows that the reference has seen twice
            return noise + np.sin(np.arange(rows) / WINDOW / 13 * 2 * math.pi)
        case "long tailed":
            return np.exp(1.5 * noise)
        case _:
            return noise


def first_alarm(kind: str, rng: np.random.Generator, known: int, lived: int, shift: float = 0.0) -> int | None:
    """Windows until the drift alarm of a model with a few features, the first of which may shift."""
    detectors = []
    for feature in range(FEATURES):
        values = series(kind, rng, (known + lived) * WINDOW)
        reference = values[: known * WINDOW]
        edges, scale = edges_of(reference), float(reference.std())
        if feature == 0:
            values = np.concatenate([reference, values[known * WINDOW :] + shift * scale])
        windows = np.array([histogram(part, edges) for part in values.reshape(-1, WINDOW)])
        evidence, path = 0.0, []
        for at in range(known, known + lived):
            pool = windows[: max(known, at - LAG)]
            distances = pool_distances(np.vstack([pool, windows[at]]), bin_gaps(edges) / scale)
            evidence = detector_step(evidence, e_value(predictive_p(distances)))
            path.append(evidence)
        detectors.append(path)
    average = [average_evidence(np.array(at), np.ones(FEATURES)) for at in zip(*detectors, strict=True)]
    return next((at for at, evidence in enumerate(average) if evidence >= THRESHOLD), None)


@pytest.mark.parametrize(
    ("kind", "known"),
    [("independent", 4), ("independent", 12), ("autocorrelated", 8), ("seasonal", 26), ("long tailed", 8)],
)
def test_drift_alarms_no_more_often_than_promised_where_nothing_drifts(kind: str, known: int) -> None:
    rng, lived, lives = np.random.default_rng(7), 52, 12 * SOAK
    found = [first_alarm(kind, rng, known, lived) for _ in range(lives)]
    alarms = sum(at is not None for at in found)
    windows = sum(lived if at is None else at + 1 for at in found)
    assert lowest(alarms, windows) <= 1 / THRESHOLD


def test_a_shift_of_one_deviation_is_found_within_two_months() -> None:
    rng = np.random.default_rng(8)
    found = [first_alarm("independent", rng, 12, 8, shift=1.0) for _ in range(5 * SOAK)]
    assert sum(at is not None for at in found) >= 0.8 * len(found)


def draws(kind: str, rng: np.random.Generator, shape: tuple[int, int]) -> tuple[np.ndarray, float]:
    """Values in [0, 1] and their mean."""
    if kind == "rare":
        return (rng.random(shape) < 0.03).astype(float), 0.03
    if kind == "skewed":
        return rng.beta(0.5, 4.5, shape), 0.1
    return rng.uniform(size=shape), 0.5


@pytest.mark.parametrize("kind", ["even", "skewed", "rare"])
def test_confidence_sequences_hold_at_all_times_at_once(kind: str) -> None:
    values, mean = draws(kind, np.random.default_rng(9), (100 * SOAK, 200))
    missed = 0
    for row in values:
        lower, upper = confidence_sequence(row, level=0.9)
        missed += bool((lower > mean).any() or (upper < mean).any())
    assert lowest(missed, len(values)) <= 0.1


@pytest.mark.parametrize("kind", ["even", "skewed", "rare"])
def test_bets_against_the_truth_get_rich_no_more_often_than_promised(kind: str) -> None:
    values, mean = draws(kind, np.random.default_rng(10), (300 * SOAK, 300))
    rich = sum(Bets.against(mean).fed(row).peak >= 20 for row in values)
    assert lowest(rich, len(values)) <= 1 / 20


def test_change_detectors_run_as_long_as_promised_on_dependent_blocks_below_the_null() -> None:
    rng, threshold, blocks = np.random.default_rng(11), 200.0, 0
    alarms = 0
    for _ in range(15 * SOAK):
        noise = np.asarray(lfilter([1], [1, -0.2], rng.normal(size=600)))  # what block_length lets pass
        losses = np.exp(0.5 * noise)
        detector = ChangeDetector.against(1.1 * float(np.exp(0.125 / 0.96)), threshold=threshold).fed(losses)
        alarms += detector.alarm_at is not None
        blocks += detector.count
    assert lowest(alarms, blocks) <= 1 / threshold
