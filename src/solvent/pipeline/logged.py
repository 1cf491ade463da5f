"""The built-in step for retraining: a features table extended by what was predicted and has come true since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from solvent.foundation.errors import nearest
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, ArtifactType
from solvent.pipeline.errors import BadStep
from solvent.pipeline.spec import ModelSpec

if TYPE_CHECKING:
    import polars as pl

    from solvent.store import Store


class LoggedRows(NamedTuple):
    """artifact: the extended table. rows: how many were added; content: digest of those. segments: of the log."""

    artifact: Artifact
    rows: int
    content: Digest
    segments: tuple[Digest, ...]


def add_logged_rows(
    store: Store,
    model: ModelSpec,
    features: Artifact,
    as_of: datetime | None,
    since: datetime | None,
    *,
    hidden: Mapping[str, Any] | None = None,
) -> LoggedRows:
    """Add to a features table the logged predictions whose outcome was known by `as_of`.

    Rows that broke the contract when they were served, and ids that the table has
    already, are left out. since: event times before it are left out. hidden: columns that get one value in every row.
    Raises: BadStep where the table lacks the model's target, time or id, or a hidden column.
    """
    import polars as pl

    from solvent.data.tablefile import table_about, table_bytes, table_content

    table = pl.read_parquet(store.objects.path(features.digest))
    hidden = hidden or {}
    _check_columns(model, table, hidden)
    predictions = store.log.scan_predictions(model.name, since).collect()
    asked = predictions["prediction_id"] if since is not None else None
    outcomes = store.log.latest_outcomes(model.name, as_of, ids=asked).select("prediction_id", "label").collect()
    classes = _classes(store, model, table)
    rows = extension(table, predictions, outcomes, model, classes)
    segments = [
        *store.facts.segments(model.name, "predictions", since),
        *store.facts.segments(model.name, "outcomes", None, as_of),
    ]
    used = tuple(s.digest for s in segments) if rows.height else ()
    content = table_content(rows)
    if not rows.height and not hidden:
        return LoggedRows(features, 0, content, used)
    whole = pl.concat([table, rows])
    for name, value in hidden.items():
        whole = whole.with_columns(_one_value(model, name, value, table.schema[name]))
    data = table_bytes(whole)
    artifact = Artifact(
        digest=store.objects.put_bytes(data),
        content=table_content(whole),
        type=ArtifactType.DATASET,
        format="parquet",
        size=len(data),
        about={"name": f"{model.name} logged rows", "logged_rows": rows.height, **table_about(whole)},
    )
    return LoggedRows(artifact, rows.height, content, used)


def _one_value(model: ModelSpec, name: str, value: Any, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    known = pl.Series(name, [value], strict=False).cast(dtype, strict=False)[0]
    if known is None:
        raise BadStep(
            f"`{value!r}` cannot stand for column `{name}` of type {dtype} in the features of `{model.name}`",
            where=f"{model.file}:{model.line}",
        )
    return pl.lit(known, dtype=dtype).alias(name)


def extension(
    table: pl.DataFrame, predictions: pl.DataFrame, outcomes: pl.DataFrame, model: ModelSpec, classes: list[Any] | None
) -> pl.DataFrame:
    """Logged rows in the shape of the features table, in order of time.

    predictions: columns of the log, features as `f_<name>`. outcomes: prediction_id
    and label (a number; an index into `classes` for a classifier).
    """
    import polars as pl

    kept = predictions.filter(pl.col("flags").is_null() | (pl.col("flags").list.len() == 0))
    kept = kept.sort("answered_at", maintain_order=True).unique("prediction_id", keep="first", maintain_order=True)
    kept = kept.join(
        outcomes.filter(pl.col("label").is_not_null()), on="prediction_id", how="inner", maintain_order="left"
    )
    if model.id is not None:
        known = table.select(pl.col(model.id).cast(pl.String).alias("prediction_id"))
        kept = kept.join(known, on="prediction_id", how="anti", maintain_order="left")
    columns = [_column(name, dtype, kept, model, classes) for name, dtype in table.schema.items()]
    return kept.select(columns).sort(model.time, maintain_order=True)


def _column(name: str, dtype: pl.DataType, kept: pl.DataFrame, model: ModelSpec, classes: list[Any] | None) -> pl.Expr:
    import polars as pl

    if name == model.target:
        label = pl.col("label")
        if classes is not None:
            label = label.cast(pl.Int64).replace_strict(list(range(len(classes))), classes, default=None)
        return label.cast(dtype, strict=False).alias(name)
    if name == model.id:
        return _from_text(pl.col("prediction_id"), dtype).alias(name)
    if name == model.time:
        return _from_instant(pl.col("event_time"), dtype).alias(name)
    if f"f_{name}" not in kept.columns:
        return pl.lit(None, dtype=dtype).alias(name)
    logged = pl.col(f"f_{name}")
    text = kept.schema[f"f_{name}"] == pl.String
    return (_from_text(logged, dtype) if text else logged.cast(dtype, strict=False)).alias(name)


def _from_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Text as another type: the log keeps ids, and what JSON has no type for, as text."""
    import polars as pl

    if isinstance(dtype, pl.Datetime):
        parsed = column.str.to_datetime(time_unit=dtype.time_unit, strict=False)
        return parsed.dt.replace_time_zone(dtype.time_zone) if dtype.time_zone else parsed
    return column.cast(dtype, strict=False)


def _from_instant(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    if dtype == pl.String:
        return column.dt.to_string("iso:strict")
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        return column.dt.convert_time_zone(dtype.time_zone).cast(dtype)
    return column.dt.replace_time_zone(None).cast(dtype)


def _classes(store: Store, model: ModelSpec, table: pl.DataFrame) -> list[Any] | None:
    """The values that a classifier's labels index: its newest version's, else those that the table holds."""
    if model.task == "regression":
        return None
    for version in reversed(store.facts.versions(model.name)):
        if version.signature.get("classes"):
            return list(version.signature["classes"])
    return sorted(table[model.target].drop_nulls().unique().to_list())


def _check_columns(model: ModelSpec, table: pl.DataFrame, hidden: Iterable[str]) -> None:
    place = f"{model.file}:{model.line}"
    roles = [("target", model.target), ("time", model.time), ("id", model.id)]
    for role, name in [*roles, *(("hidden one", name) for name in hidden)]:
        if name is not None and name not in table.columns:
            hint = nearest(name, table.columns, f"it has: {', '.join(table.columns[:12])}")
            raise BadStep(f"the features of `{model.name}` have no column `{name}`, its {role}", where=place, next=hint)
