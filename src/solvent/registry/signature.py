"""What serving must know of a model: its inputs by name and type, its outputs, and what its target means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec
import polars as pl
from msgspec.structs import replace

from solvent.foundation.errors import UsageError, nearest
from solvent.registry.column_types import parse_type, type_text

Task = Literal["regression", "binary", "multiclass"]
Frame = Literal["polars", "pandas", "numpy"]
CLASSIFICATION = ("classification", "binary", "multiclass")


class BadModel(UsageError):
    """A declaration, an estimator and its table do not fit together."""

    code = "bad-model"


Plain = bool | int | float | str | None


class Hidden(msgspec.Struct, frozen=True, kw_only=True):
    """A column that an estimator wants and is not shown: in training and in service it is given one value instead.

    type: as text; at: its place among all the estimator's columns.
    """

    name: str
    type: str
    at: int
    value: Plain


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Kept with the version as plain JSON.

    features: the estimator's columns in its own order, name → type as text; without those that are hidden from it.
    frame: what the estimator was fitted on, so what it is given.
    classes: as the estimator orders its probabilities; empty for regression.
    positive: index into `classes` of the class whose probability is logged (binary).
    extras: the features table's other columns: the model does without them; they are logged where they are given.
    """

    task: Task
    target: str
    metric: str
    features: dict[str, str]
    frame: Frame = "polars"
    time: str | None = None
    id: str | None = None
    classes: list[bool | int | float | str] = msgspec.field(default_factory=list)
    positive: int | None = None
    extras: dict[str, str] = msgspec.field(default_factory=dict)
    hidden: list[Hidden] = msgspec.field(default_factory=list)

    def schema(self) -> dict[str, pl.DataType]:
        """The features' types, in the estimator's order."""
        return {name: parse_type(text) for name, text in self.features.items()}

    def hiding(self, values: Mapping[str, Plain]) -> Signature:
        """The signature of the same estimator when only these columns are hidden from it, each behind its value.

        Raises: BadModel where it has no such column.
        """
        every = list(self.features.items())
        for column in sorted(self.hidden, key=lambda one: one.at):
            every.insert(column.at, (column.name, column.type))
        unknown = next((name for name in values if name not in dict(every)), None)
        if unknown is not None:
            known = list(dict(every))
            raise BadModel(
                f"the estimator has no column `{unknown}` that could be hidden from it",
                next=nearest(unknown, known, f"it has {', '.join(known)}"),
            )
        own = {column.name for column in self.hidden}
        hidden = [
            Hidden(name=name, type=text, at=at, value=values[name])
            for at, (name, text) in enumerate(every)
            if name in values
        ]
        return replace(
            self,
            features={name: text for name, text in every if name not in values},
            extras={
                **{name: text for name, text in self.extras.items() if name not in own},
                **{column.name: column.type for column in hidden},
            },
            hidden=hidden,
        )

    def completed(self, table: pl.DataFrame) -> pl.DataFrame:
        """A table of the features, with the hidden columns in their places."""
        if not self.hidden:
            return table
        columns = table.get_columns()
        for column in self.hidden:
            columns.insert(column.at, _constant(column, table.height))
        return pl.DataFrame(columns)

    def as_dict(self) -> dict[str, Any]:
        """As JSON that survives a store which sorts keys: `order` says how the features stand."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {**plain, "order": list(self.features)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Signature:
        """From the JSON of a version."""
        types: Mapping[str, str] = plain["features"]
        ordered = {name: types[name] for name in plain.get("order", types)}
        return msgspec.convert({**plain, "features": ordered}, cls)


def _constant(column: Hidden, rows: int) -> pl.Series:
    return pl.Series(column.name, [column.value], dtype=parse_type(column.type)).new_from_index(0, rows)


class Declared(Protocol):
    """The part of a `model(...)` declaration that a signature is made of."""

    @property
    def task(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def metric(self) -> str: ...
    @property
    def time(self) -> str | None: ...
    @property
    def id(self) -> str | None: ...


def infer_signature(estimator: Any, declared: Declared, table: pl.DataFrame, *, fitted_on: str = "polars") -> Signature:
    """The signature of a fitted estimator whose training table looked like `table`.

    table: any rows of the features table; only names and types are read.
    fitted_on: the type of the table that the fit step was given; an estimator that
        remembers no column names was fitted on an array, whatever the step was given.
    Raises: BadModel where a column that the estimator wants is missing, or where an
        array's width fits no reading of the table.
    """
    named = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    names = named or _array_columns(estimator, declared, table)
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise BadModel(
            f"the estimator wants column `{missing[0]}`, which the features table lacks",
            next=nearest(missing[0], table.columns, f"the table has {', '.join(table.columns)}"),
        )
    task, classes = _task_and_classes(estimator, declared)
    reserved = {declared.target, declared.time, declared.id, *names}
    return Signature(
        task=task,
        target=declared.target,
        metric=declared.metric,
        features={name: type_text(table.schema[name]) for name in names},
        frame="numpy" if not named else "pandas" if "pandas" in fitted_on else "polars",
        time=declared.time,
        id=declared.id,
        classes=classes,
        positive=1 if task == "binary" else None,
        extras={name: str(dtype) for name, dtype in table.schema.items() if name not in reserved},
    )


def label_value(signature: Signature, label: Any) -> float:
    """An outcome's label as the log keeps it: the value itself, or the index of its class.

    Raises: BadLabel for a class that the model does not know or a value that is no number.

    >>> late = Signature(task="binary", target="late", metric="auc", features={}, classes=[False, True])
    >>> label_value(late, True), label_value(late, 0)
    (1.0, 0.0)
    """
    if signature.task != "regression":
        return float(_class_index(signature.classes, label))
    if isinstance(label, bool) or not isinstance(label, int | float) or not math.isfinite(label):
        raise BadLabel(f"label {label!r} is no finite number", where=signature.target)
    return float(label)


class BadLabel(UsageError):
    code = "bad-label"


def _class_index(classes: Sequence[bool | int | float | str], label: Any) -> int:
    try:
        return classes.index(label)
    except ValueError:
        known = ", ".join(map(repr, classes[:20]))
        raise BadLabel(f"label {label!r} is no class of this model", next=f"its classes are {known}") from None


def _array_columns(estimator: Any, declared: Declared, table: pl.DataFrame) -> list[str]:
    """Columns of an estimator fitted on an array: the table's own order without target, time and id."""
    width = getattr(estimator, "n_features_in_", None)
    reserved = {declared.target, declared.time, declared.id}
    names = [name for name in table.columns if name not in reserved]
    if width is not None and width != len(names):
        raise BadModel(
            f"the estimator was fitted on an array of {width} columns; the table has {len(names)} besides target, time "
            "and id",
            next="fit it on a DataFrame, so that it remembers its columns by name",
        )
    return names


def _task_and_classes(estimator: Any, declared: Declared) -> tuple[Task, list[bool | int | float | str]]:
    known = getattr(estimator, "classes_", None)
    if declared.task == "regression":
        if known is not None:
            raise BadModel("the model is declared a regression, but its estimator is a classifier")
        return "regression", []
    if declared.task not in CLASSIFICATION:
        raise BadModel(
            f"unknown task `{declared.task}`",
            next=nearest(declared.task, ("regression", *CLASSIFICATION), "use regression or classification"),
        )
    if known is None:
        raise BadModel("the model is declared a classification, but its estimator has no classes")
    classes = [label.item() if hasattr(label, "item") else label for label in known]
    if len(classes) < 2:
        raise BadModel(f"the estimator has seen one class only: {classes[0]!r}", next="train it on more rows")
    return ("binary" if len(classes) == 2 else "multiclass"), classes
