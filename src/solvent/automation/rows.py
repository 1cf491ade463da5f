"""Served rows with what became of them: the prediction log joined with outcomes, as of an instant."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from solvent.store import Store

FEATURE = "f_"


def served_rows(store: Store, model: str, since: datetime, until: datetime, known_by: datetime) -> pl.DataFrame:
    """Rows answered for events in [since, until), each with its label as known at `known_by`.

    Columns: the log's (prediction_id, event_time, version, output, flags, f_<feature>…) plus
    label and known_at, null where no outcome was known. A prediction id that was answered
    several times counts once, by its first answer.
    """
    predictions = (
        store.log.scan_predictions(model, since, until)
        .filter(pl.col("event_time") >= since, pl.col("event_time") < until)
        .unique("prediction_id", keep="first", maintain_order=True)
        .collect()
    )
    outcomes = store.log.latest_outcomes(model, known_by, ids=predictions["prediction_id"])
    labels = outcomes.select("prediction_id", "label", "known_at").collect()
    return predictions.join(labels, on="prediction_id", how="left").sort("event_time")


def features_of(rows: pl.DataFrame) -> pl.DataFrame:
    """The feature columns under their own names."""
    names = [name for name in rows.columns if name.startswith(FEATURE)]
    return rows.select(pl.col(name).alias(name.removeprefix(FEATURE)) for name in names)
