"""Answers for `solvent status` in milliseconds: plain sqlite3, before anything heavy could be imported.

Reads the tables of `schema.py` directly. On PostgreSQL, or where there is no store
or one of another schema, there is no quick answer, and the caller opens the store.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

HEAD = "0001"  # as in schema.py, which imports SQLAlchemy; a test compares them

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
_OUTPUTS = """
SELECT edge.source_id, edge.role, node.key, artifact.content, artifact.type, artifact.size
FROM json_each(:runs) AS asked
JOIN edge ON edge.source_id = asked.value
JOIN artifact ON artifact.node_id = edge.target_id
JOIN node ON node.id = artifact.node_id
"""
_RUNS = "SELECT status, count(*) FROM run WHERE project_id = :project GROUP BY status"
_ALIASES = """
SELECT model.name, alias, version.number, max(alias_move.id)
FROM model JOIN alias_move ON alias_move.model_id = model.node_id
LEFT JOIN version ON version.node_id = alias_move.version_id
WHERE model.project_id = :project GROUP BY model.name, alias
"""
_TICKS = """
SELECT model.name, (SELECT max(now) FROM tick WHERE tick.model_id = model.node_id) AS now
FROM model WHERE model.project_id = :project
"""
_ALERTS = """
SELECT model.name, alert.kind, alert.title, alert.at
FROM model JOIN alert ON alert.model_id = model.node_id
WHERE model.project_id = :project
  AND alert.at >= coalesce((SELECT max(now) FROM tick WHERE tick.model_id = model.node_id), 0)
ORDER BY alert.at, alert.node_id
"""
QUERIES = (_CACHED, _OUTPUTS, _RUNS, _ALIASES, _TICKS, _ALERTS)


class QuickOutput(NamedTuple):
    name: str
    digest: str
    content: str
    type: str
    size: int  # bytes; whether they are there is for the caller to ask the file system


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

    cached: outputs of the newest finished run of each recipe that has one and whose outputs
        are not erased. runs: how many by status. open_alerts: those which each model's last
        tick raised, or what was raised since.
    """

    cached: dict[str, list[QuickOutput]]
    runs: dict[str, int]
    models: dict[str, QuickModel]
    open_alerts: list[QuickAlert]


def quick_status(database: Path, project: str, recipes: Collection[str]) -> QuickStatus | None:
    """Everything that `solvent status` asks; None where only an opened store can answer."""
    if not database.exists():
        return None
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
        try:
            connection.execute("BEGIN")  # one state of the store for all answers
            if connection.execute("SELECT version_num FROM alembic_version").fetchall() != [(HEAD,)]:
                return None
            row = connection.execute("SELECT id FROM project WHERE name = ?", (project,)).fetchone()
        except sqlite3.DatabaseError:
            return None  # no store of ours; opening it says what it is
        return None if row is None else _status(connection, row[0], recipes)


def _status(connection: sqlite3.Connection, project: int, recipes: Collection[str]) -> QuickStatus:
    mine = {"project": project}
    aliases: dict[str, dict[str, int]] = {}
    for model, alias, number, _ in connection.execute(_ALIASES, mine):
        if number is not None:
            aliases.setdefault(model, {})[alias] = number
    return QuickStatus(
        cached=_cached(connection, project, recipes),
        runs=dict(connection.execute(_RUNS, mine).fetchall()),
        models={model: QuickModel(aliases.get(model, {}), now) for model, now in connection.execute(_TICKS, mine)},
        open_alerts=[QuickAlert(*row) for row in connection.execute(_ALERTS, mine)],
    )


def _cached(connection: sqlite3.Connection, project: int, recipes: Collection[str]) -> dict[str, list[QuickOutput]]:
    asked = {"project": project, "recipes": json.dumps(list(recipes))}
    newest = dict(connection.execute(_CACHED, asked).fetchall())
    outputs: dict[int, list[QuickOutput]] = {run: [] for run in newest.values()}
    for run, *output in connection.execute(_OUTPUTS, {"runs": json.dumps(list(outputs))}):
        outputs[run].append(QuickOutput(*output))
    return {recipe: outputs[run] for recipe, run in newest.items()}
