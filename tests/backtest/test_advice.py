"""What a backtest recommends."""

import tomllib

import msgspec
import pytest

from backtest.small_tables import sales
from solvent.backtest.advice import advise
from solvent.backtest.options import Options
from solvent.backtest.policies import AHEAD, CARA, FORECAST, NEVER, RULES, SHOWN_ONLY, SOLVENT
from solvent.backtest.run import backtest
from solvent.foundation.settings import parse_settings
from solvent.statistics.replay import Retrained


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    path = tmp_path_factory.mktemp("advice") / "aging.parquet"
    sales(1500, drift=3.0).write_parquet(path)
    options = Options(path=path, time="time", target="units", windows=8, windows_given=True, prices=(0.1,))
    return backtest(options, lambda _: None)


def advised(found, costs):
    """What is recommended where policies had cost this."""
    outcomes = [
        msgspec.structs.replace(outcome, cost=costs.get(outcome.name, outcome.cost)) for outcome in found.asked.outcomes
    ]
    asked = msgspec.structs.replace(found.asked, outcomes=outcomes)
    return advise(asked, found.curve, found.lifetime, found.matrix, found.course)


def test_only_what_settings_can_put_to_work_is_recommended(found):
    """However cheap they were: nothing in `solvent.toml` turns the future, or a rival's policy, on."""
    assert {CARA, FORECAST} <= {outcome.name for outcome in found.asked.outcomes}
    assert advised(found, dict.fromkeys(SHOWN_ONLY, 1e-9)).policy not in SHOWN_ONLY


def test_what_costs_more_than_never_retraining_is_not_recommended(found):
    """A schedule whose luck nobody had in advance comes out a little cheaper than both."""
    dear = {outcome.name: 200.0 for outcome in found.asked.outcomes}
    one = next(name for name in dear if name.startswith("every 2 windows"))
    assert advised(found, {**dear, one: 100.0, NEVER: 102.0, SOLVENT: 103.0}).policy == NEVER
    assert advised(found, {**dear, one: 100.0, NEVER: 103.0, SOLVENT: 102.0}).policy == SOLVENT
    assert advised(found, {**dear, one: 100.0, NEVER: 103.0, AHEAD: 102.0}).policy == AHEAD
    assert advised(found, {**dear, one: 100.0, NEVER: 108.0, SOLVENT: 107.0}).policy == one


@pytest.mark.parametrize(("policy", "rule"), RULES.items())
def test_the_cheaper_rule_is_recommended_with_the_setting_that_puts_it_to_work(found, policy, rule):
    advice = advised(
        found, {outcome.name: 1.0 if outcome.name == policy else 200.0 for outcome in found.asked.outcomes}
    )
    assert advice.policy == policy
    settings = parse_settings(tomllib.loads(advice.config), "solvent.toml")
    assert (settings.policy.enabled, settings.policy.rule) == (True, rule)
    assert advice.reason.startswith("Let Solvent decide")


def test_a_plan_that_needed_a_model_without_a_feature_is_not_recommended(found):
    asked = found.asked.named(AHEAD)
    spans = [*found.matrix.spans[:2], msgspec.structs.replace(found.matrix.spans[0], without="x")]
    served = msgspec.structs.replace(asked, cost=1.0, retrainings=[Retrained(3, 2, "drift", "it pays")])
    outcomes = [served if one.name == AHEAD else one for one in found.asked.outcomes]
    matrix = msgspec.structs.replace(found.matrix, spans=spans)
    priced = msgspec.structs.replace(found.asked, outcomes=outcomes)
    assert advise(priced, [priced], found.lifetime, matrix, found.course).policy != AHEAD
