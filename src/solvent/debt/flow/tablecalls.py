"""What methods of tables, columns and arrays do to their rows."""

from __future__ import annotations

import ast
import re

import msgspec

from solvent.debt.flow import binding, estimators, events, selecting, tables
from solvent.debt.flow.call import Call, unfollowed
from solvent.debt.flow.parts import Bound, Cut
from solvent.debt.flow.stacks import constant, side_by_side, stacked
from solvent.debt.flow.values import (
    UNKNOWN,
    Columns,
    Constant,
    Fit,
    Folds,
    Grouped,
    Model,
    Origin,
    Record,
    Rows,
    Selector,
    Statistic,
    Value,
)

_TIME = re.compile(r"(?:.*[_\s])?(?:date|time|timestamp|datetime)(?:[_\s].*)?", re.IGNORECASE)
_MODEL_METHODS = tables.PREDICTS | tables.SCORES | {"fit", "fit_transform", "fit_resample", "fit_sample", "fit_predict"}
_KEEPS_COLUMNS = frozenset(
    {"copy", "sort_values", "sort_index", "reset_index", "collect", "lazy", "convert_dtypes", "fillna"}
)
_WINDOWS = frozenset({"rolling", "ewm", "expanding"})


def method(owner: Rows, name: str, call: Call) -> Value:
    """A call of a method of rows, or of something unknown that may be a model."""
    if not owner.table and name in _MODEL_METHODS:
        return _as_model(owner, name, call)
    result = _method(owner, name, call)
    if call.says("inplace", True) and isinstance(result, Rows):
        call.flow.replace(owner, result)
        return UNKNOWN
    return result


def _as_model(owner: Rows, name: str, call: Call) -> Value:
    model = Model(owner.origin.site, "", "")
    call.flow.replace(owner, model)
    return estimators.method(model, name, call)


def _method(owner: Rows, name: str, call: Call) -> Value:
    if name in {"drop", "pop"}:
        return _drop(owner, name, call)
    if name == "sample" and (owner.table or call.keywords.keys() & {"n", "frac", "fraction"}):
        return _sample(owner, call)
    if name == "groupby":
        return Grouped(owner)
    if name == "split" and not owner.table:
        call.flow.record(events.Split(call.site, "", (), False, None))
        return Folds(call.site)
    if name == "transform" and not owner.table and call.args and isinstance(call.args[0], Rows):
        return msgspec.structs.replace(call.args[0], columns=None, column="", plain=False)
    if name == "train_test_split":
        return Record(
            {
                side: msgspec.structs.replace(owner, part=(*owner.part, Cut(call.site, side)))
                for side in ("train", "test")
            }
        )
    if name in tables.FIGURES:
        if isinstance(call.node.func, ast.Attribute) and _window(call.node.func.value):
            return msgspec.structs.replace(owner)
        return figure(owner, name, call)
    if name in {"isin", "between"}:
        return _chosen(owner, call)
    if name in {"filter", "query"}:
        return _filtered(owner, name, call)
    if name in {"head", "tail"}:
        return _end(owner, name, call)
    if name in tables.SUBSETS:
        return selecting.subset(owner, call.site)
    if name in {"assign", "with_columns", "insert"}:
        return _assigned(owner, name, call)
    if name == "set_index":
        return _indexed(owner, call)
    if name in {"append"}:
        return stacked([owner, call.argument(0)], call.site)
    if name in {"merge", "join"}:
        return _merged(owner, call)
    if name in {"hstack"}:
        return side_by_side([owner, *call.args], call.site)
    if name in {"select_columns", "select"}:
        return _selected(owner, call)
    if name in tables.SAME_ROWS:
        return _kept(owner, name, call)
    unfollowed(call)
    return Rows(Origin(call.site), columns=None, table=name in {"to_frame", "agg", "pivot_table", "unstack", "pivot"})


