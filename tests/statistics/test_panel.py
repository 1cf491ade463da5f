"""The panel: planners that did well so far are heard, and one alone is simply that planner."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aging_worlds import aging
from solvent.statistics.lookahead import USUAL, Planner, look_ahead
from solvent.statistics.panel import Memory, Panel

HASTY, DEAF = Planner(horizon=12), Planner(horizon=1)


def advise(panel, losses, until, live=(0, 0)):
    """The last advice after all ticks up to `until`, labels at once."""
    return [panel.advise(losses[: tick + 1, :, :tick], live, tick) for tick in range(1, until + 1)][-1]


@given(st.integers(0, 50), st.floats(1, 200))
@settings(deadline=None, max_examples=20)
def test_a_panel_of_one_says_what_that_planner_says(seed, price):
    losses = aging(10, 5.0, seed=seed)
    alone = look_ahead(losses[:9, :, :8], (0, 0), 8, price)
    assert advise(Panel(price, Memory([USUAL])), losses, 8).gain == pytest.approx(alone.gain)


def test_the_planner_whose_life_was_cheaper_is_heard():
    """A planner of one window sees no price paid back, and its model grows old; the other retrains."""
    losses = aging(16, 10.0)
    panel = Panel(60.0, Memory([HASTY, DEAF]))
    advise(panel, losses, 15)
    assert panel.weights(losses[:16, :, :15])[0] > 0.99


def test_equal_lives_have_equal_weights_and_the_lead_decides_how_fast_they_part():
    losses = aging(10, 0.0)
    panel = Panel(50.0, Memory([HASTY, DEAF]))
    advise(panel, losses, 8)
    assert panel.weights(losses[:9, :, :8]) == pytest.approx([0.5, 0.5])
    slow, quick = (Panel(60.0, Memory([HASTY, DEAF]), lead=lead) for lead in (50.0, 0.5))
    for panel in (slow, quick):
        advise(panel, aging(16, 10.0), 12)
    known = aging(16, 10.0)[:13, :, :12]
    assert 0.5 < slow.weights(known)[0] < quick.weights(known)[0]


def test_lives_at_several_prices_share_what_was_learned():
    losses, memory = aging(10, 5.0, seed=1), Memory()
    first = advise(Panel(20.0, memory), losses, 8)
    assert first == advise(Panel(20.0, memory), losses, 8) == advise(Panel(20.0, Memory()), losses, 8)


def test_a_tick_that_is_left_out_is_refused():
    panel = Panel(1.0, Memory([USUAL]))
    with pytest.raises(ValueError, match="tick 2 follows 0"):
        panel.advise(aging(4, 1.0)[:3, :, :2], (0, 0), 2)


def test_before_any_window_is_known_nothing_is_said():
    panel = Panel(1.0, Memory([USUAL]))
    assert panel.advise(np.zeros((2, 2, 0)), (0, 0), 1) is None
    assert panel.advise(aging(4, 1.0)[:3, :, :1], (0, 0), 2) is not None
