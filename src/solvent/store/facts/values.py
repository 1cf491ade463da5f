"""How values lie in columns: JSON as canonical text, times as microseconds, many values as one parameter."""

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
    return column == any_(_array("values", Text if isinstance(column.type, Text) else BigInteger))


def each(parameter: str, sqlite: bool) -> Select[Any]:
    """A text parameter that `many` made as rows of a column `value`."""
    if sqlite:
        return select(func.json_each(bindparam(parameter)).table_valued("value").c.value)
    return select(func.unnest(_array(parameter, Text)).column_valued("asked").label("value"))


def _array(parameter: str, kind: type[Text | BigInteger]) -> ColumnElement[Any]:
    return cast(bindparam(parameter, type_=Text), ARRAY(kind))


def many(values: Iterable[int] | Iterable[str], sqlite: bool) -> str:
    """Numbers or texts as one parameter: JSON, or the text of an array, which a driver need not read."""
    if sqlite:
        return to_json(list(values))
    return f"{{{','.join(_element(value) for value in values)}}}"


def _element(value: int | str) -> str:
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
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
