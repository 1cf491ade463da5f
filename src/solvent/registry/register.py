"""From a fitted estimator to a numbered version: signature, contract, reference, figures; then the facts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from solvent.data.contracts import Contract, infer_contract
from solvent.data.modelfile import load_model
from solvent.data.tablefile import table_about, table_bytes, table_content
from solvent.foundation.errors import UsageError
from solvent.lineage.digests import Digest, canonical
from solvent.lineage.entities import Actor, Artifact, ArtifactType, ModelVersion, NodeKind
from solvent.registry.frames import fit_table
from solvent.registry.package import UnsafeFormat, predict_table
from solvent.registry.signature import Declared, Plain, Signature, infer_signature, label_value
from solvent.registry.versions import register_version
from solvent.statistics.losses import metric_named

if TYPE_CHECKING:
    from solvent.store import Store

LATENCY_ROUNDS = 21


class EmptyEvaluation(UsageError):
    code = "empty-evaluation"


class DeclaredModel(Declared, Protocol):
    """A `model(...)` declaration."""

    @property
    def name(self) -> str: ...


def register(
    store: Store,
    declared: DeclaredModel,
    *,
    estimator: Digest,
    run: str | None,
    features: pl.DataFrame,
    evaluation: pl.DataFrame,
    actor: Actor,
    at: datetime,
    contract: Contract | None = None,
    fitted_on: str = "polars",
    about: Mapping[str, Any] | None = None,
    made_from: Mapping[str, Digest] | None = None,
    hidden: Mapping[str, Plain] | None = None,
) -> ModelVersion:
    """Register the estimator that a run made as the model's next version.

    features: the table that the model learned from; the contract is inferred from it unless one is given.
    evaluation: rows that it did not learn from; answered by it, they become the version's reference.
    made_from: digests of the two tables, by `features` and `evaluation`, for the lineage of contract and reference.
    hidden: features that the estimator was not shown, each with the value that it was given instead in every row.
    An estimator of equal content under the same declaration is the version that it was, and nothing is computed.
    Raises: BadModel, UnknownMetric, UnsafeFormat, UnsafeModel, EmptyEvaluation.
    """
    metric_named(declared.metric)  # refused here rather than at the first tick
    artifact = store.facts.artifact(estimator)
    if artifact is None or artifact.format != "skops":
        raise UnsafeFormat(f"{declared.name} (new)", artifact.format if artifact else "an unknown format")
    known = _known_version(store, declared, artifact)
    if known is not None:
        return register_version(store, known, actor=actor)
    if evaluation.is_empty():
        raise EmptyEvaluation(f"the evaluation table of `{declared.name}` has no rows", next="move the split earlier")
    fitted = load_model(store.objects.read(estimator))
    signature = infer_signature(fitted, declared, features, fitted_on=fitted_on).hiding(hidden or {})
    used = [name for name in features.columns if name not in signature.extras]
    kept = contract or infer_contract(features.select(used), time=declared.time, target=declared.target, id=declared.id)
    origins = made_from or {}
    version = ModelVersion(
        model=declared.name,
        number=0,
        artifact=estimator,
        run=run,
        created_at=at,
        signature=signature.as_dict(),
        contract=_keep_contract(store, kept, origins.get("features")),
        reference=_keep_reference(store, reference_table(fitted, signature, evaluation), origins.get("evaluation")),
        about={
            **(about or {}),
            "size_bytes": artifact.size,
            "latency_seconds": round(latency(fitted, signature, evaluation), 6),
        },
    )
    store.facts.add_model(declared.name, _declaration(declared))
    registered = register_version(store, version, actor=actor)
    store.facts.add_columns(registered.name, signature.features)
    return registered


def reference_table(estimator: Any, signature: Signature, evaluation: pl.DataFrame) -> pl.DataFrame:
    """The evaluation rows answered, in the columns of the prediction log, so that windows compare with it directly.

    Columns: prediction_id, event_time (where the model has them), output, output_classes
    (multiclass), label (f64, class index for classes; null where unknown), `f_<name>` per feature.
    """
    features = fit_table(evaluation, signature.schema())
    outputs = predict_table(estimator, signature, features)
    columns: list[pl.Series] = []
    if signature.id in evaluation.columns:
        columns.append(evaluation[signature.id].cast(pl.String).alias("prediction_id"))
    if signature.time in evaluation.columns:
        columns.append(_instants(evaluation[signature.time]).alias("event_time"))
    columns.append(pl.Series("output", outputs.output))
    if signature.task == "multiclass" and outputs.probabilities is not None:
        columns.append(pl.Series("output_classes", outputs.probabilities.tolist(), dtype=pl.List(pl.Float64)))
    if signature.target in evaluation.columns:
        labels = [None if v is None else label_value(signature, v) for v in evaluation[signature.target].to_list()]
        columns.append(pl.Series("label", labels, dtype=pl.Float64))
    return pl.DataFrame([*columns, *(series.alias(f"f_{series.name}") for series in features)])


def latency(estimator: Any, signature: Signature, table: pl.DataFrame) -> float:
    """Median seconds that the estimator takes for one row (any value of it, the first row's)."""
    row = fit_table(table.head(1), signature.schema())
    seconds = []
    for _ in range(LATENCY_ROUNDS):
        start = time.perf_counter()
        predict_table(estimator, signature, row)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def _known_version(store: Store, declared: DeclaredModel, artifact: Artifact) -> ModelVersion | None:
    """The newest version that is this estimator, declared like this."""
    said = _declaration(declared)
    versions = [v for v in store.facts.versions(declared.name) if {k: v.signature.get(k) for k in said} == said]
    contents = store.facts.artifacts([version.artifact for version in versions])
    same = [v for v in versions if v.artifact in contents and contents[v.artifact].content == artifact.content]
    return same[-1] if same else None


def _keep_contract(store: Store, contract: Contract, origin: Digest | None) -> Digest:
    data = canonical(contract)
    digest = store.objects.put_bytes(data)
    artifact = Artifact(
        digest=digest,
        content=digest,
        type=ArtifactType.CONTRACT,
        format="json",
        size=len(data),
        about={"columns": [column.name for column in contract.columns]},
    )
    _record(store, artifact, origin, "inferred")
    return digest


def _keep_reference(store: Store, table: pl.DataFrame, origin: Digest | None) -> Digest:
    data = table_bytes(table)
    digest = store.objects.put_bytes(data)
    artifact = Artifact(
        digest=digest,
        content=table_content(table),
        type=ArtifactType.PREDICTIONS,
        format="parquet",
        size=len(data),
        about=table_about(table),
    )
    _record(store, artifact, origin, "answered")
    return digest


def _record(store: Store, artifact: Artifact, origin: Digest | None, role: str) -> None:
    """Bytes are stored; now the fact, and the edge from the table that it was made of."""
    store.facts.add_artifact(artifact)
    if origin is not None and origin != artifact.digest:
        store.facts.add_edges([((NodeKind.ARTIFACT, origin), (NodeKind.ARTIFACT, artifact.digest), role)])


def _instants(series: pl.Series) -> pl.Series:
    """A time column as the log keeps it: microseconds, UTC; without a zone it is UTC."""
    if series.dtype == pl.String:
        series = series.str.to_datetime(time_unit="us", time_zone="UTC")
    if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone is not None:
        return series.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
    return series.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _declaration(declared: DeclaredModel) -> dict[str, Any]:
    fields: Sequence[str] = ("task", "target", "metric", "time", "id")
    return {field: getattr(declared, field) for field in fields}
