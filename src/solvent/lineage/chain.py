"""The decision chain: each decision's hash covers the one before it, so none can be changed, dropped or moved unseen.

h(i) = BLAKE3(h(i-1) || canonical JSON of the entry), h(-1) = BLAKE3 of the project's
name under a label. An entry holds everything of the decision but the free text of its
reason, for which a commitment stands: BLAKE3 of salt and reason. Erasing the two leaves
the chain whole, and with 128 random bits of salt nobody can test guesses afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from solvent.foundation.clock import to_micros
from solvent.lineage.digests import Digest, canonical, digest_of, digest_value
from solvent.lineage.entities import Decision, Fact, NewDecision


class Link(Fact, frozen=True):
    """A decision as it is kept, with its commitment; after an erasure salt and reason are empty."""

    decision: Decision
    commitment: Digest
    erased: bool = False


def genesis(project: str) -> Digest:
    """What the first decision of a project follows."""
    return digest_value({"decision chain of": project})


def commitment(salt: str, reason: str) -> Digest:
    """What stands for a reason in the chain."""
    return digest_value([salt, reason])


def entry(decision: Decision, committed: Digest) -> dict[str, Any]:
    """What the hash of a decision covers."""
    new = decision.decision
    return {
        "key": decision.key,
        "position": decision.position,
        "recorded_at": to_micros(decision.recorded_at),
        "action": new.action.value,
        "actor": [new.actor.kind, new.actor.name],
        "at": to_micros(new.at),
        "model": new.model,
        "number": new.number,
        "policy": new.policy,
        "evidence": new.evidence,
        "rests_on": [[kind.value, key] for kind, key in new.rests_on],
        "effect": new.effect,
        "reason": committed,
    }


def hash_of(decision: Decision, committed: Digest) -> Digest:
    """The hash of a decision, from the hash that it says it follows."""
    return digest_of(bytes.fromhex(decision.previous) + canonical(entry(decision, committed)))


def forge(new: NewDecision, *, key: str, position: int, previous: Digest, salt: str, recorded_at: datetime) -> Link:
    """A new decision in its place: hashed, with its reason committed to."""
    unhashed = Decision(
        key=key,
        position=position,
        previous=previous,
        hash=Digest(""),
        salt=salt,
        recorded_at=recorded_at,
        decision=msgspec.structs.replace(new, evidence=msgspec.json.decode(canonical(new.evidence))),
    )
    committed = commitment(salt, new.reason)
    return Link(decision=msgspec.structs.replace(unhashed, hash=hash_of(unhashed, committed)), commitment=committed)


def verify(project: str, links: Sequence[Link], *, length: int, head: Digest) -> list[str]:
    """What is wrong with a chain, one sentence each; nothing when it is whole.

    links: all decisions kept, by position; length, head: how long the chain is said
        to be and the hash of its last decision.
    """
    problems = []
    previous, expected = genesis(project), 0
    for link in links:
        decision = link.decision
        name = f"decision {decision.position} ({decision.key})"
        if decision.position != expected:
            problems.append(f"{name} stands where decision {expected} belongs: decisions were removed or reordered")
        elif decision.previous != previous:
            problems.append(f"{name} does not follow the decision before it")
        if hash_of(decision, link.commitment) != decision.hash:
            problems.append(f"{name} is not what was recorded: it was changed")
        if not link.erased and commitment(decision.salt, decision.decision.reason) != link.commitment:
            problems.append(f"{name} gives another reason than the one recorded")
        previous, expected = decision.hash, decision.position + 1
    if expected != length:
        problems.append(f"the chain ends after {expected} decisions, but {length} were recorded")
    elif previous != head:
        problems.append("the last decision is not the one recorded: the chain was rewritten")
    return problems
