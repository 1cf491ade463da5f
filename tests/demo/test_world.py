"""What the worlds hand out, and above all what they do not: nothing from the future."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.demo.world import Bikes, Flights

BIKES = Bikes.load(broken=45)
FLIGHTS = Flights.load(seed=3)
worlds_and_weeks = st.sampled_from([BIKES, FLIGHTS]).flatmap(
    lambda world: st.tuples(st.just(world), st.integers(0, world.weeks - 1))
)


@settings(deadline=None, max_examples=40)
@given(worlds_and_weeks)
def test_nothing_is_handed_out_before_it_is_known(tmp_path_factory, drawn):
    world, week = drawn
    folder = tmp_path_factory.mktemp("delivered")
    assert pl.read_parquet(world.found(folder))["known_at"].max() <= world.start
    for path in world.deliver(folder, week):
        assert pl.read_parquet(path)["known_at"].max() <= world.end(week)
    outcomes = world.outcomes(week)
    assert outcomes["known_at"].is_between(world.begin(week), world.end(week), closed="right").all()
    assert outcomes["label"].null_count() == 0
    cases = world.cases(week)
    assert world.target not in cases.columns and "known_at" not in cases.columns
    assert cases[world.time].is_between(world.begin(week), world.end(week), closed="left").all()


@pytest.mark.parametrize("world", [BIKES, FLIGHTS], ids=lambda world: world.model)
def test_every_case_is_scored_once_and_no_outcome_comes_without_its_case(world):
    scored, known = set(), []
    for week in range(world.weeks):
        scored.update(world.cases(week)[world.id])
        fresh = world.outcomes(week)["prediction_id"].to_list()
        assert scored.issuperset(fresh)
        known += fresh
    assert len(known) == len(set(known))
    assert len(scored) == sum(world.cases(week).height for week in range(world.weeks))


def test_a_week_of_bikes_is_delivered_as_one_file_named_after_its_monday(tmp_path):
    (path,) = BIKES.deliver(tmp_path, 0)
    assert path.name == "2011-07-04.parquet"
    assert pl.read_parquet(path)["time"].max() == datetime(2011, 7, 10, 23, tzinfo=UTC)


def test_the_broken_week_is_spoilt_in_file_and_requests_and_corrected_two_weeks_later(tmp_path):
    (broken,) = BIKES.deliver(tmp_path, 45)
    spoilt = pl.read_parquet(broken)
    assert spoilt["humidity"].n_unique() == 1
    assert BIKES.cases(45)["humidity"].n_unique() == 1
    assert broken not in BIKES.deliver(tmp_path, 46)
    delivered = BIKES.deliver(tmp_path, 47)
    assert broken in delivered
    corrected = pl.read_parquet(broken)
    assert corrected["humidity"].n_unique() > 1
    assert spoilt["temp"].to_list() == pytest.approx((corrected["temp"] * 1.8 + 32).to_list(), rel=1e-5)


def test_the_hurricane_is_a_gap_of_hours_in_the_data_itself():
    week = (datetime(2012, 10, 29, tzinfo=UTC) - BIKES.start) // timedelta(weeks=1)
    assert BIKES.begin(week) == datetime(2012, 10, 29, tzinfo=UTC)
    assert BIKES.cases(week).height == 132  # of 168 hours


def test_both_worlds_live_for_as_long_as_they_were_asked():
    assert Bikes.load(weeks=3).weeks == 3
    assert BIKES.end(BIKES.weeks - 1) == datetime(2012, 12, 31, tzinfo=UTC)
    assert FLIGHTS.end(FLIGHTS.weeks - 1) == datetime(2013, 12, 30, tzinfo=UTC)
