"""What other policies would have cost: looking back over a life whose outcomes are known.

A tick leaves its shadows: models trained on what was known then. What the policy did not ask for is trained now, as
of then. Scored on the same served rows, they fill a matrix of losses by (tick, span, window), on which any schedule of
retrainings can be priced after the fact: it would have served exactly these models. What is found goes into the store
as measurements: `counterfactual.never` and `counterfactual.monthly` by window, `cost.<policy>` over all.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from solvent.automation.evidence import answerable
from solvent.automation.rows import served_rows
from solvent.automation.scoring import Scorer
from solvent.automation.shadows import Pools, make_shadows, model_spec
from solvent.automation.state import NAME, LoopState, Shadow
from solvent.foundation.clock import iso
from solvent.foundation.settings import PolicySettings, price
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Action, Measurement, ModelVersion
from solvent.registry.references import CHAMPION
from solvent.registry.signature import Signature
from solvent.statistics.losses import row_loss
from solvent.statistics.retraining import Schedule, best_schedule_in_hindsight, every, oracle, schedule_cost

if TYPE_CHECKING:
    from solvent.project import Project
    from solvent.store import Store

Floats = NDArray[np.float64]
ROWS = 500  # of a window that the whole matrix is scored on, evenly spaced in time; all where there are fewer
MONTH = timedelta(weeks=4)


class PolicyCost(msgspec.Struct, frozen=True, kw_only=True):
    """What one policy cost, or would have cost.

    cost: losses at their price, roll-outs and fits; error: mean loss of a row.
    """

    policy: str
    cost: float
    error: float
    retrained: int
    note: str = ""


class Hindsight(msgspec.Struct, frozen=True, kw_only=True):
    """windows: how many were priced; rows: labelled ones in them; scored: how many of those the matrix rests on."""

    model: str
    windows: int
    rows: int
    scored: int
    unit: str
    costs: list[PolicyCost]

    def cost(self, policy: str) -> PolicyCost:
        """Raises: KeyError."""
        return {cost.policy: cost for cost in self.costs}[policy]


class _Life(msgspec.Struct, frozen=True):
    """The labelled rows of a life. at: window of each row; loss: as served."""

    rows: pl.DataFrame
    at: NDArray[np.int64]
    label: Floats
    loss: Floats


class _Bill(msgspec.Struct, frozen=True):
    """Prices in units of loss. fits: trainings that the lived policy paid for; rollouts: likewise."""

    rollout: float
    fit: float
    fits: int
    rollouts: int


def look_back(
    project: Project, model: str, *, now: datetime, pools: Pools, scorer: Scorer | None = None
) -> Hindsight | None:
    """Price never, monthly, the best fixed schedule, this policy as lived, and the oracle; and record it.

    now: the clock of this look; outcomes known by then count. pools: train the shadows that no tick did; they are on
        nobody's bill. scorer: of a loop that ran in this process, which has the shadows in memory.
    Returns: None where there is nothing to compare yet: fewer than two closed windows.
    Raises: UnknownModel; Corrupt or Missing for a shadow's file.
    """
    store, settings = project.store, project.settings.model(model)
    versions = store.facts.versions(model)
    windows = _windows(store, model)
    if not versions or len(windows) < 2:
        return None
    first, spans = versions[0], settings.policy.spans
    shadows = _shadows(store, model, [start for start, _ in windows], spans)
    signature, scorer = Signature.of(first.signature), scorer or Scorer(store)
    life = _lived(store, first, windows, scorer, now)
    grid = _candidates({**_missing(project, model, windows, shadows, pools), **shadows}, first, len(windows), spans)
    losses, sample = _matrix(life, grid, signature, scorer, len(windows))
    month = max(1, round(MONTH / (windows[0][1] - windows[0][0])))
    bill = _bill(store, model, settings.policy, len(shadows) + _without_features(store, model, windows))
    unit = settings.monitor.unit.split("/")[0] or signature.metric.replace("_", " ")
    found = Hindsight(
        model=model,
        windows=len(windows),
        rows=life.rows.height,
        scored=int(sample.sum()),
        unit=unit,
        costs=_costs(life, losses, sample, bill, settings.policy, spans, month),
    )
    curves = {
        "never": _follow(life, grid, [], signature, scorer),
        "monthly": _follow(life, grid, every(month, _all(spans), len(windows)), signature, scorer),
    }
    store.facts.add_measurements(_measurements(found, curves, life, windows, first, settings.monitor.unit, now))
    return found


def _missing(
    project: Project,
    model: str,
    windows: Sequence[tuple[datetime, datetime]],
    shadows: Container[tuple[int, int]],
    pools: Pools,
) -> dict[tuple[int, int], Digest]:
    """The shadows that no tick trained, as of the start of each window; none of what cannot be trained any more."""
    declared, spans = model_spec(project.spec, model), project.settings.model(model).policy.spans
    found: dict[tuple[int, int], Digest] = {}
    for tick, (start, _) in enumerate(windows):
        missing = [span for span in range(len(spans)) if tick and (tick, span) not in shadows]
        if declared is not None and missing:
            made = make_shadows(project, declared, [spans[span] for span in missing], start, pools)
            pairs = zip(missing, made, strict=True)
            found |= {(tick, span): one.estimator for span, one in pairs if isinstance(one, Shadow)}
    return found


def _windows(store: Store, model: str) -> list[tuple[datetime, datetime]]:
    """The closed windows that a tick measured, in order of time."""
    measured = store.facts.measurements(model, ["volume"])
    return sorted({(m.window_start, m.window_end) for m in measured if not m.slice})


def _lived(
    store: Store, first: ModelVersion, windows: Sequence[tuple[datetime, datetime]], scorer: Scorer, now: datetime
) -> _Life:
    """Without rows that lack a feature of the first version: no other model of its pipeline can be asked about them."""
    rows = served_rows(store, first.model, windows[0][0], windows[-1][1], now)
    asked = answerable(rows, first.model, Signature.of(first.signature), scorer)
    rows = rows.filter(pl.col("label").is_not_null(), pl.Series(asked))
    starts = pl.Series([start for start, _ in windows]).cast(pl.Datetime("us", "UTC")).to_physical().to_numpy()
    times = rows["event_time"].cast(pl.Datetime("us", "UTC")).to_physical().to_numpy()
    label = rows["label"].cast(pl.Float64).to_numpy()
    loss = row_loss(str(first.signature["metric"]), label, rows["output"].cast(pl.Float64).to_numpy())
    return _Life(rows, np.searchsorted(starts, times, side="right") - 1, label, loss)


def _candidates(
    shadows: dict[tuple[int, int], Digest], first: ModelVersion, windows: int, spans: Sequence[str]
) -> dict[tuple[int, int], Digest]:
    """The model that a schedule gets at (tick, span): that tick's shadow, else the newest one before it."""
    grid: dict[tuple[int, int], Digest] = {}
    for span in range(len(spans)):
        newest = first.artifact
        for tick in range(windows):
            newest = shadows.get((tick, span), newest) if tick else first.artifact
            grid[tick, span] = newest
    return grid


