"""Answers for `solvent status`, `why` and an idle `run` in milliseconds: sqlite3, nothing heavy imported.

Reads the tables of `schema.py` directly. On PostgreSQL, or where there is no store
or one of another schema, there is no quick answer, and the caller opens the store.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

HEAD = "0002"  # as in schema.py, which imports SQLAlchemy; a test compares them

_CACHED = """
SELECT recipe_node.key, max(run.node_id)
FROM json_each(:recipes) AS asked
JOIN node AS recipe_node ON recipe_node.key = asked.value AND recipe_node.kind = 'recipe' AND recipe_node.project_id = 0
JOIN run ON run.recipe_id = recipe_node.id AND run.status = 'done' AND run.project_id = :project
WHERE NOT EXISTS (
  SELECT 1 FROM edge JOIN artifact ON artifact.node_id = edge.target_id
  WHERE edge.source_id = run.node_id AND artifact.erased_at IS NOT NULL
)
GROUP BY recipe_node.key
"""
_NEWEST = """
SELECT recipe_node.key, run.node_id
FROM json_each(:steps) AS asked
JOIN run ON run.node_id = (
  SELECT node_id FROM run AS done
  WHERE done.step = asked.value AND done.project_id + 0 = :project AND done.status || '' = 'done' AND NOT EXISTS (
    SELECT 1 FROM edge JOIN artifact ON artifact.node_id = edge.target_id
    WHERE edge.source_id = done.node_id AND artifact.erased_at IS NOT NULL
  )
  ORDER BY done.node_id DESC LIMIT 1
)
JOIN node AS recipe_node ON recipe_node.id = run.recipe_id
"""
_LOAD = """
SELECT run.node_id, node.key, run.ended_at
FROM json_each(:runs) AS asked JOIN run ON run.node_id = asked.value JOIN node ON node.id = run.node_id
"""
_OUTPUTS = """
SELECT edge.source_id, edge.role, node.key, artifact.content, artifact.type, artifact.size, artifact.format
FROM json_each(:runs) AS asked
JOIN edge ON edge.source_id = asked.value
JOIN artifact ON artifact.node_id = edge.target_id
JOIN node ON node.id = artifact.node_id
"""
_RUNS = "SELECT status, count(*) FROM run WHERE project_id = :project GROUP BY status"
_HAS_RUN = "SELECT 1 FROM run WHERE step = :step AND project_id = :project LIMIT 1"
_CHECKS = """
SELECT node.key, contract_check.ok
FROM json_each(:files) AS asked
JOIN node ON node.key = asked.value AND node.kind = 'artifact' AND node.project_id = 0
JOIN contract_check ON contract_check.artifact_id = node.id AND contract_check.contract = :contract
ORDER BY contract_check.id
"""
_VERSIONS = """
SELECT model.name, version.number, node.key
FROM model JOIN version ON version.model_id = model.node_id JOIN node ON node.id = version.artifact_id
WHERE model.project_id = :project ORDER BY version.number
"""
_ALIASES = """
SELECT model.name, move.alias, version.number
FROM model JOIN alias_move AS move ON move.model_id = model.node_id
JOIN version ON version.node_id = move.version_id
WHERE model.project_id = :project AND move.id = (
  SELECT max(id) FROM alias_move AS other WHERE other.model_id = move.model_id AND other.alias = move.alias
)
"""
_TICKS = """
SELECT model.name, (SELECT max(now) FROM tick WHERE tick.model_id = model.node_id) AS now
FROM model WHERE model.project_id = :project ORDER BY model.name
"""
_ALERTS = """
SELECT model.name, alert.kind, alert.title, alert.at
FROM model JOIN alert ON alert.model_id = model.node_id
WHERE model.project_id = :project
  AND alert.at >= coalesce((SELECT max(now) FROM tick WHERE tick.model_id = model.node_id), 0)
