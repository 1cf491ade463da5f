"""A window of which a part is labelled: the labels and the loss model's expectation make one figure."""

from __future__ import annotations

import numpy as np
import polars as pl

from solvent.monitoring.frames import TIME, losses_of, micros_of, outputs_of
from solvent.monitoring.matrix import feature_matrix
from solvent.monitoring.reference import Reference
from solvent.monitoring.settings import Findings, MonitorSettings, Subject
from solvent.statistics.losses import metric_named
from solvent.statistics.powered import powered_mean

NAME = "loss.powered"
COMPLETE = 0.9  # share of labels from which the realised loss speaks for the window
_ASSUMES = "the labels known so far are a random part of the window"


def watch_partial(frame: pl.DataFrame, reference: Reference, subject: Subject, settings: MonitorSettings) -> Findings:
    """The loss of a window between its first labels and its last.

    frame: canonical, all of the window. Nothing where every row is labelled or too few are, or without a loss model.
    Unlike the estimate without labels it does not need the relation of inputs to label to have stayed.
    """
    model = reference.risk.model if reference.risk is not None else None
    losses = losses_of(frame, reference.metric) if reference.metric else np.full(frame.height, np.nan)
    known, outputs = np.isfinite(losses), outputs_of(frame)
    answered = np.isfinite(outputs.reshape(frame.height, -1)).all(axis=1)
    rest = answered & ~known
    if model is None or known.sum() < settings.least_rows or not rest.any():
        return Findings()
    expected = np.full(frame.height, np.nan)
    expected[answered] = model.expected(outputs[answered], feature_matrix(frame, reference.contract)[answered])
    found = powered_mean(
        np.minimum(losses[known], model.bound),
        expected[known],
        expected[rest],
        micros_of(frame[TIME])[known] // model.block,
        level=settings.level,
    )
    metric = metric_named(reference.metric)
    upper = metric.shown(found.upper) if np.isfinite(found.upper) else None
    return Findings(
        measurements=[
            subject.measurement(
                NAME,
                metric.shown(found.value),
                metric.unit.replace("target", str(reference.signature.get("target") or "target")),
                lower=metric.shown(max(found.lower, 0.0)),
                upper=upper,
                level=settings.level,
                rows=int(known.sum()),
                about={"mean": found.value, "labelled": float(known.mean()), "assumes": _ASSUMES},
            )
        ]
    )
