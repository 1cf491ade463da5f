import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta

import pytest

from solvent.foundation.clock import to_micros
from solvent.lineage.entities import Action, RunEnd, RunStart, RunStatus
from solvent.store import open_store, quick, quick_run
from solvent.store import schema as t
from solvent.store.overview import overview
from store_samples import ANN, DAY, START, add_version, alarm, artifact, decision, recipe, run_step


@pytest.fixture
def here(tmp_path):
    root = tmp_path / ".solvent"
    with open_store(f"sqlite:///{root}/solvent.db", root=root, actor=ANN) as store:
        yield store


def cached(store, *recipes):
    with quick.open_quick(store.root / "solvent.db", "default") as asked:
        return asked.cached(recipes)


def newest(store, *steps):
    with quick.open_quick(store.root / "solvent.db", "default") as asked:
        return asked.newest(steps)


def status(store):
    with quick.open_quick(store.root / "solvent.db", "default") as asked:
        found = asked.status()
    assert overview(store) == found
    return found


def test_the_schema_is_the_one_that_quick_answers_read():
    assert quick.HEAD == t.HEAD


def test_cached_recipes_come_with_their_outputs(here):
    run_step(here.facts, "a", recipe=recipe("a"), outputs=("old",))
    run_step(here.facts, "a", recipe=recipe("a"), outputs=("table", "figure"))
    run_step(here.facts, "b", recipe=recipe("b"), status=RunStatus.FAILED)
    found = cached(here, recipe("a").digest, recipe("b").digest, "unknown")
    table, figure = artifact("table"), artifact("figure")
    assert {digest: sorted(run.outputs) for digest, run in found.items()} == {
        recipe("a").digest: sorted(
            ("figure" if it is figure else "table", it.digest, it.content, "dataset", it.size, it.format)
            for it in (table, figure)
        )
    }
    assert newest(here, "a", "b", "unknown") == found
    assert status(here).runs == {"done": 2, "failed": 1}


def test_quick_answers_agree_with_the_store_about_erased_outputs(here):
    run_step(here.facts, "a", recipe=recipe("a"), outputs=("first",))
    run_step(here.facts, "a", recipe=recipe("a"), outputs=("second",))
    here.facts.mark_erased([artifact("second").digest], START)
    assert [output.name for output in cached(here, recipe("a").digest)[recipe("a").digest].outputs] == ["first"]
    assert newest(here, "a") == cached(here, recipe("a").digest)
    here.facts.mark_erased([artifact("first").digest], START)
    assert cached(here, recipe("a").digest) == newest(here, "a") == {}


def test_models_show_where_their_aliases_are_and_when_they_ticked(here):
    facts = here.facts
    for name in ("forest", "boosting"):
        add_version(facts, name=name)
    facts.add_model("flights", {})
    for number in (1, 2):
        facts.move_alias("bikes", "champion", number, decision(Action.PROMOTE))
    facts.move_alias("bikes", "challenger", 2, decision())
    facts.move_alias("bikes", "challenger", None, decision())
    facts.end_tick(facts.start_tick("bikes", START, "p"))
    assert status(here).models == {"bikes": ({"champion": 2}, to_micros(START)), "flights": ({}, None)}


def test_alerts_are_open_until_a_later_tick_does_not_raise_them(here):
    add_version(here.facts)
    here.facts.add_alert(alarm("w1", START))
    assert [alert.title for alert in status(here).open_alerts] == ["temp drifts"]
    here.facts.end_tick(here.facts.start_tick("bikes", START, "p"))
    assert len(status(here).open_alerts) == 1
    here.facts.end_tick(here.facts.start_tick("bikes", START + DAY, "p"))
    assert status(here).open_alerts == []


def test_there_is_no_quick_answer_without_a_store_of_this_schema(here, tmp_path):
    database = here.root / "solvent.db"
    assert quick.open_quick(tmp_path / "nowhere.db", "default") is None
    assert quick.open_quick(database, "unknown") is None
    (tmp_path / "notes.db").write_text("notes " * 1000)
    assert quick.open_quick(tmp_path / "notes.db", "default") is None
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert quick.open_quick(database, "default") is None


def test_asking_imports_nothing_heavy(here):
    asking = f"""
import sys
from pathlib import Path
from solvent.store.quick import open_quick
with open_quick(Path({str(here.root)!r}) / "solvent.db", "default") as quick:
    quick.status(), quick.cached(["x"])
print(sorted({{"sqlalchemy", "alembic", "polars", "numpy", "blake3", "msgspec"}} & set(sys.modules)))
"""
    answer = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


# A hundred thousand finished runs, each of its own recipe and with its own output.
FILL = """
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT i FROM n;
INSERT INTO node SELECT 3 * i + 1, 0, 'recipe', 'r' || i, '', 1, 1, 1 FROM n;
INSERT INTO node SELECT 3 * i + 2, 1, 'run', 'run' || i, 's', 1, 1, 1 FROM n;
INSERT INTO node SELECT 3 * i + 3, 0, 'artifact', 'a' || i, '', 1, 1, 1 FROM n;
INSERT INTO recipe SELECT 3 * i + 1, '', '', '{}', '{}' FROM n;
INSERT INTO artifact SELECT 3 * i + 3, 'c' || i, 'any', 'json', 9, '{}', NULL FROM n;
INSERT INTO run (node_id, project_id, recipe_id, step, host, pid, tags, started_at, status, ended_at, resources)
  SELECT 3 * i + 2, 1, 3 * i + 1, 's', 'h', 1, '{}', 1, 'done', 2, '{}' FROM n;
INSERT INTO edge (source_id, target_id, role) SELECT 3 * i + 2, 3 * i + 3, 'out' FROM n;
"""


