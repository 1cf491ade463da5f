"""The planning rule: what it makes of a life, what it asks for, and what it must not take for evidence."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from solvent.foundation.settings import PolicySettings
from solvent.monitoring.planning import Life, Made, plan
from solvent.monitoring.policy import Change, Proposal, ShadowLoss, Window

BEGIN = datetime(2012, 1, 2, tzinfo=UTC)
WEEK = timedelta(weeks=1)
POLICY = PolicySettings(rule="plan", rollout=400.0, fit=10.0, spans=["all", "13w"], cooldown="2w")


def now(weeks: int) -> datetime:
    return BEGIN + weeks * WEEK


def week(number: int, loss: float = 1000.0, shadows: dict[Made, float] | None = None, **changes) -> Window:
    """The n-th week of service; loss: of v1, and of shadows that had not seen it."""
    start = now(number)
    before = {made: total for made, total in (shadows or {}).items() if made.at <= start}
    others = [ShadowLoss(span=m.span, made_at=m.at, loss=total, differences=[]) for m, total in before.items()]
    window = Window(start=start, end=start + WEEK, version=1, rows=168, labelled=168, loss=loss, shadows=others)
    return replace(window, **changes)


def life(windows, **changes) -> Life:
    """v1 was made when service began, on half a year."""
    plain = Life(
        version=1,
        made_at=BEGIN,
        windows=list(windows),
        window_loss=1000.0,
        unit="rentals",
        width=WEEK,
        learned_since=now(-26),
        versions={1: Made(BEGIN, "all")},
    )
    return replace(plain, **changes)


def decided(of: Life, policy: PolicySettings = POLICY, at: int = 12) -> Proposal:
    """What is decided where the shadows that are asked for cannot be trained."""
    while not isinstance(answer := plan(of, policy, now(at)), Proposal):
        of = replace(of, shadows=[*of.shadows, answer])
    return answer


def ageing(weeks: int, rate: float, **changes) -> Life:
    """v1 loses `rate` more each week; a shadow of the sixth week and one of the ninth do not."""
    fresh = [Made(now(6), "all"), Made(now(9), "all")]
    windows = [week(n, 1000 + rate * n, dict.fromkeys(fresh, 1000.0)) for n in range(weeks)]
    return life(windows, shadows=fresh, **changes)


def test_a_model_that_ages_is_retrained_and_the_reason_has_the_figures():
    proposal = decided(ageing(12, 60.0))
    assert (proposal.action, proposal.span, proposal.evidence["because"]) == ("retrain", "all", "saves")
    saves = proposal.evidence["saves"]
    assert proposal.reason == (
        f"retraining v1 now on all rows, 1.5 times what v1 learned from, would save {saves:,.0f} rentals "
        "over the next 12 weeks against waiting, its price of 410 paid"
    )
    assert proposal.evidence["windows"] == ["2012-01-02", "2012-03-19"]
    assert proposal.evidence["models"] == [
        {"made": "2012-01-02", "span": "all", "windows": 12},
        {"made": "2012-02-13", "span": "all", "windows": 6},
        {"made": "2012-03-05", "span": "all", "windows": 3},
    ]
    msgspec.json.encode(proposal)


def test_where_no_model_does_better_it_holds_and_says_what_that_saves():
    proposal = decided(ageing(12, 0.0))
    assert (proposal.action, proposal.span, proposal.evidence["because"]) == ("hold", None, "price")
    saves = -proposal.evidence["saves"]
    assert proposal.reason == (
        f"keeping v1 for now would save {saves:.3g} rentals over the next 12 weeks against a retraining now, "
        "whose price is 410"
    )


@given(st.floats(0, 3))
@settings(deadline=None, max_examples=15)
def test_a_season_that_makes_it_harder_for_every_model_is_no_reason(harder):
    fresh = [Made(now(6), "all"), Made(now(9), "all")]
    level = [1000 * (1 + harder * n / 12) for n in range(12)]
    assert (
        decided(life([week(n, level[n], dict.fromkeys(fresh, level[n])) for n in range(12)], shadows=fresh)).action
        == "hold"
    )


@given(st.floats(0, 100), st.floats(1, 1500), st.floats(0, 1500))
@settings(deadline=None, max_examples=15)
def test_a_higher_price_saves_no_more(rate, price, more):
    cheap = decided(ageing(12, rate), replace(POLICY, rollout=price))
    dear = decided(ageing(12, rate), replace(POLICY, rollout=price + more))
    assert dear.evidence["saves"] <= cheap.evidence["saves"] + 1e-6


@given(st.floats(0, 1e5), st.sampled_from(["contract", "gap", "shock"]), st.integers(0, 11))
@settings(deadline=None, max_examples=15)
def test_an_excluded_week_says_nothing_but_is_named(wild, kind, at):
    def told(loss: float) -> Proposal:
        of = ageing(12, 40.0)
        of.windows[at] = replace(of.windows[at], loss=loss, excluded=kind, cause="temp in °F")
        return decided(of)

    assert told(wild) == told(1000.0)
    assert told(wild).evidence["left_out"] == [{"start": str(now(at).date()), "kind": kind, "cause": "temp in °F"}]


def test_what_ends_after_now_is_not_seen():
    assert decided(ageing(12, 60.0), at=9) == decided(replace(ageing(9, 60.0), shadows=ageing(12, 0).shadows), at=9)


def test_the_span_whose_models_do_better_is_taken():
    both = {Made(now(n), span): loss for n in (4, 8) for span, loss in (("all", 1000.0), ("13w", 800.0))}
    of = life([week(n, 1000 + 20 * n, both) for n in range(12)], shadows=list(both))
    assert decided(of).span == "13w"
    assert "on the last 13w would save" in decided(of).reason


def test_a_shadow_is_asked_for_as_of_an_earlier_tick_and_never_twice():
    of, asked = life([week(n, 1000 + 30 * n) for n in range(12)]), []
    while not isinstance(answer := plan(of, replace(POLICY, fit=0.0), now(12)), Proposal):
        asked.append(answer)
        of = replace(of, bought=asked, shadows=asked)
    assert asked
    assert len(asked) == len(set(asked))
    assert all(made.at in {now(11), now(9), now(6)} and made.span in POLICY.spans for made in asked)
    names = [f"{'all rows' if made.span == 'all' else 'the last 13w'} as of {made.at.date()}" for made in asked]
    assert answer.reason.endswith(f"; trained to know that: {', '.join(names)}")
    assert answer.evidence["trained"] == [{"made": str(made.at.date()), "span": made.span} for made in asked]


def test_where_the_fit_is_dearer_than_what_it_tells_none_is_asked_for():
    of = life([week(n, 1000 + 30 * n) for n in range(12)])
    assert isinstance(plan(of, replace(POLICY, fit=0.0), now(12)), Made)
    assert isinstance(plan(of, replace(POLICY, fit=1e5), now(12)), Proposal)


def test_cool_down_and_budget_bind_say_so_and_let_nothing_be_trained():
    aged = replace(ageing(12, 60.0), changes=[Change(at=now(11), kind="roll-back")])
    cooling = plan(aged, replace(POLICY, fit=0.0), now(12))
    assert isinstance(cooling, Proposal)
    assert (cooling.action, cooling.evidence["because"]) == ("hold", "cool-down")
    assert cooling.evidence["saves"] > 0
    assert cooling.reason.endswith("but the roll-back of 2012-03-19 cools down until 2012-04-02")
    spent = replace(aged, changes=[Change(at=now(-1), kind="retrain")])
    assert decided(spent, replace(POLICY, retrainings_per_year=1)).evidence["because"] == "budget"


def test_partly_labelled_weeks_count_for_all_their_rows_and_the_others_wait():
    whole, half = ageing(12, 60.0), ageing(12, 60.0)
    for at, window in enumerate(half.windows):
        shadows = [replace(one, loss=one.loss / 2) for one in window.shadows]
        half.windows[at] = replace(window, labelled=84, loss=window.loss / 2, shadows=shadows)
    assert decided(half) == decided(whole)
    late = ageing(12, 60.0)
    late.windows[10:] = [replace(window, labelled=20, loss=9e9) for window in late.windows[10:]]
    assert decided(late).evidence["waiting"] == ["2012-03-12", "2012-03-19"]
    assert decided(late).action == "retrain"


def test_a_version_that_was_rolled_back_is_no_evidence():
    bad = week(5, 9000.0, version=2)
    without = ageing(12, 60.0)
    assert decided(replace(without, windows=[*without.windows, bad])) == decided(without)
    heard = replace(without, versions={**without.versions, 2: Made(now(5), "13w")})
    assert decided(replace(heard, windows=[*heard.windows, bad])) != decided(without)


def test_prices_in_windows_and_in_money_agree():
    money = decided(ageing(12, 60.0), replace(POLICY, loss=0.1, rollout=40.0, fit=1.0))
    windows = decided(ageing(12, 60.0), replace(POLICY, loss=0.1, rollout="0.4 windows", fit="0.01 windows"))
    assert money == windows
    assert money.evidence["saves"] == pytest.approx(decided(ageing(12, 60.0)).evidence["saves"] / 10)


def test_without_evidence_it_holds_and_says_what_is_missing():
    assert plan(life([]), POLICY, now(0)).reason == "v1 was made on 2012-01-02, and no window has closed"
    broken = life([week(0, excluded="contract", cause="temp in °F"), week(1, labelled=0, loss=0.0)])
    proposal = plan(broken, POLICY, now(2))
    assert proposal.evidence["because"] == "no-evidence"
    assert proposal.reason == (
        "v1 was made on 2012-01-02, and no window tells anything yet: 1 left out (temp in °F); "
        "1 still without most of their labels"
    )


def test_models_older_than_every_window_and_spans_that_are_no_longer_set_are_counted():
    old = Made(now(-3), "26w")
    of = life([week(n, 1000.0, {old: 900.0}) for n in range(6)], shadows=[old], made_at=now(-8), learned_since=None)
    assert isinstance(plan(of, replace(POLICY, fit=2000.0), now(6)), Proposal)
