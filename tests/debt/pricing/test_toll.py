"""What a ledger saw, against closed forms and against simulated runs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.debt.finding import Finding, Place
from solvent.debt.pricing.assumptions import Chance, Spread
from solvent.debt.pricing.churn import Exposure
from solvent.debt.pricing.price import History, Prices
from solvent.debt.pricing.toll import WEIGHT, Toll, with_costs, with_events
from solvent.debt.rules.base import all_rules

RULES = {rule.code: rule for rule in all_rules()}
RUNS = next(code for code, rule in RULES.items() if rule.driver == "R" and rule.severity == "W")
RATE = {"a.py": Exposure(90, 3)}


def median(spread):
    return math.sqrt(spread.low * spread.high)


@given(st.floats(0.01, 0.9), st.integers(0, 500), st.data())
def test_a_chance_moves_from_what_is_assumed_to_what_was_seen(mean, events, data):
    paid = data.draw(st.integers(0, events))
    found = with_events(Chance(mean, 10), paid, events)
    seen = paid / events if events else mean
    assert min(mean, seen) - 1e-9 <= found.mean <= max(mean, seen) + 1e-9
    assert found.weight == 10 + events


def test_a_chance_is_learnt():
    events = np.random.default_rng(3).random(20_000) < 0.31
    assert with_events(Chance(0.07, 10), int(events.sum()), len(events)).mean == pytest.approx(0.31, abs=0.01)


@given(st.lists(st.floats(1, 480), max_size=50))
def test_a_cost_moves_from_what_is_assumed_to_what_was_seen_and_stays_as_wide(minutes):
    prior = Spread(11.25, 180.0)
    found = with_costs(prior, minutes)
    seen = math.exp(sum(map(math.log, minutes)) / len(minutes)) if minutes else 45.0
    assert min(45.0, seen) * 0.999 <= median(found) <= max(45.0, seen) * 1.001
    assert found.high / found.low == pytest.approx(prior.high / prior.low)
    if len(minutes) == WEIGHT:
        assert median(found) == pytest.approx(math.sqrt(45.0 * seen))


def interest(*tolls, count=1, code=RUNS):
    finding = Finding(rule=code, severity=RULES[code].severity, place=Place("a.py", 0, 1, 1), joined=1)
    history = History(runs=RATE, evaluations=RATE, tolls=dict(tolls))
    return Prices([finding] * count, RULES, history).price(0)


def test_runs_that_cost_nothing_make_interest_smaller_and_runs_that_fail_make_it_larger():
    assumed, fine = interest(), interest(("a.py", Toll(300, 0)))
    failing, slow = interest(("a.py", Toll(300, 90))), interest(("a.py", Toll(300, 90, (400.0,) * 90)))
    assert fine.interest.mean < 0.2 * assumed.interest.mean
    assert failing.interest.mean > 2 * assumed.interest.mean
    assert slow.interest.mean > 2 * failing.interest.mean
    assert {one.basis for one in (assumed, fine, failing, slow)} == {"ledger"}


def test_findings_of_one_file_share_what_its_runs_did_cost():
    one, two = interest(("a.py", Toll(3000, 900))), interest(("a.py", Toll(3000, 900)), count=2)
    assert two.interest.mean == pytest.approx(one.interest.mean / 2, rel=0.05)


def test_other_files_and_other_drivers_are_not_touched():
    assert interest(("b.py", Toll(300, 90))) == interest()
    evaluated = next(code for code, rule in RULES.items() if rule.driver == "V")
    assert interest(("a.py", Toll(300, 90)), code=evaluated) == interest(code=evaluated)
