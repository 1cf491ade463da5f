"""Whole backtests on tables whose answer is known."""

import math
import tomllib
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from backtest.small_tables import START, sales, wandering
from solvent.backtest.document import document
from solvent.backtest.options import PRICES, BadOption, Options, check, parse_train, parse_window
from solvent.backtest.policies import AHEAD, NEVER, ORACLE, SOLVENT
from solvent.backtest.report.page import render_html
from solvent.backtest.run import backtest
from solvent.backtest.summary import ageing, headline
from solvent.backtest.terminal import render
from solvent.foundation.settings import parse_settings
from solvent.statistics.sequential import Interval

QUICK = {"windows": 12, "windows_given": True, "prices": (0.1, 1.0)}


def quiet(_):
    return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("tables")
    sales(3000, drift=3.0).write_parquet(root / "aging.parquet")
    sales(3000).write_parquet(root / "calm.parquet")
    return root


@pytest.fixture(scope="module")
def aging(folder):
    return backtest(Options(path=folder / "aging.parquet", time="time", target="units", **QUICK), quiet)


@pytest.fixture(scope="module")
def calm(folder):
    nine = {**QUICK, "prices": PRICES}
    return backtest(Options(path=folder / "calm.parquet", time="time", target="units", **nine), quiet)


def test_where_the_relation_moves_models_age_and_retraining_pays(aging):
    life = aging.lifetime
    assert life.aging.verdict == "gradual" and life.month.lower > 0
    never, own, ideal = (aging.asked.named(name) for name in (NEVER, SOLVENT, ORACLE))
    assert ideal.cost <= own.cost < never.cost and own.regret_share < 0.4
    assert "drift" in {one.kind for one in own.retrainings}
    assert aging.advice.policy != NEVER
    assert [warning.kind for warning in aging.warnings] == ["performance"], "the inputs show nothing of it"


def test_where_nothing_moves_nothing_ages_and_nobody_is_warned(calm):
    assert calm.lifetime.aging.verdict == "stable"
    assert calm.warnings == [] and "nothing here ages" in headline(calm)
    assert "drift" not in {one.kind for one in calm.asked.named(SOLVENT).retrainings}


def test_where_a_fresh_model_errs_far_less_no_one_says_that_age_adds_little(calm):
    def worse(by):
        losses = [msgspec.structs.replace(w, loss=Interval(w.loss.value * by, 0, 99, 0.9)) for w in calm.windows]
        return headline(msgspec.structs.replace(calm, windows=losses))

    assert "more than one always fresh; this table is too short to tell age from seasons" in worse(3.0)
    assert "too short" not in worse(1.0)


def test_without_skill_the_headline_says_so_and_a_short_table_speaks_of_days(tmp_path):
    noise = np.random.default_rng(2).standard_t(2, 1200)
    sales(1200).with_columns(units=pl.Series(np.where(noise > 1, 100 * noise, 0.0))).write_parquet(
        tmp_path / "t.parquet"
    )
    found = backtest(Options(path=tmp_path / "t.parquet", time="time", target="units", **QUICK), quiet)
    assert "does no better than a naive forecast, nor does one that is always fresh" in headline(found)
    assert "units a day of age" in ageing(found)


def test_the_same_seed_gives_the_same_document(folder, aging):
    again = backtest(Options(path=folder / "aging.parquet", time="time", target="units", **QUICK), quiet)
    one, two = document(aging), document(again)
    assert {**one, "seconds": 0} == {**two, "seconds": 0}


def test_the_future_changes_nothing_that_was_told_before_it(folder, aging):
    """The last third of the table is another world: the first eight windows and their decisions stay as they were."""
    frame = pl.read_parquet(folder / "aging.parquet")
    late = pl.int_range(3000) >= int(aging.course.bounds[8])
    other = frame.with_columns(
        pl.when(late).then(80 - pl.col("units")).otherwise("units").alias("units"),
        pl.when(late).then(pl.col("price") * 3).otherwise("price").alias("price"),
    )
    other.write_parquet(folder / "other.parquet")
    changed = backtest(Options(path=folder / "other.parquet", time="time", target="units", **QUICK), quiet)
    one, two = document(aging), document(changed)
    assert one["windows"][:8] == two["windows"][:8] and one["windows"][8:] != two["windows"][8:]
    fore = [[made["interval"] for made in found["forecast"][:9]] for found in (one, two)]
    assert fore[0] == fore[1], "made before the ninth window"
    told = [{p["name"]: p["retrainings"] for p in found["policies"]} for found in (one, two)]
    for name in (set(told[0]) & set(told[1])) - {"oracle", "the best schedule in hindsight"}:
        before = [[made for made in all_of[name] if made["window"] <= 8] for all_of in told]
        assert before[0] == before[1], name


def test_the_recommended_settings_are_settings(aging, calm):
    for found in (aging, calm):
        settings = parse_settings(tomllib.loads(found.advice.config), "backtest")
        assert settings.policy.spans[0] == "all"


def test_the_screen_keeps_to_its_width_and_names_the_next_step(aging, calm):
    for found in (aging, calm):
        lines = render(found)
        assert max(len(line) for line in lines) <= 80, [line for line in lines if len(line) > 80]
        assert sum(line.startswith("Next: ") for line in lines) == 1
        assert lines[0].startswith("3,000 rows, 1 Jan 2024 to ")


