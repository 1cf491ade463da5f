from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from solvent.store import migrate, open_store, schema
from store_samples import ANN


def test_migrations_build_exactly_what_the_code_expects(store):
    with store.facts.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_migrations_are_numbered_in_their_order_and_the_newest_is_known():
    folder = migrate.__file__.replace("migrate.py", "migrations")
    revisions = [script.revision for script in ScriptDirectory(folder).walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert revisions[0] == schema.HEAD


def test_edges_are_clustered_by_target_and_covered_by_source(tmp_path):
    url = f"sqlite:///{tmp_path}/solvent.db"
    with open_store(url, root=tmp_path, actor=ANN) as store, store.facts.database.read() as connection:
        upstream = connection.execute(text("EXPLAIN QUERY PLAN SELECT * FROM edge WHERE target_id = 1")).one()
        downstream = connection.execute(text("EXPLAIN QUERY PLAN SELECT * FROM edge WHERE source_id = 1")).one()
    assert "PRIMARY KEY" in upstream.detail
    assert "COVERING INDEX" in downstream.detail
