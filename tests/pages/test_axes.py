from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.pages.axes import spread, tick_labels, time_ticks, value_ticks

values = st.floats(min_value=0.001, max_value=1e7)


@settings(deadline=None)
@given(values, values)
def test_ticks_enclose_the_values_and_are_labelled_apart(a: float, b: float) -> None:
    ticks = value_ticks(min(a, b), max(a, b))
    assert ticks[0] <= min(a, b) * 1.000001 and ticks[-1] >= max(a, b) * 0.999999
    assert 2 <= len(ticks) <= 12
    assert len(set(tick_labels(ticks))) == len(ticks)


@settings(deadline=None)
@given(st.integers(1, 4000))
def test_a_time_axis_of_any_length_has_few_labels_and_begins_with_the_year(days: int) -> None:
    start = datetime(2011, 7, 4, tzinfo=UTC)
    ticks = time_ticks(start, start + timedelta(days=days))
    assert 1 <= len(ticks) <= 15
    assert ticks[0][1].endswith(str(ticks[0][0].year))


@settings(deadline=None)
@given(st.lists(st.floats(0, 300), min_size=1, max_size=4))
def test_labels_are_moved_apart_in_their_order(heights: list[float]) -> None:
    placed = spread(heights, 15.0)
    order = sorted(range(len(heights)), key=heights.__getitem__)
    gaps = [placed[b] - placed[a] for a, b in pairwise(order)]
    assert all(gap >= 14.9 for gap in gaps)
