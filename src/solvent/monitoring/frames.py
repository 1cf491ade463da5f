"""Rows of the prediction log as this room reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.losses import multiclass_loss, row_loss

TIME = "event_time"
_PREFIX = "f_"


def canonical(frame: pl.DataFrame, signature: Mapping[str, Any]) -> pl.DataFrame:
    """The frame with columns `event_time`, `output`, `label` and features by their own names, in order of time.

    frame: rows of the prediction log (features as `f_NAME`), or evaluation data with the model's `output`
        (time and target under the signature's names). Times become UTC microseconds without a zone.
        Without labels `label` is null; a boolean label becomes 0 or 1, text its position among the classes.
    """
    names = list(signature.get("features") or {})
    renames = {f"{_PREFIX}{name}": name for name in names if name not in frame.columns}
    frame = frame.rename({old: new for old, new in renames.items() if old in frame.columns})
    time, target = signature.get("time"), signature.get("target")
    if TIME not in frame.columns and time in frame.columns:
        frame = frame.with_columns(pl.col(time).alias(TIME))
    if "label" not in frame.columns:
        frame = frame.with_columns((pl.col(target) if target in frame.columns else pl.lit(None)).alias("label"))
    frame = frame.with_columns(_label(frame["label"], signature), _naive(frame[TIME]))
    if "known_at" in frame.columns:
        frame = frame.with_columns(_naive(frame["known_at"]))
    return frame if frame[TIME].is_sorted() else frame.sort(TIME, maintain_order=True)


def _label(label: pl.Series, signature: Mapping[str, Any]) -> pl.Series:
    if label.dtype in (pl.String, pl.Categorical, pl.Enum):
        classes = [
            str(name) for name in signature.get("classes") or sorted(label.cast(pl.String).drop_nulls().unique())
        ]
        positions = [float(position) for position in range(len(classes))]
        return label.cast(pl.String).replace_strict(classes, positions, default=None, return_dtype=pl.Float64)
    return label.cast(pl.Float64)


def _naive(times: pl.Series) -> pl.Series:
    if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is not None:
        times = times.cast(pl.Int64).cast(pl.Datetime(times.dtype.time_unit))  # instants lie there as UTC
    return times.cast(pl.Datetime("us"))


def micros_of(times: pl.Series) -> Counts:
    """Microseconds since 1970 UTC, shape (n_rows,)."""
    return times.cast(pl.Int64).to_numpy()


def floats_of(series: pl.Series) -> Floats:
    """Values as float64, NaN where missing, shape (n_rows,)."""
    return np.asarray(series.cast(pl.Float64).to_numpy(), dtype=np.float64)


def outputs_of(frame: pl.DataFrame) -> Floats:
    """The outputs of a canonical frame: shape (n_rows,), or (n_rows, n_classes) of probabilities."""
    classes = frame["output_classes"] if "output_classes" in frame.columns else None
    if classes is not None and classes.null_count() == 0 and len(classes):
        return np.array(classes.to_list(), dtype=float)
    return floats_of(frame["output"])


def losses_of(frame: pl.DataFrame, metric: str) -> Floats:
    """Loss of each row of a canonical frame, NaN where it has no label or output; not clipped."""
    label, outputs = floats_of(frame["label"]), outputs_of(frame)
    return multiclass_loss(metric, label, outputs) if outputs.ndim == 2 else row_loss(metric, label, outputs)
