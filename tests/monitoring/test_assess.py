"""A week's assessment: quiet when all is well, and one alert per cause and episode when it is not."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from model_lives import NO_CYCLE, SIGNATURE, START, Life, reference, rows, window
from solvent.monitoring.assess import assess_window, begin_version, build_reference, update_realised
from solvent.monitoring.cause import Fresh
from solvent.monitoring.reference import Reference
from solvent.monitoring.settings import MonitorSettings
from solvent.monitoring.state import encode_state


@pytest.fixture(scope="module")
def held_to() -> Reference:
    return reference()


@pytest.fixture
def life(held_to: Reference) -> Life:
    return Life(held_to)


def worse(frame: pl.DataFrame, factor: float) -> pl.DataFrame:
    return frame.with_columns(label=pl.col("output") + factor * (pl.col("label") - pl.col("output")))


def test_quiet_weeks_are_measured_and_raise_nothing(life: Life) -> None:
    for week in range(12):
        found = life.live(week, rows(1, first=week))
    assert life.alerts == []
    by_name = {m.name: m for m in found.measurements}
    loss, estimate = by_name["loss.realised"], by_name["loss.estimated"]
    assert loss.lower is not None and loss.value is not None and loss.upper is not None
    assert loss.lower < loss.value < loss.upper and loss.value == pytest.approx(20, rel=0.2)
    assert estimate.value == pytest.approx(20, rel=0.2) and estimate.about["assumes"]
    assert by_name["volume"].value == 168 and by_name["labelled"].value == 1.0
    assert by_name["drift.temp"].about["missing_change"] == 0 and 0 < by_name["drift.temp"].about["ks"] < 0.3
    assert by_name["drift.temp"].unit == "sd" and "drift.hour" not in by_name


def test_a_broken_week_is_named_once_and_is_no_drift(life: Life) -> None:
    for week in range(6):
        frame = rows(1, first=week)
        if week in (2, 3):
            frame = frame.with_columns(f_temp=pl.col("f_temp") * 1000)
        found = life.live(week, frame)
        assert bool(found.broken) == (week in (2, 3))
    assert life.alerts == [(2, "contract")]
    assert "temp looks multiplied by 1000" in life.told[0][3]


def test_a_drift_of_inputs_is_named_with_its_feature_and_effect(life: Life) -> None:
    for week in range(14):
        frame = rows(1, first=week)
        if week >= 4:
            frame = frame.with_columns(f_temp=pl.col("f_temp") + 10)
        life.live(week, frame)
    (told,) = [entry for entry in life.told if entry[1] == "drift"]
    assert 4 <= told[0] <= 8 and "temp by" in told[3]
    assert told[2] == "note" and "it does not hurt: rmse" in told[3] and life.alerts == []


def test_a_drift_to_harder_rows_is_an_alert_with_what_it_costs() -> None:
    def hard(frame: pl.DataFrame) -> pl.DataFrame:
        far = pl.col("output") + 4 * (pl.col("label") - pl.col("output"))
        return frame.with_columns(label=pl.when(pl.col("f_temp") > 18).then(far).otherwise(pl.col("label")))

    life = Life(reference(20, frame=hard(rows(20, first=-20))))
    for week in range(8):
        frame = rows(1, first=week)
        life.live(week, hard(frame.with_columns(f_temp=pl.col("f_temp") + (4 if week >= 2 else 0))))
    drift = next(entry for entry in life.told if entry[1] == "drift")
    assert drift[2] == "alert" and "hurts: rmse" in drift[3] and "tolerated" in drift[3]


def test_before_a_cycle_is_known_drift_is_a_season_and_a_note(held_to: Reference) -> None:
    life = Life(held_to, MonitorSettings())
    for week in range(12):
        life.live(week, rows(1, first=week).with_columns(f_temp=pl.col("f_temp") + (10 if week >= 4 else 0)))
    assert life.alerts == [] and [kind for _, kind, severity, _ in life.told if severity == "note"] == ["unseen-season"]


def test_a_model_that_loses_its_edge_is_told_once_and_dated(life: Life) -> None:
    for week in range(14):
        life.live(week, worse(rows(1, first=week), 1.8 if week >= 4 else 1.0))
    (alarm,) = [entry for entry in life.told if entry[1] == "performance"]
    assert 4 <= alarm[0] <= 8 and "rmse" in alarm[3] and "the relation of inputs to label has changed" in alarm[3]
    running = [m for found in life.learned for m in found.measurements if m.name == "loss.running"]
    assert all(m.lower <= m.value <= m.upper for m in running if m.lower is not None and m.upper is not None)
    assert "since 29 Jan 2024" in alarm[3] or "since 28 Jan 2024" in alarm[3]


def test_recovery_is_noted_and_a_second_episode_told_again(life: Life) -> None:
    for week in range(26):
        life.live(week, worse(rows(1, first=week), 2.0 if week in (4, 5, 6, 7) or week >= 14 else 1.0))
    kinds = [kind for _, kind, _, _ in life.told if kind in ("performance", "recovered")]
    assert kinds == ["performance", "recovered", "performance"]


def test_a_loss_that_a_fresh_model_shares_is_seasonal(held_to: Reference) -> None:
    state, told = begin_version(None, held_to, 1), []
    for week in range(8):
        at = window(week)
        found = update_realised(
            worse(rows(1, first=week), 2.0),
            held_to,
            state,
            model="demand",
            number=1,
            window=at,
            now=at.end,
            settings=NO_CYCLE,
            fresh=Fresh(live=1600.0, fresh=1500.0),
        )
        state = found.state
        told += [(draft.kind, draft.cause["kind"]) for draft in found.alert_drafts]
    assert set(told) == {("worse", "seasonal"), ("performance", "seasonal")} and len(told) == 2


def test_a_gap_and_the_shock_behind_it_are_named_and_nothing_else(life: Life) -> None:
    for week in range(10):
        frame = rows(1, first=week)
        if week == 6:
            hour = pl.int_range(168)
            frame = frame.with_columns(
                label=pl.when(hour.is_between(70, 86)).then(pl.col("output") * 0.2).otherwise(pl.col("label"))
            ).filter(~hour.is_between(30, 69))
        life.live(week, frame)
    assert life.alerts == [(6, "gap"), (6, "shock")]
    titles = [title for *_, title in life.told]
    assert "40 hours missing" in titles[0] and "below what is usual" in titles[1]


def test_labels_that_come_late_are_each_taken_once(held_to: Reference) -> None:
    frame = rows(1, first=0)
    late = frame.with_columns(known_at=pl.col("event_time") + pl.duration(days=10))
    common = {"model": "demand", "number": 1, "settings": NO_CYCLE, "window": window(0)}
    state = begin_version(None, held_to, 1)
    for days in (7, 12, 14, 30, 40):
        now = START + timedelta(days=days)
        known = late.with_columns(label=pl.when(pl.col("known_at") <= now.replace(tzinfo=None)).then(pl.col("label")))
        state = update_realised(known, held_to, state, now=now, **common).state
    assert held_to.risk is not None and state.performance.detector is not None
    blocks = {int(at) // held_to.risk.block for at in frame["event_time"].to_physical()}
    assert state.performance.detector.count == len(blocks)


def test_a_window_with_a_few_labels_has_a_figure_between_estimate_and_truth(held_to: Reference) -> None:
    at, frame = window(0), worse(rows(1), 2.0)
    few = frame.with_columns(label=pl.when(pl.int_range(168) % 3 == 0).then(pl.col("label")))
    found = assess_window(few, held_to, None, model="demand", number=1, window=at, now=at.end, settings=NO_CYCLE)
    told = {m.name: m for m in found.measurements}
    powered, realised = told["loss.powered"], told["loss.realised"]
    assert powered.lower is not None and powered.upper is not None and powered.lower < 40 < powered.upper
    assert realised.about["provisional"] and powered.about["labelled"] == pytest.approx(1 / 3)
    whole = assess_window(frame, held_to, None, model="demand", number=1, window=at, now=at.end, settings=NO_CYCLE)
    names = {m.name: m for m in whole.measurements}
    assert "loss.powered" not in names and not names["loss.realised"].about["provisional"]


def test_what_is_carried_is_not_changed_in_place_and_a_call_repeated_says_the_same(held_to: Reference) -> None:
    state = begin_version(None, held_to, 1)
    before = encode_state(state)
    at = window(0)
    common = {"model": "demand", "number": 1, "window": at, "now": at.end, "settings": NO_CYCLE}
    first = assess_window(rows(1), held_to, state, **common)
    again = assess_window(rows(1), held_to, state, **common)
    assert encode_state(state) == before
    assert first.measurements == again.measurements and encode_state(first.state) == encode_state(again.state)


def test_a_new_version_keeps_what_is_known_of_features_and_begins_its_losses_anew(life: Life) -> None:
    for week in range(8):
        life.live(week, worse(rows(1, first=week), 2.0))
    assert life.state is not None and life.state.performance.alarmed
    new = begin_version(life.state, reference(), 2)
    assert not new.performance.alarmed and new.performance.detector is None
    kept = life.state.drift.tracks["temp"]
    assert len(new.drift.tracks["temp"].counts) == len(kept.counts) + len(kept.waiting)
    assert begin_version(new, reference(), 2) is new


def test_inputs_outside_the_reference_are_not_guessed_about(held_to: Reference) -> None:
    frame = rows(1).with_columns(f_temp=pl.col("f_temp") + 30)
    at = window(0)
    found = assess_window(frame, held_to, None, model="demand", number=1, window=at, now=at.end, settings=NO_CYCLE)
    (estimate,) = [m for m in found.measurements if m.name == "loss.estimated"]
    assert estimate.value is None and "outside" in estimate.about["abstains"]


@pytest.mark.parametrize(
    "frame",
    [
        rows(1).head(0),
        pl.DataFrame(),
        rows(1).head(1),
        rows(1).with_columns(label=pl.lit(None, dtype=pl.Float64)),
        rows(1).with_columns(output=pl.lit(5.0)),
        rows(1).with_columns(f_temp=pl.lit(None, dtype=pl.Float64)),
        rows(1).with_columns(f_temp=pl.lit(math.inf), output=pl.lit(math.nan)),
        rows(1).drop("f_kind"),
        rows(1).with_columns(pl.col("event_time").dt.replace_time_zone("UTC")),
        pl.concat([rows(1), rows(1)]),
    ],
    ids=[
        "no rows",
        "nothing",
        "one row",
        "no label",
        "constant output",
        "missing",
        "infinite",
        "no column",
        "zone",
        "twice",
    ],
)
def test_degenerate_windows_have_an_assessment(life: Life, frame: pl.DataFrame) -> None:
    life.live(0, rows(1))
    life.live(1, frame)
    life.live(2, rows(1, first=2))
    assert all(m.value is None or math.isfinite(m.value) for a in life.assessments for m in a.measurements)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_and_text_features_have_a_reference(label: float) -> None:
    rng = np.random.default_rng(0)
    frame = rows(5).with_columns(output=pl.Series(rng.uniform(size=5 * 168)), label=pl.lit(label))
    signature = {**SIGNATURE, "task": "binary", "metric": "log_loss", "target": "late"}
    held = build_reference(frame, signature)
    assert held.risk is not None and held.risk.label_mean == label
    with pytest.raises(ValueError, match="needs evaluation rows"):
        build_reference(frame.head(0), signature)


def test_a_reference_without_labels_has_no_risk_and_windows_are_still_watched() -> None:
    held = build_reference(rows(5, first=-5).with_columns(label=pl.lit(None, dtype=pl.Float64)), SIGNATURE)
    life = Life(held)
    found = life.live(0, rows(1))
    assert held.risk is None and {m.name for m in found.measurements} >= {"volume", "drift.temp", "loss.realised"}


def test_a_gap_that_reaches_into_the_next_window_is_one_gap(life: Life) -> None:
    hour = pl.int_range(168)
    life.live(0, rows(1).filter(hour < 120))
    life.live(1, rows(1, first=1).filter(hour >= 24))
    assert life.alerts == [(0, "gap")]
    assert life.state is not None
    (gap,) = [span for span in life.state.spans if span.kind == "gap"]
    assert (gap.end - gap.start) / 3.6e9 == 73


def test_the_silence_before_a_models_first_row_is_no_gap(life: Life) -> None:
    life.live(3, rows(1, first=3).filter(pl.int_range(168) >= 100))
    assert "gap" not in {kind for _, kind in life.alerts}


def test_a_thin_window_without_a_gap_is_few_rows(life: Life) -> None:
    for week in range(3):
        life.live(week, rows(1, first=week).filter(pl.int_range(168) % 3 == 0) if week else rows(1))
    assert life.alerts == [(1, "volume")]
    assert "unusually few rows: 56 where 168 are usual" in life.told[0][3]


def test_an_alert_freezes_the_reference_until_usual_windows_return(life: Life) -> None:
    drifted = {week: rows(1, first=week).with_columns(f_temp=pl.col("f_temp") + 14) for week in range(4, 12)}
    lengths = []
    for week in range(16):
        life.live(week, drifted.get(week, rows(1, first=week)))
        assert life.state is not None
        track = life.state.drift.tracks["temp"]
        lengths.append((life.state.drift.frozen, len(track.counts) + len(track.waiting)))
    frozen = [week for week, (is_frozen, _) in enumerate(lengths) if is_frozen]
    assert frozen and frozen[-1] == 12 and len({length for is_frozen, length in lengths if is_frozen}) == 1
    assert not lengths[13][0] and lengths[15][1] > lengths[12][1]


def test_what_one_reference_showed_to_follow_the_calendar_is_watched_by_no_later_one() -> None:
    def with_season(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(f_season=pl.col("event_time").dt.quarter().cast(pl.String))

    signature = {**SIGNATURE, "features": {**SIGNATURE["features"], "season": "String"}}
    long = build_reference(with_season(rows(40, first=-40)), signature)
    short = build_reference(with_season(rows(4, first=2)), signature)
    assert "season" not in long.tracks and "season" in short.tracks
    assert "season" not in begin_version(begin_version(None, long, 1), short, 2).drift.tracks
