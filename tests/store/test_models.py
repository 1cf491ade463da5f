import pytest

from solvent.lineage.digests import digest_of
from solvent.lineage.entities import Action, ModelVersion, NodeKind
from solvent.store.facts.base import UnknownModel
from solvent.store.facts.models import UnknownVersion
from solvent.store.facts.writing import UnknownFact
from store_samples import ANN, DAY, START, add_version, artifact, decision


@pytest.fixture
def two_versions(facts):
    add_version(facts, name="forest")
    add_version(facts, name="boosting")
    return facts


def promote(facts, number, **fields):
    return facts.move_alias("bikes", "champion", number, decision(Action.PROMOTE, number=number, **fields))


def test_a_model_is_declared_again_by_a_newer_declaration(facts):
    facts.add_model("bikes", {"task": "regression"})
    facts.add_model("bikes", {"task": "regression", "metric": "mae"})
    facts.add_model("flights", {"task": "binary"})
    assert facts.models() == ["bikes", "flights"]
    assert facts.model("bikes") == {"task": "regression", "metric": "mae"}
    assert facts.model("trains") is None


def test_versions_are_numbered_per_model_and_come_back_whole(facts):
    first, second = add_version(facts), add_version(facts, name="boosting")
    other = add_version(facts, model="flights")
    assert [first.number, second.number, other.number] == [1, 2, 1]
    assert facts.versions("bikes") == [first, second]
    assert facts.version("bikes", 2) == second
    assert facts.version("bikes", 3) is None


def test_a_version_keeps_its_contract_and_reference(facts):
    base = add_version(facts)
    facts.add_artifacts([artifact("contract"), artifact("reference")])
    fields = {"contract": artifact("contract").digest, "reference": artifact("reference").digest}
    new = ModelVersion(
        model="bikes",
        number=0,
        artifact=base.artifact,
        run=None,
        created_at=START,
        signature={},
        about={"reason": "drift"},
        **fields,
    )
    kept = facts.add_version(new)
    assert facts.version("bikes", kept.number) == kept
    assert (kept.contract, kept.reference, kept.run) == (fields["contract"], fields["reference"], None)


def test_a_version_of_unknown_things_is_refused(facts):
    add_version(facts)
    new = ModelVersion(model="bikes", number=0, artifact=digest_of(b"x"), run=None, created_at=START, signature={})
    with pytest.raises(UnknownFact, match="knows no artifact"):
        facts.add_version(new)
    with pytest.raises(UnknownModel, match="no model `bike` in this project: did you mean `bikes`"):
        facts.move_alias("bike", "champion", 1, decision())


def test_an_alias_moves_by_a_decision_that_says_so(two_versions):
    facts = two_versions
    made = promote(facts, 2, reason="better by 8%")
    assert facts.alias("bikes", "champion") == 2
    assert made.decision.evidence["move"] == {"alias": "champion", "to": 2}
    assert made.decision.model == "bikes"
    assert [(move.number, move.decision) for move in facts.alias_moves("bikes")] == [(2, made.key)]
    assert facts.decisions() == [made]


def test_an_alias_may_point_at_nothing_again(two_versions):
    promote(two_versions, 1)
    two_versions.move_alias("bikes", "champion", None, decision())
    assert two_versions.alias("bikes", "champion") is None
    assert [move.number for move in two_versions.alias_moves("bikes", "champion")] == [1, None]


def test_a_move_to_an_unknown_version_leaves_no_decision_behind(two_versions):
    with pytest.raises(UnknownVersion, match="`bikes` has no version 9"):
        promote(two_versions, 9)
    assert two_versions.decisions() == []
    assert two_versions.alias_moves("bikes") == []


def test_the_same_effect_moves_an_alias_once(two_versions):
    first = promote(two_versions, 1, effect="promote w1")
    again = promote(two_versions, 2, effect="promote w1", reason="other words")
    assert again == first
    assert two_versions.alias("bikes", "champion") == 1
    assert len(two_versions.alias_moves("bikes")) == 1


def test_an_alias_as_of_a_date_asks_either_time(two_versions, clock):
    facts = two_versions
    promote(facts, 1, at=START)
    clock.now = START + 10 * DAY
    promote(facts, 2, at=START + 5 * DAY)
    assert facts.alias("bikes", "champion", as_of=START - DAY) is None
    assert facts.alias("bikes", "champion", as_of=START + 4 * DAY) == 1
    assert facts.alias("bikes", "champion", as_of=START + 5 * DAY) == 2
    assert facts.alias("bikes", "champion", as_of=START + 7 * DAY, known_by=START + 9 * DAY) == 1
    assert facts.alias("bikes", "champion", known_by=START + 10 * DAY) == 2


def test_deployments_are_intervals(two_versions, clock):
    facts = two_versions
    facts.deploy("main", "bikes", 1, START)
    facts.deploy("main", "bikes", 1, START + DAY)
    facts.deploy("shadow", "bikes", 2, START + DAY)
    clock.now = START + 9 * DAY
    facts.deploy("main", "bikes", 2, START + 3 * DAY)
    facts.deploy("shadow", "bikes", None, START + 4 * DAY)

    def answered(**when):
        return [(it.endpoint, it.number, it.since, it.until) for it in facts.deployments("bikes", **when)]

    first = ("main", 1, START, START + 3 * DAY)
    shadow = ("shadow", 2, START + DAY, START + 4 * DAY)
    last = ("main", 2, START + 3 * DAY, None)
    assert answered() == [first, shadow, last]
    assert answered(as_of=START + 3 * DAY) == [shadow, last]
    assert answered(as_of=START + 5 * DAY) == [last]
    assert answered(as_of=START + 3 * DAY, known_by=START) == [
        ("main", 1, START, None),
        ("shadow", 2, START + DAY, None),
    ]


def test_projects_keep_their_models_apart(open_again):
    here, there = open_again().facts, open_again(project="other").facts
    add_version(here)
    assert there.models() == []
    assert there.versions("bikes") == []
    assert there.alias("bikes", "champion") is None
    add_version(there)
    assert there.node(NodeKind.VERSION, "bikes/1").id != here.node(NodeKind.VERSION, "bikes/1").id


def test_who_decided_stands_in_the_decision(two_versions):
    assert promote(two_versions, 1).decision.actor == ANN
