"""Labels whose delay depends on what they say: corrected where that is known, else called provisional."""

from __future__ import annotations

import math

import numpy as np
import pytest

from solvent.statistics.arrival import learn_arrival, mean_of_partly_known
from solvent.statistics.blocks import DAY

LONGEST = 60 * DAY


def claims(rows: int, seed: int, *, blind: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Three in ten rows bring a claim, known after ten days on average; 'no claim' is known at forty to sixty."""
    rng = np.random.default_rng(seed)
    label = (rng.uniform(size=rows) < 0.3).astype(float)
    early = np.minimum(rng.exponential(10 * DAY, rows), LONGEST).astype(np.int64)
    late = rng.integers(20 * DAY, LONGEST, rows)
    return label, early if blind else np.where(label > 0.5, early, late)


def test_a_dependence_is_seen_and_only_where_it_is() -> None:
    label, delay = claims(2000, 0)
    old = np.full(2000, LONGEST)
    found = learn_arrival(label, delay, old)
    assert found is not None and found.depends
    known = found.completeness(np.array([1.0, 0.0]), np.array([10 * DAY, 10 * DAY]))
    assert known[0] == pytest.approx(1 - math.exp(-1), abs=0.05) and known[1] == 0
    label, delay = claims(2000, 1, blind=True)
    blind = learn_arrival(label, delay, old)
    assert blind is not None and not blind.depends


def test_young_rows_which_show_their_quick_labels_only_teach_nothing() -> None:
    label, delay = claims(4000, 2, blind=True)
    age = np.linspace(1, 4 * LONGEST, 4000).astype(np.int64)
    seen = delay <= age
    found = learn_arrival(label[seen], delay[seen], age[seen], horizon=LONGEST)
    assert found is not None
    assert found.completeness(np.zeros(1), np.array([10 * DAY]))[0] == pytest.approx(1 - math.exp(-1), abs=0.06)


def test_the_mean_of_an_unfinished_window_is_corrected() -> None:
    arrival = learn_arrival(*claims(3000, 3), np.full(3000, LONGEST))
    assert arrival is not None
    naive, corrected = [], []
    for seed in range(40):
        label, delay = claims(1000, 10 + seed)
        losses = np.where(label > 0.5, 2.0, 0.5)
        known = delay <= 40 * DAY
        age = np.full(1000, 40 * DAY)[known]
        found = mean_of_partly_known(losses[known], label[known], age, 1000, arrival)
        assert found.standing == "corrected" and found.rows < known.sum()
        naive.append(losses[known].mean() - losses.mean())
        corrected.append(found.value - losses.mean())
    assert np.mean(naive) > 0.1 and abs(np.mean(corrected)) < 0.02


def test_what_cannot_be_corrected_is_provisional() -> None:
    label, delay = claims(1000, 4)
    arrival = learn_arrival(label, delay, np.full(1000, LONGEST))
    early = delay <= 15 * DAY  # no 'no claim' can be known yet
    age = np.full(int(early.sum()), 15 * DAY)
    assert mean_of_partly_known(label[early], label[early], age, 1000, arrival).standing == "provisional"
    assert mean_of_partly_known(label[early], label[early], age, 1000, None).standing == "provisional"
    assert mean_of_partly_known(label, label, delay, 1000, None).standing == "complete"
    nothing = mean_of_partly_known(label[:0], label[:0], delay[:0], 10, arrival)
    assert math.isnan(nothing.value) and nothing.standing == "provisional"


def test_numbers_are_grouped_and_too_few_rows_teach_nothing() -> None:
    rng = np.random.default_rng(5)
    label = rng.normal(size=2000)
    delay = (DAY * (1 + 9 * (label > 0.6) + rng.uniform(size=2000))).astype(np.int64)
    found = learn_arrival(label, delay, np.full(2000, 20 * DAY))
    assert found is not None and found.depends and len(found.delays) == 4
    assert learn_arrival(label[:10], delay[:10], delay[:10]) is None
    assert learn_arrival(label[:0], delay[:0], delay[:0]) is None
