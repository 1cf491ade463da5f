"""Decisions: one hash chain per project, appended inside the one write at a time, so that it never forks."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from solvent.foundation.clock import from_micros, to_micros
from solvent.foundation.ids import uuid7
from solvent.lineage import chain
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Action, Actor, Decision, NewDecision, NodeKind
from solvent.store import schema as t
from solvent.store.facts.base import FactsBase
from solvent.store.facts.values import from_json, to_json
from solvent.store.facts.writing import NewNode, Writing

_select = select(t.decision, t.node.c.key).join(t.node, t.node.c.id == t.decision.c.node_id)


class DecisionFacts(FactsBase):
    def decide(self, new: NewDecision) -> Decision:
        """Append a decision to the project's chain.

        A decision whose `effect` was decided before is not made again: the first one is
        returned as it was. Raises: UnknownFact (a node it rests on).
        """
        with self.writing() as w:
            return self.decided(w.connection, new.effect) or self.append_decision(w, new)[1]

    def decided(self, connection: Connection, effect: str | None) -> Decision | None:
        """The decision that had this effect, if there is one."""
        if effect is None:
            return None
        mine = t.decision.c.project_id == self.project_id
        row = connection.execute(_select.where(mine, t.decision.c.effect == effect)).first()
        return None if row is None else _link(row).decision

    def append_decision(self, w: Writing, new: NewDecision) -> tuple[int, Decision]:
        """The node's id and the decision, within a write that does more."""
        mine = t.chain.c.project_id == self.project_id
        end = w.connection.execute(select(t.chain).where(mine)).first()
        link = chain.forge(
            new,
            key=uuid7(),
            position=end.length if end else 0,
            previous=Digest(end.head) if end else chain.genesis(self.project),
            salt=secrets.token_hex(16),
            recorded_at=from_micros(w.recorded_at),
        )
        decision = link.decision
        name = f"{new.action.value} {new.model}" if new.model else new.action.value
        node_id = w.add([NewNode(NodeKind.DECISION, decision.key, name, to_micros(new.at))])[0]
        w.connection.execute(insert(t.decision), _row(link, node_id, self.project_id))
        grown = {"length": decision.position + 1, "head": decision.hash}
        if end:
            w.connection.execute(update(t.chain).where(mine), grown)
        else:
            w.connection.execute(insert(t.chain), {"project_id": self.project_id, **grown})
        w.link((source, node_id, "evidence") for source in w.need(new.rests_on).values())
        if new.model is not None and new.number is not None:
            about = w.need([(NodeKind.VERSION, f"{new.model}/{new.number}")])
            w.link((source, node_id, "about") for source in about.values())
        return node_id, decision

    def decisions(
        self,
        model: str | None = None,
        action: Action | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[Decision]:
        """Decisions that fit, oldest first; with a limit, the last so many."""
        query = _select.where(t.decision.c.project_id == self.project_id)
        if model is None:
            query = query.order_by(t.decision.c.position.desc())
        else:  # + 0: else SQLite goes through the whole project's decisions to find these in order
            query = query.where(t.decision.c.model == model).order_by((t.decision.c.position + 0).desc())
        if action is not None:
            query = query.where(t.decision.c.action == action)
        if since is not None:
            query = query.where(t.decision.c.at >= to_micros(since))
        with self.database.read() as connection:
            rows = connection.execute(query.limit(limit)).all()
        return [_link(row).decision for row in reversed(rows)]

    def decision(self, key: str) -> Decision | None:
        query = _select.where(t.decision.c.project_id == self.project_id, t.node.c.key == key)
        with self.database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _link(row).decision

    def erase_reason(self, key: str) -> None:
        """Erase the free text of a decision; the chain stays whole."""
        with self.writing() as w:
            node_id = w.need([(NodeKind.DECISION, key)])[NodeKind.DECISION, key]
            nothing = {"salt": None, "reason": None}
            w.connection.execute(update(t.decision).where(t.decision.c.node_id == node_id), nothing)

    def verify_chain(self) -> list[str]:
        """What is wrong with this project's chain and the alias moves that rest on it; nothing when all is well."""
        mine = t.decision.c.project_id == self.project_id
        with self.database.read() as connection:
            links = [_link(row) for row in connection.execute(_select.where(mine).order_by(t.decision.c.position))]
            end = connection.execute(select(t.chain).where(t.chain.c.project_id == self.project_id)).first()
            problems = self._check_moves(connection)
        length, head = (end.length, Digest(end.head)) if end else (0, chain.genesis(self.project))
        return chain.verify(self.project, links, length=length, head=head) + problems

    def _check_moves(self, connection: Connection) -> list[str]:
        """An alias must have moved exactly as the decision behind the move says."""
        move, decision = t.alias_move, t.decision
        query = (
            select(decision.c.position, decision.c.evidence, decision.c.model, move.c.alias, t.version.c.number)
            .select_from(move)
            .join(decision, decision.c.node_id == move.c.decision_id)
            .outerjoin(t.version, t.version.c.node_id == move.c.version_id)
            .where(decision.c.project_id == self.project_id)
            .order_by(move.c.id)
        )
        return [
            f"`{row.model}@{row.alias}` moved to {row.number}, which decision {row.position} does not say"
            for row in connection.execute(query)
            if not _says(from_json(row.evidence), row.alias, row.number)
        ]


def _says(evidence: dict[str, Any], alias: str, number: int | None) -> bool:
    """Whether a decision's evidence names this move."""
    ended = number is None and alias in evidence.get("ends", [])
    return ended or evidence.get("move") == {"alias": alias, "to": number}


def _row(link: chain.Link, node_id: int, project_id: int) -> dict[str, Any]:
    decision = link.decision
    new = decision.decision
    return {
        "node_id": node_id,
        "project_id": project_id,
        "position": decision.position,
        "previous": decision.previous,
        "hash": decision.hash,
        "commitment": link.commitment,
        "salt": decision.salt,
        "reason": new.reason,
        "action": new.action.value,
        "actor_kind": new.actor.kind,
        "actor_name": new.actor.name,
        "at": to_micros(new.at),
        "recorded_at": to_micros(decision.recorded_at),
        "model": new.model,
        "number": new.number,
        "policy": new.policy,
        "evidence": to_json(new.evidence),
        "rests_on": to_json(new.rests_on),
        "effect": new.effect,
    }


def _link(row: Row[Any]) -> chain.Link:
    new = NewDecision(
        action=Action(row.action),
        actor=Actor(kind=row.actor_kind, name=row.actor_name),
        at=from_micros(row.at),
        reason=row.reason or "",
        model=row.model,
        number=row.number,
        policy=row.policy,
        evidence=from_json(row.evidence),
        rests_on=[(NodeKind(kind), key) for kind, key in from_json(row.rests_on)],
        effect=row.effect,
    )
    decision = Decision(
        key=row.key,
        position=row.position,
        previous=Digest(row.previous),
        hash=Digest(row.hash),
        salt=row.salt or "",
        recorded_at=from_micros(row.recorded_at),
        decision=new,
    )
    return chain.Link(decision=decision, commitment=Digest(row.commitment), erased=row.salt is None)