def test_all_policies_pay_for_their_fits_and_the_oracle_is_cheapest(aging):
    for priced in aging.curve:
        for outcome in priced.outcomes:
            assert outcome.cost >= priced.named(ORACLE).cost * (1 - 1e-12)
            assert outcome.cost >= outcome.loss + priced.price * len(outcome.retrainings) - 1e-9
            assert outcome.fits >= len(outcome.retrainings)
        assert priced.named(SOLVENT).fits > len(priced.named(SOLVENT).retrainings), "shadows are paid for"


def test_money_moves_the_price(folder):
    money = Options(path=folder / "aging.parquet", time="time", target="units", cost_retrain=50, cost_loss=0.5, **QUICK)
    found = backtest(money, quiet)
    assert found.asked.price == pytest.approx(100)


HIGH = pl.when(pl.col("units") > 34).then(pl.lit("high"))


@pytest.mark.parametrize(
    "target",
    [pl.col("units") > 32, HIGH.when(pl.col("units") > 30).then(pl.lit("mid")).otherwise(pl.lit("low"))],
    ids=["binary", "multiclass"],
)
def test_classes_are_backtested_too(folder, target):
    path = folder / "classes.parquet"
    sales(3000, drift=3.0).with_columns(units=target).write_parquet(path)
    found = backtest(Options(path=path, time="time", target="units", **QUICK), quiet)
    assert found.cases.metric == "log_loss" and math.isfinite(found.lifetime.month.value)
    assert found.asked.named(SOLVENT).cost < found.asked.named(NEVER).cost
    assert any(one.loss is not None for one in found.estimated)  # until the moving relation has been told


def test_constant_and_missing_features_and_late_labels(folder):
    frame = sales(2000).with_columns(
        pl.when(pl.int_range(2000) % 3 > 0).then("size"),
        fresh=pl.when(pl.int_range(2000) > 1500).then(pl.lit(1.5)),
        infinite=pl.when(pl.int_range(2000) % 7 == 0).then(pl.lit(np.inf)).otherwise("price"),
    )
    frame.write_parquet(folder / "odd.parquet")
    delay = START.replace(day=15) - START
    found = backtest(
        Options(path=folder / "odd.parquet", time="time", target="units", label_delay=delay, **QUICK), quiet
    )
    assert found.course.known[1] == 0 and "fresh" in found.cases.features
    document(found)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"target": "time"}, "cannot be both time and target"),
        ({"windows": 2}, "--windows 2 is too few"),
        ({"prices": ()}, "--prices needs figures above zero"),
        ({"cost_retrain": 5.0}, "--cost-retrain needs --cost-loss"),
        ({"budget": 0.0}, "--budget needs seconds"),
        ({"html": Path()}, "--html . is a folder"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_a_row_is_read(more, message):
    with pytest.raises(BadOption, match=message):
        check(Options(path="none.csv", **{"time": "time", "target": "units", **more}))


def test_flags_are_parsed_or_say_how_they_are_written():
    assert (parse_train("25%"), parse_train("0.4")) == (0.25, 0.4)
    assert parse_train("2012-06-30").year == 2012 and parse_window("5000") == (None, 5000)
    for parse, text in [(parse_train, "1.5"), (parse_train, "soon"), (parse_window, "5 rows")]:
        with pytest.raises(BadOption):
            parse(text)


@pytest.fixture(scope="module")
def turned(folder):
    wandering().write_parquet(folder / "turned.parquet")
    return backtest(Options(path=folder / "turned.parquet", time="time", target="units", **QUICK), quiet)


def test_a_feature_whose_relation_turns_is_named_and_models_without_it_are_proposed(turned):
    assert turned.left_out.feature == "code"
    assert 3 <= turned.left_out.since <= 6, "it turns in the third of twelve windows"
    assert 0.2 < turned.left_out.saved.lower < turned.left_out.saved.value < 0.8
    told = document(turned)["wandering"]
    assert [one["feature"] for one in told] == ["code"] and told[0]["saved_share"]["interval"][0] > 0
    text = " ".join(" ".join(render(turned)).split())
    assert "what wanders code: its relation to units moved" in text
    assert "code" in str(render_html(turned)) and "its relation to units moved" in str(render_html(turned))


def test_models_without_it_are_for_the_policy_that_looks_ahead_alone(turned):
    assert [span.without for span in turned.matrix.spans] == ["", "", "code"]
    policies = {one["name"]: one for one in document(turned)["policies"]}
    spans = {name: {one["span"] for one in policy["retrainings"]} for name, policy in policies.items()}
    assert all("all without code" not in named for name, named in spans.items() if name != AHEAD)
    ahead, tried = turned.asked.named(AHEAD), turned.matrix.tried
    assert ahead.fits >= len(ahead.retrainings) + len(tried), "the screening is paid for"
    early = [one.tick for one in ahead.retrainings if one.span == 2]
    assert all(tick >= turned.left_out.since for tick in early)


def test_where_no_feature_wanders_none_is_named(calm, aging):
    assert calm.left_out is None and document(calm)["wandering"] == []
    assert calm.matrix.tried and len(calm.matrix.spans) == 2
