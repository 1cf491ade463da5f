"""Nodes of the graph as things people know: a dataset of 12,345 rows, a run of 3 s, version 3."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, Node, NodeKind, Run, Subgraph
from solvent.pages.words import number, plural

if TYPE_CHECKING:
    from solvent.store import Store

MOST_RUNS = 100  # runs described in full; of more only name and time are told


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """A node of an answer.

    id: of this answer, what `Tie` refers to. kind: of the node; type: of an artifact. about: a few words.
    """

    id: int
    kind: NodeKind
    key: str
    name: str
    at: datetime
    type: str = ""
    about: str = ""
    rows: int | None = None
    size: int | None = None
    erased: bool = False
    aliases: list[str] = msgspec.field(default_factory=list)


class Tie(msgspec.Struct, frozen=True, kw_only=True):
    """source was used for target; role: the parameter or output name, or what kind of use it was."""

    source: int
    target: int
    role: str


def things_of(store: Store, subgraphs: Sequence[Subgraph]) -> tuple[list[Thing], list[Tie]]:
    """The nodes of several traversals, each once and described, in the order of traversal; their edges."""
    nodes = {node.id: node for subgraph in subgraphs for node in subgraph.nodes}
    edges = {(e.source, e.target, e.role) for subgraph in subgraphs for e in subgraph.edges}
    ties = [Tie(source=s, target=t, role=r) for s, t, r in sorted(edges) if s in nodes and t in nodes]
    return _described(store, nodes.values()), ties


def _described(store: Store, nodes: Iterable[Node]) -> list[Thing]:
    listed = list(nodes)
    artifacts = store.facts.artifacts([Digest(node.key) for node in listed if node.kind is NodeKind.ARTIFACT])
    aliases = _aliases(store, {n.key.rpartition("/")[0] for n in listed if n.kind is NodeKind.VERSION})
    runs = [node.key for node in listed if node.kind is NodeKind.RUN][:MOST_RUNS]
    known = {key: run for key in runs if (run := store.facts.run(key)) is not None}
    roles = {artifact.digest: role for run in known.values() if run.end for role, artifact in run.end.outputs.items()}
    return [
        _thing(node, artifacts.get(Digest(node.key)), known.get(node.key), aliases.get(node.key, []), roles)
        for node in listed
    ]


def _aliases(store: Store, models: Iterable[str]) -> dict[str, list[str]]:
    """Current aliases by version name."""
    current: dict[str, list[str]] = {}
    for model in models:
        latest = {move.alias: move.number for move in store.facts.alias_moves(model)}
        for alias, version in latest.items():
            current.setdefault(f"{model}/{version}", []).append(alias)
    return current


def _thing(
    node: Node, artifact: Artifact | None, run: Run | None, aliases: list[str], roles: dict[Digest, str]
) -> Thing:
    name = node.name
    if artifact is not None:
        name = name or roles.get(artifact.digest, "")
    return Thing(
        id=node.id,
        kind=node.kind,
        type=artifact.type.value if artifact is not None else "",
        key=node.key,
        name=name,
        at=node.happened_at,
        about=_artifact_words(artifact) if artifact else _run_words(run) if run else "",
        rows=_rows(artifact),
        size=artifact.size if artifact else None,
        erased=artifact is not None and artifact.erased_at is not None,
        aliases=aliases,
    )


def _rows(artifact: Artifact | None) -> int | None:
    rows = artifact.about.get("rows") if artifact else None
    return rows if isinstance(rows, int) else None


def _artifact_words(artifact: Artifact) -> str:
    rows = _rows(artifact)
    parts = [plural(rows, "row")] if rows is not None else []
    parts.append(size_words(artifact.size))
    if artifact.erased_at is not None:
        parts.append(f"erased {artifact.erased_at:%Y-%m-%d}")
    return ", ".join(parts)


def _run_words(run: Run) -> str:
    parts = [run.status.value] if run.status.value != "done" else []
    if run.end is not None:
        parts.append(f"{number((run.end.ended_at - run.start.started_at).total_seconds())} s")
    parameters = run.start.recipe.parameters if run.start.recipe else {}
    parts += [f"{name}={value}" for name, value in list(parameters.items())[:4]]
    if run.start.recipe:
        parts.append(f"recipe {run.start.recipe.digest[:8]}")
    if run.start.git_commit:
        parts.append(f"commit {run.start.git_commit[:8]}")
    return ", ".join(parts)


def size_words(size: float) -> str:
    """Bytes in the largest unit that leaves at least one.

    >>> size_words(812), size_words(179_131), size_words(2_792_782)
    ('812 B', '179 kB', '2.8 MB')
    """
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{number(size)} {unit}" if unit != "B" else f"{size:.0f} B"
        size /= 1000
    return ""
