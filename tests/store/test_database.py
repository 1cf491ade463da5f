import pytest
from sqlalchemy import event, text

from solvent.lineage.entities import Action
from solvent.store import open_store
from solvent.store.facts.database import DatabaseBusy, DatabaseFull
from store_samples import ANN, add_version, decision


def test_a_writer_that_waits_too_long_says_why(tmp_path):
    url = f"sqlite:///{tmp_path}/solvent.db"
    with (
        open_store(url, root=tmp_path, actor=ANN) as first,
        open_store(url, root=tmp_path, actor=ANN, patience=0.05) as second,
    ):
        with first.facts.database.write(), pytest.raises(DatabaseBusy, match="another process kept the store locked"):
            second.facts.add_model("bikes", {})
        second.facts.add_model("bikes", {})


def test_an_error_inside_a_write_undoes_all_of_it(facts):
    def insert_and_fail():
        with facts.database.write() as connection:
            connection.execute(text("INSERT INTO actor VALUES (99, 'person', 'bob')"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        insert_and_fail()
    with facts.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM actor WHERE id = 99")).scalar() == 0


def test_a_reader_sees_one_state_throughout(facts, open_again):
    other = open_again().facts
    count = text("SELECT count(*) FROM model")
    with facts.database.read() as connection:
        before = connection.execute(count).scalar()
        other.add_model("bikes", {})
        assert connection.execute(count).scalar() == before
    assert facts.models() == ["bikes"]


def write_all(facts, n):
    version = add_version(facts, name=f"forest {n} " + "x" * 3000)
    facts.move_alias("bikes", "champion", version.number, decision(Action.PROMOTE, number=version.number))


def test_a_full_disk_leaves_nothing_half_there_wherever_it_strikes(tmp_path):
    """The store may grow by one page more each time, until everything fits."""
    refused, room = 0, 0
    while True:
        with open_store(f"sqlite:///{tmp_path}/solvent.db", root=tmp_path, actor=ANN) as store:
            engine = store.facts.database.engine
            with store.facts.database.read() as connection:
                pages = connection.execute(text("PRAGMA page_count")).scalar()
            engine.dispose()
            limit = f"PRAGMA max_page_count = {pages + room}"
            event.listen(engine, "connect", lambda raw, _, limit=limit: raw.execute(limit).close())
            try:
                for n in range(2):
                    write_all(store.facts, f"{room} {n}")
            except DatabaseFull:
                refused, room = refused + 1, room + 1
            else:
                break
            assert store.facts.verify_chain() == []
            assert len(store.facts.alias_moves("bikes")) == len(store.facts.decisions("bikes"))
            with store.facts.database.read() as connection:
                half = "SELECT id FROM node LEFT JOIN run ON node_id = id WHERE kind = 'run' AND node_id IS NULL"
                assert connection.execute(text(half)).all() == []
                assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    assert refused >= 3
