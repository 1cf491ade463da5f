"""A version, loaded and ready to answer: verified bytes, the estimator, its signature and contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from solvent.foundation.errors import Refusal, Unexpected
from solvent.registry.frames import as_fitted, build_table, fit_table
from solvent.registry.signature import Signature

if TYPE_CHECKING:
    from solvent.data.contracts import Contract
    from solvent.lineage.entities import ModelVersion
    from solvent.store import Store


class UnsafeFormat(Refusal):
    code = "unsafe-format"

    def __init__(self, name: str, written_by: str) -> None:
        super().__init__(
            f"version {name} is stored as {written_by}, which can run code while it loads",
            next="let the fit step return a scikit-learn estimator, which is stored safely",
        )


@dataclass(frozen=True)
class Outputs:
    """What a model says about n rows.

    output: shape (n,), what the log keeps: the value (regression), the probability of
        the positive class (binary), the index of the predicted class (multiclass).
    probabilities: shape (n, classes), rows sum to 1; None for regression and for
        classifiers that only name a class.
    predictions: the values, or the predicted classes, as plain Python.
    """

    output: NDArray[np.float64]
    probabilities: NDArray[np.float64] | None
    predictions: list[Any]

    def slice(self, start: int, end: int) -> Outputs:
        """Rows start … end − 1."""
        if start == 0 and end == len(self.predictions):
            return self
        some = None if self.probabilities is None else self.probabilities[start:end]
        return Outputs(self.output[start:end], some, self.predictions[start:end])


@dataclass(frozen=True)
class LoadedModel:
    """A model version in memory. Immutable, so that a server swaps it in one assignment."""

    version: ModelVersion
    estimator: Any
    signature: Signature
    contract: Contract | None
    schema: Mapping[str, pl.DataType]

    def predict(self, rows: pl.DataFrame | Mapping[str, Sequence[Any]]) -> Outputs:
        """Answer rows given as a table or as columns of plain values.

        Raises: MissingColumn, BadValue.
        """
        table = fit_table(rows, self.schema) if isinstance(rows, pl.DataFrame) else build_table(rows, self.schema)
        return predict_table(self.estimator, self.signature, table)


def predict_table(estimator: Any, signature: Signature, table: pl.DataFrame) -> Outputs:
    """Answer a table that has the signature's columns and types already."""
    given = as_fitted(signature.completed(table), signature.frame)
    if signature.task == "regression":
        values = np.asarray(estimator.predict(given), dtype=np.float64).reshape(table.height)
        return Outputs(values, None, values.tolist())
    if not hasattr(estimator, "predict_proba"):
        return _named_classes(estimator.predict(given).tolist(), signature)
    probabilities = np.asarray(estimator.predict_proba(given), dtype=np.float64)
    if probabilities.shape != (table.height, len(signature.classes)):
        raise Unexpected(f"the estimator answered shape {probabilities.shape} to {table.height} rows")
    best = probabilities.argmax(axis=1)
    output = best.astype(np.float64) if signature.positive is None else probabilities[:, signature.positive].copy()
    return Outputs(output, probabilities, [signature.classes[index] for index in best])


def _named_classes(predictions: list[Any], signature: Signature) -> Outputs:
    indices = np.array([signature.classes.index(label) for label in predictions], dtype=np.float64)
    return Outputs(indices, None, predictions)


def load_version(store: Store, version: ModelVersion) -> LoadedModel:
    """Read, verify and load a version. The bytes that were verified are the bytes that are parsed.

    Raises: Corrupt or Missing (the store's), UnsafeFormat, and the model file's own refusal of a type
    that no reviewed list names.
    """
    from solvent.data.contracts import Contract
    from solvent.data.modelfile import load_model

    artifact = store.facts.artifact(version.artifact)
    if artifact is None or artifact.format != "skops":
        raise UnsafeFormat(version.name, artifact.format if artifact else "an unknown format")
    estimator = load_model(store.objects.read(version.artifact))
    contract = msgspec.json.decode(store.objects.read(version.contract), type=Contract) if version.contract else None
    signature = Signature.of(version.signature)
    return LoadedModel(version, estimator, signature, contract, signature.schema())
