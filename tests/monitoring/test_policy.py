"""The retraining rule: its laws, its reasons, and what it must not take for evidence."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.foundation.settings import PolicySettings
from solvent.monitoring.policy import Change, PolicyHistory, ShadowLoss, Window, propose

MADE = datetime(2012, 1, 2, tzinfo=UTC)
WEEK = timedelta(weeks=1)
POLICY = PolicySettings(rollout=100.0, fit=1.0, cooldown="2w", horizon=8)


def week(number: int, excess: float | dict[str, float] = 0.0, **changes) -> Window:
    """The n-th week since v9 was made; excess: of the live model over a fresh one, evenly over seven days."""
    start = MADE + number * WEEK
    spans = excess if isinstance(excess, dict) else {"all": excess}
    shadows = [
        ShadowLoss(span=span, made_at=start, loss=1000 - total, differences=[total / 7] * 7)
        for span, total in spans.items()
    ]
    window = Window(start=start, end=start + WEEK, version=9, rows=168, labelled=168, loss=1000.0, shadows=shadows)
    return msgspec.structs.replace(window, **changes)


def life(windows, **changes) -> PolicyHistory:
    history = PolicyHistory(version=9, made_at=MADE, windows=list(windows), window_loss=1000.0, unit="rentals")
    return msgspec.structs.replace(history, **changes)


def now(weeks: int) -> datetime:
    return MADE + weeks * WEEK


def first_retraining(excesses, policy) -> int | None:
    """The first week after which the policy would retrain, where it never did before."""
    windows = [week(number, excess) for number, excess in enumerate(excesses)]
    for after in range(1, len(windows) + 1):
        if propose(life(windows), policy, now(after)).action == "retrain":
            return after
    return None


def test_a_model_that_ages_is_retrained_and_the_reason_has_the_figures():
    proposal = propose(life([week(n, 10.0 * n) for n in range(5)]), POLICY, now(5))
    assert (proposal.action, proposal.span) == ("retrain", "all")
    assert proposal.reason == (
        "keeping v9 would cost 160 (122 to 198) rentals more than a fresh model on all rows over the next 8 weeks "
        "and has cost 100 so far: a retraining is worth 122, above its price of 101"
    )
    assert proposal.evidence["because"] == "worth"
    assert proposal.evidence["spans"]["all"]["accumulated"] == pytest.approx(100)
    msgspec.json.encode(proposal)


def test_a_hold_says_as_much():
    proposal = propose(life([week(0, 2.0), week(1, 2.0)]), POLICY, now(2))
    assert (proposal.action, proposal.span) == ("hold", None)
    assert proposal.reason.endswith("a retraining is worth 10, not above its price of 101")
    saved = propose(life([week(0, -7.0)]), POLICY, now(1))
    assert saved.reason.startswith("keeping v9 would save 56 (56 to 56) rentals against a fresh model")
    assert "has saved 7 so far" in saved.reason


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=30))
@settings(deadline=None, max_examples=40)
def test_without_excess_it_never_retrains_however_bad_the_season(losses):
    windows = [week(number, 0.0, loss=loss) for number, loss in enumerate(losses)]
    assert propose(life(windows), POLICY, now(len(windows))).action == "hold"


@given(st.lists(st.floats(-50, 100), min_size=1, max_size=15), st.floats(1, 500), st.floats(1, 500))
@settings(deadline=None, max_examples=40)
def test_a_higher_price_never_retrains_earlier(excesses, price, more):
    never = len(excesses) + 1
    cheap = first_retraining(excesses, PolicySettings(rollout=price, fit=0.0))
    dear = first_retraining(excesses, PolicySettings(rollout=price + more, fit=0.0))
    assert (dear or never) >= (cheap or never)


@given(
    st.lists(st.floats(-50, 200), min_size=1, max_size=10),
    st.floats(-1e4, 1e4),
    st.sampled_from(["contract", "gap", "shock"]),
    st.data(),
)
@settings(deadline=None, max_examples=40)
def test_an_excluded_week_changes_nothing_but_is_named(excesses, wild, kind, data):
    at = data.draw(st.integers(0, len(excesses)))
    numbers = [n for n in range(len(excesses) + 1) if n != at]
    windows = [week(number, excess) for number, excess in zip(numbers, excesses, strict=True)]
    without = propose(life(windows), POLICY, now(20))
    windows.insert(at, week(at, wild, excluded=kind, cause="temp in °F"))
    with_it = propose(life(windows), POLICY, now(20))
    assert (with_it.action, with_it.reason) == (without.action, without.reason)
    assert with_it.evidence["spans"] == without.evidence["spans"]
    assert with_it.evidence["left_out"] == [
        {"start": str((MADE + at * WEEK).date()), "kind": kind, "cause": "temp in °F"}
    ]


def test_what_ends_after_now_is_not_seen():
    windows = [week(number, 60.0) for number in range(6)]
    assert propose(life(windows), POLICY, now(2)) == propose(life(windows[:2]), POLICY, now(2))


def test_the_better_span_is_chosen():
    windows = [week(number, {"all": 40.0, "13w": 60.0}) for number in range(4)]
    proposal = propose(life(windows), POLICY, now(4))
    assert proposal.span == "13w"
    assert "on the last 13w over" in proposal.reason


def test_the_freshest_shadow_made_before_the_week_counts():
    peeking = ShadowLoss(span="all", made_at=now(2), loss=0.0, differences=[900.0] * 7)
    stale = ShadowLoss(span="all", made_at=MADE - WEEK, loss=0.0, differences=[500.0] * 7)
    fresh = ShadowLoss(span="all", made_at=now(1), loss=0.0, differences=[1.0] * 7)
    proposal = propose(life([week(1, shadows=[stale, peeking, fresh])]), POLICY, now(2))
    assert proposal.evidence["spans"]["all"]["accumulated"] == 7


def test_weeks_of_another_version_are_no_evidence_about_this_one():
    windows = [week(0, 1.0), week(1, 5000.0, version=10)]
    assert propose(life(windows), POLICY, now(2)) == propose(life(windows[:1]), POLICY, now(2))


def test_unlabelled_weeks_wait_and_partly_labelled_ones_are_scaled():
    windows = [week(0, 14.0, labelled=84), week(1, 14.0, labelled=10)]
    proposal = propose(life(windows), POLICY, now(2))
    assert proposal.evidence["waiting"] == ["2012-01-09"]
    assert proposal.evidence["spans"]["all"]["accumulated"] == pytest.approx(28)


def test_without_evidence_it_holds_and_says_what_is_missing():
    assert propose(life([]), POLICY, now(0)).reason == "v9 was made on 2012-01-02, and no window has closed since"
    broken = life([week(0, excluded="contract", cause="temp in °F"), week(1, labelled=0), week(2, {})])
    proposal = propose(broken, POLICY, now(3))
    assert proposal.evidence["because"] == "no-evidence"
    assert proposal.reason == (
        "v9 was made on 2012-01-02, and no window speaks for or against it yet: 1 since then left out (temp in °F); "
        "1 still without most of their labels; 1 without enough paired blocks of a fresh model (4 needed)"
    )


def test_an_empty_window_is_no_evidence():
    assert propose(life([week(0, rows=0, labelled=0)]), POLICY, now(1)).evidence["because"] == "no-evidence"


def test_cool_down_and_budget_bind_and_say_so():
    aged = [week(number, 60.0) for number in range(4)]
    cooling = propose(life(aged, changes=[Change(at=now(3), kind="roll-back")]), POLICY, now(4))
    assert (cooling.action, cooling.evidence["because"]) == ("hold", "cool-down")
    assert cooling.reason.endswith("but the roll-back of 2012-01-23 cools down until 2012-02-06")
    spent = [Change(at=MADE - number * WEEK, kind="retrain") for number in range(2)]
    broke = propose(life(aged, changes=spent), msgspec.structs.replace(POLICY, retrainings_per_year=2), now(4))
    assert broke.reason.endswith("but the budget of 2 retrainings a year is spent")
    later = msgspec.structs.replace(POLICY, retrainings_per_year=3)
    assert propose(life(aged, changes=spent), later, now(4)).action == "retrain"


def test_prices_in_windows_and_in_money_agree():
    aged = [week(number, 60.0) for number in range(4)]
    policy = PolicySettings(loss=0.1, rollout="0.5 windows", fit=0.0)
    assert propose(life(aged), policy, now(4)).evidence["price"] == 50
    same = PolicySettings(loss=0.1, rollout=50.0, fit=0.0)
    assert propose(life(aged), policy, now(4)).evidence == propose(life(aged), same, now(4)).evidence


def test_a_policy_that_is_switched_off_holds():
    aged = life([week(number, 600.0) for number in range(4)])
    assert propose(aged, PolicySettings(enabled=False), now(4)).reason == "the policy is switched off"
