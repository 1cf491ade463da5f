"""Estimates that rise week by week are told before the loss is worse than tolerated; others are left alone."""

from __future__ import annotations

import polars as pl
import pytest

from model_lives import Life, reference, rows
from solvent.monitoring.reference import Reference

KIND = "estimate-trend"
WARMER = 0.08  # degrees a week


def hard(frame: pl.DataFrame) -> pl.DataFrame:
    """Warm hours are hard to foretell."""
    far = pl.col("output") + 4 * (pl.col("label") - pl.col("output"))
    return frame.with_columns(label=pl.when(pl.col("f_temp") > 18).then(far).otherwise(pl.col("label")))


@pytest.fixture(scope="module")
def held_to() -> Reference:
    return reference(20, frame=hard(rows(20, first=-20)))


def live(held_to: Reference, warmer: float, weeks: int) -> Life:
    life = Life(held_to)
    for week in range(weeks):
        life.live(week, hard(rows(1, first=week).with_columns(f_temp=pl.col("f_temp") + warmer * week)))
    return life


def test_rows_that_get_harder_week_by_week_are_told_once_and_before_their_labels_tell(held_to: Reference) -> None:
    lived = live(held_to, WARMER, 16).told
    (told,) = [entry for entry in lived if entry[1] == KIND]
    week, _, severity, title = told
    assert severity == "alert" and title.startswith("the estimated loss ") and "45.6 tolerated" in title
    assert 5 <= week < min(at for at, kind, *_ in lived if kind == "performance")


def test_rows_that_stay_as_they_are_are_left_alone(held_to: Reference) -> None:
    assert [entry for entry in live(held_to, 0.0, 24).told if entry[1] == KIND] == []
