from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solvent.lineage.digests import digest_of
from solvent.lineage.entities import NodeKind
from solvent.store.facts.writing import UnknownFact
from store_samples import add_version, artifact, run_step


def name(node):
    return (NodeKind.ARTIFACT, artifact(node).digest)


def names(subgraph):
    return {node.name for node in subgraph.nodes}


@pytest.fixture
def chain(facts):
    for used, made in pairwise("abcdef"):
        run_step(facts, f"{used}->{made}", inputs=(used,), outputs=(made,))
    return facts


def test_ancestors_are_upstream_and_descendants_downstream(chain):
    assert names(chain.ancestors(*name("c"))) == {"c", "b->c", "b", "a->b", "a"}
    assert names(chain.descendants(*name("d"))) == {"d", "d->e", "e", "e->f", "f"}


def test_a_limit_keeps_the_nearest_nodes_and_says_so(chain):
    whole = chain.ancestors(*name("f"), limit=11)
    assert (len(whole.nodes), whole.truncated) == (11, False)
    part = chain.ancestors(*name("f"), limit=4)
    assert (names(part), part.truncated) == ({"f", "e->f", "e", "d->e"}, True)
    kept = {node.id for node in part.nodes}
    assert len(part.edges) == 4
    assert all({edge.source, edge.target} <= kept for edge in part.edges)


def test_a_step_that_returns_its_input_makes_no_endless_walk(facts):
    run_step(facts, "identity", inputs=("a",), outputs=("a",))
    assert names(facts.ancestors(*name("a"))) == {"a", "identity"}
    assert {edge.role for edge in facts.descendants(*name("a")).edges} == {"a"}


def test_lineage_crosses_projects_by_content(open_again):
    here, there = open_again().facts, open_again(project="other").facts
    run_step(here, "make", outputs=("table",))
    run_step(there, "use", inputs=("table",), outputs=("model",))
    assert names(there.ancestors(*name("model"))) == {"model", "use", "table", "make"}


def test_nodes_are_found_by_the_beginning_of_a_key_or_a_whole_name(facts):
    version = add_version(facts)
    found = facts.find(artifact("forest").digest[:9])
    assert [(node.kind, node.name) for node in found] == [(NodeKind.ARTIFACT, "forest")]
    assert [node.key for node in facts.find("bikes/1")] == [version.name]
    assert {node.kind for node in facts.find("bikes.fit")} == {NodeKind.RUN}
    assert {node.key for node in facts.find("bikes")} == {"bikes", "bikes/1"}
    assert facts.find("no such thing") == []


def test_edges_join_only_what_is_known(facts):
    facts.add_artifacts([artifact("folder"), artifact("blob")])
    facts.add_edges([(name("blob"), name("folder"), "member")] * 2)
    assert [edge.role for edge in facts.ancestors(*name("folder")).edges] == ["member"]
    with pytest.raises(UnknownFact):
        facts.add_edges([(name("blob"), name("nowhere"), "member")])
    with pytest.raises(UnknownFact):
        facts.ancestors(NodeKind.ARTIFACT, digest_of(b"nowhere"))


examples = count()  # each example draws its graph beside those before
graphs = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs, st.integers(0, 7))
def test_a_walk_reaches_what_a_plain_search_reaches(facts, edges, root):
    example = next(examples)

    def key(n):
        return f"{example} {n}"

    facts.add_artifacts([artifact(key(n)) for n in range(8)])
    facts.add_edges([(name(key(a)), name(key(b)), "x") for a, b in edges])
    expected, frontier = {root}, [root]
    while frontier:
        here = frontier.pop()
        new = {a for a, b in edges if b == here} - expected
        expected |= new
        frontier += new
    assert names(facts.ancestors(*name(key(root)))) == {key(n) for n in expected}


def test_lineage_follows_the_run_that_was_built_on_and_not_another_that_made_the_same_bytes(facts):
    """Two runs make equal tables from different files; the model came of the first one only."""
    first = run_step(facts, "first", inputs=("one.csv",), outputs=("table",))
    run_step(facts, "second", inputs=("other.csv",), outputs=("table",))
    run_step(facts, "fit", inputs=("table",), outputs=("model",), makers={"table": first})
    above = facts.ancestors(*name("model"))
    assert names(above) == {"model", "fit", "table", "first", "one.csv"}
    assert not above.truncated
    assert names(facts.descendants(*name("one.csv"))) == {"one.csv", "first", "table", "fit", "model"}
    assert names(facts.descendants(*name("other.csv"))) == {"other.csv", "second", "table"}
    assert {"first", "second"} <= names(facts.ancestors(*name("table"))), "asked about the bytes, all that made them"


def test_a_silent_run_built_on_the_newest_that_made_its_input(facts):
    run_step(facts, "first", inputs=("one.csv",), outputs=("table",))
    run_step(facts, "second", inputs=("other.csv",), outputs=("table",))
    run_step(facts, "fit", inputs=("table",), outputs=("model",))
    assert names(facts.ancestors(*name("model"))) == {"model", "fit", "table", "second", "other.csv"}


def test_bytes_that_a_walk_comes_to_in_both_ways_bring_each_edge_once(facts):
    run_step(facts, "took before anyone made it", inputs=("table",), outputs=("early",))
    run_step(facts, "import", inputs=("file",), outputs=("table",))
    run_step(facts, "took it from the import", inputs=("table",), outputs=("late",))
    run_step(facts, "fit", inputs=("early", "late"), outputs=("model",))
    edges = facts.ancestors(*name("model")).edges
    assert len(edges) == len(set(edges))
