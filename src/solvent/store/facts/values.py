"""How values lie in columns: JSON as canonical text, times as microseconds, many values as one parameter or answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    func,
    select,
)

from solvent.foundation.clock import from_micros, to_micros
from solvent.lineage.digests import canonical

_LAST_CHARACTER = "\U0010ffff"


def rows_in(
    connection: Connection, query: Select[Any], column: ColumnElement[Any], values: Iterable[Any]
) -> Sequence[Row[Any]]:
    """The rows of a query whose column is one of any number of values, which travel as one parameter."""
    sqlite = connection.dialect.name == "sqlite"
    return connection.execute(query.where(one_of(column, sqlite)), {"values": many(values, sqlite)}).all()


def one_of(column: ColumnElement[Any], sqlite: bool) -> ColumnElement[bool]:
    """Whether a column is one of the parameter `values`, which `many` makes."""
    if sqlite:
        return column.in_(select(func.json_each(bindparam("values")).table_valued("value").c.value))
    kind = Text if isinstance(column.type, Text) else BigInteger
    # Behind a SELECT the planner does not see the values: it would weigh each, 0.1 s for a hundred thousand.
    return column == any_(cast(select(_array("values", kind)).scalar_subquery(), ARRAY(kind)))


def each(parameter: str, sqlite: bool) -> Select[Any]:
    """A text parameter that `many` made as rows of a column `value`."""
    if sqlite:
        return select(func.json_each(bindparam(parameter)).table_valued("value").c.value)
    return select(func.unnest(_array(parameter, Text)).column_valued("asked").label("value"))


def gathered(columns: Iterable[ColumnElement[Any]], sqlite: bool) -> Select[Any]:
    """One row with all values of each column as one JSON array, all in the same order.

    Rows cost a driver more than databases and a JSON parser together, from hundreds on.
    """
    return select().add_columns(*[_listed(column, sqlite) for column in columns])


def _listed(column: ColumnElement[Any], sqlite: bool) -> ColumnElement[str]:
    if sqlite:
        return func.json_group_array(column)
    element = func.to_json(column) if isinstance(column.type, Text) else column
    return func.concat("[", func.string_agg(cast(element, Text), ","), "]")


def _array(parameter: str, kind: type[Text | BigInteger]) -> ColumnElement[Any]:
    return cast(bindparam(parameter, type_=Text), ARRAY(kind))


def many(values: Iterable[int] | Iterable[str], sqlite: bool) -> str:
    """Numbers or texts as one parameter: JSON, or the text of an array, which a driver need not read."""
    listed = list(values)
    numbers = not listed or isinstance(listed[0], int)
    if sqlite or numbers:
        text = to_json(listed)
        return text if sqlite else f"{{{text[1:-1]}}}"
    return f"{{{','.join(map(_quoted, listed))}}}"


def _quoted(value: object) -> str:
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def begins_with(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    """A prefix as a range, which an index answers on both databases."""
    return and_(column >= prefix, column < prefix + _LAST_CHARACTER)


def to_json(value: Any) -> str:
    return canonical(value).decode()


def from_json(text: str) -> Any:
    return msgspec.json.decode(text)


def micros(instant: datetime | None) -> int | None:
    return None if instant is None else to_micros(instant)


def instant(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)
