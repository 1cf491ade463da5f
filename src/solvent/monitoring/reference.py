"""What a model version is compared with: its own evaluation data, never rows that it was fitted on.

For features, where no fitting is at stake, an earlier `history` may lengthen the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import polars as pl

from solvent.data.contracts import Contract, infer_contract
from solvent.monitoring.frames import TIME, canonical, floats_of, losses_of, micros_of, outputs_of
from solvent.monitoring.matrix import compared, feature_matrix
from solvent.monitoring.residuals import PHASES, RESIDUAL_BLOCK, relative_residuals
from solvent.monitoring.settings import MonitorSettings
from solvent.monitoring.state import Track
from solvent.monitoring.tracks import OUTPUT, begin_track, reliance, watched, window_index
from solvent.statistics.blocks import block_length, block_means
from solvent.statistics.bootstrap import block_bootstrap
from solvent.statistics.estimation import LossModel, learn_loss
from solvent.statistics.losses import row_loss, stated_bound
from solvent.statistics.sequential import Interval


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """The version's loss on its own evaluation data, clipped at `bound`, in the metric's unrooted unit.

    mean: with a block-bootstrap interval; block: microseconds, chosen from the autocorrelation of losses;
    means: of the blocks; baseline: the loss of the best constant answer; label_mean: for prevalence or level.
    residuals: label over output less 1 by six hours, with the time of day (0 to 3); output_scale: mean absolute
    output. Several classes have neither baseline nor residuals.
    """

    mean: Interval
    bound: float
    block: int
    means: list[float]
    baseline: float | None
    label_mean: float
    residuals: list[tuple[int, float]]
    output_scale: float
    model: LossModel | None = None


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """All that monitoring knows of a version before it is live.

    window_rows: rows of each whole window of `width`; longest_silence and spacing: seconds between rows, largest and
        median. until: last event time, microseconds. label_delay is not in it: labels carry `known_at`.
    """

    contract: Contract
    task: str
    metric: str
    signature: dict[str, Any]
    tracks: dict[str, Track]
    since: int
    until: int
    window_rows: list[int]
    longest_silence: float
    spacing: float
    risk: Risk | None = None


def worst_tolerated(risk: Risk, settings: MonitorSettings) -> float:
    """The null of the test: the upper bound of the reference's risk and the tolerance, unrooted."""
    upper = risk.mean.upper if np.isfinite(risk.mean.upper) else 2 * risk.mean.value
    return max(upper * (1 + settings.tolerance), 1e-9 * risk.bound)


def build_reference(
    evaluation: pl.DataFrame,
    signature: Mapping[str, Any],
    *,
    settings: MonitorSettings | None = None,
    contract: Contract | None = None,
    history: pl.DataFrame | None = None,
    importance: Mapping[str, float] | None = None,
) -> Reference:
    """The reference of a version.

    evaluation: its evaluation rows: features, time, target and `output` (or columns as in the prediction log).
    signature: the version's: task, target, metric, time, features and, with text labels, classes.
    contract: the version's; inferred from the evaluation rows where there is none.
    history: earlier rows with the same features (training data), for their natural variation only.
    importance: reliance of the model on each feature, for the weights of the drift alarm.
    Raises: ValueError, no rows.
    """
    settings = settings or MonitorSettings()
    frame = canonical(evaluation, signature)
    if frame.height == 0:
        raise ValueError("a reference needs evaluation rows")
    names = [name for name in signature.get("features") or {} if name in frame.columns]
    if contract is None:
        contract = infer_contract(frame.select([TIME, *names]), time=TIME)
    width = int(settings.width.total_seconds() * 1e6)
    longer = _with_history(frame, history, signature, names)
    tracks = _tracks(frame, longer, watched(contract, longer), width, importance)
    micros = micros_of(frame[TIME])
    steps = np.diff(micros)
    gaps = steps[steps > 0] / 1e6 if micros[0] < micros[-1] else np.array([0.0])
    return Reference(
        contract=contract,
        task=str(signature.get("task", "")),
        metric=str(signature.get("metric", "")),
        signature=dict(signature),
        tracks=tracks,
        since=int(micros_of(longer[TIME])[0]),
        until=int(micros[-1]),
        window_rows=_whole_windows(longer, width),
        longest_silence=float(gaps.max()),
        spacing=float(np.median(gaps)),
        risk=_risk(frame, signature, settings, contract),
    )