def _matrix(
    life: _Life, grid: dict[tuple[int, int], Digest], signature: Signature, scorer: Scorer, windows: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """The loss matrix, shape (ticks, spans, windows), and which rows it rests on.

    A window's sum is the mean over its sampled rows times its rows.
    """
    sample = _spread(life.at, windows)
    rows, at, label = life.rows.filter(sample), life.at[sample], life.label[sample]
    weight = np.bincount(life.at, minlength=windows) / np.maximum(np.bincount(at, minlength=windows), 1)
    spans = 1 + max(span for _, span in grid)
    losses = np.zeros((windows, spans, windows))
    for tick, span in sorted(grid):
        ahead = at >= tick
        output = scorer.outputs(grid[tick, span], signature, rows.filter(ahead))
        loss = row_loss(signature.metric, label[ahead], output)
        losses[tick, span] = weight * np.bincount(at[ahead], loss, minlength=windows)
    return losses, sample


def _spread(at: NDArray[np.int64], windows: int) -> NDArray[np.bool_]:
    """At most ROWS rows of each window, evenly spaced. at: window of each row, rising."""
    chosen = np.zeros(len(at), dtype=bool)
    for window in range(windows):
        low, high = np.searchsorted(at, [window, window + 1])
        chosen[np.unique(np.linspace(low, high - 1, min(ROWS, high - low)).astype(int))] = True
    return chosen


def _follow(
    life: _Life, grid: dict[tuple[int, int], Digest], plan: Schedule, signature: Signature, scorer: Scorer
) -> Floats:
    """Loss of each row had this schedule been followed."""
    loss = np.empty(life.rows.height)
    marks = [(0, 0), *plan, (1 + int(life.at.max(initial=0)), 0)]
    for (tick, span), (until, _) in pairwise(marks):
        served = (life.at >= tick) & (life.at < until)
        output = scorer.outputs(grid[tick, span], signature, life.rows.filter(served))
        loss[served] = row_loss(signature.metric, life.label[served], output)
    return loss


def _bill(store: Store, model: str, policy: PolicySettings, fits: int) -> _Bill:
    """As the policy itself priced them; a roll-back costs no roll-out."""
    window_loss = (LoopState.of(store.facts.state(model, NAME)).window_loss or 0.0) * policy.loss
    back = {made.key for made in store.facts.decisions(model, action=Action.ROLL_BACK)}
    moves = [move for move in store.facts.alias_moves(model, CHAMPION) if move.decision not in back]
    rollout, fit = (price(setting, window_loss) for setting in (policy.rollout, policy.fit))
    return _Bill(rollout, fit, fits, max(len(moves) - 1, 0))


def _costs(
    life: _Life,
    losses: Floats,
    sample: NDArray[np.bool_],
    bill: _Bill,
    policy: PolicySettings,
    spans: Sequence[str],
    month: int,
) -> list[PolicyCost]:
    windows, priced = losses.shape[2], losses * policy.loss
    each, rows = bill.rollout + bill.fit, max(life.rows.height, 1)
    counts = np.bincount(life.at, minlength=windows) / np.maximum(np.bincount(life.at[sample], minlength=windows), 1)
    served = float(counts @ np.bincount(life.at[sample], life.loss[sample], minlength=windows)) * policy.loss
    monthly = every(month, _all(spans), windows)
    best, ideal = best_schedule_in_hindsight(priced, each), oracle(priced, each)
    span = spans[best.retrainings[0][1]] if best.retrainings else ""

    def cost(name: str, total: float, retrained: int, fees: float, note: str = "") -> PolicyCost:
        error = (total - fees) / policy.loss / rows if policy.loss else 0.0
        return PolicyCost(policy=name, cost=total, error=error, retrained=retrained, note=note)

    def planned(name: str, total: float, plan: Schedule, note: str = "") -> PolicyCost:
        return cost(name, total, len(plan), len(plan) * each, note)

    fees = bill.rollouts * bill.rollout + bill.fits * bill.fit
    kept = f"every {best.every} windows on {span}" if best.every else "never, as it turned out"
    return [
        planned("never", schedule_cost(priced, [], each), []),
        planned("monthly", schedule_cost(priced, monthly, each), monthly, f"every {month} windows on all rows"),
        planned("hindsight", best.cost, best.retrainings, kept),
        cost("solvent", served + fees, bill.rollouts, fees, f"{bill.fits} shadows paid for"),
        planned("oracle", ideal.cost, ideal.retrainings, "knows every outcome beforehand"),
    ]


def _measurements(
    found: Hindsight,
    curves: dict[str, Floats],
    life: _Life,
    windows: Sequence[tuple[datetime, datetime]],
    first: ModelVersion,
    unit: str,
    now: datetime,
) -> list[Measurement]:
    rows = np.bincount(life.at, minlength=len(windows))
    by_window = [
        Measurement(
            model=found.model,
            number=first.number if name == "never" else None,
            name=f"counterfactual.{name}",
            window_start=start,
            window_end=end,
            value=float(total / count),
            unit=unit,
            rows=int(count),
            measured_at=now,
        )
        for name, loss in curves.items()
        for (start, end), total, count in zip(
            windows, np.bincount(life.at, loss, minlength=len(windows)), rows, strict=True
        )
        if count
    ]
    over_all = [
        Measurement(
            model=found.model,
            number=None,
            name=f"cost.{cost.policy}",
            window_start=windows[0][0],
            window_end=windows[-1][1],
            value=cost.cost,
            unit=found.unit,
            rows=found.rows,
            about={"retrained": cost.retrained, "error": cost.error, "note": cost.note, "scored": found.scored},
            measured_at=now,
        )
        for cost in found.costs
    ]
    return by_window + over_all


def _all(spans: Sequence[str]) -> int:
    """Position of the span that keeps every row; the first one where none does."""
    return spans.index("all") if "all" in spans else 0


def _shadows(
    store: Store, model: str, ticks: Sequence[datetime], spans: Sequence[str]
) -> dict[tuple[int, int], Digest]:
    """The model of each shadow that a tick recorded, by (tick, span); tick i is at the start of window i."""
    found: dict[tuple[int, int], Digest] = {}
    for tick, at in enumerate(ticks):
        for span, name in enumerate(spans):
            kept = store.facts.state(model, f"shadow:{iso(at)}:{name}")
            if kept is not None:
                found[tick, span] = msgspec.convert(kept, Shadow).estimator
    return found


def _without_features(store: Store, model: str, windows: Sequence[tuple[datetime, datetime]]) -> int:
    """How many models were trained without a feature: no schedule gets them, but the policy paid for them."""
    state = LoopState.of(store.facts.state(model, NAME))
    instants = {*(one.made_at for one in state.tried), *(end for _, end in windows)}
    names = [f"shadow:{iso(at)}:{span}" for at in instants for span in state.hidden]
    return sum(store.facts.state(model, name) is not None for name in names)
