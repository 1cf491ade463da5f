"""What the columns are: the task, the features, and every assumption behind it in a sentence."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
import polars as pl

from solvent.backtest.options import BadOption, Options
from solvent.backtest.table import Table
from solvent.backtest.words import some
from solvent.data.contracts import ColumnType
from solvent.data.contracts.clock import clock_columns
from solvent.data.contracts.columns import as_floats, as_text, type_of
from solvent.foundation.errors import UsageError
from solvent.statistics.arrays import Counts, Flags, Floats
from solvent.statistics.losses import metric_named

Task = Literal["binary", "multiclass", "regression"]
DEFAULT_METRIC: dict[Task, str] = {"binary": "log_loss", "multiclass": "log_loss", "regression": "mae"}
MOST_CLASSES = 30
_NO_FIGURE = 1e100
_MINUTES = 1440  # of a day
_WEEK = 7 * 86_400_000_000  # microseconds


class BadTarget(UsageError):
    code = "bad-target"


class NoFeatures(UsageError):
    code = "no-features"


class Cases(msgspec.Struct, frozen=True):
    """The table as a model sees it, in order of time.

    frame: the features as they are; x: shape (n, p), categories as codes, NaN where missing; categorical: shape (p,).
    y: shape (n,), the value, or the class's position. micros: shape (n,). clocks: features that follow from the time
    alone. assumptions: sentences.
    """

    frame: pl.DataFrame
    x: Floats
    categorical: Flags
    y: Floats
    micros: Counts
    task: Task
    classes: list[str]
    metric: str
    clocks: frozenset[str]
    assumptions: list[str]

    @property
    def features(self) -> list[str]:
        return self.frame.columns


def understand(table: Table, options: Options) -> Cases:
    """Find task and features. Raises: BadTarget, NoFeatures, BadOption, UnknownMetric."""
    classes_wanted = options.metric is not None and "regression" not in _tasks(options.metric)
    y, task, classes, said = _target(table.frame[options.target], classes_wanted)
    metric = options.metric or DEFAULT_METRIC[task]
    if task not in metric_named(metric).tasks:
        fitting = ", ".join(name for name in ("mae", "rmse", "log_loss", "brier", "error") if task in _tasks(name))
        raise BadOption(f"--metric {metric} does not fit a {task} target", next=f"fitting: {fitting}")
    frame, left_out = _features(table, options)
    at = pl.Series(options.time, table.micros).cast(pl.Datetime("us"))
    clocks = clock_columns(pl.DataFrame([at, *frame]), options.time, candidates=frame.columns)
    added = _calendar(at, frame, clocks)
    if added.width:
        frame = pl.DataFrame([*frame, *added])
        clocks |= set(added.columns)
        left_out.append(f"{some(added.columns)} made from the time, as no column told it")
    if frame.width == 0:
        raise NoFeatures("no column is left to predict with", where=str(options.path), next="see --drop and --id")
    codes = [_codes(frame[name]) for name in frame.columns]
    return Cases(
        frame=frame,
        x=np.column_stack(codes),
        categorical=np.array([not _numeric(frame[name]) for name in frame.columns]),
        y=y,
        micros=table.micros,
        task=task,
        classes=classes,
        metric=metric,
        clocks=frozenset(clocks),
        assumptions=[*said, *table.notes, *left_out],
    )


def _tasks(metric: str) -> tuple[str, ...]:
    return metric_named(metric).tasks


def _target(series: pl.Series, classes_wanted: bool) -> tuple[Floats, Task, list[str], list[str]]:
    """Values or class positions, the task, the classes, and what was assumed.

    classes_wanted: few numbers are classes, as the metric is one of classes.
    """
    values = series.unique().sort()
    if len(values) < 2:
        raise BadTarget(f"`{series.name}` is {values[0]} in all rows", next="there is nothing to predict")
    if series.dtype.is_temporal():
        raise BadTarget(f"`{series.name}` holds times", next="predict a number or a class")
    number = series.dtype.is_numeric()
    if number and len(values) > 2 and not (classes_wanted and len(values) <= MOST_CLASSES):
        whole = (
            [f"{series.name} is a number, so the task is regression (--metric log_loss: classes)"]
            if len(values) <= MOST_CLASSES
            else []
        )
        return as_floats(series), "regression", [], whole
    if len(values) > MOST_CLASSES:
        raise BadTarget(
            f"`{series.name}` has {len(values):,} classes such as `{str(values[0])[:40]}`",
            next=f"at most {MOST_CLASSES}; group the rare ones, or name a number",
        )
    text = values.cast(pl.String) if number else as_text(values)
    codes = {name: at for at, name in enumerate(sorted(text.to_list(), key=float if number else str))}
    column = series.cast(pl.String) if number else as_text(series)
    y = column.replace_strict(codes, return_dtype=pl.Float64).to_numpy()
    task: Task = "binary" if len(codes) == 2 else "multiclass"
    names = list(codes)
    said = [f"{series.name} = {names[1]} is the class that is foretold"] if task == "binary" else []
    return y, task, names, said if series.dtype != pl.Boolean else []


def _features(table: Table, options: Options) -> tuple[pl.DataFrame, list[str]]:
    taken = {options.time, options.target, options.id, *options.drop}
    kept, text, instants, constant, numbered = [], list[str](), list[str](), list[str](), list[str]()
    for name in table.frame.columns:
        series = table.frame[name]
        if name in taken:
            continue
        kind = ColumnType.TIME if series.dtype == pl.Duration or series.dtype == pl.Time else type_of(series)
        if series.n_unique() < 2:
            constant.append(name)
        elif series.dtype.is_nested() or series.dtype == pl.Binary or kind is ColumnType.TEXT:
            text.append(name)
        elif kind is ColumnType.TIME:
            instants.append(name)
        elif series.dtype.is_integer() and _row_number(series):
            numbered.append(name)
        else:
            kept.append(_finite(series.cast(pl.Float64)) if _numeric(series) else as_text(series))
    said = [
        f"{some(names)} left out: {why}"
        for names, why in (
            (text, "free text, lists or too many values"),
            (instants, "times may be known only afterwards"),
            (constant, "one value in all rows"),
            (numbered, "a number of the row"),
        )
        if names
    ]
    return pl.DataFrame(kept), said


def _numeric(series: pl.Series) -> bool:
    return series.dtype.is_numeric() or series.dtype == pl.Boolean


def _finite(series: pl.Series) -> pl.Series:
    """Infinite values, and figures so large that their squares are, count as missing."""
    return series.set((series.abs() >= _NO_FIGURE) | series.is_nan(), None)


def _row_number(series: pl.Series) -> bool:
    return series.n_unique() == len(series) and (series.is_sorted() or series.is_sorted(descending=True))


def _calendar(at: pl.Series, frame: pl.DataFrame, clocks: set[str]) -> pl.DataFrame:
    """Hour, weekday and month as far as they vary, where no feature follows from the time, or none tells the hour."""
    parts = {"hour": at.dt.hour(), "weekday": at.dt.weekday(), "month": at.dt.month()}
    if (at[-1] - at[0]).days < 45:
        del parts["month"]
    if np.diff(np.unique(at.to_physical().to_numpy())).min() > _WEEK:
        del parts["weekday"]  # of the first of a month
    clock = frame.select(sorted(clocks))
    parts = {name: part for name, part in parts.items() if part.n_unique() > 1 and not _tells(clock, part)}
    if clocks and "hour" not in parts:
        return pl.DataFrame()
    if "hour" in parts:
        parts["hour"] = parts["hour"] + at.dt.minute() / 60
    named = {name if name not in frame.columns else f"{name} of time": part for name, part in parts.items()}
    return pl.DataFrame([part.cast(pl.Float64).alias(name) for name, part in named.items()])


def _tells(clock: pl.DataFrame, part: pl.Series) -> bool:
    """Whether a column of the clock, no finer than minutes of the day, always means one value of this part."""
    few = [column for column in clock.iter_columns() if column.n_unique() <= _MINUTES]
    return any(pl.DataFrame([column.alias("a"), part.alias("b")]).n_unique() == column.n_unique() for column in few)


def _codes(series: pl.Series) -> Floats:
    """Numbers as they are; categories numbered in order of appearance, so that a code tells nothing of the future."""
    if _numeric(series):
        return as_floats(series)
    names = series.drop_nulls().unique(maintain_order=True).to_list()
    codes = {name: at for at, name in enumerate(names)}
    return as_floats(series.replace_strict(codes, default=None, return_dtype=pl.Float64))
