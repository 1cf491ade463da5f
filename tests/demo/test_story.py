"""The terminal story: what a week, a decision and a bill read like, and how wide."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.demo.story import (
    CELLS,
    WIDTH,
    Week,
    bar,
    cost_lines,
    decision_lines,
    hold_words,
    plain,
    realised,
    state_of,
    still_ageing,
    week_lines,
)
from solvent.governance.report.life import Bill
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Action, Actor, Alert, Decision, Measurement, NewDecision
from solvent.pages.figures import Figure

MONDAY = datetime(2012, 5, 14, tzinfo=UTC)


def decision(action, reason="because", **more):
    new = NewDecision(
        action=action, actor=more.pop("actor", Actor(kind="policy", name="p")), at=MONDAY, reason=reason, **more
    )
    return Decision(
        key="k", position=0, previous=Digest(""), hash=Digest(""), salt="s", recorded_at=MONDAY, decision=new
    )


def alert(kind, title="it broke"):
    return Alert(
        key="a", model="m", number=1, kind=kind, at=MONDAY, window_start=MONDAY, window_end=MONDAY, title=title,
        cause={}, evidence={}, effect=f"e/{kind}",
    )  # fmt: skip


def week(**changes):
    quiet = {
        "start": MONDAY,
        "rows": 168,
        "flagged": 0,
        "loss": 41.2,
        "champion": 3,
        "alerts": [],
        "decisions": [],
    }
    return Week(**{**quiet, **changes})


def test_a_quiet_week_is_one_line():
    (line,) = week_lines(week(), 33.0, plain, ageing=False)
    assert line.split() == ["14", "May", "2012", "168", "v3", "41", "██████", "●", "healthy"]


def test_a_hold_stays_on_the_line_with_its_figures():
    evidence = {"because": "price", "span": "13w", "price": 2810.4, "spans": {"13w": {"worth": 1200.2}}}
    (line,) = week_lines(week(decisions=[decision(Action.HOLD, evidence=evidence)]), 33.0, plain, ageing=False)
    assert line.endswith("● healthy     held: worth 1,200 of 2,810")


def test_a_hold_by_plan_says_what_a_retraining_would_have_saved_or_lost():
    assert hold_words(decision(Action.HOLD, evidence={"saves": -915.4, "because": "price"})) == (
        "held: a retraining loses 915"
    )
    assert hold_words(decision(Action.HOLD, evidence={"saves": 1200.0, "because": "cool-down"})) == (
        "held: a retraining saves 1,200, cool-down"
    )


def test_a_hold_without_evidence_says_so():
    assert hold_words(decision(Action.HOLD, evidence={"because": "no-evidence"})) == "held: no evidence"


def test_alerts_and_decisions_stand_under_the_week_with_cause_and_reason():
    told = week(
        flagged=168,
        alerts=[alert("contract", "temp looks like °F (reference in °C)")],
        decisions=[decision(Action.REFUSE, "trained on rows under a broken contract", number=7)],
    )
    text = "\n".join(week_lines(told, 33.0, plain, ageing=False))
    assert "■ broken data" in text
    assert "contract          temp looks like °F (reference in °C)" in text
    assert "flagged           168 of 168 answers" in text
    assert "refused v7        trained on rows under a broken contract" in text


def test_what_a_person_decided_names_the_person():
    waived = decision(Action.WAIVE, "the test run looked fine", actor=Actor(kind="person", name="Kim"))
    assert decision_lines(waived, plain) == ["      waived            the test run looked fine (by Kim)"]


def test_a_rollback_makes_a_failing_week_and_ends_ageing():
    told = week(decisions=[decision(Action.ROLL_BACK, number=3)], alerts=[alert("performance")])
    assert state_of(told, ageing=True) == ("bad", "■ failing")
    assert not still_ageing(told, True)


def test_ageing_lasts_until_something_is_done_or_it_is_taken_back():
    assert still_ageing(week(alerts=[alert("performance")]), False)
    assert still_ageing(week(), True)
    assert not still_ageing(week(alerts=[alert("recovered")]), True)
    assert not still_ageing(week(decisions=[decision(Action.PROMOTE)]), True)


def test_an_alert_about_an_earlier_week_says_which():
    (_, told) = week_lines(week(start=MONDAY + timedelta(weeks=1), alerts=[alert("worse")]), 33.0, plain, ageing=False)
    assert told == "      worse             it broke (week of 14 May)"


def test_a_week_without_outcomes_is_blind_not_healthy():
    assert state_of(week(loss=None), ageing=False) == ("warn", "▲ blind")


sentences = st.lists(st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=40), max_size=40)


@settings(deadline=None)
@given(sentences.map(" ".join), st.sampled_from(list(Action)), st.floats(0, 1e6), st.integers(0, 10**6))
def test_no_line_is_wider_than_the_page(reason, action, loss, rows):
    told = week(loss=loss, rows=rows, alerts=[alert("contract", reason)], decisions=[decision(action, reason)])
    assert all(len(line) <= 100 for line in week_lines(told, 33.0, plain, ageing=False))


@settings(deadline=None)
@given(st.floats(0, 1e9), st.floats(0.001, 1e6))
def test_a_bar_has_its_cells_whatever_the_loss(loss, first):
    assert len(bar(loss, first)) == CELLS <= WIDTH


def test_realised_is_the_newest_windows_pooled_by_rows():
    def loss(start, value, rows, number):
        return Measurement(
            model="m", number=number, name="loss.realised", window_start=start, window_end=start + timedelta(weeks=1),
            value=value, unit="", rows=rows,
        )  # fmt: skip

    older = loss(MONDAY - timedelta(weeks=1), 99.0, 100, 1)
    assert realised([older, loss(MONDAY, 10.0, 30, 1), loss(MONDAY, 20.0, 10, 2)]) == pytest.approx(12.5)
    assert realised([]) is None


def test_costs_are_told_against_the_best_and_the_oracle():
    bills = [
        Bill(policy=name, cost=Figure(value=cost), unit="rentals", error=cost / 1000, retrained=n, note=note)
        for name, cost, n, note in [
            ("never", 900.0, 0, ""), ("hindsight", 550.0, 4, "every 9 windows on 13w"), ("solvent", 561.0, 5, ""),
            ("oracle", 500.0, 6, ""),
        ]
    ]  # fmt: skip
    lines = cost_lines(bills, plain)
    assert [line.split()[0] for line in lines[1:3]] == ["never", "Solvent"]
    assert lines[2].split()[1:] == ["5", "0.56", "561", "1.02", "1.12"]
    assert "every 9 windows on 13w" in lines[-1]
