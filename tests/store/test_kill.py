"""kill -9 at random moments: what was acknowledged is there, and nothing is half there.

SOLVENT_SOAK multiplies the draws.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from solvent.lineage.entities import RunStatus
from solvent.store import open_store
from store_samples import ANN

WRITER = Path(__file__).with_name("facts_writer.py")
DRAWS = range(4 * int(os.environ.get("SOLVENT_SOAK", "1")))
MOST = 12  # acknowledgements that are waited for: four for each run
BETWEEN = 0.02  # seconds in which the kill falls then
MAKING = 0.6  # seconds in which the kill falls while a store is made

HALVES = {
    "a run without its run": "SELECT id FROM node LEFT JOIN run ON node_id = id WHERE kind = 'run' AND node_id IS NULL",
    "an artifact without its facts": """
        SELECT id FROM node LEFT JOIN artifact ON node_id = id WHERE kind = 'artifact' AND node_id IS NULL""",
    "a finished run without both outputs": """
        SELECT node_id FROM run WHERE status = 'done' AND (SELECT count(*) FROM edge WHERE source_id = node_id) < 2""",
    "a finished run without both metrics": """
        SELECT node_id FROM run
        WHERE status = 'done' AND (SELECT count(*) FROM run_metric WHERE run_id = node_id) < 2""",
    "a decision without its move": """
        SELECT node_id FROM decision LEFT JOIN alias_move ON decision_id = node_id WHERE decision_id IS NULL""",
    "a version without its edges": """
        SELECT node_id FROM version WHERE (SELECT count(*) FROM edge WHERE target_id = node_id) < 3""",
    "an outputs' edge without a finished run": """
        SELECT node_id FROM run JOIN edge ON source_id = node_id WHERE status = 'running'""",
}


def start_writer(url, root, label):
    command = [sys.executable, str(WRITER), url, str(root), label]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def write_and_be_killed(url, root, draw):
    """What a writer had acknowledged when it was killed: a moment after a drawn number of acknowledgements."""
    drawn = random.Random(draw)
    with start_writer(url, root, f"{draw} {time.time()}") as writer:
        assert writer.stdout.readline() == "ready \n"
        text = "".join(writer.stdout.readline() for _ in range(drawn.randint(1, MOST)))
        time.sleep(drawn.uniform(0, BETWEEN))
        writer.kill()
        lines = (text + writer.stdout.read()).split("\n")
    return [line.split(" ") for line in lines[:-1]]  # what follows the last line end was not all written


def check(facts, acknowledged):
    for what, *key in acknowledged:
        if what == "started":
            assert facts.run(key[0]) is not None
        elif what == "ended":
            run = facts.run(key[0])
            assert run.status is RunStatus.DONE
            assert (set(run.end.outputs), set(run.end.metrics)) == ({"model", "report"}, {"mae", "rows"})
        elif what == "version":
            assert facts.version("bikes", int(key[0])) is not None
        else:
            assert facts.decision(key[0]).decision.evidence["move"]["to"] == int(key[1])
    assert facts.verify_chain() == []
    assert [move.number for move in facts.alias_moves("bikes")] == [
        made.decision.number for made in facts.decisions("bikes")
    ]
    with facts.database.read() as connection:
        for what, query in HALVES.items():
            assert connection.execute(text(query)).all() == [], what
        if facts.database.sqlite:
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def test_facts_survive_the_death_of_their_writer(open_again, store_url, tmp_path):
    acknowledged = []
    for draw in DRAWS:
        acknowledged += write_and_be_killed(store_url, tmp_path / ".solvent", draw)
        with open_again() as store:
            check(store.facts, acknowledged)
    assert len(acknowledged) > len(DRAWS)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_store_that_was_being_made_is_made_by_the_next_one(kind, postgres, tmp_path):
    for draw in DRAWS:
        root = tmp_path / str(draw)
        url = f"sqlite:///{root}/solvent.db" if kind == "sqlite" else postgres.url(postgres.create())
        with start_writer(url, root, "first") as writer:
            while not list(root.glob("*")):  # it has begun with the folder
                time.sleep(0.001)
            time.sleep(random.Random(draw).uniform(0, MAKING))
            writer.kill()
        with open_store(url, root=root, actor=ANN) as store:
            check(store.facts, [])
