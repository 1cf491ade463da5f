"""Labels that became known: checked, told apart, appended to the outcome log.

Append-only: a label that differs from the last one known is a correction, logged as
a further revision; the same label again is a repeat and logged once only. An outcome
of a prediction that the log does not have is kept (the log may be on its way, or
expired) and reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from solvent.foundation.clock import iso, parse_instant, wall_clock
from solvent.foundation.errors import UsageError, nearest
from solvent.registry.signature import Signature, label_value
from solvent.serving.protocol import OutcomeRow
from solvent.serving.rows import EventClock, prediction_id

if TYPE_CHECKING:
    from solvent.store import Store

SHOWN = 20  # ids that are listed
ID_NAMES = ("prediction_id", "id")
LABEL_NAMES = ("label", "outcome")


class BadOutcome(UsageError):
    code = "bad-outcome"


class OutcomeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch; new + corrected + repeated is all of it.

    unknown: of the logged ones, those whose prediction the log does not have.
    bounded: outcomes said to be known in the future, taken as known now.
    """

    new: int
    corrected: int
    repeated: int
    unknown: int
    bounded: int
    unknown_ids: list[str]


class Known(msgspec.Struct, frozen=True):
    """One outcome, typed."""

    id: str
    label: float
    happened_at: datetime
    known_at: datetime


def log_outcomes(
    store: Store,
    model: str,
    signature: Signature,
    rows: Sequence[OutcomeRow],
    clock: EventClock,
    *,
    now: datetime | None = None,
) -> OutcomeReport:
    """Log a batch of outcomes, all or none; logged when it returns.

    now: what an outcome without `known_at` is known at, and the latest that one may be (but in a replay).
    Raises: BadOutcome naming the row; NotLogged.
    """
    arrived = now or wall_clock()
    known = [_known(row, at, signature, arrived, clock) for at, row in enumerate(rows)]
    early = [
        item
        for row, item in zip(rows, known, strict=True)
        if row.known_at and item.known_at < parse_instant(row.known_at)
    ]
    fresh, corrected = _not_repeated(known, _last_labels(store, model, [item.id for item in known]))
    unknown = _unknown(store, model, [item.id for item in fresh])
    if fresh:
        store.log.append_outcomes(
            model,
            {
                "prediction_id": [item.id for item in fresh],
                "label": [item.label for item in fresh],
                "happened_at": [item.happened_at for item in fresh],
                "known_at": [item.known_at for item in fresh],
            },
        )
    return OutcomeReport(
        new=len(fresh) - corrected,
        corrected=corrected,
        repeated=len(known) - len(fresh),
        unknown=len(unknown),
        bounded=len(early),
        unknown_ids=unknown[:SHOWN],
    )


def outcomes_in_table(table: pl.DataFrame, signature: Signature, place: str) -> list[OutcomeRow]:
    """Rows of a table with a prediction id and a label, by these names or by the model's own (id, target).

    Rows without a label are not known yet and are left out. place: names the table in errors.
    Raises: BadOutcome where a column is missing.
    """
    ids = _column(table, [*ID_NAMES, *([signature.id] if signature.id else [])], "prediction ids", place)
    labels = _column(table, [*LABEL_NAMES, signature.target], "labels", place)
    times = {name: table[name].to_list() for name in ("happened_at", "known_at") if name in table.columns}
    return [
        OutcomeRow(
            prediction_id=prediction_id(identity),
            label=label,
            **{name: _text(values[row]) for name, values in times.items()},
        )
        for row, (identity, label) in enumerate(zip(ids, labels, strict=True))
        if label is not None
    ]


def read_outcomes(path: Path, signature: Signature) -> list[OutcomeRow]:
    """The outcomes of a CSV or Parquet file. Raises: BadFile, BadOutcome."""
    from solvent.serving.files import read_table

    return outcomes_in_table(read_table(path, signature), signature, path.name)


def _known(row: OutcomeRow, at: int, signature: Signature, now: datetime, clock: EventClock) -> Known:
    try:
        label = label_value(signature, row.label)
        known_at = now if row.known_at is None else parse_instant(row.known_at)
        happened_at = known_at if row.happened_at is None else parse_instant(row.happened_at)
    except UsageError as error:
        raise BadOutcome(error.what, where=f"outcome {at}", next=error.next) from None
    known_at = known_at if clock.replay else min(known_at, now)
    return Known(prediction_id(row.prediction_id), label, happened_at, known_at)


def _not_repeated(known: list[Known], last: dict[str, float]) -> tuple[list[Known], int]:
    """Outcomes that say something new, and how many of them correct an earlier label."""
    labels = dict(last)
    fresh, corrected = [], 0
    for item in sorted(known, key=lambda item: item.known_at):
        before = labels.get(item.id)
        if before != item.label:
            fresh.append(item)
            corrected += before is not None
            labels[item.id] = item.label
    return fresh, corrected


def _last_labels(store: Store, model: str, ids: list[str]) -> dict[str, float]:
    rows = store.log.latest_outcomes(model, ids=ids)
    table = rows.select("prediction_id", "label").collect()
    return dict(zip(table["prediction_id"], table["label"], strict=True))


def _unknown(store: Store, model: str, ids: list[str]) -> list[str]:
    present = store.log.logged_ids(model, ids)
    return [text for text in dict.fromkeys(ids) if text not in present]


def _column(table: pl.DataFrame, names: Sequence[str], what: str, place: str) -> list[Any]:
    for name in names:
        if name in table.columns:
            return table[name].to_list()
    hint = nearest(names[0], table.columns, f"name a column {' or '.join(f'`{name}`' for name in names)}")
    raise BadOutcome(f"no column of {what}", where=place, next=hint)


def _text(value: Any) -> str | None:
    return None if value is None else iso(value) if isinstance(value, datetime) else str(value)
