"""Served rows with what became of them: the prediction log joined with outcomes, as of an instant."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from solvent.data.threads import each_column
from solvent.store.log.tables import has_duplicates, places_of

if TYPE_CHECKING:
    from solvent.store import Store

FEATURE = "f_"
_SKEW = timedelta(hours=36)  # by which clocks may differ; no outcome is written longer before its answer


def served_rows(
    store: Store,
    model: str,
    since: datetime,
    until: datetime,
    known_by: datetime,
    features: Collection[str] | None = None,
) -> pl.DataFrame:
    """Rows answered for events in [since, until), in order of time, each with its label as known at `known_by`.

    features: those that are read, as far as the log has them; all without.
    Columns: the log's (prediction_id, event_time, version, output, flags, f_<feature>…) without the request's, plus
    label and known_at, null where no outcome was known. A prediction id that was answered
    several times counts once, by its first answer.
    """
    scan = store.log.scan_predictions(model, since, until).drop("request_id")
    if features is not None:
        wanted = {f"{FEATURE}{name}" for name in features}
        scan = scan.select(n for n in scan.collect_schema() if not n.startswith(FEATURE) or n in wanted)
    rows = _in_one_piece(scan.collect())
    if has_duplicates(rows["prediction_id"]):
        rows = rows.unique("prediction_id", keep="first", maintain_order=True)
    rows = rows.hstack(_labels(store, model, rows, known_by))
    return rows if rows["event_time"].is_sorted() else rows.sort("event_time")


def _in_one_piece(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows, each column in one chunk, so that it is handed on without being copied."""
    return pl.DataFrame(each_column(lambda column: column.rechunk(), rows.get_columns(), rows=rows.height))


def _labels(store: Store, model: str, rows: pl.DataFrame, known_by: datetime) -> pl.DataFrame:
    """Columns label and known_at, row by row.

    No segment of outcomes is opened that was complete before the first of the rows happened or was answered.
    """
    first = rows.select(pl.min_horizontal(pl.col("event_time").min(), pl.col("answered_at").min())).item()
    outcomes = store.log.latest_outcomes(model, known_by, since=None if first is None else first - _SKEW)
    labels = outcomes.select("prediction_id", "label", "known_at").collect()
    places = places_of(rows["prediction_id"], labels["prediction_id"])
    return labels.select(pl.col("label", "known_at").gather(places))


def features_of(rows: pl.DataFrame) -> pl.DataFrame:
    """The feature columns under their own names."""
    names = [name for name in rows.columns if name.startswith(FEATURE)]
    return rows.select(pl.col(name).alias(name.removeprefix(FEATURE)) for name in names)
