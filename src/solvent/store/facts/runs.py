"""Runs and the recipes that they executed: what ran, with what, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, func, insert, select, update

from solvent.foundation.clock import from_micros, to_micros
from solvent.foundation.errors import Refusal
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, NodeKind, Recipe, Run, RunEnd, RunStart, RunStatus
from solvent.store import schema as t
from solvent.store.facts.artifacts import artifact_from, record_artifacts, select_artifacts
from solvent.store.facts.base import FactsBase
from solvent.store.facts.values import from_json, many, one_of, rows_in, to_json
from solvent.store.facts.writing import NewNode, NodeName, Writing, find_nodes, require

_parent = t.node.alias("parent")
_select_runs = (
    select(t.run, t.node.c.key, _parent.c.key.label("parent"))
    .join(t.node, t.node.c.id == t.run.c.node_id)
    .outerjoin(_parent, _parent.c.id == t.run.c.parent_id)
)
_INSERT_RUN = insert(t.run)
_INSERT_RECIPE = insert(t.recipe)
_STATUS = select(t.run.c.status).where(t.run.c.node_id == bindparam("run_id"))
_END = update(t.run).where(t.run.c.node_id == bindparam("run_id"))
_select_makers = (
    select(t.edge.c.target_id, func.max(t.edge.c.source_id))
    .join(t.run, t.run.c.node_id == t.edge.c.source_id)
    .where(t.edge.c.via == t.OUTPUT, t.run.c.status == RunStatus.DONE.value)
    .group_by(t.edge.c.target_id)
)
_MAKERS = {sqlite: _select_makers.where(one_of(t.edge.c.target_id, sqlite)) for sqlite in (True, False)}
_OPEN = (RunStatus.RUNNING.value, RunStatus.LOST.value)  # nobody saw a lost run end, so its end may still come


class RunEnded(Refusal):
    code = "run-ended"


class RunFacts(FactsBase):
    def start_run(self, start: RunStart) -> None:
        """A run begins; its inputs must be known. Starting it again changes nothing. Raises: UnknownFact."""
        run = (NodeKind.RUN, start.key)
        inputs = [(NodeKind.ARTIFACT, digest) for digest in start.inputs.values()]
        makers = {role: (NodeKind.RUN, key) for role, key in start.makers.items() if key}
        with self.writing() as w:
            found = w.find([run, *inputs, *makers.values(), *_recipe_name(start), *_parent_name(start)])
            if run in found:
                return
            happened = to_micros(start.started_at)
            nodes = [NewNode(*name, "", happened) for name in _recipe_name(start)]
            new = w.add_missing([*nodes, NewNode(*run, start.step, happened)], found)
            if start.recipe is not None and _recipe_name(start)[0] in new:
                w.connection.execute(_INSERT_RECIPE, _recipe_row(start.recipe, found))
            w.connection.execute(_INSERT_RUN, _start_row(start, self.project_id, found))
            w.link((found[name], found[run], "recipe") for name in _recipe_name(start))
            taken = {role: require(found, name) for role, name in zip(start.inputs, inputs, strict=True)}
            made_by = _newest_makers(w.connection, taken) | {
                role: require(found, name) for role, name in makers.items()
            }
            w.link(((source, found[run], role) for role, source in taken.items() if role not in made_by))
            w.link(((source, found[run], role) for role, source in taken.items() if role in made_by), t.INPUT)
            w.link((maker, found[run], role) for role, maker in made_by.items() if role in taken)

    def end_run(self, end: RunEnd) -> None:
        """A run ended: its outputs, metrics and status are recorded together or not at all.

        Ending it the same way again changes nothing. Raises: UnknownFact, RunEnded
        (it ended before, in another way).
        """
        run = (NodeKind.RUN, end.key)
        happened = to_micros(end.ended_at)
        with self.writing() as w:
            found = w.find([run, *((NodeKind.ARTIFACT, a.digest) for a in end.outputs.values())])
            run_id = require(found, run)
            if not self._may_end(w, run_id, end):
                return
            record_artifacts(w, end.outputs.values(), happened, found)
            w.link(((run_id, found[NodeKind.ARTIFACT, a.digest], role) for role, a in end.outputs.items()), t.OUTPUT)
            self._add_metrics(w, run_id, end)
            w.connection.execute(
                _END,
                {
                    "run_id": run_id,
                    "status": end.status.value,
                    "ended_at": happened,
                    "end_recorded_at": w.recorded_at,
                    "log": end.log,
                    "error": end.error,
                    "resources": to_json(end.resources),
                },
            )

    def _may_end(self, w: Writing, run_id: int, end: RunEnd) -> bool:
        status = w.connection.execute(_STATUS, {"run_id": run_id}).scalar_one()
        if status in _OPEN:
            return True
        if status != end.status:
            raise RunEnded(f"run {end.key} ended before as {status}", next="an end is recorded once")
        return False

    def _add_metrics(self, w: Writing, run_id: int, end: RunEnd) -> None:
        happened = to_micros(end.ended_at)
        rows = [
            {"run_id": run_id, "name": name, "step": 0, "happened_at": happened, "value": _storable(value)}
            for name, value in end.metrics.items()
        ]
        if rows:
            w.connection.execute(self.database.insert_missing(t.run_metric), rows)

    def run(self, key: str) -> Run | None:
        with self.database.read() as connection:
            found = find_nodes(connection, self.project_id, [(NodeKind.RUN, key)])
            return next(iter(load_runs(connection, list(found.values())).values()), None)

    def cached_runs(self, recipes: Collection[Digest]) -> dict[Digest, Run]:
        """For each recipe its newest finished run whose outputs are all still there."""
        recipe_node = t.node.alias("recipe_node")
        erased = (
            select(t.edge.c.target_id)
            .join(t.artifact, t.artifact.c.node_id == t.edge.c.target_id)
            .where(t.edge.c.source_id == t.run.c.node_id, t.artifact.c.erased_at.is_not(None))
        )
        query = (
            select(recipe_node.c.key, func.max(t.run.c.node_id).label("run_id"))
            .join(t.run, t.run.c.recipe_id == recipe_node.c.id)
            .where(recipe_node.c.kind == NodeKind.RECIPE, t.run.c.project_id == self.project_id)
            .where(t.run.c.status == RunStatus.DONE, ~exists(erased))
            .group_by(recipe_node.c.key)
        )
        with self.database.read() as connection:
            newest = {row.key: row.run_id for row in rows_in(connection, query, recipe_node.c.key, list(recipes))}
            runs = load_runs(connection, list(newest.values()))
        return {Digest(key): runs[run_id] for key, run_id in newest.items()}

    def runs(
        self, *, step: str | None = None, status: RunStatus | None = None, parent: str | None = None, limit: int = 50
    ) -> list[Run]:
        """The newest runs of this project that fit, newest first."""
        query = select(t.run.c.node_id).where(t.run.c.project_id == self.project_id)
        if step is not None:
            query = query.where(t.run.c.step == step)
        if status is not None:
            query = query.where(t.run.c.status == status)
        with self.database.read() as connection:
            if parent is not None:
                found = find_nodes(connection, self.project_id, [(NodeKind.RUN, parent)])
                query = query.where(t.run.c.parent_id.in_(found.values()))
            ids = list(connection.execute(query.order_by(t.run.c.node_id.desc()).limit(limit)).scalars())
            runs = load_runs(connection, ids)
        return [runs[node_id] for node_id in ids]

    def count_runs(self) -> int:
        query = select(func.count()).select_from(t.run).where(t.run.c.project_id == self.project_id)
        with self.database.read() as connection:
            return connection.execute(query).scalar_one()

    def mark_lost(self, host: str, live_pids: Collection[int]) -> list[str]:
        """Runs of this host whose process is gone are lost; their keys.

        A run without a process (pid 0, logged by a client) is never lost this way.
        """
        with self.database.read() as connection:
            if not self._gone(connection, host, live_pids):
                return []
        with self.writing() as w:
            gone = self._gone(w.connection, host, live_pids)
            end = {"status": RunStatus.LOST.value, "ended_at": w.recorded_at, "end_recorded_at": w.recorded_at}
            w.connection.execute(update(t.run).where(t.run.c.node_id.in_(gone)), {**end, "resources": "{}"})
        return list(gone.values())

    def _gone(self, connection: Connection, host: str, live_pids: Collection[int]) -> dict[int, str]:
        query = select(t.run.c.node_id, t.run.c.pid, t.node.c.key).join(t.node, t.node.c.id == t.run.c.node_id)
        query = query.where(t.run.c.status == RunStatus.RUNNING, t.run.c.host == host, t.run.c.pid != 0)
        return {row.node_id: row.key for row in connection.execute(query) if row.pid not in live_pids}


def load_runs(connection: Connection, ids: list[int]) -> dict[int, Run]:
    """Whole runs by the ids of their nodes."""
    rows = rows_in(connection, _select_runs, t.run.c.node_id, ids)
    recipes = _load_recipes(connection, [row.recipe_id for row in rows if row.recipe_id is not None])
    inputs, outputs, metrics = (
        _load_inputs(connection, ids),
        _load_outputs(connection, ids),
        _load_metrics(connection, ids),
    )
    runs = {}
    for row in rows:
        start = RunStart(
            key=row.key,
            step=row.step,
            started_at=from_micros(row.started_at),
            recipe=recipes.get(row.recipe_id),
            inputs=inputs[row.node_id],
            parent=row.parent,
            host=row.host,
            pid=row.pid,
            git_commit=row.git_commit,
            tags=from_json(row.tags),
        )
        end = None
        if row.ended_at is not None:
            end = RunEnd(
                key=row.key,
                status=RunStatus(row.status),
                ended_at=from_micros(row.ended_at),
                outputs=outputs[row.node_id],
                metrics=metrics[row.node_id],
                log=row.log,
                error=row.error,
                resources=from_json(row.resources),
            )
        runs[row.node_id] = Run(start=start, end=end)
    return runs


def _load_recipes(connection: Connection, ids: list[int]) -> dict[int, Recipe]:
    query = select(t.recipe, t.node.c.key).join(t.node, t.node.c.id == t.recipe.c.node_id)
    return {
        row.node_id: Recipe(
            digest=Digest(row.key),
            code=Digest(row.code),
            environment=Digest(row.environment),
            parameters=from_json(row.parameters),
            inputs=from_json(row.inputs),
        )
        for row in rows_in(connection, query, t.recipe.c.node_id, ids)
    }


def _load_inputs(connection: Connection, ids: list[int]) -> dict[int, dict[str, Digest]]:
    query = select(t.edge.c.target_id, t.edge.c.role, t.node.c.key).join(t.node, t.node.c.id == t.edge.c.source_id)
    query = query.where(t.node.c.kind == NodeKind.ARTIFACT)
    inputs: dict[int, dict[str, Digest]] = defaultdict(dict)
    for row in rows_in(connection, query, t.edge.c.target_id, ids):
        inputs[row.target_id][row.role] = Digest(row.key)
    return inputs


def _load_outputs(connection: Connection, ids: list[int]) -> dict[int, dict[str, Artifact]]:
    query: Select[Any] = select_artifacts().add_columns(t.edge.c.source_id, t.edge.c.role)
    query = query.join(t.edge, t.edge.c.target_id == t.artifact.c.node_id)
    outputs: dict[int, dict[str, Artifact]] = defaultdict(dict)
    for row in rows_in(connection, query, t.edge.c.source_id, ids):
        outputs[row.source_id][row.role] = artifact_from(row)
    return outputs


def _load_metrics(connection: Connection, ids: list[int]) -> dict[int, dict[str, float]]:
    metric = t.run_metric
    query = select(metric).order_by(metric.c.step, metric.c.happened_at)
    metrics: dict[int, dict[str, float]] = defaultdict(dict)
    for row in rows_in(connection, query, metric.c.run_id, ids):
        metrics[row.run_id][row.name] = float("nan") if row.value is None else row.value
    return metrics


def _recipe_name(start: RunStart) -> list[NodeName]:
    return [] if start.recipe is None else [(NodeKind.RECIPE, start.recipe.digest)]


def _parent_name(start: RunStart) -> list[NodeName]:
    return [] if start.parent is None else [(NodeKind.RUN, start.parent)]


def _recipe_row(recipe: Recipe, found: dict[NodeName, int]) -> dict[str, Any]:
    return {
        "node_id": found[NodeKind.RECIPE, recipe.digest],
        "code": recipe.code,
        "environment": recipe.environment,
        "parameters": to_json(recipe.parameters),
        "inputs": to_json(recipe.inputs),
    }


def _start_row(start: RunStart, project_id: int, found: dict[NodeName, int]) -> dict[str, Any]:
    recipe, parent = _recipe_name(start), _parent_name(start)
    return {
        "node_id": found[NodeKind.RUN, start.key],
        "project_id": project_id,
        "recipe_id": found[recipe[0]] if recipe else None,
        "parent_id": require(found, parent[0]) if parent else None,
        "step": start.step,
        "host": start.host,
        "pid": start.pid,
        "git_commit": start.git_commit,
        "tags": to_json(start.tags),
        "started_at": to_micros(start.started_at),
        "status": RunStatus.RUNNING.value,
    }


def _storable(value: float) -> float | None:
    return None if value != value else value


def _newest_makers(connection: Connection, taken: dict[str, int]) -> dict[str, int]:
    """For each input that a finished run made, the newest such run."""
    if not taken:
        return {}
    sqlite = connection.dialect.name == "sqlite"
    rows = connection.execute(_MAKERS[sqlite], {"values": many(taken.values(), sqlite)})
    newest = {row[0]: row[1] for row in rows}
    return {role: newest[artifact] for role, artifact in taken.items() if artifact in newest}
