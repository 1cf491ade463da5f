"""What commands print with."""

from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.cli.show import MOST_LINES, folded

ORDER = ["failed", "ran", "cached"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(ORDER), max_size=200))
def test_of_many_lines_the_ones_that_matter_are_shown_in_order_and_the_others_counted(states):
    shown, left = folded(states, ORDER)
    assert shown == sorted(shown)
    assert len(shown) == min(len(states), MOST_LINES)
    assert len(shown) + sum(count for _, count in left) == len(states)
    ranks = [ORDER.index(states[i]) for i in shown]
    hidden = [ORDER.index(state) for state, _ in left]
    assert not hidden or max(ranks) <= min(hidden)
