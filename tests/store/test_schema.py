import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from solvent.lineage.findings import ProjectAudit
from solvent.store import migrate, open_store, schema
from solvent.store.facts.database import Database
from store_samples import ANN, START


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


@pytest.fixture(params=["sqlite", "postgresql"])
def first_version_url(request, tmp_path):
    """A store as the first schema left it, with a model in it."""
    url = f"sqlite:///{tmp_path}/solvent.db"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        url = server.url(server.create())
    database = Database(url)
    with database.write() as connection:
        migrate.migrate(connection, "0001")
        connection.execute(text("INSERT INTO project VALUES (1, 'default', 0)"))
        connection.execute(text("INSERT INTO actor VALUES (1, 'person', 'ann')"))
        connection.execute(text("INSERT INTO node VALUES (1, 1, 'model', 'bikes', 'bikes', 0, 0, 1)"))
        connection.execute(text("INSERT INTO model VALUES (1, 1, 'bikes')"))
    database.close()
    return url


def test_a_store_of_the_first_schema_is_brought_up_and_keeps_what_it_held(first_version_url, tmp_path):
    with open_store(first_version_url, root=tmp_path, actor=ANN) as store:
        assert store.facts.models() == ["bikes"]
        assert store.facts.findings() == []
        store.facts.record_audit(ProjectAudit(at=START, rule_set="1", rules=frozenset(), sightings=[]))
        with store.facts.database.read() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, schema.metadata) == []