ORDER BY alert.at, alert.node_id
"""
QUERIES = (_CACHED, _NEWEST, _LOAD, _OUTPUTS, _HAS_RUN, _RUNS, _CHECKS, _VERSIONS, _ALIASES, _TICKS, _ALERTS)


class QuickOutput(NamedTuple):
    name: str
    digest: str
    content: str
    type: str
    size: int  # bytes; whether they are there is for the caller to ask the file system
    format: str


class QuickRun(NamedTuple):
    """A finished run. ended_at: microseconds since 1970 UTC."""

    key: str
    ended_at: int
    outputs: list[QuickOutput]


class QuickVersion(NamedTuple):
    model: str
    number: int
    artifact: str


class QuickModel(NamedTuple):
    aliases: dict[str, int]
    last_tick: int | None  # microseconds since 1970 UTC


class QuickAlert(NamedTuple):
    model: str
    kind: str
    title: str
    at: int  # microseconds since 1970 UTC


class QuickStatus(NamedTuple):
    """What the store says about a project at a glance.

    runs: how many by status. open_alerts: what each model's last tick raised, or what was raised since.
    """

    runs: dict[str, int]
    models: dict[str, QuickModel]
    open_alerts: list[QuickAlert]


class QuickStore:
    """One state of the store for all answers. Close it, or use it as a context manager."""

    def __init__(self, connection: sqlite3.Connection, project: int) -> None:
        self._connection = connection
        self._project = project

    def status(self) -> QuickStatus:
        return status_by(lambda query: self._connection.execute(query, {"project": self._project}))

    def cached(self, recipes: Collection[str]) -> dict[str, QuickRun]:
        """The newest finished run of each recipe that has one whose outputs are not erased."""
        asked = {"project": self._project, "recipes": json.dumps(list(recipes))}
        return self._load(self._connection.execute(_CACHED, asked).fetchall())

    def newest(self, steps: Collection[str]) -> dict[str, QuickRun]:
        """By recipe, the newest finished run of each step that has one whose outputs are not erased."""
        asked = {"project": self._project, "steps": json.dumps(list(steps))}
        return self._load(self._connection.execute(_NEWEST, asked).fetchall())

    def _load(self, found: Sequence[tuple[str, int]]) -> dict[str, QuickRun]:
        asked = {"runs": json.dumps([run for _, run in found])}
        runs = {run: QuickRun(key, at, []) for run, key, at in self._connection.execute(_LOAD, asked)}
        for run, *output in self._connection.execute(_OUTPUTS, asked):
            runs[run].outputs.append(QuickOutput(*output))
        return {recipe: runs[run] for recipe, run in found}

    def checked(self, contract: str, files: Collection[str]) -> dict[str, bool]:
        """By artifact, whether the contract found it fine the last time that it was asked."""
        asked = {"contract": contract, "files": json.dumps(list(files))}
        return {key: bool(ok) for key, ok in self._connection.execute(_CHECKS, asked)}

    def versions(self) -> list[QuickVersion]:
        """The versions of all models, oldest first."""
        asked = {"project": self._project}
        return [QuickVersion(*row) for row in self._connection.execute(_VERSIONS, asked)]

    def has_run(self, step: str) -> bool:
        """Did the step ever run, by this name and to whatever end?"""
        asked = {"project": self._project, "step": step}
        return self._connection.execute(_HAS_RUN, asked).fetchone() is not None

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_quick(database: Path, project: str) -> QuickStore | None:
    """A way to quick answers; None where only an opened store can answer."""
    if not database.exists():
        return None
    connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=1)
    try:
        connection.execute("BEGIN")
        known = connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
        row = connection.execute("SELECT id FROM project WHERE name = ?", (project,)).fetchone() if known else None
    except sqlite3.DatabaseError:  # no store of ours; opening it says what it is
        row = None
    if row is None:
        connection.close()
        return None
    return QuickStore(connection, row[0])


def status_by(ask: Callable[[str], Iterable[Sequence[Any]]]) -> QuickStatus:
    """The status, from whoever answers the queries."""
    aliases: dict[str, dict[str, int]] = {}
    for model, alias, number in ask(_ALIASES):
        aliases.setdefault(model, {})[alias] = number
    return QuickStatus(
        runs={row[0]: row[1] for row in ask(_RUNS)},
        models={model: QuickModel(aliases.get(model, {}), now) for model, now in ask(_TICKS)},
        open_alerts=[QuickAlert(*row) for row in ask(_ALERTS)],
    )
