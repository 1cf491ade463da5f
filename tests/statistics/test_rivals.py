"""The policies of the literature, on worlds where what they should do is plain."""

import numpy as np
import pytest

from aging_worlds import aging
from solvent.statistics.retraining import best_schedule_in_hindsight, every, schedule_cost
from solvent.statistics.rivals import PERIODS, Rules, _lived, cara, forecast_saving


def rules(age, spans=(0,)):
    never = np.full(len(spans), np.inf)
    return Rules(never, never, np.full(len(spans), float(age)), np.array(spans))


@pytest.mark.parametrize("period", [1, 3, 4])
@pytest.mark.parametrize("span", [0, 1])
def test_a_period_costs_what_its_schedule_costs(period, span):
    losses = aging(12, 7.0, seed=3)[:12]
    lived = _lived(losses, rules(period, (span,)), 0, 25.0)
    assert lived[0] == pytest.approx(schedule_cost(losses, every(period, span, 12), 25.0))


def test_a_threshold_fires_on_what_was_labelled_and_not_before():
    """Loss 100 when fresh, 10 more a window: above 125 from the fourth window on; labels two late act two later."""
    losses = aging(12, 10.0, spans=1)[:12]
    one = Rules(np.array([125.0]), np.array([np.inf]), np.array([np.inf]), np.array([0]))
    for late in (0, 2):
        plan = [(tick, 0) for tick in range(4 + late, 12, 4 + late)]
        assert _lived(losses, one, late, 5.0)[0] == pytest.approx(schedule_cost(losses, plan, 5.0))


def test_cara_is_near_the_best_schedule_where_ageing_is_steady():
    losses, live, plan = aging(24, 8.0), (0, 0), []
    for tick in range(1, 24):
        span = cara(losses[: tick + 1, :, :tick], live, tick, 40.0)
        if span is not None:
            live = (tick, span)
            plan.append(live)
    cost = schedule_cost(losses[:24], plan, 40.0)
    assert cost <= 1.05 * best_schedule_in_hindsight(losses[:24], 40.0, intervals=PERIODS).cost
    assert cost < 0.8 * schedule_cost(losses[:24], [], 40.0)


def test_cara_takes_the_span_that_was_cheaper():
    losses = aging(12, 20.0, better=30.0)
    assert cara(losses[:12, :, :11], (0, 0), 11, 10.0) == 1


def test_where_ageing_is_a_line_the_forecast_is_that_line():
    """A model nine windows old has 10 more a window than a fresh one at each of eight windows to come."""
    saving = forecast_saving(aging(10, 10.0, better=5.0)[:10, :, :9], (0, 0), 9)
    assert saving == pytest.approx([8 * 90, 8 * 95], rel=0.01)


def test_the_less_certain_the_forecast_the_lower_its_bound():
    calm, wild = aging(12, 4.0), aging(12, 4.0, seed=1)
    wild = calm + 20 * (wild - calm)
    sure, unsure = (forecast_saving(world[:12, :, :11], (2, 0), 11)[0] for world in (calm, wild))
    assert unsure < sure


def test_two_windows_are_needed_to_say_anything():
    losses = aging(4, 5.0)
    assert cara(losses[:2, :, :1], (0, 0), 1, 1.0) is None
    assert np.all(forecast_saving(losses[:2, :, :1], (0, 0), 1) == -np.inf)
