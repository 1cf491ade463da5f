"""Which rows an index, slice, mask or condition picks."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import msgspec

from solvent.debt.flow import binding
from solvent.debt.flow.parts import Between, Bound, Cut
from solvent.debt.flow.values import (
    UNKNOWN,
    Columns,
    Constant,
    Many,
    Origin,
    Record,
    Rows,
    Selector,
    Setting,
    Site,
    Statistic,
    Value,
)

if TYPE_CHECKING:
    from solvent.debt.flow.expressions import Expressions

FRAMES = frozenset({"pandas.DataFrame", "polars.DataFrame", "polars.LazyFrame"})
_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}


def side(division: Site, name: str) -> Selector:
    return Selector((Cut(division, name),))


def column(rows: Rows, name: str) -> Rows:
    """One column of a table."""
    one = _only(rows, frozenset({name}))
    return msgspec.structs.replace(one, column=name, plain=rows.columns is not None, table=False)


def picked(rows: Rows, selector: Selector) -> Rows:
    part = rows.part
    for cut in selector.cuts:
        if cut not in part:
            part = (*part, cut)
    return msgspec.structs.replace(rows, part=part)


def subset(rows: Rows, site: Site) -> Rows:
    """Some of the rows; the others are nobody's."""
    return msgspec.structs.replace(rows, part=(*rows.part, Cut(("subset", site), "kept", "subset")))


def select(flow: Expressions, rows: Rows, node: ast.Subscript, located: bool) -> Value:
    """`rows[...]`, `rows.loc[...]`, `rows.iloc[...]`."""
    key = node.slice
    if isinstance(key, ast.Tuple) and len(key.elts) == 2:
        return _columns_of(flow, _rows_of(flow, rows, key.elts[0], node), key.elts[1])
    if located or isinstance(key, ast.Slice):
        return _rows_of(flow, rows, key, node)
    value = flow.evaluate(key)
    names = _texts(value)
    if isinstance(value, Constant) and isinstance(value.value, str):
        if rows.table:
            return column(rows, value.value)
        return _field(rows, value.value)
    if names is not None:
        return msgspec.structs.replace(_only(rows, names), table=True)
    if isinstance(value, Constant):
        return _field(rows, str(value.value))
    return _by_value(flow, rows, value, node)


def _rows_of(flow: Expressions, rows: Rows, key: ast.expr, node: ast.Subscript) -> Rows:
    if isinstance(key, ast.Slice):
        return sliced(flow, rows, key)
    value = flow.evaluate(key)
    if isinstance(value, Constant):
        return subset(rows, flow.site(node))
    return _by_value(flow, rows, value, node)


def sliced(flow: Expressions, rows: Rows, key: ast.Slice) -> Rows:
    low, high = bound(flow, key.lower), bound(flow, key.upper)
    if key.step is not None:
        flow.evaluate(key.step)
        return subset(rows, flow.site(key.step)) if key.lower or key.upper else msgspec.structs.replace(rows)
    if low is None and high is None:
        return msgspec.structs.replace(rows)
    return between(rows, low, high)


def between(rows: Rows, low: Bound | None, high: Bound | None) -> Rows:
    if low == Bound(0):
        low = None
    cut = Cut(("slice", rows.origin), Between(low, high), "slice")
    return msgspec.structs.replace(rows, part=(*rows.part, cut))


def bound(flow: Expressions, node: ast.expr | None) -> Bound | None:
    if node is None:
        return None
    value = flow.evaluate(node)
    if isinstance(value, Constant) and (isinstance(value.value, int | float | str)):
        return Bound(value.value)
    names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
    return Bound(None, ast.unparse(node), tuple(_identity(flow.look_up(name)) for name in names))


def _identity(value: Value) -> str:
    return repr(value)


def _by_value(flow: Expressions, rows: Rows, value: Value, node: ast.Subscript) -> Rows:
    if isinstance(value, Selector):
        return picked(rows, value)
    if isinstance(value, Rows) and value.part and value.origin != rows.origin:
        return picked(rows, Selector(value.part))  # positions that were divided themselves
    if isinstance(value, Rows) and value.part and len(value.part) > len(rows.part):
        return picked(rows, Selector(value.part[len(rows.part) :]))
    if isinstance(value, Statistic):  # columns that a selector chose
        return msgspec.structs.replace(rows, fits=rows.fits | value.fits, columns=None)
    chosen = msgspec.structs.replace(rows, columns=None, column="")
    if isinstance(value, Record | Many | Setting):
        return chosen
    return subset(chosen, flow.site(node.slice))


