from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.lineage import chain
from solvent.lineage.entities import Action, Actor, NewDecision, NodeKind

NOW = datetime(2012, 3, 2, tzinfo=UTC)
SALT = "00112233445566778899aabbccddeeff"


def forged(reasons, project="bikes"):
    links, previous = [], chain.genesis(project)
    for position, reason in enumerate(reasons):
        new = NewDecision(
            action=Action.HOLD,
            actor=Actor(kind="policy", name="p"),
            at=NOW,
            reason=reason,
            evidence={"loss": 0.1 * position},
            rests_on=[(NodeKind.RUN, "abc")],
        )
        key = f"k{position}"
        links.append(chain.forge(new, key=key, position=position, previous=previous, salt=SALT, recorded_at=NOW))
        previous = links[-1].decision.hash
    return links


def problems(links, reasons, project="bikes"):
    whole = forged(reasons, project)
    return chain.verify(project, links, length=len(whole), head=whole[-1].decision.hash)


def changed(link, **fields):
    return msgspec.structs.replace(link, decision=msgspec.structs.replace(link.decision, **fields))


def changed_decision(link, **fields):
    return changed(link, decision=msgspec.structs.replace(link.decision.decision, **fields))


def test_a_chain_as_it_was_forged_is_whole():
    assert problems(forged("abc"), "abc") == []
    assert chain.verify("bikes", [], length=0, head=chain.genesis("bikes")) == []


def test_hashes_that_were_written_once_are_found_by_every_later_version():
    (link,) = forged(["because"])
    assert link.decision.hash == "296d3a4fa06c8a848d5506ec115ba01add4d6eb819d94b184528d39cb25b9f03"


CHANGES = {
    "action": Action.PROMOTE,
    "actor": Actor(kind="person", name="p"),
    "at": NOW.replace(year=2013),
    "reason": "other",
    "model": "bikes",
    "number": 2,
    "policy": "p2",
    "evidence": {"loss": 9.0},
    "rests_on": [],
    "effect": "e",
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_change_of_any_field_of_a_decision_shows(field):
    links = forged("abc")
    links[1] = changed_decision(links[1], **{field: CHANGES[field]})
    assert len(problems(links, "abc")) == 1


def test_every_field_of_a_decision_is_covered():
    assert set(CHANGES) == set(NewDecision.__struct_fields__)


@pytest.mark.parametrize("fields", [{"key": "other"}, {"recorded_at": NOW.replace(year=2013)}, {"salt": "00"}])
def test_a_change_of_what_the_store_added_shows(fields):
    links = forged("abc")
    links[1] = changed(links[1], **fields)
    assert problems(links, "abc")


@settings(deadline=None)
@given(st.integers(2, 6), st.data())
def test_removing_or_exchanging_any_decision_shows(length, data):
    reasons = [str(n) for n in range(length)]
    links = forged(reasons)
    gone = data.draw(st.integers(0, length - 1))
    assert problems(links[:gone] + links[gone + 1 :], reasons)
    other = data.draw(st.integers(0, length - 1).filter(lambda n: n != gone))
    links[gone], links[other] = links[other], links[gone]
    assert problems(links, reasons)


def test_a_decision_of_another_project_does_not_fit():
    assert problems(forged("abc", project="flights"), "abc")


def test_a_forged_successor_of_a_changed_decision_does_not_help():
    """Whoever rewrites one decision must rewrite all that follow, and the recorded end betrays it."""
    rewritten = forged(["a", "changed", "c"])
    assert chain.verify("bikes", rewritten, length=3, head=forged("abc")[-1].decision.hash) == [
        "the last decision is not the one recorded: the chain was rewritten"
    ]


def test_an_erased_reason_leaves_no_way_to_test_guesses_and_no_break():
    links = forged("abc")
    blank = changed_decision(changed(links[1], salt=""), reason="")
    links[1] = msgspec.structs.replace(blank, erased=True)
    assert problems(links, "abc") == []
    assert chain.commitment(SALT, "b") != chain.commitment("", "b")


def test_evidence_is_kept_as_it_will_be_read():
    new = NewDecision(
        action=Action.HOLD,
        actor=Actor(kind="policy", name="p"),
        at=NOW,
        reason="r",
        evidence={"tuple": (1, 2), "nan": float("nan")},
    )
    link = chain.forge(new, key="k", position=0, previous=chain.genesis("p"), salt=SALT, recorded_at=NOW)
    assert link.decision.decision.evidence == {"tuple": [1, 2], "nan": None}
