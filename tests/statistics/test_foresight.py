"""What to do now: on worlds that age as stated, and what a shadow is worth by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aging_worlds import aging
from solvent.statistics.foresight import Situation, advise
from solvent.statistics.foresight import _mean_excess as mean_excess
from solvent.statistics.loss_process import LEARNED

TICKS = 12


def situation(losses, tick, *, live=(0, 0), price=20.0, fit=1.0, made=None):
    """At a tick of a life of which everything up to then is known."""
    every = np.ones((tick + 1, 2), dtype=bool)
    rows = np.stack([1000 + 50 * np.arange(tick + 1), np.full(tick + 1, 1000)], axis=1)
    return Situation(
        tick=tick,
        live=live,
        losses=losses[: tick + 1, :, :tick],
        made=every if made is None else made,
        rows=rows,
        price=price,
        fit=fit,
        usual=100.0,
    )


def few(tick, *models):
    made = np.zeros((tick + 1, 2), dtype=bool)
    made[0] = True
    for model in models:
        made[model] = True
    return made


def test_the_faster_it_ages_the_more_a_retraining_saves():
    saves = [advise(situation(aging(TICKS, rate), TICKS), LEARNED).saves for rate in (0.0, 1.0, 3.0, 10.0)]
    assert saves == sorted(saves) and saves[0] < 0 < saves[-1]


def test_what_is_saved_is_close_to_the_truth_where_ageing_is_a_line():
    """Ten windows old at 5 a window: kept, the model loses 50 to 105 more than fresh; the truth of both best plans."""
    price, rate, horizon = 60.0, 5.0, 12

    def cost(start):
        """Of the cheapest plan for windows start … 11 that begins with a retraining."""
        if start == horizon:
            return 0.0
        options = [sum(rate * h for h in range(n)) + cost(start + n) for n in range(1, horizon - start + 1)]
        return price + min(options)

    keep = np.cumsum([rate * (10 + h) for h in range(horizon)])
    truth = min(keep[h] + cost(h + 1) for h in range(horizon)) - cost(0)
    found = advise(situation(aging(10, rate), 10, price=price), LEARNED)
    assert found.saves == pytest.approx(truth, rel=0.25)


def test_the_span_that_is_ahead_is_named():
    found = advise(situation(aging(TICKS, 5.0, better=20.0), TICKS), LEARNED)
    assert found.span == 1
    assert advise(situation(aging(TICKS, 5.0, better=-20.0), TICKS), LEARNED).span == 0


@given(st.integers(0, 50))
@settings(deadline=None, max_examples=10)
def test_where_nothing_ages_no_price_is_paid(seed):
    assert advise(situation(aging(TICKS, 0.0, seed=seed), TICKS), LEARNED).span is None


@given(st.integers(0, 50), st.sampled_from([1e-3, 7.0, 1e6]))
@settings(deadline=None, max_examples=10)
def test_units_do_not_matter(seed, unit):
    from msgspec.structs import replace

    one = situation(aging(TICKS, 3.0, seed=seed), 6, made=few(6, (3, 0)), fit=0.3)
    other = replace(one, losses=one.losses * unit, price=one.price * unit, fit=one.fit * unit, usual=100.0 * unit)
    first, second = advise(one, LEARNED), advise(other, LEARNED)
    assert (first.shadow, first.span) == (second.shadow, second.span)
    assert second.saves == pytest.approx(first.saves * unit)


def test_a_shadow_is_wanted_where_it_is_cheap_and_the_decision_open_and_never_where_it_is_dear():
    losses = aging(TICKS, 2.0, seed=1)
    asked = {fit: advise(situation(losses, 6, made=few(6), fit=fit), LEARNED).shadow for fit in (0.01, 1e4)}
    tick, span = asked[0.01]
    assert 0 < tick < 6 and span in (0, 1)
    assert asked[1e4] is None


def test_where_a_retraining_can_never_pay_nothing_is_spent():
    assert advise(situation(aging(TICKS, 2.0, seed=1), 6, made=few(6), price=1e6, fit=0.5), LEARNED).shadow is None


def test_models_that_were_not_trained_are_not_read():
    made = few(8, (3, 0), (5, 1))
    losses = aging(TICKS, 2.0, seed=2)
    broken = losses.copy()
    broken[:9][~made] = np.nan
    assert advise(situation(broken, 8, made=made), LEARNED) == advise(situation(losses, 8, made=made), LEARNED)


def test_before_any_window_is_known_the_prior_decides():
    early = Situation(2, (0, 0), np.zeros((3, 2, 0)), few(2), np.full((3, 2), 1000), 1e-3, 1.0, 100.0)
    assert advise(early, LEARNED).span is not None
    from msgspec.structs import replace

    assert advise(replace(early, price=1e4), LEARNED).span is None


@given(st.floats(0, 3), st.floats(0.01, 3))
@settings(deadline=None, max_examples=20)
def test_the_mean_positive_part_is_that_of_draws(behind, deviation):
    drawn = np.maximum(deviation * np.random.default_rng(0).standard_normal(200_000) - behind, 0)
    found = mean_excess(np.array([behind]), np.array([deviation]))[0]
    assert found == pytest.approx(drawn.mean(), abs=4 * drawn.std() / np.sqrt(len(drawn)) + 1e-5)
