"""Policies in replay: they see the past, all of it, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.statistics.replay import (
    Shadows,
    as_cara,
    as_schedule,
    comparing,
    looking_ahead,
    on_drift,
    on_excess,
    on_forecast,
    on_performance,
    on_schedule,
    replay,
)

TICKS, SPANS, PER_WINDOW = 14, 2, 5
WINDOW_OF = np.repeat(np.arange(TICKS), PER_WINDOW)
SIZES = np.full(len(WINDOW_OF), 10)
ROWS = np.stack([np.arange(100, 100 + 10 * TICKS, 10), np.full(TICKS, 100)], axis=1)
POLICIES = {
    "excess": comparing(on_excess()),
    "ahead": looking_ahead(),
    "cara": comparing(as_cara()),
    "forecast": comparing(on_forecast()),
    "performance": on_performance(0, 1.0, run_length=50),
    "schedule": on_schedule(3, 1),
    "drift": on_drift(0),
}

COMPARING = ["excess", "ahead", "forecast"]


def losses(seed, rate=0.1):
    """Blocks of ten rows; every window of age adds `rate` to a row's loss of about 1."""
    rng = np.random.default_rng(seed)
    age = np.maximum(WINDOW_OF[None, :] - np.arange(TICKS)[:, None], 0)
    grown = 10 * (1 + rate * age)[:, None, :] + rng.normal(0, 0.5, (TICKS, SPANS, len(WINDOW_OF)))
    grown[(WINDOW_OF[None, :] < np.arange(TICKS)[:, None]).repeat(SPANS, 0).reshape(TICKS, SPANS, -1)] = np.nan
    return grown


def life(policy, matrix, delay=0, price=20.0, drifted=None, aged=(), stride=1):
    known = np.maximum(np.arange(TICKS) - delay, 0)
    drifted = drifted if drifted is not None else [window % 5 == 4 for window in range(TICKS)]
    return replay(
        POLICIES.get(policy, policy),
        matrix,
        WINDOW_OF,
        SIZES,
        known,
        price=price,
        rows=ROWS,
        fit=min(0.25, price / 4),
        usual=50.0,
        stride=stride,
        drifted=drifted,
        aged=aged,
    )


def lived(policy, matrix, **asked):
    return life(policy, matrix, **asked).retrained


@pytest.mark.parametrize("policy", POLICIES)
@given(st.integers(0, 100), st.integers(0, 3), st.integers(2, TICKS - 1), st.floats(-5, 50))
@settings(deadline=None, max_examples=12)
def test_the_future_changes_no_earlier_decision(policy, seed, delay, tick, shift):
    """What is known at a tick: losses of windows labelled by then, under models made by then, and drift of the past."""
    before = losses(seed)
    after = before.copy()
    after[:, :, (WINDOW_OF + delay) >= tick] += shift
    after[tick + 1 :] *= 3
    drifted = [window % 5 == 4 for window in range(TICKS)]
    other = [*drifted[:tick], *(not flag for flag in drifted[tick:])]

    def until(found):
        return [one for one in found.retrained if one.tick <= tick]

    assert until(life(policy, before, delay)) == until(life(policy, after, delay, drifted=other))


@pytest.mark.parametrize("policy", COMPARING)
def test_what_is_known_does_change_decisions(policy):
    quiet, loud = lived(policy, losses(1, rate=0.0)), lived(policy, losses(1, rate=0.3))
    assert len(quiet) <= 1 and len(loud) >= 3


def test_late_labels_make_later_decisions():
    at_once, late = (lived("excess", losses(2, rate=0.3), delay=delay)[0].tick for delay in (0, 3))
    assert late == at_once + 3


@pytest.mark.parametrize("policy", POLICIES)
def test_a_model_that_was_not_trained_is_not_read(policy):
    """Other losses of every model that was neither served nor a shadow: the same life."""
    before = losses(6, rate=0.2)
    first = life(policy, before)
    after = 7 * before
    for model in [(0, 0), (0, 1), *first.shadows, *as_schedule(first.retrained)]:
        after[model] = before[model]
    assert life(policy, after) == first


