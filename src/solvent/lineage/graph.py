"""Reading a subgraph: as a tree, as counts, as an impact, as lines of text, as JSON. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any

from solvent.foundation.clock import iso
from solvent.lineage.entities import Fact, Node, NodeKind, Subgraph

CHILDREN = 8  # of one node that are written out; the others are counted
LINES = 60
WIDTH = 80
_SHORT = {NodeKind.ARTIFACT: 10, NodeKind.RECIPE: 10, NodeKind.RUN: 12, NodeKind.DECISION: 12, NodeKind.ALERT: 12}
_ORDER = {kind: order for order, kind in enumerate(NodeKind)}


class Branch(Fact, frozen=True):
    """A node under the nearest node that leads to it. role: of the edge between; '' at the root."""

    node: Node
    role: str
    children: list[Branch]


class Impact(Fact, frozen=True):
    """What hangs on a node: names of versions, models, endpoints, and how many nodes of each kind."""

    models: list[str]
    versions: list[str]
    endpoints: list[str]
    counts: dict[NodeKind, int]
    truncated: bool


def tree(graph: Subgraph, *, upstream: bool) -> Branch:
    """The subgraph as a tree from its root, each node once, where it is nearest to the root.

    upstream: children are what a node came of; else what came of it. Columns stand last,
    otherwise children stand in the order of their kinds, then by name.
    """
    nodes = {node.id: node for node in graph.nodes}
    neighbours: dict[int, list[tuple[int, str]]] = {}
    for edge in graph.edges:
        here, there = (edge.target, edge.source) if upstream else (edge.source, edge.target)
        neighbours.setdefault(here, []).append((there, edge.role))
    root = Branch(node=nodes[graph.root], role="", children=[])
    queue, placed = deque([root]), {graph.root}
    while queue:
        branch = queue.popleft()
        for there, role in neighbours.get(branch.node.id, ()):
            if there not in placed:
                placed.add(there)
                child = Branch(node=nodes[there], role=role, children=[])
                branch.children.append(child)
                queue.append(child)
        branch.children.sort(key=_place)
    return root


def _place(branch: Branch) -> tuple[bool, int, str, int]:
    node = branch.node
    return (node.kind is NodeKind.COLUMN, _ORDER[node.kind], node.name, node.id)


def counts(graph: Subgraph) -> dict[NodeKind, int]:
    """How many nodes of each kind, the root left out, most first."""
    return dict(Counter(node.kind for node in graph.nodes if node.id != graph.root).most_common())


def counted(numbers: Mapping[NodeKind, int]) -> str:
    """Counts in words.

    >>> counted({NodeKind.RUN: 14, NodeKind.VERSION: 1, NodeKind.ARTIFACT: 3})
    '14 runs, 1 version and 3 artifacts'
    """
    words = [f"{number:,} {kind.value}{'' if number == 1 else 's'}" for kind, number in numbers.items()]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words) or "nothing"


def impact(graph: Subgraph) -> Impact:
    """What is affected when the root of a downstream graph changes or goes."""
    versions = [node.key for node in graph.nodes if node.kind is NodeKind.VERSION]
    return Impact(
        models=sorted({name.rpartition("/")[0] for name in versions}),
        versions=sorted(versions, key=lambda name: (name.rpartition("/")[0], int(name.rpartition("/")[2]))),
        endpoints=sorted({node.name for node in graph.nodes if node.kind is NodeKind.DEPLOYMENT}),
        counts=counts(graph),
        truncated=graph.truncated,
    )


def lines(root: Branch, *, most: int = LINES, width: int = WIDTH) -> list[str]:
    """A tree as indented lines; what does not fit is counted, never dropped in silence.

    most: lines, the counting last one left out; width: characters.
    """
    written: list[str] = []
    walk = _walk(root)
    for depth, text in walk:
        if len(written) == most:
            rest = 1 + sum(1 for _ in walk)
            return [*written, f"… and {rest:,} more lines"]
        line = "  " * depth + text
        written.append(line if len(line) <= width else line[: width - 1] + "…")
    return written


def _walk(root: Branch) -> Iterator[tuple[int, str]]:
    """Depth and text of each line, without recursion: lineages are deeper than Python's stack."""
    stack: list[tuple[int, Branch | str]] = [(0, root)]
    while stack:
        depth, item = stack.pop()
        if isinstance(item, str):
            yield depth, item
            continue
        yield depth, f"{item.role}: {label(item.node)}" if item.role else label(item.node)
        below: list[tuple[int, Branch | str]] = [(depth + 1, child) for child in _written(item)]
        hidden = _hidden(item)
        if hidden:
            below.append((depth + 1, hidden))
        stack += reversed(below)


def _written(branch: Branch) -> list[Branch]:
    return [child for child in branch.children if child.node.kind is not NodeKind.COLUMN][:CHILDREN]


def _hidden(branch: Branch) -> str:
    """One line for the children that are not written out."""
    columns = [child.node.name for child in branch.children if child.node.kind is NodeKind.COLUMN]
    others = [child for child in branch.children if child.node.kind is not NodeKind.COLUMN][CHILDREN:]
    parts = [f"… and {counted(Counter(child.node.kind for child in others))}"] if others else []
    if columns:
        parts.append(f"{counted({NodeKind.COLUMN: len(columns)})}: {', '.join(columns)}")
    return "; ".join(parts)


def label(node: Node) -> str:
    """A node in a few words: its name, kind, short key and date."""
    short = node.key[: _SHORT[node.kind]] if node.kind in _SHORT else ""
    name = node.name or ("" if short else node.key)
    what = f"{node.kind.value} {short}".strip()
    return f"{name} ({what}, {node.happened_at:%Y-%m-%d})" if name else f"{what} ({node.happened_at:%Y-%m-%d})"


def as_json(graph: Subgraph) -> dict[str, Any]:
    """The document that `--json` prints: nodes by kind and key, edges between positions in that list."""
    place = {node.id: position for position, node in enumerate(graph.nodes)}
    return {
        "root": place[graph.root],
        "nodes": [
            {
                "kind": node.kind.value,
                "key": node.key,
                "name": node.name,
                "happened_at": iso(node.happened_at),
                "recorded_at": iso(node.recorded_at),
            }
            for node in graph.nodes
        ],
        "edges": [
            {"source": place[edge.source], "target": place[edge.target], "role": edge.role} for edge in graph.edges
        ],
        "truncated": graph.truncated,
    }