def _kept(owner: Rows, name: str, call: Call) -> Rows:
    fits = owner.fits
    for value in call.values():
        if isinstance(value, Statistic):
            fits |= value.fits
    columns = owner.columns if name in _KEEPS_COLUMNS or name == "astype" else None
    if name == "rename":
        columns = None
    plain = owner.plain and name not in tables.NEW_VALUES
    timed = owner.timed
    if name in tables.LOOKING_BACK and not _looks_ahead(call):
        timed = timed or (call.site, {"shift": "a lag"}.get(name, "a window"))
    if name in {"resample"}:
        timed = None
    drawn = _read_by_row(call) if name == "apply" and owner.table else owner.drawn
    return msgspec.structs.replace(owner, fits=fits, columns=columns, plain=plain, timed=timed, drawn=drawn)


def _read_by_row(call: Call) -> frozenset[str] | None:
    """Columns that `apply(lambda row: f(row["a"]))` looks at; None where it is given the row whole."""
    function = call.node.args[0] if call.node.args else None
    if not isinstance(function, ast.Lambda) or len(function.args.args) != 1:
        return None
    row = function.args.args[0].arg
    nodes = list(ast.walk(function.body))
    read = [
        node.slice
        for node in nodes
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == row
    ]
    names = [each.value for each in read if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    uses = sum(isinstance(node, ast.Name) and node.id == row for node in nodes)
    return frozenset(names) if len(names) == uses else None


def _looks_ahead(call: Call) -> bool:
    by = constant(call.argument(0, "periods", "n"), default=1)
    return not isinstance(by, int) or by < 0


def _window(node: ast.expr) -> bool:
    """Whether a figure is one of moving windows."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _WINDOWS


def figure(owner: Rows, name: str, call: Call) -> Value:
    """A figure of rows: over the columns of each row it is a column, over the rows it is something learnt."""
    if constant(call.keywords.get("axis", UNKNOWN)) in {1, -1, "columns"}:
        return msgspec.structs.replace(owner, column="", columns=None, plain=False)
    name = name.removeprefix("nan")
    learns = name in tables.LEARNT_FIGURES
    fit = Fit(call.site, "statistics", name, owner.origin, owner.part, owner.column)
    return Statistic(call.site, frozenset({fit}) if learns else frozenset(), name)


def grouped(owner: Grouped, name: str, call: Call) -> Value:
    """Figures by group: mapped back to the rows they are features that have seen the grouped column."""
    rows = owner.rows
    fit = Fit(call.site, "group", f"groupby.{name}", rows.origin, rows.part, owner.column)
    if name in {"transform", "apply"}:
        learns = constant(call.argument(0, "func")) in tables.LEARNT_FIGURES
        drawn = frozenset({owner.column}) if owner.column else None
        return msgspec.structs.replace(
            rows, fits=rows.fits | ({fit} if learns else set()), columns=None, column="", plain=False, drawn=drawn
        )
    if name in tables.LEARNT_FIGURES or name == "agg":
        return Statistic(call.site, frozenset({fit}), name)
    if name in tables.LOOKING_BACK | {"diff", "cumsum", "cumcount", "rank"}:
        return _kept(rows, name, call)
    return Statistic(call.site, frozenset(), name)


def _drop(owner: Rows, name: str, call: Call) -> Value:
    names = call.argument(0, "columns", "labels", "item")
    if name == "pop":
        known = binding.names_of(names)
        changed = binding.without_columns(owner, known) if known else msgspec.structs.replace(owner, columns=None)
        call.flow.replace(owner, changed)
        return selecting.column(owner, next(iter(known))) if known else Rows(Origin(call.site), columns=None)
    by_column = "columns" in call.keywords or constant(call.argument(1, "axis")) in {1, "columns"}
    if isinstance(names, Rows) and not by_column:  # drop(train.index)
        return _complement(owner, names, call)
    known = binding.names_of(names)
    if known and (by_column or not owner.table or "axis" not in call.keywords):
        return binding.without_columns(owner, known | _more(call)) if by_column or len(call.args) >= 1 else owner
    if by_column:
        return msgspec.structs.replace(owner, columns=None, table=True)
    return selecting.subset(owner, call.site)


def _more(call: Call) -> frozenset[str]:
    """polars: `drop("a", "b")`."""
    return frozenset().union(*(binding.names_of(value) for value in call.args[1:]))


def _complement(owner: Rows, other: Rows, call: Call) -> Rows:
    if other.origin == owner.origin and len(other.part) == len(owner.part) + 1 and other.part[:-1] == owner.part:
        return selecting.picked(owner, selecting.opposite(Selector(other.part[-1:]), call.site))
    return selecting.subset(owner, call.site)


def _sample(owner: Rows, call: Call) -> Rows:
    if call.says("replace", True):
        fit = Fit(call.site, "resample", "sample", owner.origin, owner.part)
        return msgspec.structs.replace(owner, fits=owner.fits | {fit})
    if constant(call.argument(9, "frac", "fraction")) == 1 or constant(call.argument(1, "frac", "fraction")) == 1:
        return msgspec.structs.replace(owner)
    if not call.args and not call.keywords.keys() & {"n", "frac", "fraction"}:
        return selecting.subset(owner, call.site)
    call.flow.record(events.Split(call.site, "sample", (owner,), True, call.seeded() or call.seeded("seed")))
    return msgspec.structs.replace(owner, part=(*owner.part, Cut(call.site, "in")))


def _chosen(owner: Rows, call: Call) -> Selector:
    other = call.argument(0, "values")
    if isinstance(other, Rows) and other.origin == owner.origin and len(other.part) == len(owner.part) + 1:
        return Selector(other.part[-1:])
    return Selector((Cut(("mask", call.site), "in", "mask"),))


def _filtered(owner: Rows, name: str, call: Call) -> Value:
    condition = call.argument(0, "expr", "items")
    if name == "filter" and not isinstance(condition, Selector) and call.keywords.keys() & {"items", "like", "regex"}:
        return msgspec.structs.replace(owner, columns=None)
    if isinstance(condition, Constant) and isinstance(condition.value, str):
        condition = _parsed(owner, condition.value)
    return selecting.picked(owner, condition) if isinstance(condition, Selector) else selecting.subset(owner, call.site)


def _parsed(owner: Rows, query: str) -> Value:
    """`query("year < 2015")`."""
    try:
        node = ast.parse(query, mode="eval").body
    except (SyntaxError, ValueError):
        return UNKNOWN
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.left, ast.Name):
        end = node.comparators[0]
        if isinstance(end, ast.Constant) and isinstance(end.value, int | float | str):
            return selecting.compared(selecting.column(owner, node.left.id), type(node.ops[0]), Bound(end.value))
    return UNKNOWN


def _end(owner: Rows, name: str, call: Call) -> Rows:
    number = call.argument(0, "n")
    if not isinstance(number, Constant) or not isinstance(number.value, int) or number.value == 0:
        return selecting.subset(owner, call.site)
    if name == "head":
        return selecting.between(owner, None, Bound(number.value))
    return selecting.between(owner, Bound(-number.value), None)


def _assigned(owner: Rows, name: str, call: Call) -> Rows:
    if name == "insert" and len(call.args) > 2:
        changed = binding.with_column(owner, call.args[1], call.args[2], call.site)
        call.flow.replace(owner, changed)
        return changed
    rows = owner
    for key, value in call.keywords.items():
        rows = binding.with_column(rows, Constant(key), value, call.site)
    for value in call.args:
        rows = binding.with_column(rows, UNKNOWN, value, call.site)
    return msgspec.structs.replace(rows)


def _indexed(owner: Rows, call: Call) -> Rows:
    name = constant(call.argument(0, "keys"))
    timed = owner.timed
    if isinstance(name, str) and _TIME.fullmatch(name):
        timed = (call.site, "a time index")
    changed = binding.without_columns(owner, frozenset({name})) if isinstance(name, str) else owner
    return msgspec.structs.replace(changed, timed=timed)


def _merged(owner: Rows, call: Call) -> Rows:
    other = call.argument(0, "right", "other")
    fits = owner.fits | other.fits if isinstance(other, Rows | Statistic) else owner.fits
    left = constant(call.keywords.get("how", UNKNOWN), default="inner")
    merged = msgspec.structs.replace(owner, fits=fits, columns=None)
    return merged if left == "left" else selecting.subset(merged, call.site)


def _selected(owner: Rows, call: Call) -> Rows:
    names = frozenset().union(*(binding.names_of(value) for value in call.args)) if call.args else frozenset()
    complete = all(binding.names_of(value) for value in call.args)
    columns = Columns(names) if complete and names else None
    return msgspec.structs.replace(owner, columns=columns, column="")