def test_whoever_compares_pays_for_every_model_but_those_in_service():
    found = life("excess", losses(7, rate=0.3))
    models = {(tick, span) for tick in range(1, TICKS) for span in range(SPANS)}
    assert {*found.shadows} == models - {*as_schedule(found.retrained)}
    assert len(found.shadows) == len({*found.shadows}) and found.retrained


def test_looking_ahead_pays_for_few_where_nothing_ages_and_for_more_where_it_may():
    calm, ageing = (len(life("ahead", losses(8, rate=rate)).shadows) for rate in (0.0, 0.15))
    assert 0 < calm < ageing < SPANS * (TICKS - 1)


def test_a_shadow_is_trained_once_and_none_of_a_later_tick():
    asked = []

    def greedy(seen):
        if len(asked) == seen.tick:
            return None
        asked.append(np.argwhere(np.isfinite(seen.losses).any(axis=2)).tolist())
        return Shadows([(1, 1), (seen.tick, 0), (seen.tick + 1, 0)])

    assert life(greedy, losses(9)).shadows == [(1, 1), *((tick, 0) for tick in range(1, TICKS))]
    assert [1, 1] in asked[2] and [2, 1] not in asked[2]


def test_between_strides_the_model_before_stands_in():
    coarse = losses(10)
    coarse[1::2] = np.where(np.isnan(coarse[1::2]), np.nan, coarse[0::2])
    found = life("excess", coarse, stride=2)
    assert all(tick % 2 == 0 for tick, _ in found.shadows) and found.shadows


def test_a_schedule_keeps_its_days_and_a_drift_policy_its_alarms():
    assert as_schedule(lived("schedule", losses(0))) == [(3, 1), (6, 1), (9, 1), (12, 1)]
    assert as_schedule(lived("drift", losses(0))) == [(5, 0), (10, 0)]


@pytest.mark.parametrize("policy", COMPARING)
def test_a_dear_retraining_is_rarer(policy):
    counts = [len(lived(policy, losses(3), price=price)) for price in (1.0, 20.0, 200.0, 1e6)]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1] == 0


def test_performance_fires_when_the_loss_has_risen_and_not_before():
    steady = losses(4, rate=0.0)
    risen = steady.copy()
    risen[:, :, WINDOW_OF >= 7] *= 2
    assert lived("performance", steady) == []
    assert lived("performance", risen)[0].tick == 8


def test_age_is_a_reason_only_once_it_is_known():
    """Span 0 has more rows with every tick, span 1 as many as the first model: before age is known, that is told."""
    known = [tick >= 6 for tick in range(TICKS)]
    kinds = {one.tick: (one.span, one.kind) for one in lived("excess", losses(5, rate=0.3), aged=known)}
    assert {kind for tick, (_, kind) in kinds.items() if tick >= 6} == {"drift"}
    assert all(kind == ("more_data", "performance")[span] for tick, (span, kind) in kinds.items() if tick < 6)
    assert min(kinds) < 6 < max(kinds)


def test_a_span_is_trained_on_only_once_it_is_open():
    """Models that do not know a feature, far better than the others, are not even looked at before they are known of.

    From then on the first of them is known without a shadow, and they are put to work.
    """
    wide = np.concatenate([losses(9, rate=0.2), 0.5 * losses(9, rate=0.0)[:, :1]], axis=1)
    rows = np.concatenate([ROWS, ROWS[:, :1]], axis=1)
    asked = {"price": 5.0, "rows": rows, "fit": 0.25, "usual": 50.0, "opens": [0, 0, 6], "fewer": 1}
    found = replay(looking_ahead(), wide, WINDOW_OF, SIZES, np.arange(TICKS), **asked)
    other = np.concatenate([wide[:, :2], 9 * wide[:, 2:]], axis=1)
    again = replay(looking_ahead(), other, WINDOW_OF, SIZES, np.arange(TICKS), **asked)
    until = [one for one in found.retrained if one.tick < 6]
    assert until == [one for one in again.retrained if one.tick < 6] and until
    assert next(one.span for one in found.retrained if one.tick >= 6) == 2
    assert {one.kind for one in found.retrained if one.span == 2} == {"drift"}
    assert 2 not in {one.span for one in again.retrained}
