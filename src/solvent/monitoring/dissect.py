"""What a loss that rose is made of: inputs of a harder kind, another relation to the label, or one slice."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import polars as pl

from solvent.data.contracts import ColumnType
from solvent.monitoring.frames import TIME, losses_of, micros_of, outputs_of
from solvent.monitoring.matrix import coded, compared, feature_matrix
from solvent.monitoring.reference import Reference
from solvent.statistics.arrays import Floats
from solvent.statistics.decomposition import Parts, decompose
from solvent.statistics.domain import even_draw, tell_apart
from solvent.statistics.estimation import MOST_WINDOW
from solvent.statistics.slices import Bound, SliceExcess, excess_slices

_MOST_SHARE = 0.5  # of the rows that a slice may have
_LEAST_CARRIED = 0.6  # of the excess that it must carry, to be named as the place
_MOST_CATEGORIES = 20


class Dissection(msgspec.Struct, frozen=True):
    """parts: of the rise; moved: features that tell the rows from the reference's, the clearest first; place: the slice
    that carries most of what the loss model did not expect, in words; excess: its figures.
    """

    parts: Parts | None = None
    moved: list[str] = msgspec.field(default_factory=list)
    place: str = ""
    excess: SliceExcess | None = None

    @property
    def of_inputs(self) -> bool:
        """Whether the rise is shown to come from other inputs, and mostly so."""
        return (
            self.parts is not None
            and self.parts.covariate.lower > 0
            and self.parts.covariate.value > self.parts.concept.value
        )

    def as_evidence(self) -> dict[str, Any]:
        """As JSON, for the alert."""
        told: dict[str, Any] = {"moved": self.moved, "place": self.place or None}
        if self.parts is not None:
            parts = {"total": self.parts.total, "inputs": self.parts.covariate, "relation": self.parts.concept}
            told["parts"] = {name: [one.lower, one.value, one.upper] for name, one in parts.items()}
            told["parts"]["level"], told["parts"]["shared_rows"] = self.parts.total.level, round(self.parts.shared)
        if self.excess is not None:
            told["slice"] = msgspec.to_builtins(self.excess)
        return told


def dissect(frame: pl.DataFrame, reference: Reference, *, level: float) -> Dissection:
    """Take the labelled rows of a canonical frame apart, an even draw of very many.

    Returns: empty where the reference cannot say what to expect.
    """
    model = reference.risk.model if reference.risk is not None else None
    if model is None or model.features is None:
        return Dissection()
    losses, outputs = np.minimum(losses_of(frame, reference.metric), model.bound), outputs_of(frame)
    known = np.flatnonzero(np.isfinite(losses))
    known = known[even_draw(len(known), MOST_WINDOW)]
    frame, losses, outputs = frame[known], losses[known], outputs[known]
    features, micros = feature_matrix(frame, reference.contract), micros_of(frame[TIME])
    alike = compared(reference.contract)
    apart = tell_apart(model.features[:, alike], features[:, alike])
    if apart is None:
        return Dissection()
    blocks = micros // model.block
    parts = decompose(
        model.losses, losses, apart.reference, apart.window, model.micros // model.block, blocks, level=level
    )
    names = [column.name for column, kept in zip(coded(reference.contract), alike, strict=True) if kept]
    clear = np.flatnonzero(apart.importance > 1.5 / len(apart.importance))
    moved = [names[at] for at in sorted(clear, key=lambda at: -apart.importance[at])]
    split, words = _split_columns(reference, features)
    found = excess_slices(split, losses - model.expected(outputs, features), blocks, words, level=level)
    worst = next((one for one in found if one.share <= _MOST_SHARE and one.carried >= _LEAST_CARRIED), None)
    return Dissection(parts, moved, _words(worst), worst)


def _split_columns(reference: Reference, features: Floats) -> tuple[Floats, list[str]]:
    """Columns that a tree may split on: numbers, and for each common category whether it is that."""
    columns, words = list[Floats](), list[str]()
    for at, column in enumerate(coded(reference.contract)):
        if column.type is ColumnType.CATEGORY:
            for place, category in enumerate((column.categories or [])[:_MOST_CATEGORIES]):
                columns.append((features[:, at] == place).astype(float))
                words.append(f"{column.name}={category}")
        else:
            columns.append(features[:, at])
            words.append(column.name)
    return (np.column_stack(columns) if columns else np.empty((len(features), 0))), words


def _words(found: SliceExcess | None) -> str:
    return " and ".join(_bound_words(bound) for bound in found.bounds) if found is not None else ""


def _bound_words(bound: Bound) -> str:
    name, is_category, value = bound.feature.partition("=")
    if is_category:
        return f"{name} is {value}" if bound.low is not None else f"{name} is not {value}"
    return str(bound)
