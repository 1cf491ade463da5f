"""What estimators and transformers learn, of which rows, and what they give."""

from __future__ import annotations

import msgspec

from solvent.debt.flow import events, tables
from solvent.debt.flow.call import Call, as_rows, nested, scored, unfollowed
from solvent.debt.flow.selecting import subset
from solvent.debt.flow.values import (
    UNKNOWN,
    Constant,
    Fit,
    Fitting,
    Model,
    Predicted,
    Record,
    Rows,
    Setting,
    Site,
    Statistic,
    Value,
)

_KINDS = {"statistics", "target", "resample"}
_NO_FIGURE = ("constant", "most_frequent")  # strategies that are the same of nearly any part of the rows
_STRONGEST = ("target", "statistics", "rows")


def made(call: Call) -> Model:
    """An estimator as it is constructed."""
    inner = tuple(each for value in call.values() for each in nested(value, Model))
    name, does = call.dotted, tables.effect(call.dotted)
    if does == "pipeline":
        does = _of_pipeline(inner)
    if call.name == "sklearn.SimpleImputer" and any(call.says("strategy", each) for each in _NO_FIGURE):
        does = "rows"
    last = name.rpartition(".")[2]
    stops = last == "EarlyStopping" or (last == "ModelCheckpoint" and call.says("save_best_only", True))
    stops |= any(key in tables.STOPPING_KEYWORDS and value != Constant(None) for key, value in call.keywords.items())
    loop, search = _settings(call)
    inherited = next((each.loop for each in inner if each.loop), None)
    tuned = next((each.tuned_by for each in inner if each.tuned_by), None)
    return Model(call.site, name, does, inner, None, search or tuned, loop or inherited, stops, _seeded(call, inner))


def _of_pipeline(inner: tuple[Model, ...]) -> str:
    if not inner:
        return ""
    last = inner[-1].does
    if last in {"supervised", "search", "neural", "cluster", ""}:
        return "supervised" if last in {"supervised", "search", "neural"} else last
    effects = {each.does for each in inner}
    return next((kind for kind in _STRONGEST if kind in effects), "")


def _settings(call: Call) -> tuple[Site | None, Model | None]:
    """The loop and the search that set it up; another seed or more cores are no setting."""
    values = [*call.args, *(value for key, value in call.keywords.items() if key not in tables.NO_SETTINGS)]
    settings = [each for value in values for each in nested(value, Setting)]
    loop = next((each.loop for each in settings if each.loop), None)
    return loop, next((each.search for each in settings if each.search), None)


def _seeded(call: Call, inner: tuple[Model, ...]) -> bool | None:
    if call.name in tables.STOCHASTIC:
        return call.seeded()
    return all(each.seeded is not False for each in inner)


def learnt(model: Model) -> frozenset[Fit]:
    """What a fitted transformer puts into the rows that it transforms."""
    if model.fitting is None or model.does not in _KINDS:
        return frozenset()
    rows = model.fitting.rows
    name = model.name
    for each in model.inner:
        if each.does == model.does:
            name = each.name
            break
    fit = Fit(model.fitting.site, model.does, name.rpartition(".")[2], rows.origin, rows.part)
    return frozenset({fit}) | rows.fits


def method(owner: Model, name: str, call: Call) -> Value:
    """A call of a method of an estimator; `fit` changes it in place."""
    if name in {"fit", "adapt"}:
        fitted = fit(owner, call)
        return UNKNOWN if owner.does == "neural" else fitted
    if name == "fit_transform":
        return transformed(fit(owner, call), call)
    if name in {"fit_resample", "fit_sample"}:
        return _resampled(owner, call)
    if name == "transform":
        return transformed(owner, call)
    if name == "fit_predict":
        return Predicted(fit(owner, call), as_rows(call.argument(0, "X"), call.site))
    if name in tables.PREDICTS:
        return predicted(owner, call)
    if name in tables.SCORES:
        scored(call, owner, as_rows(call.argument(0, "X", "x"), call.site), "score")
        return UNKNOWN
    if name in tables.FITTED_KNOWLEDGE:
        return Statistic(call.site, learnt(owner), name)
    if name == "set_params":
        loop, search = _settings(call)
        changed = msgspec.structs.replace(owner, loop=loop or owner.loop, tuned_by=search or owner.tuned_by)
        call.flow.replace(owner, changed)
        return changed
    if name == "partial_fit":
        call.flow.replace(owner, msgspec.structs.replace(owner, fitting=None))
        return owner
    unfollowed(call)
    return UNKNOWN


def fit(owner: Model, call: Call) -> Model:
    rows = as_rows(call.argument(0, "X", "x"), call.site, "X")
    target = call.argument(1, "y")
    fitting = Fitting(call.site, rows, target if isinstance(target, Rows) else None, _watched(owner, rows, call))
    fitted = msgspec.structs.replace(owner, fitting=fitting)
    call.flow.replace(owner, fitted)
    call.flow.record(events.Fitted(call.site, fitted), owner.site)
    return fitted


def _watched(owner: Model, rows: Rows, call: Call) -> Rows | None:
    """What early stopping looks at: the last evaluation set that is not the training rows."""
    stops = owner.stops or any(
        key in tables.STOPPING_KEYWORDS and value != Constant(None) for key, value in call.keywords.items()
    )
    stops |= any(
        each.stops for each in nested(call.keywords.get("callbacks", UNKNOWN), Model) if isinstance(each, Model)
    )
    if not stops:
        return None
    sets = [value for key, value in call.keywords.items() if key in tables.EVALUATION_KEYWORDS]
    found = [_first_rows(pair) for value in sets for pair in _pairs(value)]
    others = [each for each in found if each is not None and (each.origin, each.part) != (rows.origin, rows.part)]
    return others[-1] if others else None


def _pairs(value: Value) -> list[Value]:
    """`(X, y)` or `[(X, y), ...]`."""
    if isinstance(value, Record) and all(isinstance(each, Record) for each in value.fields.values()):
        return list(value.fields.values())
    return [value]


def _first_rows(value: Value) -> Rows | None:
    first = value.fields.get("0") if isinstance(value, Record) else value
    return first if isinstance(first, Rows) else None


def transformed(model: Model, call: Call) -> Value:
    rows = as_rows(call.argument(0, "X"), call.site)
    columns = rows.columns if model.name.endswith(("Scaler", "Imputer")) else None
    return msgspec.structs.replace(rows, fits=rows.fits | learnt(model), columns=columns, column="", plain=False)


def _resampled(owner: Model, call: Call) -> Value:
    fields: dict[str, Value] = {}
    for index, names in enumerate((("X",), ("y",))):
        rows = as_rows(call.argument(index, *names), call.site, names[0])
        if owner.does == "resample":
            fit = Fit(call.site, "resample", owner.name.rpartition(".")[2], rows.origin, rows.part)
            fields[str(index)] = msgspec.structs.replace(rows, fits=rows.fits | {fit})
        else:
            fields[str(index)] = subset(rows, call.site)
    return Record(fields)


def predicted(owner: Model, call: Call) -> Value:
    rows = as_rows(call.argument(0, "X", "x"), call.site)
    call.flow.record(events.Predicting(call.site, owner, rows), owner.site)
    return Predicted(owner, rows)
