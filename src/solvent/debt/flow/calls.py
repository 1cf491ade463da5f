"""What a call leaves and gives: functions of libraries, and whose methods are whose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from solvent.debt.flow import estimators, events, tablecalls, tables
from solvent.debt.flow.call import Call, as_rows, scored, unfollowed
from solvent.debt.flow.parts import Cut
from solvent.debt.flow.stacks import constant, elements, side_by_side, stacked
from solvent.debt.flow.values import (
    UNKNOWN,
    Columns,
    Constant,
    Divider,
    Fit,
    Folds,
    Grouped,
    Many,
    Model,
    Origin,
    Predicted,
    Record,
    Rows,
    Selector,
    Setting,
    Site,
    Statistic,
    Value,
)

if TYPE_CHECKING:
    pass


def library(call: Call) -> Value:
    """A call of something imported."""
    known = _FUNCTIONS.get(call.name)
    if known is not None:
        return known(call)
    last = call.dotted.rpartition(".")[2]
    if call.name.startswith("builtins.") or last in tables.HARMLESS:
        return Rows(Origin(call.site), columns=None)
    if call.name.startswith(("pandas.read_", "polars.read_", "polars.scan_")):
        return _read(call)
    if last in {"from_estimator", "from_predictions"} or last in tables.PLOTTED_METRICS:
        return _metric(call)
    if tables.effect(call.dotted) or (call.name and last[:1].isupper()):
        return estimators.made(call)
    return unfollowed(call)


def method(owner: Value, name: str, call: Call) -> Value:
    """A call of a method of a value."""
    if isinstance(owner, Model):
        return estimators.method(owner, name, call)
    if isinstance(owner, Rows):
        return tablecalls.method(owner, name, call)
    if isinstance(owner, Grouped):
        return tablecalls.grouped(owner, name, call)
    if isinstance(owner, Divider):
        return _divided(owner, name, call)
    if isinstance(owner, Predicted):
        return _of_predicted(owner, name, call)
    if isinstance(owner, Statistic | Setting):
        return owner
    if isinstance(owner, Record | Many):
        return _of_collection(owner, name, call)
    if isinstance(owner, Selector):
        return owner if name in {"to_numpy", "copy", "astype", "to_list", "tolist", "values"} else UNKNOWN
    return tablecalls.method(Rows(Origin(call.site, "self"), columns=None), name, call)


# ---- splits
def _train_test_split(call: Call) -> Value:
    if call.starred or not call.args:
        return UNKNOWN
    shuffles = not call.says("shuffle", False)
    rows = tuple(as_rows(value, call.site, str(index)) for index, value in enumerate(call.args))
    call.flow.record(events.Split(call.site, call.name, rows, shuffles, call.seeded()))
    sides = [_cut(each, call.site, side) for each in rows for side in ("train", "test")]
    return Record({str(index): each for index, each in enumerate(sides)})


def _random_split(call: Call) -> Value:
    rows = as_rows(call.argument(0, "dataset"), call.site)
    call.flow.record(events.Split(call.site, call.name, (rows,), True, call.seeded("generator")))
    return Record({str(index): _cut(rows, call.site, side) for index, side in enumerate(("train", "test", "other"))})


def _numpy_split(call: Call) -> Value:
    rows = as_rows(call.argument(0), call.site)
    return Record({str(index): _cut(rows, call.site, side) for index, side in enumerate(("train", "test", "other"))})


def _cut(rows: Rows, site: Site, side: str) -> Rows:
    return msgspec.structs.replace(rows, part=(*rows.part, Cut(site, side)))


def _folds(call: Call) -> Value:
    shuffles = call.name in tables.SHUFFLING_FOLDS or call.says("shuffle", True)
    return Divider(call.name, shuffles, call.seeded())


def _divided(owner: Divider, name: str, call: Call) -> Value:
    if name != "split":
        return UNKNOWN
    rows = tuple(value for value in call.args[:1] if isinstance(value, Rows))
    call.flow.record(events.Split(call.site, owner.name, rows, owner.shuffles, owner.seeded))
    return Folds(call.site)


def _cross_validated(call: Call) -> Value:
    model, rows = call.argument(0, "estimator"), as_rows(call.argument(1, "X"), call.site)
    divider = call.keywords.get("cv", UNKNOWN)
    if isinstance(divider, Divider):
        call.flow.record(events.Split(call.site, divider.name, (rows,), divider.shuffles, divider.seeded))
    if isinstance(model, Model):
        call.flow.record(events.Scored(call.site, model, rows, "cv", model.loop), model.site)
        if call.name.endswith("cross_val_predict"):
            return Predicted(model, Rows(Origin(call.site, "folds"), columns=None))
    return Rows(Origin(call.site), columns=None)


# ---- figures of merit
def _metric(call: Call) -> Value:
    for value in call.values():
        if isinstance(value, Predicted):
            scored(call, value.model, value.rows, "picture" if _draws(call) else "metric")
    if _draws(call):
        model, rows = call.argument(0, "estimator"), call.argument(1, "X")
        if isinstance(model, Model) and isinstance(rows, Rows):
            scored(call, model, rows, "picture")
    return UNKNOWN


def _draws(call: Call) -> bool:
    last = call.dotted.rpartition(".")[2]
    return last.startswith(("plot_", "from_")) or last in tables.PLOTTED_METRICS


def _of_predicted(owner: Predicted, name: str, call: Call) -> Value:
    if name in {"mean", "sum"} and owner.compared:
        scored(call, owner.model, owner.rows, "metric")
        return UNKNOWN
    if name in {"eq", "ne", "sub", "eval"}:
        return msgspec.structs.replace(owner, compared=True)
    return owner


# ---- functions over rows
def _same_rows(call: Call) -> Value:
    first = call.args[0] if call.args else call.keywords.get("data", UNKNOWN)
    table = call.name in {"pandas.DataFrame", "polars.DataFrame"}
    if call.name == "pandas.to_datetime" and isinstance(first, Rows):
        return msgspec.structs.replace(first, column="<time>", plain=False)
    if isinstance(first, Rows):
        columns = first.columns if call.name in _KEEP_COLUMNS else None
        if call.name == "sklearn.shuffle" and len(call.args) > 1:
            return Record({str(i): msgspec.structs.replace(as_rows(v, call.site)) for i, v in enumerate(call.args)})
        learnt = frozenset(fit for value in call.args[1:] if isinstance(value, Statistic) for fit in value.fits)
        plain = first.plain and columns is not None
        return msgspec.structs.replace(first, columns=columns, plain=plain, table=table, fits=first.fits | learnt)
    if isinstance(first, Predicted | Statistic | Many | Setting | Selector):
        return first
    if table and isinstance(first, Record) and not any(key.startswith("?") for key in first.fields):
        return Rows(Origin(call.site), columns=Columns(frozenset(first.fields)), table=True)
    if isinstance(first, Record) and call.name.startswith(("builtins.", "numpy.")):
        constants = all(isinstance(value, Constant) for value in first.fields.values())
        if constants or call.name.startswith("builtins."):
            return first
    return Rows(Origin(call.site), columns=None, table=table)


def _side_by_side(call: Call) -> Value:
    values = elements(call.args[0]) if len(call.args) == 1 else call.args
    return side_by_side(values, call.site)


def _stacked(call: Call) -> Value:
    axis = constant(call.argument(1 if call.name != "numpy.append" else 2, "axis", "how"))
    first = call.args[0] if call.args else call.keywords.get("objs", UNKNOWN)
    values = elements(first) if call.name != "numpy.append" else call.args[:2]
    beside = axis in {1, -1, "columns", "horizontal"}
    return side_by_side(values, call.site) if beside else stacked(values, call.site)


def _learning(call: Call) -> Value:
    rows = as_rows(call.argument(0, "X", "a"), call.site)
    fit = Fit(call.site, "statistics", call.name, rows.origin, rows.part)
    return msgspec.structs.replace(rows, fits=rows.fits | {fit}, columns=None, plain=False)


def _resample(call: Call) -> Value:
    copies = not call.says("replace", False)
    results = []
    for value in call.args:
        rows = as_rows(value, call.site)
        fit = Fit(call.site, "resample", call.name, rows.origin, rows.part)
        results.append(msgspec.structs.replace(rows, fits=rows.fits | ({fit} if copies else set())))
    return results[0] if len(results) == 1 else Record({str(i): each for i, each in enumerate(results)})


def _figure(call: Call) -> Value:
    first = call.args[0] if call.args else UNKNOWN
    if isinstance(first, Predicted):
        return _of_predicted(first, call.name.rpartition(".")[2], call)
    if isinstance(first, Rows):
        return tablecalls.figure(first, call.name.rpartition(".")[2], call)
    return first if isinstance(first, Statistic) else UNKNOWN


def _read(call: Call) -> Value:
    path = constant(call.args[0]) if call.args else None
    timed = "index_col" in call.keywords and "parse_dates" in call.keywords and not call.says("parse_dates", False)
    origin = Origin(call.site, "", str(path) if isinstance(path, str) else "")
    if "chunksize" in call.keywords or "iterator" in call.keywords:
        return Rows(origin, columns=None)
    return Rows(origin, timed=(call.site, "a time index") if timed else None, table=True)


# ---- collections
def _of_collection(owner: Record | Many, name: str, call: Call) -> Value:
    if name in {"items", "values", "keys"}:
        element = call.flow.element_of(owner, call.site)
        if name == "values":
            return Many(element)
        return Many(Record({"0": UNKNOWN, "1": element})) if name == "items" else UNKNOWN
    if name in {"append", "add", "extend", "insert", "update"}:
        for value in call.args:
            call.flow.replace(owner, Many(value) if not (isinstance(owner, Record) and owner.fields) else Many(UNKNOWN))
        return UNKNOWN
    if name in {"get", "pop"} and isinstance(owner, Record):
        key = constant(call.argument(0))
        return owner.fields.get(str(key), UNKNOWN)
    return owner if name in _SAME_COLLECTION else UNKNOWN


def _range(call: Call) -> Value:
    return Many(Setting(loop=call.site))


def _numbers(call: Call) -> Value:
    return Rows(Origin(call.site, "", "numbers"), columns=None)


def _enumerate(call: Call) -> Value:
    return Many(Record({"0": UNKNOWN, "1": call.flow.element_of(call.argument(0), call.site)}))


def _zip(call: Call) -> Value:
    return Many(Record({str(i): call.flow.element_of(value, call.site) for i, value in enumerate(call.args)}))


def _next(call: Call) -> Value:
    return call.flow.element_of(call.argument(0), call.site)


def _first(call: Call) -> Value:
    return call.argument(0)


def _stopping(call: Call) -> Value:
    return Model(call.site, call.name, "", stops=True)


def _polars_column(call: Call) -> Value:
    column = constant(call.argument(0))
    return Rows(Origin((), "column"), columns=None, column=column if isinstance(column, str) else "")


_SAME_COLLECTION = frozenset({"copy", "drop", "difference", "tolist", "to_list", "intersection", "union", "values"})
_KEEP_COLUMNS = frozenset({"numpy.array", "numpy.asarray", "builtins.list", "sklearn.shuffle"})
_Handler = Callable[[Call], Value]
_FUNCTIONS: dict[str, _Handler] = {
    "sklearn.train_test_split": _train_test_split,
    "torch.random_split": _random_split,
    "numpy.split": _numpy_split,
    "numpy.array_split": _numpy_split,
    "sklearn.resample": _resample,
    "builtins.range": _range,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.next": _next,
    "builtins.iter": _first,
    "builtins.sorted": _first,
    "builtins.reversed": _first,
    "sklearn.clone": _first,
    "lightgbm.early_stopping": _stopping,
    "polars.col": _polars_column,
    **dict.fromkeys(["numpy.arange", "numpy.linspace", "numpy.logspace", "sklearn.ParameterGrid"], _numbers),
    **dict.fromkeys(tables.FOLDS, _folds),
    **dict.fromkeys(tables.CROSS_VALIDATIONS, _cross_validated),
    **dict.fromkeys(tables.METRICS, _metric),
    **dict.fromkeys(tables.SAME_ROWS_FUNCTIONS, _same_rows),
    **dict.fromkeys(tables.SIDE_BY_SIDE, _side_by_side),
    **dict.fromkeys(tables.STACKED, _stacked),
    **dict.fromkeys(tables.LEARNING_FUNCTIONS, _learning),
    **dict.fromkeys((f"numpy.{name}" for name in tables.FIGURES | {"nanmean", "nanstd", "nanmedian"}), _figure),
}