def _with_history(
    frame: pl.DataFrame, history: pl.DataFrame | None, signature: Mapping[str, Any], names: list[str]
) -> pl.DataFrame:
    if history is None or history.height == 0:
        return frame
    earlier = canonical(history, signature)
    if any(name not in earlier.columns for name in names):
        return frame
    columns = [TIME, *names]
    earlier = earlier.select(columns).filter(pl.col(TIME) < frame[TIME][0])
    return pl.concat([earlier, frame.select(columns)], how="vertical_relaxed")


def _tracks(
    frame: pl.DataFrame,
    longer: pl.DataFrame,
    names: list[str],
    width: int,
    importance: Mapping[str, float] | None,
) -> dict[str, Track]:
    weights = reliance(frame, names, importance)
    which = window_index(longer, width)
    first, begun = int(micros_of(longer[TIME])[0]), int(micros_of(frame[TIME])[0])
    tracks = {name: begin_track(longer[name], which, weight=weights[name], since=first) for name in names}
    typical = float(np.mean(list(weights.values()))) if weights else 1.0
    tracks[OUTPUT] = begin_track(frame[OUTPUT], window_index(frame, width), weight=typical, since=begun)
    return {name: track for name, track in tracks.items() if track is not None}


def _whole_windows(frame: pl.DataFrame, width: int) -> list[int]:
    micros = micros_of(frame[TIME])
    whole = int((micros[-1] - micros[0]) // width)
    if whole < 1:
        return []
    sizes = np.bincount(window_index(frame, width), minlength=whole)
    return [int(n) for n in sizes[:whole][::-1]]


def _risk(
    frame: pl.DataFrame, signature: Mapping[str, Any], settings: MonitorSettings, contract: Contract
) -> Risk | None:
    metric, task = str(signature.get("metric", "")), str(signature.get("task", ""))
    raw = losses_of(frame, metric) if metric else np.array([])
    known = np.isfinite(raw)
    if known.sum() < settings.least_rows:
        return None
    labelled = frame.filter(pl.Series(known))
    label, output = floats_of(labelled["label"]), floats_of(labelled["output"])
    micros, bound = micros_of(labelled[TIME]), stated_bound(metric, raw[known])
    losses = np.minimum(raw[known], bound)
    block = block_length(losses, micros)
    means, _, rows = block_means(losses, micros, block)
    if len(means) < 2:
        return None
    baseline, residuals, scale = None, list[tuple[int, float]](), 0.0
    if task != "multiclass":
        constant = np.full(len(label), np.median(label) if metric == "mae" else label.mean())
        baseline = float(np.minimum(row_loss(metric, label, constant), bound).mean())
        scale = float(np.abs(output).mean())
        starts, values = relative_residuals(label, output, micros, scale)
        phases = starts // RESIDUAL_BLOCK % PHASES
        residuals = [(int(phase), float(value)) for phase, value in zip(phases, values, strict=True)]
    return Risk(
        mean=block_bootstrap(means, rows, level=settings.level),
        bound=bound,
        block=block,
        means=means.tolist(),
        baseline=baseline,
        label_mean=float(label.mean()),
        residuals=residuals,
        output_scale=scale,
        model=learn_loss(
            task,
            metric,
            label,
            outputs_of(labelled),
            micros,
            bound=bound,
            block=block,
            features=feature_matrix(labelled, contract),
            compared=compared(contract),
        ),
    )
