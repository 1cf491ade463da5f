"""Runs and the recipes that they executed, as they are asked for: what ran, with what, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, func, select, update

from solvent.foundation.clock import from_micros
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, NodeKind, Recipe, Run, RunEnd, RunStart, RunStatus
from solvent.store import schema as t
from solvent.store.facts.artifacts import artifact_from, select_artifacts
from solvent.store.facts.recording import RecordingFacts
from solvent.store.facts.values import each, from_json, many, one_of, rows_in
from solvent.store.facts.writing import find_nodes

_parent = t.node.alias("parent")
_select_runs = (
    select(t.run, t.node.c.key, _parent.c.key.label("parent"))
    .join(t.node, t.node.c.id == t.run.c.node_id)
    .outerjoin(_parent, _parent.c.id == t.run.c.parent_id)
)
_recipe = t.node.alias("recipe_node")
# Sums, so that no planner takes the index of all finished runs of the project for these two.
_ours, _done = (t.run.c.project_id + 0 == bindparam("project"), t.run.c.status + "" == RunStatus.DONE.value)
_erased = (
    select(t.edge.c.target_id)
    .join(t.artifact, t.artifact.c.node_id == t.edge.c.target_id)
    .where(t.edge.c.source_id == t.run.c.node_id, t.artifact.c.erased_at.is_not(None))
)
_select_cached = (
    select(_recipe.c.key, func.max(t.run.c.node_id).label("run_id"))
    .join(t.run, t.run.c.recipe_id == _recipe.c.id)
    .where(_recipe.c.kind == NodeKind.RECIPE.value, _ours, _done, ~exists(_erased))
    .group_by(_recipe.c.key)
)
_CACHED = {sqlite: _select_cached.where(one_of(_recipe.c.key, sqlite)) for sqlite in (True, False)}


def _newest(sqlite: bool) -> Select[Any]:
    """For each of the parameter `values`, the newest finished run of the step of that name."""
    asked = each("values", sqlite).subquery()
    of_step = t.run.c.step == asked.c.value
    newest = (
        select(t.run.c.node_id).where(of_step, _ours, _done, ~exists(_erased)).order_by(t.run.c.node_id.desc()).limit(1)
    )
    return select(newest.correlate(asked).scalar_subquery().label("run_id")).select_from(asked)


def _known(sqlite: bool) -> Select[Any]:
    """Those of the parameter `values` that name a step with a run."""
    asked = each("values", sqlite).subquery()
    found = select(t.run.c.node_id).where(t.run.c.step == asked.c.value, _ours)
    return select(asked.c.value).where(exists(found))


_NEWEST = {sqlite: _newest(sqlite) for sqlite in (True, False)}
_KNOWN = {sqlite: _known(sqlite) for sqlite in (True, False)}


class RunFacts(RecordingFacts):
    def run(self, key: str) -> Run | None:
        with self.database.read() as connection:
            found = find_nodes(connection, self.project_id, [(NodeKind.RUN, key)])
            return next(iter(load_runs(connection, list(found.values())).values()), None)

    def cached_runs(self, recipes: Collection[Digest]) -> dict[Digest, Run]:
        """For each recipe its newest finished run whose outputs are all still there."""
        with self.database.read() as connection:
            sqlite = self.database.sqlite
            asked = {"values": many(recipes, sqlite), "project": self.project_id}
            newest = {row.key: row.run_id for row in connection.execute(_CACHED[sqlite], asked)}
            runs = load_runs(connection, list(newest.values())) if newest else {}
        return {Digest(key): runs[run_id] for key, run_id in newest.items()}

    def newest_runs(self, steps: Collection[str]) -> dict[str, Run]:
        """For each step, by its name then, its newest finished run whose outputs are all still there."""
        with self.database.read() as connection:
            sqlite = self.database.sqlite
            asked = {"values": many(steps, sqlite), "project": self.project_id}
            newest = [row.run_id for row in connection.execute(_NEWEST[sqlite], asked) if row.run_id is not None]
            runs = load_runs(connection, newest) if newest else {}
        return {run.start.step: run for run in runs.values()}

    def known_steps(self, steps: Collection[str]) -> set[str]:
        """Those of the steps that have a run, to whatever end."""
        with self.database.read() as connection:
            asked = {"values": many(steps, self.database.sqlite), "project": self.project_id}
            return set(connection.execute(_KNOWN[self.database.sqlite], asked).scalars())

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
