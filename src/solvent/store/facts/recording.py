"""Writing runs down: starts and ends of any number of them in one transaction, in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from solvent.foundation.clock import to_micros
from solvent.foundation.errors import Refusal
from solvent.lineage.entities import Artifact, NodeKind, Recipe, RunEnd, RunStart, RunStatus
from solvent.store import schema as t
from solvent.store.facts.artifacts import record_artifacts
from solvent.store.facts.base import FactsBase
from solvent.store.facts.values import many, one_of, rows_in, to_json
from solvent.store.facts.writing import NewNode, NodeName, Writing, require

RunEvent = RunStart | RunEnd
EdgeName = tuple[NodeName, NodeName, str]

_INSERT_RUN = insert(t.run)
_INSERT_RECIPE = insert(t.recipe)
_STATUS = select(t.run.c.node_id, t.run.c.status)
_END = update(t.run).where(t.run.c.node_id == bindparam("run_id"))
_select_makers = (
    select(t.edge.c.target_id, func.max(t.edge.c.source_id))
    .join(t.run, t.run.c.node_id == t.edge.c.source_id)
    .where(t.edge.c.via == t.OUTPUT, t.run.c.status == RunStatus.DONE.value)
    .group_by(t.edge.c.target_id)
)
_MAKERS = {sqlite: _select_makers.where(one_of(t.edge.c.target_id, sqlite)) for sqlite in (True, False)}
_OPEN = (RunStatus.RUNNING.value, RunStatus.LOST.value)  # nobody saw a lost run end, so its end may still come
_STILL_RUNNING = {
    "status": RunStatus.RUNNING.value, "ended_at": None, "end_recorded_at": None, "log": None, "error": None,
    "resources": None,
}  # fmt: skip


class RunEnded(Refusal):
    code = "run-ended"


class RecordingFacts(FactsBase):
    def start_run(self, start: RunStart) -> None:
        """A run begins; its inputs must be known. Starting it again changes nothing. Raises: UnknownFact."""
        self.record_runs([start])

    def end_run(self, end: RunEnd) -> None:
        """A run ended: its outputs, metrics and status are recorded together or not at all.

        Ending it the same way again changes nothing. Raises: UnknownFact, RunEnded
        (it ended before, in another way).
        """
        self.record_runs([end])

    def record_runs(
        self, events: Iterable[RunEvent], artifacts: Iterable[Artifact] = (), edges: Iterable[EdgeName] = ()
    ) -> None:
        """Starts and ends of runs, all of them or none; a start may build on what an end before it made.

        artifacts: others that belong to them, whose bytes are stored. edges: (source,
        target, role) between nodes that are known then.
        Raises: UnknownFact, RunEnded.
        """
        with self.writing() as w:
            kept = list(artifacts)
            if kept:
                found = w.find((NodeKind.ARTIFACT, artifact.digest) for artifact in kept)
                record_artifacts(w, ((artifact, w.recorded_at) for artifact in kept), found)
            write_events(w, self.project_id, events)
            wanted = list(edges)
            ids = w.need(name for source, target, _ in wanted for name in (source, target))
            w.link((ids[source], ids[target], role) for source, target, role in wanted)


def write_events(w: Writing, project_id: int, events: Iterable[RunEvent]) -> None:
    """Starts and ends within a write that does more. Raises: UnknownFact, RunEnded."""
    for group in _groups(events):
        _Group(w, project_id, group).record()


class _Group:
    """Events that can be written together. found: ids of the nodes that they speak of."""

    def __init__(self, w: Writing, project_id: int, events: Sequence[RunEvent]) -> None:
        self.w = w
        self.project_id = project_id
        starts = [event for event in events if isinstance(event, RunStart)]
        ends = [event for event in events if isinstance(event, RunEnd)]
        names = {name for start in starts for name in _names_of(start)}
        names |= {(NodeKind.RUN, end.key) for end in ends}
        names |= {(NodeKind.ARTIFACT, a.digest) for end in ends for a in end.outputs.values()}
        self.found = w.find(names)
        self.starts = {s.key: s for s in starts if (NodeKind.RUN, s.key) not in self.found}
        self.ends = {end.key: end for end in self._open(ends)}

    def record(self) -> None:
        outputs = [(a, to_micros(end.ended_at)) for end in self.ends.values() for a in end.outputs.values()]
        record_artifacts(self.w, outputs, self.found)
        self._start()
        self._end()

    def _open(self, ends: list[RunEnd]) -> Iterator[RunEnd]:
        """The ends of runs that have none yet."""
        known = {end.key: require(self.found, (NodeKind.RUN, end.key)) for end in ends if end.key not in self.starts}
        rows = rows_in(self.w.connection, _STATUS, t.run.c.node_id, known.values()) if known else ()
        status = {row.node_id: row.status for row in rows}
        for end in ends:
            before = RunStatus.RUNNING if end.key in self.starts else status[known[end.key]]
            if before in _OPEN:
                yield end
            elif before != end.status:
                raise RunEnded(f"run {end.key} ended before as {before}", next="an end is recorded once")

    def _start(self) -> None:
        if not self.starts:
            return
        nodes: list[NewNode] = []
        for start in self.starts.values():
            happened = to_micros(start.started_at)
            nodes += [NewNode(*name, "", happened) for name in _recipe_name(start)]
            nodes.append(NewNode(NodeKind.RUN, start.key, start.step, happened))
        new = self.w.add_missing(nodes, self.found)
        recipes = {r.digest: r for s in self.starts.values() if (r := s.recipe) and (NodeKind.RECIPE, r.digest) in new}
        if recipes:
            self.w.connection.execute(_INSERT_RECIPE, [_recipe_row(r, self.found) for r in recipes.values()])
        self.w.connection.execute(_INSERT_RUN, [self._start_row(start) for start in self.starts.values()])
        self._link_inputs()

    def _start_row(self, start: RunStart) -> dict[str, Any]:
        recipe, parent, end = _recipe_name(start), _parent_name(start), self.ends.get(start.key)
        return {
            "node_id": self.found[NodeKind.RUN, start.key],
            "project_id": self.project_id,
            "recipe_id": self.found[recipe[0]] if recipe else None,
            "parent_id": require(self.found, parent[0]) if parent else None,
            "step": start.step,
            "host": start.host,
            "pid": start.pid,
            "git_commit": start.git_commit,
            "tags": to_json(start.tags),
            "started_at": to_micros(start.started_at),
            **(_STILL_RUNNING if end is None else _end_row(end, self.w.recorded_at)),
        }

    def _link_inputs(self) -> None:
        """Recipe, inputs and makers → run."""
        silent = {r for s in self.starts.values() for role, r in self._taken(s).items() if not s.makers.get(role)}
        newest = _newest_makers(self.w.connection, silent)
        plain: list[tuple[int, int, str]] = []
        linked: list[tuple[int, int, str]] = []
        for start in self.starts.values():
            run = self.found[NodeKind.RUN, start.key]
            plain += [(self.found[name], run, "recipe") for name in _recipe_name(start)]
            for role, artifact in self._taken(start).items():
                key = start.makers.get(role)
                maker = require(self.found, (NodeKind.RUN, key)) if key else newest.get(artifact)
                (plain if maker is None else linked).append((artifact, run, role))
                plain += [] if maker is None else [(maker, run, role)]
        self.w.link(plain)
        self.w.link(linked, t.INPUT)

    def _taken(self, start: RunStart) -> dict[str, int]:
        return {role: require(self.found, (NodeKind.ARTIFACT, digest)) for role, digest in start.inputs.items()}

    def _end(self) -> None:
        ids = {key: require(self.found, (NodeKind.RUN, key)) for key in self.ends}
        made = [
            (ids[key], self.found[NodeKind.ARTIFACT, a.digest], role)
            for key, end in self.ends.items()
            for role, a in end.outputs.items()
        ]
        self.w.link(made, t.OUTPUT)
        metrics = [row for key, end in self.ends.items() for row in _metric_rows(end, ids[key])]
        if metrics:
            self.w.insert_missing(t.run_metric, metrics)
        recorded = self.w.recorded_at
        later = [
            {"run_id": ids[key], **_end_row(e, recorded)} for key, e in self.ends.items() if key not in self.starts
        ]
        if later:
            self.w.connection.execute(_END, later)


def _groups(events: Iterable[RunEvent]) -> Iterator[list[RunEvent]]:
    """Cut ahead of each start that asks who made its inputs last: that must see the ends before it."""
    group: list[RunEvent] = []
    ended = False
    for event in events:
        if isinstance(event, RunStart) and ended and any(not event.makers.get(role) for role in event.inputs):
            yield group
            group, ended = [], False
        group.append(event)
        ended = ended or isinstance(event, RunEnd)
    if group:
        yield group


def _names_of(start: RunStart) -> Iterator[NodeName]:
    yield NodeKind.RUN, start.key
    yield from _recipe_name(start)
    yield from _parent_name(start)
    for digest in start.inputs.values():
        yield NodeKind.ARTIFACT, digest
    for key in start.makers.values():
        if key:
            yield NodeKind.RUN, key


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


def _end_row(end: RunEnd, recorded_at: int) -> dict[str, Any]:
    return {
        "status": end.status.value,
        "ended_at": to_micros(end.ended_at),
        "end_recorded_at": recorded_at,
        "log": end.log,
        "error": end.error,
        "resources": to_json(end.resources),
    }


def _metric_rows(end: RunEnd, run_id: int) -> Iterator[dict[str, Any]]:
    happened = to_micros(end.ended_at)
    for name, value in end.metrics.items():
        storable = None if value != value else value
        yield {"run_id": run_id, "name": name, "step": 0, "happened_at": happened, "value": storable}


def _newest_makers(connection: Connection, artifacts: set[int]) -> dict[int, int]:
    """For each artifact that a finished run made, the newest such run."""
    if not artifacts:
        return {}
    sqlite = connection.dialect.name == "sqlite"
    rows = connection.execute(_MAKERS[sqlite], {"values": many(artifacts, sqlite)})
    return {row[0]: row[1] for row in rows}
