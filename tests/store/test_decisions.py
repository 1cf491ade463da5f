import multiprocessing
import re

import pytest
from sqlalchemy import delete, update

from solvent.lineage.digests import digest_of
from solvent.lineage.entities import Action, NodeKind
from solvent.store import open_store
from solvent.store import schema as t
from solvent.store.facts.writing import UnknownFact
from store_samples import ANN, DAY, START, add_version, artifact, decision, run_step


def test_a_decision_comes_back_as_it_was_made(facts):
    add_version(facts)
    new = decision(
        Action.REFUSE,
        model="bikes",
        number=1,
        policy="p1",
        evidence={"difference": 0.25, "rows": 120, "slices": {"night": [1, 2]}},
        rests_on=[(NodeKind.ARTIFACT, artifact("forest").digest)],
        effect="w1",
    )
    made = facts.decide(new)
    assert made.decision == new
    assert facts.decision(made.key) == made
    assert facts.decision("unknown") is None
    reached = {(edge.role, edge.target) for edge in facts.ancestors(NodeKind.DECISION, made.key).edges}
    node = facts.node(NodeKind.DECISION, made.key).id
    assert reached >= {("evidence", node), ("about", node)}


def test_what_a_decision_rests_on_must_be_known(facts):
    with pytest.raises(UnknownFact):
        facts.decide(decision(rests_on=[(NodeKind.ARTIFACT, digest_of(b"x"))]))
    assert facts.decisions() == []


def test_an_effect_is_decided_once(facts, clock):
    first = facts.decide(decision(effect="hold w1"))
    clock.now += DAY
    assert facts.decide(decision(Action.RETRAIN, effect="hold w1", reason="other")) == first
    facts.decide(decision())
    facts.decide(decision())  # without an effect nothing is unique
    assert len(facts.decisions()) == 3


def test_an_effect_is_unique_in_its_project_only(open_again):
    here, there = open_again().facts, open_again(project="other").facts
    assert here.decide(decision(effect="w1")).key != there.decide(decision(effect="w1")).key
    assert (here.verify_chain(), there.verify_chain()) == ([], [])


def test_decisions_are_listed_oldest_first_and_filtered(facts):
    keys = [
        facts.decide(decision(action, model=model, at=START + n * DAY)).key
        for n, (action, model) in enumerate(
            [(Action.HOLD, "bikes"), (Action.HOLD, "flights"), (Action.RETRAIN, "bikes"), (Action.ERASE, None)]
        )
    ]

    def listed(**which):
        return [made.key for made in facts.decisions(**which)]

    assert listed() == keys
    assert listed(model="bikes") == [keys[0], keys[2]]
    assert listed(action=Action.HOLD) == keys[:2]
    assert listed(since=START + 2 * DAY) == keys[2:]
    assert listed(limit=2) == keys[2:]


@pytest.fixture
def five(facts):
    add_version(facts)
    for n in range(4):
        facts.decide(decision(reason=f"reason {n}", evidence={"loss": n / 3}))
    facts.move_alias("bikes", "champion", 1, decision(Action.PROMOTE, number=1))
    assert facts.verify_chain() == []
    return facts


TAMPERINGS = {
    "a figure of the evidence": (
        lambda third: update(t.decision).where(third).values(evidence='{"loss":0.5}'),
        "decision 2 .* it was changed",
    ),
    "who decided": (
        lambda third: update(t.decision).where(third).values(actor_name="bob"),
        "decision 2 .* it was changed",
    ),
    "the reason": (
        lambda third: update(t.decision).where(third).values(reason="a better one"),
        "decision 2 .* another reason",
    ),
    "the reason and its commitment": (
        lambda third: update(t.decision).where(third).values(reason="a better one", commitment="0" * 64),
        "decision 2 .* it was changed",
    ),
    "its hash": (
        lambda third: update(t.decision).where(third).values(hash="0" * 64),
        "decision 3 .* does not follow",
    ),
    "its place": (
        lambda third: update(t.decision).where(third).values(position=9),
        "decision 3 .* stands where decision 2 belongs",
    ),
    "its existence": (
        lambda third: delete(t.decision).where(third),
        "decision 3 .* stands where decision 2 belongs",
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_the_chain_shows_that_someone_changed(five, what):
    statement, sentence = TAMPERINGS[what]
    with five.database.write() as connection:
        connection.execute(statement(t.decision.c.position == 2))
    problems = "\n".join(five.verify_chain())
    assert re.search(sentence, problems), problems


def test_the_chain_shows_that_its_tail_was_cut(facts):
    for _ in range(3):
        facts.decide(decision())
    with facts.database.write() as connection:
        connection.execute(delete(t.decision).where(t.decision.c.position == 2))
    assert facts.verify_chain() == ["the chain ends after 2 decisions, but 3 were recorded"]


def test_the_chain_shows_that_two_decisions_changed_places(five):
    with five.database.write() as connection:
        for old, new in ((1, 99), (2, 1), (99, 2)):
            connection.execute(update(t.decision).where(t.decision.c.position == old).values(position=new))
    assert any("does not follow" in problem for problem in five.verify_chain())


def test_the_chain_shows_that_an_alias_moved_without_its_decision(five):
    add_version(five, name="boosting")
    second = five.node(NodeKind.VERSION, "bikes/2").id
    with five.database.write() as connection:
        connection.execute(update(t.alias_move).values(version_id=second))
    assert five.verify_chain() == ["`bikes@champion` moved to 2, which decision 4 does not say"]


def test_an_erased_reason_leaves_the_chain_whole(five):
    key = five.decisions()[1].key
    five.erase_reason(key)
    assert five.verify_chain() == []
    assert (five.decision(key).decision.reason, five.decision(key).salt) == ("", "")


def decide_many(url, root, name):
    with open_store(url, root=root, actor=ANN) as store:
        for n in range(15):
            store.facts.decide(decision(reason=f"{name} {n}", effect=f"effect {n}" if n % 3 == 0 else None))


def test_deciders_in_several_processes_never_fork_the_chain(store_url, store, tmp_path):
    spawn = multiprocessing.get_context("spawn")
    deciders = [spawn.Process(target=decide_many, args=(store_url, tmp_path / ".solvent", f"p{n}")) for n in range(3)]
    for decider in deciders:
        decider.start()
    for decider in deciders:
        decider.join()
        assert decider.exitcode == 0
    made = store.facts.decisions()
    assert store.facts.verify_chain() == []
    assert [it.position for it in made] == list(range(len(made)))
    assert len(made) == 3 * 10 + 5  # ten each without an effect, and five effects whoever was first


def test_runs_may_be_evidence(facts):
    key = run_step(facts, "pipeline")
    made = facts.decide(decision(rests_on=[(NodeKind.RUN, key)]))
    assert {node.key for node in facts.ancestors(NodeKind.DECISION, made.key).nodes} == {made.key, key}
