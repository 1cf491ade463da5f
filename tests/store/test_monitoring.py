import math

import pytest

from solvent.lineage.entities import Measurement, NodeKind
from solvent.store.facts.base import UnknownModel
from solvent.store.facts.monitoring import ClockWentBack
from store_samples import DAY, START, WEEK, add_version, alarm


def figure(name, week, value, **fields):
    start = START + week * WEEK
    made = {"model": "bikes", "number": 1, "name": name, "window_start": start, "window_end": start + WEEK}
    made |= {"value": value, "unit": "rentals", "measured_at": start + WEEK}
    return Measurement(**{**made, **fields})


@pytest.fixture
def bikes(facts):
    add_version(facts)
    return facts


def test_a_measurement_comes_back_whole(bikes):
    kept = figure("loss.realised", 0, 45.0, lower=40.0, upper=50.0, level=0.8, rows=168, slice="night", about={"a": 1})
    bikes.add_measurements([kept])
    assert bikes.measurements("bikes") == [kept]


def test_measurements_are_found_by_name_prefix_and_window(bikes):
    names = ["drift.temp", "drift.hum", "drifting", "loss.realised"]
    bikes.add_measurements([figure(name, week, 1.0) for week in range(3) for name in names])

    def found(**which):
        return [(m.name, (m.window_start - START) // WEEK) for m in bikes.measurements("bikes", **which)]

    assert found(names="drift.*", until=START + WEEK) == [("drift.hum", 0), ("drift.temp", 0)]
    assert found(names=["loss.realised"], since=START + WEEK) == [("loss.realised", 1), ("loss.realised", 2)]
    assert len(found(names=["drift.*", "loss.realised"])) == 9
    assert len(found()) == 12
    assert bikes.measurements("unknown") == []


def test_a_figure_measured_again_is_newer_and_the_older_one_kept(bikes, clock):
    bikes.add_measurements([figure("loss.realised", 0, 45.0)])
    clock.now += 30 * DAY
    late = figure("loss.realised", 0, 47.0, measured_at=START + 3 * WEEK)
    bikes.add_measurements([late, figure("loss.realised", 0, 50.0, number=2)])

    def values(**which):
        return [m.value for m in bikes.measurements("bikes", **which)]

    assert values() == [50.0, 47.0] or values() == [47.0, 50.0]
    assert len(values(latest=False)) == 3
    assert values(as_of=START + 2 * WEEK) == [45.0, 50.0]
    assert values(known_by=START + 29 * DAY) == [45.0]


def test_no_figure_and_not_a_number_are_one(bikes):
    bikes.add_measurements([figure("loss", 0, None), figure("loss", 1, math.nan, upper=math.inf)])
    assert [(m.value, m.upper) for m in bikes.measurements("bikes")] == [(None, None), (None, math.inf)]


def test_figures_of_an_unknown_model_are_refused_together(bikes):
    with pytest.raises(UnknownModel):
        bikes.add_measurements([figure("loss", 0, 1.0), figure("loss", 0, 1.0, model="trains")])
    assert bikes.measurements("bikes") == []


def test_an_alert_is_raised_once_and_hangs_below_its_version(bikes):
    first = alarm()
    assert bikes.add_alert(first) is True
    assert bikes.add_alert(alarm()) is False
    assert bikes.alerts() == [first]
    below = bikes.descendants(NodeKind.VERSION, "bikes/1")
    assert (NodeKind.ALERT, first.key) in {(node.kind, node.key) for node in below.nodes}


def test_alerts_are_listed_by_time_and_model(bikes):
    bikes.add_model("flights", {})
    later, sooner = alarm("b", START + DAY), alarm("a", START)
    other = alarm("c", START + 2 * DAY, model="flights", number=None)
    for raised in (later, sooner, other):
        bikes.add_alert(raised)
    assert bikes.alerts() == [sooner, later, other]
    assert bikes.alerts("bikes", since=START + DAY) == [later]


def test_a_tick_is_a_fact_when_it_ends_together_with_its_state(bikes):
    tick = bikes.start_tick("bikes", START, "p1")
    assert bikes.last_tick("bikes") is None
    bikes.end_tick(tick, states={"martingale": {"wealth": 1.5}})
    assert bikes.last_tick("bikes") == START
    assert bikes.state("bikes", "martingale") == {"wealth": 1.5}
    bikes.end_tick(tick, states={"martingale": {"wealth": 9.0}})
    assert bikes.state("bikes", "martingale") == {"wealth": 1.5}


def test_a_tick_before_the_last_one_is_refused(bikes):
    bikes.end_tick(bikes.start_tick("bikes", START + DAY, "p1"))
    bikes.start_tick("bikes", START + DAY, "p1")
    with pytest.raises(ClockWentBack, match="2012-01-02T00:00:00Z, after 2012-01-01T00:00:00Z"):
        bikes.start_tick("bikes", START, "p1")


def test_state_is_asked_as_it_was_before_an_instant(bikes):
    for day in range(3):
        bikes.set_state("bikes", "seen", [day], START + day * DAY)
    assert bikes.state("bikes", "seen") == [2]
    assert bikes.state("bikes", "seen", before=START + DAY) == [0]
    assert bikes.state("bikes", "seen", before=START) is None
    assert bikes.state("bikes", "other") is None
