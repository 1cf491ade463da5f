"""What an assignment leaves behind: names, tuples, fields, columns of a table."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import msgspec

from solvent.debt.flow.values import UNKNOWN, Columns, Constant, Fit, Origin, Record, Rows, Site, Statistic, Value

if TYPE_CHECKING:
    from solvent.debt.flow.expressions import Expressions


def assign(flow: Expressions, target: ast.expr, value: Value) -> None:
    """Give a target its value; a column makes its table another value under all its names."""
    if isinstance(target, ast.Name):
        flow.bind(target.id, value, target.lineno)
    elif isinstance(target, ast.Tuple | ast.List):
        for index, each in enumerate(target.elts):
            if isinstance(each, ast.Starred):
                assign(flow, each.value, UNKNOWN)
            else:
                assign(flow, each, item(value, index, flow.site(target)))
    elif isinstance(target, ast.Attribute):
        owner = flow.evaluate(target.value)
        if isinstance(owner, Record):
            flow.replace(owner, Record({**owner.fields, target.attr: value}, owner.of))
        elif isinstance(owner, Rows) and owner.table and target.attr == "index":
            flow.replace(owner, with_index(owner, value, flow.site(target)))
    elif isinstance(target, ast.Subscript):
        _assign_item(flow, target, value)


def _assign_item(flow: Expressions, target: ast.Subscript, value: Value) -> None:
    located = isinstance(target.value, ast.Attribute) and target.value.attr in {"loc", "iloc", "at", "iat"}
    owner = flow.evaluate(target.value.value if located and isinstance(target.value, ast.Attribute) else target.value)
    key = flow.evaluate(target.slice)
    if isinstance(owner, Record):
        name = str(key.value) if isinstance(key, Constant) else None
        if name is not None:
            flow.replace(owner, Record({**owner.fields, name: value}, owner.of))
    elif isinstance(owner, Rows):
        if located and isinstance(key, Record):
            key = key.fields.get("1", UNKNOWN)
        elif isinstance(value, Statistic) and all(fit.kind == "statistics" for fit in value.fits):
            value = Constant(None)  # the same in every row tells nothing of any
        flow.replace(owner, with_column(owner, key, value, flow.site(target)))


def with_column(owner: Rows, key: Value, value: Value, site: Site) -> Rows:
    """A table after `table[key] = value`: what the column learnt, the table has learnt."""
    fits, timed = owner.fits, owner.timed
    if isinstance(value, Rows):
        fits |= value.fits
        timed = timed or value.timed
    elif isinstance(value, Statistic):
        fits |= value.fits
    names = _names(key)
    columns = owner.columns
    if columns is not None:
        only = columns.only | names if columns.only is not None and names else columns.only
        born = tuple(sorted({**dict(columns.born), **dict.fromkeys(names, site)}.items()))
        columns = Columns(only, columns.without - names, born, _brought(owner, columns, names, value))
    return msgspec.structs.replace(
        owner, fits=fits, timed=timed, columns=columns, table=owner.table or bool(names), drawn=None
    )


def _brought(
    owner: Rows, columns: Columns, names: frozenset[str], value: Value
) -> tuple[tuple[str, frozenset[Fit]], ...]:
    """What each assigned column has learnt, by itself or from the columns that it was computed from."""
    if not names:
        return ()  # a column of unknown name has it, and stays
    brought = dict(columns.brought)
    given = value.fits if isinstance(value, Rows | Statistic) else frozenset()
    drawn = value.drawn if isinstance(value, Rows) else frozenset()
    told = [fits for name, fits in columns.brought if drawn is None or name in drawn]
    learnt = (given - owner.fits) | (given & frozenset().union(*told))
    brought.update(dict.fromkeys(names, learnt))
    return tuple(sorted((name, fits) for name, fits in brought.items() if fits))


def keeping(owner: Rows, kept: Columns, brought: tuple[tuple[str, frozenset[Fit]], ...]) -> Rows:
    """A table with fewer columns: what only those that went had learnt went with them. brought: of before."""
    left = frozenset().union(*(fits for _, fits in kept.brought))
    gone = frozenset().union(*(fits for _, fits in brought)) - left
    return msgspec.structs.replace(owner, columns=kept, fits=owner.fits - gone)


def with_index(owner: Rows, value: Value, site: Site) -> Rows:
    timed = (site, "a time index") if isinstance(value, Rows) and value.column == "<time>" else owner.timed
    return msgspec.structs.replace(owner, timed=timed)


def without_columns(owner: Rows, names: frozenset[str]) -> Rows:
    columns = owner.columns
    if columns is not None:
        only = columns.only - names if columns.only is not None else None
        born = tuple((name, site) for name, site in columns.born if name not in names)
        brought = tuple((name, fits) for name, fits in columns.brought if name not in names)
        owner = keeping(owner, Columns(only, columns.without | names, born, brought), columns.brought)
    return msgspec.structs.replace(owner, table=True)


def delete(flow: Expressions, target: ast.expr) -> None:
    if isinstance(target, ast.Name):
        flow.frame.names.pop(target.id, None)
    elif isinstance(target, ast.Subscript):
        owner, key = flow.evaluate(target.value), flow.evaluate(target.slice)
        if isinstance(owner, Rows):
            names = _names(key)
            changed = without_columns(owner, names) if names else msgspec.structs.replace(owner, columns=None)
            flow.replace(owner, changed)


def item(value: Value, index: int | str, site: Site) -> Value:
    """Element of what is unpacked or indexed; an element of an unknown thing is a thing of its own."""
    if isinstance(value, Record):
        return value.fields.get(str(index), UNKNOWN)
    if isinstance(value, Rows):
        field = f"{value.origin.field}[{index}]"
        origin = Origin(value.origin.site, field, value.origin.name)
        return Rows(origin, value.part, value.fits, None, timed=value.timed)
    del site
    return UNKNOWN


def _names(key: Value) -> frozenset[str]:
    if isinstance(key, Constant) and isinstance(key.value, str):
        return frozenset({key.value})
    if isinstance(key, Record):
        values = [each.value for each in key.fields.values() if isinstance(each, Constant)]
        if len(values) == len(key.fields):
            return frozenset(value for value in values if isinstance(value, str))
    return frozenset()


names_of = _names


def method(node: ast.ClassDef, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name == name:
            return each
    return None
