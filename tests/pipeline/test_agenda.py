"""The order in which steps may be looked at."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.pipeline.agenda import Agenda


@st.composite
def graphs(draw):
    """Steps in an order of declaration that is a topological one, each with those it waits for."""
    count = draw(st.integers(1, 25))
    names = [f"s{n}" for n in range(count)]
    return {name: draw(st.sets(st.sampled_from(names[:n]), max_size=3)) if n else set() for n, name in enumerate(names)}


@settings(deadline=None)
@given(graphs(), st.randoms())
def test_each_step_is_given_out_once_and_after_all_that_it_waits_for(needs, chance):
    agenda, done, open_ = Agenda(list(needs), needs), [], []
    while agenda:
        taken = agenda.take()
        assert taken == sorted(taken, key=list(needs).index)
        open_ += taken
        for name in taken:
            assert needs[name] <= set(done)
        name = open_.pop(chance.randrange(len(open_)))
        agenda.done(name)
        agenda.done(name)
        done.append(name)
    assert sorted(done) == sorted(needs)
    assert not open_


def test_a_postponed_step_is_given_out_when_its_time_has_come():
    agenda = Agenda(["a", "b"], {"a": [], "b": []})
    assert agenda.take() == ["a", "b"]
    assert agenda.next_due is None
    agenda.postpone("a", 20.0)
    agenda.postpone("b", 10.0)
    assert agenda.next_due == 10.0
    assert agenda.due(9.0) == []
    assert agenda.due(15.0) == ["b"]
    assert agenda.due(25.0) == ["a"]
    assert agenda
