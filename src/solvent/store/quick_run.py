"""Recording, in milliseconds, a run that found nothing to do: the one write that goes without an opened store.

Writes what `Facts.start_run` and `end_run` would have, in one transaction; a test holds both to the same row.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from solvent.store.quick import HEAD

_PREPARE = ("PRAGMA synchronous=FULL", "PRAGMA fullfsync=ON", "PRAGMA foreign_keys=ON", "BEGIN IMMEDIATE")
_NODE = """
INSERT INTO node (id, project_id, kind, key, name, happened_at, recorded_at, actor_id)
SELECT (SELECT max(id) + 1 FROM node), project.id, 'run', :key, :step, :started_at, :ended_at, actor.id
FROM project JOIN actor ON actor.kind = :kind AND actor.name = :actor
WHERE project.name = :project AND (SELECT version_num FROM alembic_version) = :head
"""
_RUN = """
INSERT INTO run (
  node_id, project_id, step, host, pid, git_commit, tags, started_at, status, ended_at, end_recorded_at, resources
)
SELECT id, project_id, :step, :host, :pid, :git_commit, :tags, :started_at, 'done', :ended_at, :ended_at, '{}'
FROM node WHERE key = :key AND kind = 'run'
"""


class IdleRun(NamedTuple):
    """project, kind, actor: as the store knows them. tags: canonical JSON. Times: microseconds since 1970 UTC."""

    key: str
    step: str
    project: str
    kind: str
    actor: str
    host: str
    pid: int
    git_commit: str | None
    tags: str
    started_at: int
    ended_at: int


def record_idle(database: Path, run: IdleRun) -> bool:
    """Whether the run is recorded; if not, nothing is, and an opened store can do it or say what is wrong."""
    asked = {**run._asdict(), "head": HEAD}
    try:
        uri = f"{database.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=1, isolation_level=None)) as connection:
            for statement in _PREPARE:
                connection.execute(statement)
            known = connection.execute(_NODE, asked).rowcount == 1 and connection.execute(_RUN, asked).rowcount == 1
            connection.execute("COMMIT" if known else "ROLLBACK")
    except sqlite3.Error:
        return False
    return known
