"""The gate: what opens it, what holds it, what closes it whatever the score."""

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.registry.gate import BrokenAncestor, Footprint, GateInput, GateSettings, Pairs, judge

DAYS = np.repeat(np.arange(14), 24)
JANUARY, FEBRUARY, MARCH = (datetime(2012, month, 1, tzinfo=UTC) for month in (1, 2, 3))
PLAIN = GateSettings()


def pairs(gain: float = 5.0, noise: float = 2.0, seed: int = 0, **more) -> Pairs:
    """336 hours: the champion loses 40 a row, the challenger `gain` less."""
    draw = np.random.default_rng(seed)
    champion = 40 + draw.normal(0, 10, len(DAYS))
    return Pairs(challenger=champion - gain + draw.normal(0, noise, len(DAYS)), champion=champion, blocks=DAYS, **more)


def case(compared: Pairs | None = None, **changes) -> GateInput:
    what = GateInput(
        challenger="v9",
        champion="v8",
        pairs=compared if compared is not None else pairs(),
        evaluation=Footprint(ids=frozenset("xyz")),
        challenger_training=Footprint(ids=frozenset("abc")),
        champion_training=Footprint(ids=frozenset("ab")),
        unit="rentals",
    )
    return msgspec.structs.replace(what, **changes)


def check(result, name):
    return next(check for check in result.checks if check.name == name)


def test_a_better_challenger_passes_with_its_figures():
    result = judge(case(), PLAIN)
    assert result.open
    assert result.passed
    assert result.reason.startswith("v9 loses 34.6 rentals a row, v8 39.6 (-12.6%, ")
    assert result.reason.endswith("on 336 fresh rows: shown to be better")
    assert check(result, "comparison").figures["difference"] == pytest.approx(-5, abs=0.5)
    assert result.as_evidence()["gate"] == "open"
    msgspec.json.encode(result.as_evidence())


def test_a_worse_challenger_closes_it_and_more_rows_would_not_help():
    result = judge(case(pairs(gain=-8)), PLAIN)
    assert (result.open, result.hold) == (False, False)
    assert result.reason.endswith("worse, not at most 2% worse")
    assert check(result, "comparison").figures["rows_needed"] is None


def test_an_equal_challenger_is_not_worse_but_not_better():
    equal = case(pairs(gain=0.0, noise=1.0))
    assert judge(equal, PLAIN).reason.endswith("shown to be at most 2% worse")
    strict = judge(equal, GateSettings(rule="better"))
    assert (strict.open, strict.hold) == (False, True)
    assert "not shown to be better than v8" in strict.reason


def test_too_few_rows_hold_and_say_how_many_are_needed():
    whole = pairs()
    few = Pairs(challenger=whole.challenger[:30], champion=whole.champion[:30], blocks=DAYS[:30])
    result = judge(case(few), PLAIN)
    assert (result.open, result.hold) == (False, True)
    assert result.reason.endswith("on 30 fresh rows: too few to judge, 75 rows in 5 blocks of time needed")


def test_an_undecided_comparison_says_how_many_rows_would_decide_it():
    result = judge(case(pairs(gain=0.2, noise=30.0)), PLAIN)
    needed = check(result, "comparison").figures["rows_needed"]
    assert result.hold
    assert needed > 336
    assert f"about {needed} rows needed" in result.reason


def test_no_fresh_row_is_a_hold():
    none = Pairs(challenger=np.array([]), champion=np.array([]), blocks=np.array([], dtype=int))
    result = judge(case(none), PLAIN)
    assert result.hold
    assert result.reason == "no row on which v9 and v8 could be compared; 50 needed"


def test_without_a_champion_only_the_other_checks_count():
    first = case(champion=None, champion_training=Footprint(), evaluation=Footprint(ids=frozenset("x")))
    assert judge(first, PLAIN).open
    tainted = msgspec.structs.replace(first, broken_ancestors=[BrokenAncestor(artifact="a", column="b", cause="c")])
    assert not judge(tainted, PLAIN).open


def test_a_broken_ancestor_closes_it_whatever_the_score():
    broken = [
        BrokenAncestor(artifact="rides.csv@3f2a", column="temp", cause="°F instead of °C since 2012-05-14"),
        BrokenAncestor(artifact="rides.csv@3f2a", column="humidity", cause="constant"),
    ]
    result = judge(case(pairs(gain=30), broken_ancestors=broken), PLAIN)
    assert (result.open, result.hold) == (False, False)
    assert result.reason == (
        "v9 was made from data under a broken contract: rides.csv@3f2a, column `temp`: "
        "°F instead of °C since 2012-05-14; rides.csv@3f2a, column `humidity`: constant"
    )


def test_rows_that_either_model_has_seen_close_it():
    assert judge(case(challenger_training=Footprint(ids=frozenset("axy"))), PLAIN).reason == (
        "2 of 3 evaluation rows were in the training data of v9"
    )
    assert "training data of v8" in judge(case(champion_training=Footprint(ids=frozenset("z"))), PLAIN).reason


def test_shared_ids_count_even_where_the_times_do_not_meet():
    seen = Footprint(ids=frozenset("x"), first=JANUARY, last=FEBRUARY)
    assert not judge(
        case(evaluation=Footprint(ids=frozenset("x"), first=MARCH, last=MARCH), challenger_training=seen), PLAIN
    ).open


