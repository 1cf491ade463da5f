"""Which features are tried, and when the losses of a model and its likes say that one wanders."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from solvent.foundation.settings import PolicySettings
from solvent.monitoring.leaving_out import Tried, Wandering, wandering, worth_trying
from solvent.monitoring.policy import ShadowLoss, Window, parts_of, rows_of, without

BEGIN = datetime(2012, 1, 2, tzinfo=UTC)
WEEK = timedelta(weeks=1)
TRIED = Tried(number=1, made_at=BEGIN, span="all", at=BEGIN + WEEK, same=True)
RELIANCE = {"price": 0.5, "hour": 0.3, "load": 0.1, "wind": 0.06, "day": 0.04}
CHEAP = PolicySettings(fit="0.005 windows")


def week(number: int, whole: float, version: int = 1, **likes: float) -> Window:
    """Losses of the tried version and of its likes in the n-th week, which `version` served."""
    shadows = [
        ShadowLoss(span=without("all", feature), made_at=BEGIN, loss=loss, differences=[])
        for feature, loss in likes.items()
    ]
    if version != TRIED.number:
        shadows.append(ShadowLoss(span="all", made_at=BEGIN, loss=whole, differences=[]))
    start = BEGIN + number * WEEK
    own = whole if version == TRIED.number else 1.0
    return Window(start=start, end=start + WEEK, version=version, rows=9, labelled=9, loss=own, shadows=shadows)


def told(windows: list[Window], at: int = 50) -> Wandering | None:
    return wandering(windows, TRIED, BEGIN + at * WEEK)


def test_those_on_which_the_model_relies_most_are_tried_and_no_functions_of_the_clock():
    assert worth_trying(RELIANCE, ["hour"], CHEAP, 100.0) == ["price", "load", "wind"]
    assert worth_trying({"price": 1.0}, [], CHEAP, 100.0) == []
    assert worth_trying({"price": 0.99, "load": 0.01}, [], CHEAP, 100.0) == ["price"]


@pytest.mark.parametrize(
    ("fit", "count"),
    [(0, 3), ("0.1 windows", 3), ("0.2 windows", 2), ("0.3 windows", 1), ("0.5 windows", 0), (41.0, 0)],
)
def test_no_more_are_tried_than_pay_once_one_is_named(fit, count):
    assert len(worth_trying(RELIANCE, ["hour"], PolicySettings(fit=fit), 100.0)) == count


def test_the_feature_without_which_most_was_saved_is_named_with_what_it_saved():
    windows = [week(n, 100.0, price=60.0, load=80.0, wind=100.0) for n in range(6)]
    found = told(windows)
    assert (found.feature, found.span, found.windows, found.number) == ("price", "all without price", 4, 1)
    assert found.saved == pytest.approx(0.4)
    assert found.in_words() == "`price` wanders: v1 without it would have lost 40% less over the last 4 windows"


def test_the_pair_goes_on_when_another_version_is_in_service():
    windows = [week(n, 100.0, version=1 + n // 2, price=60.0) for n in range(6)]
    assert told(windows).saved == pytest.approx(0.4)


def test_a_version_that_todays_pipeline_would_make_otherwise_is_no_twin_of_its_likes():
    windows = [week(n, 100.0, price=60.0) for n in range(6)]
    assert wandering(windows, replace(TRIED, same=False), BEGIN + 50 * WEEK) is None
    twin = ShadowLoss(span="all", made_at=BEGIN, loss=61.0, differences=[])
    beside = [replace(window, shadows=[*window.shadows, twin]) for window in windows]
    assert wandering(beside, replace(TRIED, same=False), BEGIN + 50 * WEEK) is None
    assert wandering(beside, TRIED, BEGIN + 50 * WEEK) is None


def test_what_is_no_evidence_names_nothing():
    windows = [week(n, 100.0, price=60.0) for n in range(4)]
    assert told(windows) is not None
    assert told(windows, at=2) is None
    assert told([replace(window, excluded="shock") for window in windows]) is None
    assert told([replace(window, labelled=4) for window in windows]) is None
    later = [ShadowLoss(span="all without price", made_at=BEGIN + WEEK, loss=60.0, differences=[])]
    assert told([replace(window, shadows=later) for window in windows]) is None
    assert told([week(n, 100.0, version=2, price=60.0) for n in range(4)]) is not None
    assert told([replace(week(n, 100.0, price=60.0), version=2) for n in range(4)]) is None


@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)), max_size=8))
def test_it_is_named_only_where_it_saves_a_tenth_of_the_latest_windows(losses):
    found = told([week(n, whole, price=like) for n, (whole, like) in enumerate(losses)])
    whole, like = (sum(pair[side] for pair in losses[-4:]) for side in (0, 1))
    if found is not None:
        assert len(losses) >= 4
        assert whole - like > 0.1 * whole
        assert sum(a > b for a, b in losses[-4:]) >= 3


@given(st.sampled_from(["all", "10w", "6mo"]), st.text(min_size=1))
def test_a_span_without_a_feature_is_told_apart_whatever_the_features_name(span, feature):
    assert parts_of(without(span, feature)) == (span, feature)
    assert parts_of(span) == (span, "")
    assert rows_of(without("10w", "unit price")) == "the last 10w without `unit price`"
