from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.lineage.entities import Edge, Node, NodeKind, Subgraph
from solvent.lineage.graph import as_json, counted, counts, impact, label, lines, tree

WHEN = datetime(2012, 3, 2, tzinfo=UTC)


def node(number, kind=NodeKind.ARTIFACT, name="", key=None):
    key = f"{number:064x}" if key is None else key
    return Node(id=number, kind=kind, key=key, name=name, happened_at=WHEN, recorded_at=WHEN)


def subgraph(nodes, edges, truncated=False):
    drawn = [Edge(source=source, target=target, role=role) for source, target, role in edges]
    return Subgraph(root=nodes[0].id, nodes=nodes, edges=drawn, truncated=truncated)


BIKES = subgraph(
    [
        node(1, NodeKind.VERSION, "bikes/3", key="bikes/3"),
        node(2, NodeKind.RUN, "bikes.fit", key="01a208e6316e7fd18aa042a15ecfd54c"),
        node(3, name="forest"),
        node(4, name="features"),
        node(5, NodeKind.COLUMN, "temp"),
        node(6, NodeKind.COLUMN, "hum"),
    ],
    [
        (2, 1, "made-by"),
        (3, 1, "artifact"),
        (2, 3, "model"),
        (4, 2, "train"),
        (5, 4, "column"),
        (6, 4, "column"),
    ],
)


def test_a_lineage_reads_as_a_tree_of_lines():
    assert lines(tree(BIKES, upstream=True)) == [
        "bikes/3 (version, 2012-03-02)",
        "  artifact: forest (artifact 0000000000, 2012-03-02)",
        "  made-by: bikes.fit (run 01a208e6316e, 2012-03-02)",
        "    train: features (artifact 0000000000, 2012-03-02)",
        "      2 columns: hum, temp",
    ]


def test_many_children_and_many_lines_are_counted():
    runs = [node(n, NodeKind.RUN, "fit") for n in range(2, 22)]
    graph = subgraph([node(1), *runs], [(1, run.id, "train") for run in runs])
    written = lines(tree(graph, upstream=False))
    assert len(written) == 1 + 8 + 1
    assert written[-1] == "  … and 12 runs"
    assert lines(tree(graph, upstream=False), most=3)[-1] == "… and 7 more lines"


def test_a_long_line_is_cut_to_the_width():
    graph = subgraph([node(1, name="n" * 200)], [])
    assert [len(line) for line in lines(tree(graph, upstream=True), width=40)] == [40]


def test_a_lineage_may_be_deeper_than_the_stack():
    depth = 5_000
    graph = subgraph([node(n) for n in range(1, depth)], [(n + 1, n, "x") for n in range(1, depth - 1)])
    assert len(lines(tree(graph, upstream=True), most=depth)) == depth - 1


def test_an_impact_names_what_people_know():
    graph = subgraph(
        [
            node(1, name="rides"),
            node(2, NodeKind.VERSION, key="bikes/10"),
            node(3, NodeKind.VERSION, key="bikes/9"),
            node(4, NodeKind.DEPLOYMENT, "main"),
            node(5, NodeKind.DEPLOYMENT, "main", key="later"),
        ],
        [],
        truncated=True,
    )
    found = impact(graph)
    assert (found.models, found.versions, found.endpoints) == (["bikes"], ["bikes/9", "bikes/10"], ["main"])
    assert found.counts == {NodeKind.VERSION: 2, NodeKind.DEPLOYMENT: 2}
    assert found.truncated


def test_counts_leave_the_root_out():
    assert counts(BIKES) == {NodeKind.ARTIFACT: 2, NodeKind.COLUMN: 2, NodeKind.RUN: 1}
    assert counted(counts(BIKES)) == "2 artifacts, 2 columns and 1 run"
    assert counted({}) == "nothing"
    assert counted({NodeKind.RUN: 1234}) == "1,234 runs"


def test_json_points_at_nodes_by_their_place():
    document = as_json(BIKES)
    assert document["root"] == 0
    assert document["edges"][3] == {"source": 3, "target": 1, "role": "train"}
    assert document["nodes"][0] == {
        "kind": "version",
        "key": "bikes/3",
        "name": "bikes/3",
        "happened_at": "2012-03-02T00:00:00Z",
        "recorded_at": "2012-03-02T00:00:00Z",
    }


def test_a_node_without_a_name_is_called_by_its_key():
    assert label(node(1)) == "artifact 0000000000 (2012-03-02)"
    assert label(node(1, NodeKind.MODEL, key="bikes")) == "bikes (model, 2012-03-02)"


@settings(deadline=None)
@given(st.sets(st.tuples(st.integers(1, 8), st.integers(1, 8))))
def test_a_tree_holds_every_node_that_leads_to_the_root_once(edges):
    reached, frontier = {1}, [1]
    while frontier:
        here = frontier.pop()
        new = {source for source, target in edges if target == here} - reached
        reached |= new
        frontier += new
    graph = subgraph([node(n) for n in sorted(reached)], [(a, b, "x") for a, b in edges if {a, b} <= reached])
    placed, stack = [], [tree(graph, upstream=True)]
    while stack:
        branch = stack.pop()
        placed.append(branch.node.id)
        stack += branch.children
    assert sorted(placed) == sorted(reached)
