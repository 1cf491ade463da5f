"""Rollback's test: which of two models is worse on the same rows."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from solvent.monitoring.paired import PairedState, begin_paired, paired_check
from solvent.statistics.blocks import HOUR

HOURS = np.arange(24 * 28) * HOUR


def losses(factor: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shared = rng.exponential(1.0, len(HOURS))
    return shared, factor * shared + 0.1 * rng.normal(size=len(HOURS))


def test_a_worse_model_is_found_within_days_and_a_better_one_too() -> None:
    old, new = losses(2.0, 0)
    _, verdict = paired_check(begin_paired(1.0), old[:168], new[:168], HOURS[:168])
    assert verdict.verdict == "worse" and verdict.difference.lower > 0.5 and verdict.alpha == 0.05
    assert paired_check(begin_paired(1.0), new, old, HOURS)[1].verdict == "better"


def test_equal_models_stay_open_and_a_margin_forgives() -> None:
    old, new = losses(1.0, 1)
    assert paired_check(begin_paired(1.0), old, new, HOURS)[1].verdict == "open"
    old, new = losses(1.1, 2)
    assert paired_check(begin_paired(1.0, margin=0.3), old, new, HOURS)[1].verdict != "worse"


def test_it_may_be_asked_every_day_with_rows_passed_again() -> None:
    old, new = losses(1.5, 3)
    whole, verdict = paired_check(begin_paired(1.0), old, new, HOURS)
    state = begin_paired(1.0)
    for day in range(1, 29):
        state, last = paired_check(state, old[: 24 * day], new[: 24 * day], HOURS[: 24 * day])
        state = msgspec.json.decode(msgspec.json.encode(state), type=PairedState)
    assert last.rows == verdict.rows == len(HOURS) and last.verdict == verdict.verdict
    assert state.worse.peak == pytest.approx(whole.worse.peak)


def test_no_pairs_are_no_evidence_and_nonsense_is_refused() -> None:
    nothing = np.full(3, np.nan)
    _, verdict = paired_check(begin_paired(1.0), nothing, nothing, HOURS[:3])
    assert verdict.verdict == "open" and verdict.rows == 0
    with pytest.raises(ValueError, match="positive usual loss"):
        begin_paired(0.0)
    with pytest.raises(ValueError, match="margin"):
        begin_paired(1.0, margin=2.0)
