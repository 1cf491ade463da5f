"""Hold served rows to their contract, in microseconds: plain Python over columns, no frame until there are many.

What a model cannot be asked (a missing column, text for a number) is an error;
what it can be asked but was not trained for is a flag on the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from solvent.data.contracts.model import ColumnContract, ColumnType, Contract, Role
from solvent.foundation.errors import nearest

_TYPES: dict[ColumnType, tuple[frozenset[type], str]] = {
    ColumnType.NUMBER: (frozenset({int, float, type(None)}), "a number"),
    ColumnType.BOOLEAN: (frozenset({bool, int, float, type(None)}), "true or false"),
    ColumnType.CATEGORY: (frozenset({str, type(None)}), "text"),
    ColumnType.TEXT: (frozenset({str, type(None)}), "text"),
}
_MANY = 24  # rows of a request from which it can show what a single row cannot
_RARE = 0.001  # a reference with a smaller missing share makes a missing value worth a flag


class RowError(msgspec.Struct, frozen=True):
    """Why rows cannot be answered.

    code: missing-column, extra-column, type or length; row: position in the request, None where it concerns all.
    """

    code: str
    column: str
    row: int | None
    what: str


class RowCheck(msgspec.Struct):
    """errors: empty where the rows may be answered; flags: codes like `range:temp`, one list per row."""

    errors: list[RowError]
    flags: list[list[str]]


def check_rows(contract: Contract, columns: Mapping[str, Sequence[Any]]) -> RowCheck:
    """`RowChecker` for one batch; a server keeps the checker instead."""
    return RowChecker(contract).check(columns)


class RowChecker:
    """A contract made ready for requests.

    >>> from solvent.data.contracts.model import ColumnContract, ColumnType, Contract
    >>> temp = ColumnContract(name="temp", type=ColumnType.NUMBER, allowed=(-28.0, 58.0))
    >>> RowChecker(Contract(columns=[temp], rows=100)).check({"temp": [21.5, 86.0]}).flags
    [[], ['range:temp']]
    """

    def __init__(self, contract: Contract) -> None:
        self._columns = contract.by_name()
        self._needed = [column.name for column in contract.served]
        self._known = {c.name: frozenset(c.categories) for c in contract.served if c.categories is not None}

    def check(self, columns: Mapping[str, Sequence[Any]]) -> RowCheck:
        """Check a batch given by columns.

        columns: values by column name, all of one length; plain Python values, None where missing.
        The target, time, id and known-at columns are optional here and not looked at.
        """
        count = len(next(iter(columns.values()), ()))
        errors: list[RowError] = []
        flags: list[list[str]] = [[] for _ in range(count)]
        for name, values in columns.items():
            column = self._columns.get(name)
            if column is None:
                errors.append(self._extra(name))
            elif len(values) != count:
                what = f"column `{name}` has {len(values)} values, expected {count}"
                errors.append(RowError("length", name, None, what))
            elif column.role in (Role.FEATURE, Role.CLOCK):
                self._values(column, values, errors, flags)
        errors += [
            RowError("missing-column", name, None, f"column `{name}` is missing")
            for name in self._needed
            if name not in columns
        ]
        return RowCheck(errors, flags)

    def _extra(self, name: str) -> RowError:
        hint = nearest(name, self._needed, f"the model takes {', '.join(self._needed)}")
        return RowError("extra-column", name, None, f"column `{name}` is none of the model's: {hint}")

    def _values(
        self, column: ColumnContract, values: Sequence[Any], errors: list[RowError], flags: list[list[str]]
    ) -> None:
        types = set(map(type, values))
        wanted = _TYPES.get(column.type)
        if wanted is not None and not types <= wanted[0]:
            errors.append(_wrong_type(column, values, *wanted))
            return
        if column.missing < _RARE and type(None) in types:
            _flag(flags, f"missing:{column.name}", (value is None for value in values))
        if column.allowed is not None:
            _range(column.name, column.allowed, values, flags)
        if len(values) >= _MANY and column.type is ColumnType.NUMBER and column.role is Role.FEATURE:
            _batch(column, values, flags)
        known = self._known.get(column.name)
        if known is not None and column.role is Role.FEATURE and not known.issuperset(values):
            _flag(flags, f"unseen:{column.name}", (v is not None and v not in known for v in values))


def _range(name: str, allowed: tuple[float, float], values: Sequence[Any], flags: list[list[str]]) -> None:
    """NaN fails no comparison here: a missing number is not out of range."""
    low, high = allowed
    for at, value in enumerate(values):
        if value is not None and (value < low or value > high):
            flags[at].append(f"range:{name}")


def _batch(column: ColumnContract, values: Sequence[Any], flags: list[list[str]]) -> None:
    from solvent.data.contracts.batches import batch_flag

    found = batch_flag(column, values)
    if found is not None:
        code, rows = found
        for row in rows:
            flags[row].append(code)


def _flag(flags: list[list[str]], code: str, mask: Any) -> None:
    for row, hit in zip(flags, mask, strict=True):
        if hit:
            row.append(code)


def _wrong_type(column: ColumnContract, values: Sequence[Any], types: frozenset[type], word: str) -> RowError:
    row = next(at for at, value in enumerate(values) if type(value) not in types)
    shown = repr(values[row])
    what = f"`{column.name}` is {shown[:60]}, expected {word}"
    return RowError("type", column.name, row, what)
