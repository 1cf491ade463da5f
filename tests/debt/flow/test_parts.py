"""When two parts of the same rows share rows: yes, no, or nobody can know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.debt.flow.parts import FULL, Between, Bound, Cut, Part, overlap, siblings, within

TRAIN, TEST = (Cut("split", "train"),), (Cut("split", "test"),)
OTHER = (Cut("another", "train"),)


def between(low: float | None, high: float | None) -> Part:
    return (Cut("slice", Between(*(None if end is None else Bound(end) for end in (low, high))), "slice"),)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (FULL, FULL, True),
        (FULL, TEST, True),
        (TRAIN, TRAIN, True),
        (TRAIN, TEST, False),
        (TRAIN, (*TRAIN, *OTHER), True),
        (TEST, (*TRAIN, *OTHER), False),
        (TRAIN, OTHER, None),
        (between(None, 800), between(800, None), False),
        (between(0, 100), between(500, 600), False),
        (between(None, 800), between(700, None), None),
        (between(-100, None), between(None, -100), False),
        (between(None, 900), between(-100, None), None),
        ((Cut("where", "=a"),), (Cut("where", "=b"),), False),
        ((Cut("where", "=a"),), (Cut("where", "!a"),), False),
        ((Cut("where", "=a"),), (Cut("where", "!b"),), None),
    ],
)
def test_overlap(one: Part, other: Part, shared: bool | None) -> None:
    assert overlap(one, other) is shared
    assert overlap(other, one) is shared


def test_words_are_a_bound_only_with_the_same_values() -> None:
    ends = [Bound(None, "n", (value,)) for value in ("first", "second")]
    cuts = [
        (Cut("s", Between(None, ends[0])),),
        (Cut("s", Between(ends[0], None)),),
        (Cut("s", Between(ends[1], None)),),
    ]
    assert overlap(cuts[0], cuts[1]) is False
    assert overlap(cuts[0], cuts[2]) is None


def test_two_sides_are_the_whole_again() -> None:
    assert siblings([TRAIN, TEST]) == FULL
    assert siblings([(*TRAIN, *OTHER), TEST]) is None
    assert siblings([TRAIN]) is None
    assert within((*TRAIN, *OTHER), TRAIN) and not within(TRAIN, TEST)


cuts = st.builds(Cut, st.sampled_from("ab"), st.sampled_from(["train", "test", "=x", "!x"]))
parts = st.lists(cuts, max_size=4).map(tuple)


@given(parts, parts, parts)
def test_what_is_apart_stays_apart_within(one: Part, other: Part, more: Part) -> None:
    assert overlap(one, other) is overlap(other, one)
    if overlap(one, other) is False:
        assert overlap((*one, *more), other) is False
    assert overlap(one, (*one, *more)) is True
