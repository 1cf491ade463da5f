"""How long ancestors and impact take on a store of 1,000,000 nodes and 3,000,000 edges.

    python benchmarks/bench_lineage.py [--nodes 1000000]

Teams of pipelines live week after week: blobs → clean → features → fit → model → version →
decision, each run linked to the runs that made its inputs; pipelines read each other's features,
so that what stands behind a late version fans out to its whole team's past. SQLite always; PostgreSQL where
SOLVENT_POSTGRES_URL names an empty database. Prints times and the machine; writes results/lineage.json.
"""

from __future__ import annotations

import argparse
import bisect
import gc
import json
import os
import platform
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from solvent.foundation.ids import uuid7
from solvent.lineage.entities import Actor, NodeKind, Subgraph
from solvent.store import Store, open_store, schema

RESULT = Path(__file__).parent / "results" / "lineage.json"
BAR_SECONDS = 1.0
SIZES = (100, 1_000, 10_000, 100_000)  # nodes of an answer
REPEATS = 5
PIPELINES = 100  # of a team; they read each other's features
NODES_A_WEEK = 11  # of one pipeline
WEEKS = 225

Node = tuple[int, int, str, str, str, int, int, int]
Edge = tuple[int, int, str, int]  # target, source, role, via


class Growing:
    """Nodes and edges in the order in which a store would have recorded them."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.maker: dict[int, int] = {}  # the run that made an artifact

    def add(self, kind: NodeKind, name: str, week: int) -> int:
        key = uuid7() if kind is NodeKind.RUN else random.randbytes(32).hex()
        node_id = len(self.nodes) + 1
        project = schema.SHARED_PROJECT if kind is NodeKind.ARTIFACT else 1
        self.nodes.append((node_id, project, kind.value, key, name, week, week, 1))
        return node_id

    def use(self, target: int, *sources: int) -> int:
        """Edges from what a node used, and from the runs that made it."""
        for order, source in enumerate(sources):
            maker = self.maker.get(source)
            self.edges.append((target, source, f"input {order}", schema.PLAIN if maker is None else schema.INPUT))
            if maker is not None:
                self.edges.append((target, maker, f"input {order}", schema.PLAIN))
        return target

    def run(self, name: str, week: int, *inputs: int) -> int:
        """A run with one output, which is returned."""
        run = self.use(self.add(NodeKind.RUN, name, week), *inputs)
        made = self.add(NodeKind.ARTIFACT, name, week)
        self.edges.append((made, run, "output", schema.OUTPUT))
        self.maker[made] = run
        return made


def grow(wanted: int) -> Growing:
    """About `wanted` nodes with three times as many edges."""
    grown = Growing()
    teams = max(1, round(wanted / (PIPELINES * NODES_A_WEEK * WEEKS)))
    blobs, tables, models = {}, {}, {}
    for week in range(wanted // (teams * PIPELINES * NODES_A_WEEK)):
        for pipeline in range(teams * PIPELINES):
            team = pipeline // PIPELINES * PIPELINES
            blobs[pipeline, week] = grown.add(NodeKind.ARTIFACT, "blob", week)
            cleaned = grown.run("clean", week, *last(blobs, pipeline, week, 3))
            others = [(random.randrange(team, team + PIPELINES), week - 1) for _ in range(2)]
            shared = [tables[other] for other in others if other in tables]
            tables[pipeline, week] = table = grown.run("features", week, cleaned, *shared)
            warm = last(models, pipeline, week, 1)
            models[pipeline, week] = model = grown.run("fit", week, *last(tables, pipeline, week, 4), *warm)
            metrics = grown.run("evaluate", week, model, table)
            version = grown.use(grown.add(NodeKind.VERSION, "version", week), model, metrics)
            grown.use(grown.add(NodeKind.DECISION, "promote", week), version, metrics)
    return grown


def last(things: dict[tuple[int, int], int], pipeline: int, week: int, weeks: int) -> Iterator[int]:
    return (things[pipeline, past] for past in range(max(0, week - weeks), week + 1) if (pipeline, past) in things)


def load(store: Store, url: str, grown: Growing) -> None:
    """Past `Facts`, as a restore would: rows in bulk, edges in the order of their key."""
    edges = sorted(set(grown.edges))
    if store.facts.database.sqlite:
        with store.facts.database.write() as connection:
            raw = connection.connection.cursor()
            raw.executemany("INSERT INTO node VALUES (?,?,?,?,?,?,?,?)", grown.nodes)
            raw.executemany("INSERT INTO edge (target_id, source_id, role, via) VALUES (?,?,?,?)", edges)
        return
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY node FROM STDIN") as copy:
            for node in grown.nodes:
                copy.write_row(node)
        with cursor.copy("COPY edge (target_id, source_id, role, via) FROM STDIN") as copy:
            for edge in edges:
                copy.write_row(edge)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE node, edge")  # autovacuum would, a minute later


def questions(grown: Growing) -> Iterator[tuple[str, NodeKind, list[str]]]:
    """What is asked, of whom: nodes in an order in which the answers grow."""
    versions = [node[3] for node in grown.nodes if node[2] == NodeKind.VERSION]
    blobs = [node[3] for node in grown.nodes if node[2] == NodeKind.ARTIFACT and node[4] == "blob"]
    yield "ancestors", NodeKind.VERSION, versions
    yield "impact", NodeKind.ARTIFACT, blobs[::-1]


def measure(store: Store, grown: Growing) -> list[dict[str, Any]]:
    """For each question and size the node whose answer comes nearest to it from below, and the seconds it takes."""
    measured = []
    for question, kind, keys in questions(grown):
        ask = store.facts.ancestors if question == "ancestors" else store.facts.descendants
        for size in SIZES:
            larger = partial(larger_than, ask, kind, size)
            key = keys[max(0, bisect.bisect_left(keys, True, key=larger) - 1)]
            graph = ask(kind, key)
            times = sorted(seconds(partial(ask, kind, key)) for _ in range(REPEATS))
            row = {"question": question, "nodes": len(graph.nodes), "edges": len(graph.edges)}
            measured.append(
                {**row, "median seconds": round(times[REPEATS // 2], 4), "worst seconds": round(times[-1], 4)}
            )
    return measured


def larger_than(ask: Callable[..., Subgraph], kind: NodeKind, size: int, key: str) -> bool:
    graph = ask(kind, key, limit=size + 1)
    return graph.truncated or len(graph.nodes) > size


def show(backend: str, row: dict[str, Any]) -> None:
    median, worst = row["median seconds"], row["worst seconds"]
    print(
        f"{backend:10} {row['question']:9} {row['nodes']:7,} nodes {row['edges']:7,} edges "
        f"{median * 1000:8.1f} ms (worst {worst * 1000:.1f})  {median / BAR_SECONDS:.2f} × the bar"
    )


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=1_000_000)
    wanted = parser.parse_args().nodes
    random.seed(7)
    grown = grow(wanted)
    gc.freeze()  # millions of values that no user's process holds; the collector would walk them at every answer
    result = {"machine": machine(), "nodes": len(grown.nodes), "edges": len(grown.edges), "bar seconds": BAR_SECONDS}
    print(f"{result['nodes']:,} nodes, {result['edges']:,} edges; {machine()}")
    with tempfile.TemporaryDirectory() as folder:
        urls = {"sqlite": f"sqlite:///{folder}/solvent.db", "postgresql": os.environ.get("SOLVENT_POSTGRES_URL")}
        for name, url in urls.items():
            if url is None:
                continue
            with open_store(url, root=Path(folder), actor=Actor(kind="person", name="bench")) as store:
                load(store, url, grown)
                result[name] = measure(store, grown)
            for row in result[name]:
                show(name, row)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
