"""A model's life: first champion, promotion, rollback, and how versions are named."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from solvent.lineage.entities import Action, ModelVersion
from solvent.registry import compare_versions, describe_model, list_models, promote, resolve, rollback
from solvent.registry.references import BadReference, UnknownAlias, UnknownModel, UnknownVersion, split_reference
from solvent.registry.versions import AlreadyThere, ClosedGate, NoGate, NothingBefore, register_version

from .conftest import NOW, TESTER


@dataclass(frozen=True)
class Verdict:
    passed: bool = True
    reason: str = "better by 4.1"
    figures: dict = field(default_factory=dict)

    def as_evidence(self):
        return {"passed": self.passed, **self.figures}


OPEN, CLOSED = Verdict(), Verdict(passed=False, reason="worse in winter")


@pytest.fixture
def version(store, keep, regressor, rides):
    """Make and register one more version."""
    digest = keep(regressor)
    store.facts.add_model("bike-demand", {})
    made = iter(range(100))

    def register(**about):
        new = ModelVersion(
            model="bike-demand",
            number=0,
            artifact=digest,
            run=None,
            created_at=NOW,
            signature={"task": "regression", "target": "count", "features": {"temp": "Float64"}},
            about={"made": next(made), **about},
        )
        return (
            store.facts.add_version(new)
            if store.facts.versions("bike-demand")
            else register_version(store, new, actor=TESTER)
        )

    return register


def test_the_first_version_becomes_champion_by_a_decision(store, version):
    first = version()
    assert resolve(store, "bike-demand@champion") == resolve(store, "bike-demand") == first
    (decision,) = store.facts.decisions()
    assert decision.decision.action == Action.PROMOTE
    assert decision.decision.reason == "first version, nothing to compare it with"
    assert [d.number for d in store.facts.deployments("bike-demand")] == [1]


def test_the_same_artifact_of_the_same_run_is_the_same_version(store, version):
    first = version()
    again = register_version(store, first, actor=TESTER)
    assert (again.number, len(store.facts.versions("bike-demand")), len(store.facts.decisions())) == (1, 1, 1)


def test_a_registration_that_was_killed_half_way_is_completed_by_the_next(store, keep, regressor):
    store.facts.add_model("bike-demand", {})
    new = ModelVersion(model="bike-demand", number=0, artifact=keep(regressor), run=None, created_at=NOW, signature={})
    store.facts.add_version(new)  # and here the process died
    assert store.facts.alias("bike-demand", "champion") is None
    register_version(store, new, actor=TESTER)
    assert store.facts.alias("bike-demand", "champion") == 1


def test_promotion_needs_an_open_gate_or_a_waiver(store, version):
    version()
    version()
    when = {"actor": TESTER, "at": NOW + timedelta(days=1)}
    with pytest.raises(NoGate, match="bike-demand/2 has not been compared"):
        promote(store, "bike-demand", 2, **when)
    with pytest.raises(ClosedGate, match="worse in winter"):
        promote(store, "bike-demand", 2, gate=CLOSED, **when)
    assert store.facts.alias("bike-demand", "champion") == 1
    decision = promote(store, "bike-demand", 2, gate=OPEN, **when).decision
    assert (decision.action, decision.reason) == (Action.PROMOTE, "better by 4.1")
    assert decision.evidence["gate"] == {"passed": True}
    waived = promote(store, "bike-demand", 1, gate=CLOSED, waiver="winter is over", **when).decision
    assert (waived.action, waived.reason) == (Action.WAIVE, "waived: winter is over")
    assert store.facts.verify_chain() == []


def test_the_past_of_an_alias_stays_known(store, version):
    version()
    version()
    later = NOW + timedelta(days=3)
    promote(store, "bike-demand", 2, gate=OPEN, actor=TESTER, at=later)
    assert resolve(store, "bike-demand@champion", as_of=later - timedelta(seconds=1)).number == 1
    assert resolve(store, "bike-demand@champion", as_of=later).number == 2
    assert [d.number for d in store.facts.deployments("bike-demand", as_of=NOW)] == [1]


def test_an_effect_happens_once(store, version):
    version()
    version()
    once = {"gate": OPEN, "actor": TESTER, "at": NOW, "effect": "tick:2012-05-01"}
    assert promote(store, "bike-demand", 2, **once).key == promote(store, "bike-demand", 2, **once).key
    back = {"actor": TESTER, "at": NOW, "reason": "regressed", "effect": "rollback:2012-05-08"}
    assert rollback(store, "bike-demand", 1, **back).key == rollback(store, "bike-demand", 1, **back).key
    assert len(store.facts.alias_moves("bike-demand", "champion")) == 3


def test_promoting_the_champion_is_an_error(store, version):
    version()
    with pytest.raises(AlreadyThere):
        promote(store, "bike-demand", 1, gate=OPEN, actor=TESTER, at=NOW)


def test_rollback_goes_to_what_was_replaced_and_never_to_what_was_rolled_back(store, version):
    for _ in range(4):
        version()
    when = {"actor": TESTER, "at": NOW}
    with pytest.raises(NothingBefore):
        rollback(store, "bike-demand", reason="", **when)
    for number in (2, 3):
        promote(store, "bike-demand", number, gate=OPEN, **when)
    assert rollback(store, "bike-demand", reason="3 is bad", **when).decision.number == 2
    promote(store, "bike-demand", 4, gate=OPEN, **when)
    decision = rollback(store, "bike-demand", reason="4 is bad", **when).decision
    assert (decision.number, decision.evidence["from"], decision.evidence["to"]) == (2, 4, 2)
    assert rollback(store, "bike-demand", reason="2 too", **when).decision.number == 1
    assert decision.action == Action.ROLL_BACK


def test_names_that_lead_nowhere_name_the_nearest(store, version):
    version()
    promote(store, "bike-demand", 1, alias="challenger", actor=TESTER, at=NOW)
    for wrong, error, words in [
        ("bike-demnd@champion", UnknownModel, "did you mean `bike-demand`"),
        ("bike-demand@champoin", UnknownAlias, "did you mean `champion`"),
        ("bike-demand/7", UnknownVersion, "its versions are 1 to 1"),
        ("bike demand", BadReference, "NAME@alias or NAME/3"),
        ("bike-demand@", BadReference, "NAME@alias or NAME/3"),
        ("../x/3", BadReference, "NAME@alias or NAME/3"),
    ]:
        with pytest.raises(error, match=words):
            resolve(store, wrong)
    assert resolve(store, "bike-demand@latest").number == resolve(store, "bike-demand@challenger").number == 1


def test_a_reference_is_split():
    assert split_reference("m/12") == ("m", None, 12)
    assert split_reference("m") == ("m", None, None)


def test_models_are_listed_described_and_compared(store, version):
    version(metrics={"mae": 30.0}, span="all")
    version(metrics={"mae": 25.0}, span="all")
    (summary,) = list_models(store)
    assert (summary.name, summary.versions, summary.aliases) == ("bike-demand", 2, {"champion": 1})
    detail = describe_model(store, "bike-demand")
    assert [v.number for v in detail.versions] == [2, 1]
    assert detail.history[0].decision.decision.reason == "first version, nothing to compare it with"
    comparison = compare_versions(store, "bike-demand/1", "bike-demand/2")
    changed = {row.name: row.change for row in comparison.different}
    assert changed == {"made": 1.0, "metrics.mae": -5.0}
    assert next(row for row in comparison.rows if row.name == "span").left == "all"