def _columns_of(flow: Expressions, rows: Rows, key: ast.expr) -> Rows:
    value = flow.evaluate(key)
    if isinstance(key, ast.Slice):
        whole = key.lower is None and key.upper is None
        return rows if whole else msgspec.structs.replace(rows, columns=None, column="")
    names = _texts(value)
    if isinstance(value, Constant) and isinstance(value.value, str):
        return column(rows, value.value)
    if names is not None:
        return _only(rows, names)
    fits = rows.fits | value.fits if isinstance(value, Statistic) else rows.fits
    return msgspec.structs.replace(rows, columns=None, column="", fits=fits)


def _only(rows: Rows, names: frozenset[str]) -> Rows:
    columns = rows.columns or Columns()
    born = tuple(each for each in columns.born if each[0] in names)
    brought = tuple(each for each in columns.brought if each[0] in names)
    kept = binding.keeping(rows, Columns(names, frozenset(), born, brought), columns.brought)
    return msgspec.structs.replace(kept, column="", drawn=names)


def _texts(value: Value) -> frozenset[str] | None:
    """Names of columns, where a value lists them all."""
    if not isinstance(value, Record) or not value.fields:
        return None
    texts = [each.value for each in value.fields.values() if isinstance(each, Constant) and isinstance(each.value, str)]
    return frozenset(texts) if len(texts) == len(value.fields) else None


def _field(rows: Rows, name: str) -> Rows:
    origin = Origin(rows.origin.site, f"{rows.origin.field}[{name}]", rows.origin.name)
    return Rows(origin, rows.part, rows.fits, None)


# ---- conditions
def condition(flow: Expressions, node: ast.Compare, values: list[Value]) -> Value:
    """A comparison of one column with one bound as the part that it keeps; any other as a mask of its own."""
    if not any(isinstance(value, Rows) for value in values):
        return UNKNOWN
    own = Selector((Cut(("mask", flow.site(node)), "in", "mask"),))
    if len(node.ops) != 1:
        return own
    left, right, operator = node.left, node.comparators[0], type(node.ops[0])
    if not isinstance(values[0], Rows) and operator in _MIRRORED:
        left, right, operator, values = right, left, _MIRRORED[operator], values[::-1]
    rows = values[0]
    if not isinstance(rows, Rows) or not rows.column or (isinstance(values[1], Rows) and values[1].column):
        return own
    end = bound(flow, right)
    return compared(rows, operator, end) if end is not None else own


def compared(rows: Rows, operator: type[ast.cmpop], end: Bound) -> Value:
    division = ("where", rows.origin, rows.column)
    if operator in {ast.Lt, ast.LtE}:
        return Selector((Cut(division, Between(None, end), "mask"),))
    if operator in {ast.Gt, ast.GtE}:
        return Selector((Cut(division, Between(end, None), "mask"),))
    if operator in {ast.Eq, ast.NotEq}:
        mark = "=" if operator is ast.Eq else "!"
        return Selector(
            (Cut((*division, "=") if end.constant is not None else (*division, end), f"{mark}{end.constant}", "mask"),)
        )
    return UNKNOWN


def opposite(selector: Selector, site: Site) -> Selector:
    """The rows that a mask leaves out, where that is one part."""
    if len(selector.cuts) == 1:
        cut = selector.cuts[0]
        other: str | Between | None = None
        if isinstance(cut.side, str):
            flipped = {"in": "out", "out": "in"}.get(cut.side)
            other = flipped or {"=": "!", "!": "="}.get(cut.side[0], "") + cut.side[1:]
            other = other if flipped or cut.side[0] in "=!" else None
        elif (cut.side.low is None) != (cut.side.high is None):
            other = Between(cut.side.high, cut.side.low)
        if other is not None:
            return Selector((Cut(cut.division, other, cut.kind),))
    return Selector((Cut(("mask", site), "in", "mask"),))


def both(one: Selector, other: Selector, site: Site) -> Selector:
    """Two conditions at once; from two ends of one column they are an interval."""
    if len(one.cuts) == len(other.cuts) == 1:
        a, b = one.cuts[0], other.cuts[0]
        if a.division == b.division and isinstance(a.side, Between) and isinstance(b.side, Between):
            low, high = a.side.low or b.side.low, a.side.high or b.side.high
            return Selector((Cut(a.division, Between(low, high), "mask"),))
    del site
    return Selector((*one.cuts, *other.cuts))
