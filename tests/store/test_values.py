import msgspec
from sqlalchemy import insert, select

from solvent.store import schema as t
from solvent.store.facts.values import gathered, many, one_of, rows_in

AWKWARD = ["", "NULL", "a,b", "{a}", "[1]", 'say "so"', "back\\slash", "two\nlines\tand a tab", "naïve 🚲", "'", "null"]


def added(facts):
    """Actors with awkward names, by id."""
    names = dict(enumerate(AWKWARD, start=100))
    with facts.database.write() as connection:
        connection.execute(insert(t.actor), [{"id": i, "kind": "person", "name": name} for i, name in names.items()])
    return names


def test_many_texts_travel_as_one_parameter(facts):
    names = added(facts)
    with facts.database.read() as connection:
        for asked in ([name] for name in AWKWARD):
            rows = rows_in(connection, select(t.actor.c.name), t.actor.c.name, asked)
            assert [row.name for row in rows] == asked
        rows = rows_in(connection, select(t.actor.c.id), t.actor.c.name, AWKWARD)
        assert {row.id for row in rows} == names.keys()


def test_many_rows_come_back_as_columns_in_one_order(facts):
    names = added(facts)
    sqlite = facts.database.sqlite
    query = gathered((t.actor.c.id, t.actor.c.name), sqlite).where(one_of(t.actor.c.id, sqlite))
    with facts.database.read() as connection:
        for asked in (names.keys(), [101], []):
            ids, texts = (
                msgspec.json.decode(c) for c in connection.execute(query, {"values": many(asked, sqlite)}).one()
            )
            assert dict(zip(ids, texts, strict=True)) == {i: names[i] for i in asked}
