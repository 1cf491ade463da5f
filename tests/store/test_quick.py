import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from solvent.foundation.clock import to_micros
from solvent.lineage.entities import Action, RunStatus
from solvent.store import open_store, quick
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
    assert {digest: sorted(outputs) for digest, outputs in found.items()} == {
        recipe("a").digest: sorted(
            ("figure" if it is figure else "table", it.digest, it.content, "dataset", it.size, it.format)
            for it in (table, figure)
        )
    }
    assert status(here).runs == {"done": 2, "failed": 1}


def test_quick_answers_agree_with_the_store_about_erased_outputs(here):
    run_step(here.facts, "a", recipe=recipe("a"), outputs=("first",))
    run_step(here.facts, "a", recipe=recipe("a"), outputs=("second",))
    here.facts.mark_erased([artifact("second").digest], START)
    assert [output.name for output in cached(here, recipe("a").digest)[recipe("a").digest]] == ["first"]
    here.facts.mark_erased([artifact("first").digest], START)
    assert cached(here, recipe("a").digest) == {}


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
        connection.execute("UPDATE alembic_version SET version_num = '0002'")
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
            asked = {"project": 1, "recipes": "[]", "runs": "[]", "step": ""}
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
