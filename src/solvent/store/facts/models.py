"""Models, their versions, the aliases that point at them, and where they answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, func, insert, select

from solvent.foundation.clock import from_micros, to_micros
from solvent.foundation.errors import UsageError
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest
from solvent.lineage.entities import AliasMove, Decision, Fact, ModelVersion, NewDecision, NodeKind
from solvent.store import schema as t
from solvent.store.facts.database import next_id
from solvent.store.facts.decisions import DecisionFacts
from solvent.store.facts.events import latest_event, record_event
from solvent.store.facts.values import from_json, to_json
from solvent.store.facts.writing import NewNode, Writing

_DECLARATION = "declaration"
_artifact, _run, _contract, _reference = (t.node.alias(name) for name in ("a", "r", "c", "f"))
_VERSIONS = (  # asked at every tick of every model: composing it anew would take longer than the answer
    select(
        t.version,
        _artifact.c.key.label("artifact"),
        _run.c.key.label("run"),
        _contract.c.key.label("contract"),
        _reference.c.key.label("reference"),
    )
    .join(t.model, t.model.c.node_id == t.version.c.model_id)
    .join(_artifact, _artifact.c.id == t.version.c.artifact_id)
    .outerjoin(_run, _run.c.id == t.version.c.run_id)
    .outerjoin(_contract, _contract.c.id == t.version.c.contract_id)
    .outerjoin(_reference, _reference.c.id == t.version.c.reference_id)
    .where(t.model.c.project_id == bindparam("project"), t.model.c.name == bindparam("model"))
    .order_by(t.version.c.number)
)
_VERSION = _VERSIONS.where(t.version.c.number == bindparam("number"))


class UnknownVersion(UsageError):
    code = "unknown-version"


class Deployment(Fact, frozen=True):
    """A version answered at an endpoint from `since` until `until` (None: it still does)."""

    endpoint: str
    model: str
    number: int
    since: datetime
    until: datetime | None


class ModelFacts(DecisionFacts):
    def add_model(self, name: str, declaration: dict[str, Any]) -> None:
        """Declare a model, or declare it anew; the same declaration again changes nothing."""
        with self.writing() as w:
            model_id = self.find_model_id(w.connection, name)
            if model_id is None:
                model_id = w.add([NewNode(NodeKind.MODEL, name, name, w.recorded_at)])[0]
                row = {"node_id": model_id, "project_id": self.project_id, "name": name}
                w.connection.execute(insert(t.model), row)
            if latest_event(w.connection, model_id, _DECLARATION) != declaration:
                record_event(w, model_id, _DECLARATION, declaration, w.recorded_at)

    def models(self) -> list[str]:
        """Names, in order."""
        query = select(t.model.c.name).where(t.model.c.project_id == self.project_id).order_by(t.model.c.name)
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def model(self, name: str) -> dict[str, Any] | None:
        """The declaration of a model; None for an unknown one."""
        with self.database.read() as connection:
            model_id = self.find_model_id(connection, name)
            return None if model_id is None else latest_event(connection, model_id, _DECLARATION)

    def add_version(self, version: ModelVersion) -> ModelVersion:
        """Record a version under the model's next number, which is returned in it.

        version.number is not read. Raises: UnknownModel, UnknownFact (an artifact or its run).
        """
        artifacts = {"artifact": version.artifact, "contract": version.contract, "reference": version.reference}
        used = {role: (NodeKind.ARTIFACT, str(digest)) for role, digest in artifacts.items() if digest is not None}
        if version.run is not None:
            used["made-by"] = (NodeKind.RUN, version.run)
        with self.writing() as w:
            model_id = self.model_id(w.connection, version.model)
            found = w.need(used.values())
            ids = {role: found[name] for role, name in used.items()}
            newest = select(func.max(t.version.c.number)).where(t.version.c.model_id == model_id)
            numbered = msgspec.structs.replace(version, number=(w.connection.execute(newest).scalar() or 0) + 1)
            created = to_micros(version.created_at)
            node_id = w.add([NewNode(NodeKind.VERSION, numbered.name, numbered.name, created)])[0]
            w.connection.execute(
                insert(t.version),
                {
                    "node_id": node_id,
                    "model_id": model_id,
                    "number": numbered.number,
                    "artifact_id": ids["artifact"],
                    "run_id": ids.get("made-by"),
                    "created_at": created,
                    "signature": to_json(version.signature),
                    "contract_id": ids.get("contract"),
                    "reference_id": ids.get("reference"),
                    "about": to_json(version.about),
                },
            )
            content = {role: source for role, source in ids.items() if role in artifacts}
            w.link(
                (source, node_id, role)
                for role, source in {**ids, "version-of": model_id}.items()
                if role not in content
            )
            w.link(((source, node_id, role) for role, source in content.items()), t.INPUT if version.run else t.PLAIN)
        return numbered

    def versions(self, model: str) -> list[ModelVersion]:
        """All versions, by number."""
        with self.database.read() as connection:
            rows = connection.execute(_VERSIONS, {"project": self.project_id, "model": model}).all()
        return [_version(row, model) for row in rows]

    def version(self, model: str, number: int) -> ModelVersion | None:
        asked = {"project": self.project_id, "model": model, "number": number}
        with self.database.read() as connection:
            row = connection.execute(_VERSION, asked).first()
        return None if row is None else _version(row, model)

    def _version_id(self, connection: Connection, model_id: int, model: str, number: int) -> int:
        query = select(t.version.c.node_id).where(t.version.c.model_id == model_id, t.version.c.number == number)
        found: int | None = connection.execute(query).scalar()
        if found is None:
            raise UnknownVersion(f"`{model}` has no version {number}", next=f"`solvent models show {model}` lists them")
        return found

    def move_alias(
        self,
        model: str,
        alias: str,
        number: int | None,
        decision: NewDecision,
        *,
        endpoint: str | None = None,
        ends: Mapping[str, str] | None = None,
    ) -> Decision:
        """Point an alias at a version (None: at nothing) by a decision: both are recorded, or neither.

        The move stands in the decision's evidence as `move`, so that the chain covers it.
        A repeated `effect` moves nothing and returns the first decision.
        endpoint: which answers with that version from then on, recorded with the move. ends: other aliases, each with
        its endpoint; those that point at something point at nothing from then on, which the evidence names as `ends`.
        Raises: UnknownModel, UnknownVersion, UnknownFact.
        """
        with self.writing() as w:
            first = self.decided(w.connection, decision.effect)
            if first is not None:
                return first
            model_id = self.model_id(w.connection, model)
            version_id = None if number is None else self._version_id(w.connection, model_id, model, number)
            ended = [one for one in ends or {} if self._pointed(w.connection, model_id, one) is not None]
            evidence = {**decision.evidence, "move": {"alias": alias, "to": number}}
            evidence |= {"ends": ended} if ended else {}
            decision_id, made = self.append_decision(
                w, msgspec.structs.replace(decision, model=model, evidence=evidence)
            )
            free = next_id(w.connection, t.alias_move.c.id)
            common = {"model_id": model_id, "decision_id": decision_id}
            common |= {"at": to_micros(decision.at), "recorded_at": w.recorded_at}
            moves = [(alias, version_id, endpoint), *((one, None, (ends or {})[one]) for one in ended)]
            for at, (name, to, answering) in enumerate(moves):
                row = {**common, "id": free + at, "alias": name, "version_id": to}
                w.connection.execute(insert(t.alias_move), row)
                if answering is not None:
                    self._deploy(w, answering, model_id, to, decision.at)
        return made

    def _pointed(self, connection: Connection, model_id: int, alias: str) -> int | None:
        """The version's node that an alias points at now."""
        move = t.alias_move.c
        last = select(move.version_id).where(move.model_id == model_id, move.alias == alias)
        return connection.execute(last.order_by(move.id.desc()).limit(1)).scalar()

    def alias(
        self, model: str, alias: str, as_of: datetime | None = None, known_by: datetime | None = None
    ) -> int | None:
        """The version that an alias points at: now, at a date, or as the store knew it by a date."""
        moves = self.alias_moves(model, alias, as_of=as_of, known_by=known_by)
        return moves[-1].number if moves else None

    def alias_moves(
        self, model: str, alias: str | None = None, *, as_of: datetime | None = None, known_by: datetime | None = None
    ) -> list[AliasMove]:
        """The moves of one alias or of all, in the order in which they were decided."""
        move = t.alias_move
        query = (
            select(move, t.version.c.number, t.node.c.key)
            .join(t.model, t.model.c.node_id == move.c.model_id)
            .join(t.node, t.node.c.id == move.c.decision_id)
            .outerjoin(t.version, t.version.c.node_id == move.c.version_id)
            .where(t.model.c.project_id == self.project_id, t.model.c.name == model)
            .order_by(move.c.id)
        )
        if alias is not None:
            query = query.where(move.c.alias == alias)
        if as_of is not None:
            query = query.where(move.c.at <= to_micros(as_of))
        if known_by is not None:
            query = query.where(move.c.recorded_at <= to_micros(known_by))
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        return [
            AliasMove(model=model, alias=row.alias, number=row.number, at=from_micros(row.at), decision=row.key)
            for row in rows
        ]

    def deploy(self, endpoint: str, model: str, number: int | None, at: datetime) -> None:
        """From `at` on the endpoint answers with this version (None: with none).

        Raises: UnknownModel, UnknownVersion.
        """
        with self.writing() as w:
            model_id = self.model_id(w.connection, model)
            version_id = None if number is None else self._version_id(w.connection, model_id, model, number)
            self._deploy(w, endpoint, model_id, version_id, at)

    def _deploy(self, w: Writing, endpoint: str, model_id: int, version_id: int | None, at: datetime) -> None:
        here = (t.deployment.c.model_id == model_id, t.deployment.c.endpoint == endpoint)
        last = select(t.deployment.c.version_id).where(*here).order_by(t.deployment.c.node_id.desc()).limit(1)
        if w.connection.execute(last).scalar() == version_id:
            return
        node_id = w.add([NewNode(NodeKind.DEPLOYMENT, uuid7(), endpoint, to_micros(at))])[0]
        row = {"node_id": node_id, "model_id": model_id, "endpoint": endpoint, "version_id": version_id}
        row |= {"at": to_micros(at), "recorded_at": w.recorded_at}
        w.connection.execute(insert(t.deployment), row)
        if version_id is not None:
            w.link([(version_id, node_id, "deployed")])

    def deployments(
        self, model: str, as_of: datetime | None = None, known_by: datetime | None = None
    ) -> list[Deployment]:
        """Which versions answered where and when, oldest first; `as_of`: those that did at that instant."""
        query = (
            select(t.deployment, t.version.c.number)
            .join(t.model, t.model.c.node_id == t.deployment.c.model_id)
            .outerjoin(t.version, t.version.c.node_id == t.deployment.c.version_id)
            .where(t.model.c.project_id == self.project_id, t.model.c.name == model)
            .order_by(t.deployment.c.node_id)
        )
        if known_by is not None:
            query = query.where(t.deployment.c.recorded_at <= to_micros(known_by))
        with self.database.read() as connection:
            intervals = _intervals(connection.execute(query).all(), model)
        if as_of is None:
            return intervals
        return [it for it in intervals if it.since <= as_of and (it.until is None or as_of < it.until)]


def _intervals(rows: Any, model: str) -> list[Deployment]:
    """One interval per deployment: it lasts until the next one at the same endpoint."""
    until: dict[str, datetime] = {}
    intervals = []
    for row in reversed(rows):
        since = from_micros(row.at)
        if row.number is not None:
            end = until.get(row.endpoint)
            intervals.append(Deployment(endpoint=row.endpoint, model=model, number=row.number, since=since, until=end))
        until[row.endpoint] = since
    return intervals[::-1]


def _version(row: Row[Any], model: str) -> ModelVersion:
    return ModelVersion(
        model=model,
        number=row.number,
        artifact=Digest(row.artifact),
        run=row.run,
        created_at=from_micros(row.created_at),
        signature=from_json(row.signature),
        contract=row.contract,
        reference=row.reference,
        about=from_json(row.about),
    )
