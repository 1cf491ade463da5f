"""The rates that monitoring promises, by simulation. SOLVENT_SOAK=1 draws twenty times as much.

An observed rate passes where its 95% interval does not exclude the promise; `make calibrate` draws more.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from calibration import (
    as_case,
    bets_that_got_rich,
    coverage,
    dates_that_held,
    drift_power,
    powered_that_held,
    quiet_drift,
    quiet_losses,
    quiet_table,
    quiet_trend,
    sequences_that_missed,
    shifted_windows,
    true_intervals_condemned,
)
from real_tables import bikes, flights

SOAK = 20 if os.environ.get("SOLVENT_SOAK") else 1


@pytest.mark.parametrize(
    ("kind", "known"),
    [("independent", 4), ("independent", 12), ("autocorrelated", 8), ("seasonal", 26), ("long tailed", 8)],
)
def test_drift_alarms_no_more_often_than_promised_where_nothing_drifts(kind: str, known: int) -> None:
    assert quiet_drift(kind, known, 12 * SOAK)[0].kept


def test_a_test_a_window_alarms_without_end_where_windows_differ_by_nature() -> None:
    ours, theirs = quiet_drift("autocorrelated", 8, 3, lived=8)
    assert theirs.hits / theirs.trials > 0.3 and ours.hits == 0


def test_a_real_table_shuffled_in_time_drifts_nowhere() -> None:
    x, _ = as_case(bikes(), "count", ("time",))
    assert quiet_table(x, seeds=SOAK, columns=4).kept


def test_a_shift_of_one_deviation_is_found_within_two_months() -> None:
    found = drift_power(1.0, 5 * SOAK)
    assert found.hits >= 0.8 * found.trials


@pytest.mark.parametrize("kind", ["even", "skewed", "rare"])
def test_confidence_sequences_hold_at_all_times_at_once(kind: str) -> None:
    assert sequences_that_missed(kind, 100 * SOAK).kept


@pytest.mark.parametrize("kind", ["even", "skewed", "rare"])
def test_bets_against_the_truth_get_rich_no_more_often_than_promised(kind: str) -> None:
    assert bets_that_got_rich(kind, 300 * SOAK).kept


def test_change_detectors_run_as_long_as_promised_on_dependent_blocks_below_the_null() -> None:
    assert quiet_losses(15 * SOAK).kept


@pytest.mark.parametrize("limit", [1.0, 3.0])
@pytest.mark.parametrize("kind", ["independent", "autocorrelated", "seasonal"])
def test_trends_warn_no_more_often_than_promised_where_nothing_lasts(kind: str, limit: float) -> None:
    assert quiet_trend(kind, 10 * SOAK, limit=limit).kept


@pytest.mark.parametrize("shared", [0.0, 0.5, 0.9])
def test_true_intervals_are_seldom_condemned(shared: float) -> None:
    assert true_intervals_condemned(shared, 100 * SOAK).kept


@pytest.mark.parametrize("lag", [0.0, 0.4])
@pytest.mark.parametrize("size", [1.0, 2.0])
def test_the_interval_of_a_date_holds_as_often_as_it_says(size: float, lag: float) -> None:
    assert dates_that_held(200 * SOAK, size=size, lag=lag).kept


@pytest.mark.parametrize("skill", [1.0, 0.0])
def test_the_interval_of_a_partly_labelled_window_holds(skill: float) -> None:
    assert powered_that_held(100 * SOAK, skill=skill).kept


@pytest.mark.parametrize("table", ["bikes", "flights"])
def test_estimates_cover_where_only_the_inputs_of_a_real_table_move(table: str) -> None:
    if table == "bikes":
        (x, y), task, metric = as_case(bikes().gather_every(2), "count", ("time",)), "regression", "mae"
    else:
        (x, y), task, metric = as_case(flights().drop_nulls("late"), "late", ("scheduled",)), "binary", "log_loss"
    told = [one for seed in range(2 * SOAK) for one in shifted_windows(x, y, task, metric, seed=seed, windows=6)]
    assert coverage(table, told).kept
    assert np.median([one.width for one in told]) < 0.25 and not any(one.abstained for one in told)