def test_a_store_of_100_000_runs_answers_from_its_indexes(here):
    with closing(sqlite3.connect(here.root / "solvent.db")) as connection:
        connection.executescript(FILL)
        for query in quick.QUERIES:
            asked = {
                "project": 1,
                "step": "",
                "contract": "",
                **dict.fromkeys(("recipes", "steps", "runs", "files"), "[]"),
            }
            plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + query, asked)]
            assert not [step for step in plan if step.startswith("SCAN") and not step.startswith("SCAN asked")], plan
    started = time.process_time()
    with quick.open_quick(here.root / "solvent.db", "default") as asked:
        found = asked.cached([f"r{n}" for n in range(0, 100_000, 2_000)])
        runs = asked.status().runs
    assert time.process_time() - started < 0.1  # seconds; a scan of the tables alone takes longer
    assert len(found) == 50
    assert runs == {"done": 100_000}


def test_whether_a_step_ever_ran(here):
    run_step(here.facts, "a", status=RunStatus.FAILED)
    with quick.open_quick(here.root / "solvent.db", "default") as asked:
        assert (asked.has_run("a"), asked.has_run("b")) == (True, False)


def test_the_overview_of_either_database_says_the_same(facts, store):
    add_version(facts)
    facts.move_alias("bikes", "champion", 1, decision(Action.PROMOTE))
    facts.end_tick(facts.start_tick("bikes", START, "p"))
    facts.add_alert(alarm("w1", START))
    found = overview(store)
    assert found.runs == {"done": 1}
    assert found.models == {"bikes": ({"champion": 1}, to_micros(START))}
    assert [alert.title for alert in found.open_alerts] == ["temp drifts"]


def test_quick_runs_and_versions_are_those_of_the_store(here):
    version = add_version(here.facts)
    key = run_step(here.facts, "a", recipe=recipe("a"), outputs=("table",))
    found = newest(here, "a")[recipe("a").digest]
    run = here.facts.run(key)
    assert (found.key, found.ended_at) == (key, to_micros(run.end.ended_at))
    with quick.open_quick(here.root / "solvent.db", "default") as asked:
        assert asked.versions() == [("bikes", 1, version.artifact)]


def rows(store, key):
    """What the store holds of a run: its node and its own row, by column."""
    with closing(sqlite3.connect(store.root / "solvent.db")) as connection:
        connection.row_factory = sqlite3.Row
        node = dict(connection.execute("SELECT * FROM node WHERE key = ?", (key,)).fetchone())
        run = dict(connection.execute("SELECT * FROM run WHERE node_id = ?", (node["id"],)).fetchone())
    own = {"id", "key", "node_id", "recorded_at", "end_recorded_at"}
    return {name: value for name, value in {**node, **run}.items() if name not in own}


def idle(**other):
    at = to_micros(START)
    facts = {"key": "1" * 32, "step": "pipeline", "project": "default", "kind": ANN.kind, "actor": ANN.name}
    facts |= {"host": "h", "pid": 7, "git_commit": "c", "tags": '{"targets":"a"}', "started_at": at, "ended_at": at + 5}
    return quick_run.IdleRun(**facts | other)


def test_an_idle_run_is_recorded_as_the_store_would(here):
    run_step(here.facts, "a")
    assert quick_run.record_idle(here.root / "solvent.db", idle())
    start = RunStart(
        key="2" * 32, step="pipeline", started_at=START, host="h", pid=7, git_commit="c", tags={"targets": "a"}
    )
    here.facts.start_run(start)
    here.facts.end_run(RunEnd(key=start.key, status=RunStatus.DONE, ended_at=START + timedelta(microseconds=5)))
    assert rows(here, "1" * 32) == rows(here, "2" * 32)
    assert here.facts.run("1" * 32).end.status is RunStatus.DONE


def test_an_idle_run_of_nobody_known_is_left_to_the_opened_store(here, tmp_path):
    run_step(here.facts, "a")
    database = here.root / "solvent.db"
    assert not quick_run.record_idle(database, idle(actor="bob"))
    assert not quick_run.record_idle(database, idle(project="other"))
    assert not quick_run.record_idle(tmp_path / "nowhere.db", idle())
    assert not (tmp_path / "nowhere.db").exists()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert not quick_run.record_idle(database, idle())


def test_what_a_contract_said_last_counts(here):
    facts, contract, other = here.facts, artifact("contract").digest, artifact("other").digest
    files = [artifact(name) for name in ("mended", "broken", "unseen")]
    facts.add_artifacts(files)
    mended, broken, unseen = (file.digest for file in files)
    for file, asked, ok in ((mended, contract, False), (mended, contract, True), (broken, contract, False)):
        facts.add_contract_check(file, asked, ok, [], START)
    facts.add_contract_check(unseen, other, True, [], START)
    with quick.open_quick(here.root / "solvent.db", "default") as asked:
        assert asked.checked(contract, [mended, broken, unseen]) == {mended: True, broken: False}