def test_times_prove_separation_where_ids_are_not_kept():
    apart = case(
        evaluation=Footprint(first=MARCH, last=MARCH),
        challenger_training=Footprint(first=JANUARY, last=FEBRUARY),
        champion_training=Footprint(first=JANUARY, last=JANUARY),
    )
    assert judge(apart, PLAIN).open
    touching = msgspec.structs.replace(apart, challenger_training=Footprint(first=JANUARY, last=MARCH))
    assert judge(touching, PLAIN).reason == (
        "it cannot be proved that v9 never saw the evaluation rows: it learned from rows up to "
        "2012-03-01 00:00, evaluation starts 2012-03-01 00:00, and neither side names its rows"
    )


def test_what_is_not_on_record_is_not_proved():
    for unknown in ({"champion_training": Footprint()}, {"evaluation": Footprint()}):
        result = judge(case(**unknown), PLAIN)
        assert (result.open, result.hold) == (False, False)
        assert "it cannot be proved that v" in result.reason


def test_one_ruined_slice_closes_it_and_noise_in_many_does_not():
    good = pairs(gain=5.0)
    night = np.arange(len(DAYS)) % 24 < 6
    worse = np.where(night, good.champion + 20, good.challenger)
    ruined = Pairs(challenger=worse, champion=good.champion, blocks=DAYS, slices={"night": night, "day": ~night})
    result = judge(case(ruined), PLAIN)
    assert not result.open
    assert "worse than v8 by more than 25% in: night (+" in result.reason
    draw = np.random.default_rng(1)
    many = {f"s{n}": draw.random(len(DAYS)) < 0.3 for n in range(40)}
    quiet = Pairs(challenger=good.challenger, champion=good.champion, blocks=DAYS, slices=many)
    assert judge(case(quiet), PLAIN).open


def test_a_small_slice_is_named_as_not_judged():
    tiny = pairs(slices={"holiday": np.arange(len(DAYS)) < 10})
    result = judge(case(tiny), PLAIN)
    assert result.open
    assert check(result, "slices").sentence.endswith("(1 with too few rows to judge: holiday)")


def test_lost_calibration_closes_it_for_a_binary_task():
    draw = np.random.default_rng(2)
    days = np.repeat(np.arange(20), 100)
    truth = draw.uniform(0.1, 0.9, len(days))
    label = draw.random(len(days)) < truth

    def compare(ours):
        def loss(p):
            return np.where(label, -np.log(p), -np.log1p(-p))

        return Pairs(
            challenger=loss(ours),
            champion=loss(truth),
            blocks=days,
            label=label,
            challenger_probability=ours,
            champion_probability=truth,
        )

    assert check(judge(case(compare(truth)), PLAIN), "calibration").passed
    overconfident = np.clip(truth + np.where(truth > 0.5, 0.1, -0.09), 0.01, 0.99)
    failed = check(judge(case(compare(overconfident)), PLAIN), "calibration")
    assert not failed.passed
    assert "worse by more than 0.02" in failed.sentence
    unstated = msgspec.structs.replace(compare(truth), challenger_probability=None)
    assert check(judge(case(unstated), PLAIN), "calibration").held


def test_limits_of_size_and_latency_bind_where_they_are_set():
    limits = GateSettings(largest_bytes=1000, slowest_seconds=0.01)
    assert judge(case(size=1000, latency=0.002), limits).open
    slow = judge(case(size=2000, latency=0.02), limits)
    assert slow.reason == (
        "size of 2,000 bytes is above the limit of 1,000; latency of 0.02 seconds a row is above the limit of 0.01"
    )
    assert judge(case(size=10), limits).reason == "latency was not measured"
    assert judge(case(), PLAIN).open


def test_every_check_is_reported_even_when_one_fails():
    names = [check.name for check in judge(case(pairs(gain=-8)), PLAIN).checks]
    assert names == ["comparison", "slices", "separation", "provenance", "size", "latency"]


@given(st.integers(0, 10_000), st.floats(0, 0.2))
@settings(deadline=None, max_examples=25)
def test_a_wider_margin_never_closes_what_a_narrower_one_opened(seed, margin):
    compared = case(pairs(gain=0.0, noise=20.0, seed=seed))
    narrow = judge(compared, GateSettings(margin=margin)).open
    assert judge(compared, GateSettings(margin=margin + 0.05)).open >= narrow


def test_a_challenger_worse_by_just_its_margin_rarely_passes():
    """Seven days of hours that lean on their neighbours: alpha is 5%."""
    draw = np.random.default_rng(3)
    days, passed, trials = np.repeat(np.arange(7), 24), 0, 400
    champion = np.full(len(days), 100.0)
    for _ in range(trials):
        shared = np.repeat(draw.normal(0, 3, 7), 24)
        challenger = champion + 2.0 + shared + draw.normal(0, 3, len(days))
        compared = Pairs(challenger=challenger, champion=champion, blocks=days)
        passed += judge(case(compared), GateSettings(margin=0.02, least_blocks=5)).open
    assert passed / trials < 0.05 + 2 * (0.05 * 0.95 / trials) ** 0.5
