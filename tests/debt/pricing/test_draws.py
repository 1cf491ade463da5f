"""Draws against their closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from solvent.debt.pricing.assumptions import CHANCE, PRINCIPAL, Chance, Spread
from solvent.debt.pricing.churn import exposure
from solvent.debt.pricing.draws import NUMBER, Range, beta, log_normal, rate, stream

MONTH = 365.25 / 12 * 86_400


@given(st.floats(0.1, 1e4), st.floats(1.1, 50))
def test_a_tenth_lies_below_and_a_tenth_above_the_spread(low, factor):
    draws = log_normal(Spread(low, low * factor), stream(1, "x"))
    assert np.mean(draws < low) == pytest.approx(0.1, abs=0.02)
    assert np.mean(draws > low * factor) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("chance", CHANCE.values())
def test_chances_have_their_mean_and_weight(chance):
    draws = beta(chance, stream(3, "chance"))
    wanted = stats.beta(chance.mean * chance.weight, (1 - chance.mean) * chance.weight)
    assert draws.mean() == pytest.approx(wanted.mean(), abs=4 * wanted.std() / NUMBER**0.5)
    assert draws.std() == pytest.approx(wanted.std(), rel=0.1)


@given(st.floats(0, 200), st.floats(0.1, 50))
def test_a_rate_is_the_posterior_of_counted_events(events, months):
    wanted = stats.gamma(events + 0.5, scale=1 / months)
    error = 5 * wanted.std() / NUMBER**0.5
    assert rate(events, months, stream(5, "n")).mean() == pytest.approx(wanted.mean(), abs=error)


def test_streams_depend_on_their_names_alone():
    first = log_normal(PRINCIPAL["a"], stream(0, "DAT101", "principal"))
    assert np.array_equal(first, log_normal(PRINCIPAL["a"], stream(0, "DAT101", "principal")))
    assert not np.array_equal(first, log_normal(PRINCIPAL["a"], stream(0, "DAT102", "principal")))
    assert not np.array_equal(first, log_normal(PRINCIPAL["a"], stream(1, "DAT101", "principal")))


def test_impossible_rates_are_refused():
    for events, months in ((-1, 1), (1, 0)):
        with pytest.raises(ValueError, match="a rate needs"):
            rate(events, months, stream(0))


def test_means_add_up():
    left, right = log_normal(Spread(1, 9), stream(0, "a")), beta(Chance(0.2, 10), stream(0, "b"))
    assert Range.of(left).mean + Range.of(right).mean == pytest.approx(Range.of(left + right).mean)


def test_steady_commits_have_their_rate_and_old_ones_weigh_little():
    now = 1000 * MONTH
    monthly = [now - (month + 0.5) * MONTH for month in range(24)]
    seen = exposure(monthly, now - 24 * MONTH, now)
    assert seen.events / seen.months == pytest.approx(1.0, rel=0.02)
    assert seen.months == pytest.approx((1 - 2**-4) * 6 / np.log(2))
    old = exposure([now - 24 * MONTH], now - 25 * MONTH, now)
    assert old.events == pytest.approx(2**-4)


def test_a_history_of_hours_tells_nothing():
    assert exposure([0.0], 0.0, 3600.0) is None
