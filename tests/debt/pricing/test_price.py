"""Prices of findings: who is charged, what adds up, what is unknown."""

import msgspec
import pytest

from solvent.debt.finding import Finding, Place
from solvent.debt.pricing.churn import Exposure
from solvent.debt.pricing.price import History, Prices, months_said
from solvent.debt.rules.base import all_rules

RULES = {rule.code: rule for rule in all_rules()}
ANY = RULES["PIP008"]
OFTEN = History(files={"a.py": Exposure(12, 6), "b.py": Exposure(1, 6)})


def found(path="a.py", line=1, rule=ANY, **more):
    return Finding(rule=rule.code, severity=rule.severity, place=Place(path, 0, line, line), joined=line, **more)


def prices(findings, history=OFTEN, rules=RULES):
    return Prices(findings, rules, history)


def with_driver(driver):
    return {"PIP008": msgspec.structs.replace(ANY, driver=driver)}


def test_a_class_costs_what_its_table_says():
    price = prices([found()]).price(0)
    assert price.principal.p10 == pytest.approx(2, rel=0.1)
    assert price.principal.p90 == pytest.approx(10, rel=0.1)
    assert price.basis == "history"
    assert price.breaks_even == pytest.approx(price.principal.mean / price.interest.mean)


def test_further_places_in_a_file_cost_less_and_other_files_do_not():
    made = prices([found(), found(line=9), found("b.py")])
    first, further, other = (made.price(at).principal.mean for at in range(3))
    assert further == pytest.approx(0.4 * first)
    assert other == first


def test_one_root_is_charged_once():
    made = prices([found(root="split"), found(line=5, root="split"), found("b.py", root="split")])
    assert [made.price(at).principal.mean > 0 for at in range(3)] == [True, False, True]


def test_a_root_is_charged_with_the_most_severe_debt_that_comes_of_it():
    warning = RULES["REP001"]
    made = prices([found(rule=warning, root="split"), found(line=5, root="split"), found(line=9, rule=warning)])
    assert [made.price(at).principal.mean > 0 for at in range(3)] == [False, True, True]


def test_sums_are_the_sums_of_means_and_wider_than_independent_ones():
    made = prices([found(f"{n}.py") for n in range(20)])
    total = made.sum(range(20)).principal
    assert total.mean == pytest.approx(sum(made.price(at).principal.mean for at in range(20)))
    assert total.p90 / total.p10 == pytest.approx(5, rel=0.2), "one assumption, one error"


def test_interest_follows_the_files_changes_and_its_users():
    made = prices([found(), found("b.py")])
    assert made.price(0).interest.mean > 5 * made.price(1).interest.mean
    used = prices([found()], History(files=OFTEN.files, users={"a.py": 3}), with_driver("U"))
    alone = prices([found()], OFTEN, with_driver("U"))
    assert used.price(0).interest.mean == pytest.approx(3 * alone.price(0).interest.mean)


def test_callers_changes_count_for_runs_and_evaluations_and_a_ledger_outranks_them():
    history = History(files=OFTEN.files, callers={"b.py": ["a.py"]})
    rules = with_driver("R")
    alone, called = (prices([found("b.py")], h, rules).price(0) for h in (OFTEN, history))
    assert called.interest.mean > alone.interest.mean
    ledger = prices([found("b.py")], History(files=OFTEN.files, runs={"b.py": Exposure(900, 3)}), rules).price(0)
    assert ledger.basis == "ledger"
    assert ledger.interest.mean > 20 * called.interest.mean


def test_without_history_interest_is_unknown_never_zero():
    made = prices([found(), found(line=3)], History())
    assert made.price(0).interest is None
    assert made.price(0).breaks_even is None
    total = made.sum([0, 1])
    assert (total.interest, total.unknown) == (None, 2)


def test_time_and_served_models_need_no_history():
    assert prices([found()], History(), with_driver("T")).price(0).interest is not None
    one, four = (prices([found()], History(served=n), with_driver("X")).price(0).interest.mean for n in (1, 4))
    assert four == pytest.approx(4 * one)


def test_a_finding_over_several_files_counts_them_all():
    alone, both = prices([found()]), prices([found(concerns=("a.py", "b.py"))])
    assert both.price(0).interest.mean > alone.price(0).interest.mean


def test_nothing_owed_is_nothing_and_not_unknown():
    total = prices([]).sum([])
    assert (total.principal.mean, total.interest.mean, total.unknown) == (0, 0, 0)


def test_months_as_people_say_them():
    said = [months_said(months) for months in (0.1, 1, 23, 400)]
    assert said == ["1 week", "4 weeks", "23 months", "more than 20 years"]
