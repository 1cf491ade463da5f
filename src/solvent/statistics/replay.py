"""Policies lived through again on a loss matrix, each seeing only what was known then.

Block losses have shape (n_ticks, n_spans, n_blocks): entry [i, s, b] is the loss, summed over the rows of block b,
of the model trained at tick i on span s; blocks belong to windows, and tick i comes just before window i. A policy
is a function of what is `Known` at a tick: it may be swapped for a better one without touching the replay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.panel import Memory, Panel
from solvent.statistics.retraining import LEAST_BLOCKS, Schedule, excess_worth
from solvent.statistics.rivals import HORIZON, LEVEL, cara, forecast_saving
from solvent.statistics.sequential import ChangeDetector

Kind = Literal["drift", "performance", "more_data", "schedule"]

_TOLERANCE = 0.1  # a loss this much above the reference's is no alarm


class Choice(msgspec.Struct, frozen=True):
    """Retrain now: on which span, of which kind the reason is, and the reason in words."""

    span: int
    kind: Kind
    reason: str


class Known(msgspec.Struct, frozen=True):
    """What a policy may look at, at one tick.

    tick: the window about to begin; live: (tick, span) of the model in service. losses: shape (tick + 1, n_spans,
    n_known_blocks), of windows whose labels are known; window_of, sizes: shape (n_known_blocks,), the window and the
    rows of each block. drifted: shape (tick,), whether each past window's inputs raised an alarm, which needs no
    label; aged: whether models of equal training size are known to age by now. price: of one retraining, in the unit
    of the losses; rows: shape (n_spans,), that a model of each span would be trained on now; trained: rows of the live
    one.
    """

    tick: int
    live: tuple[int, int]
    losses: Floats
    window_of: Counts
    sizes: Counts
    drifted: Sequence[bool]
    aged: bool
    price: float
    rows: Sequence[int]
    trained: int

    @property
    def windows(self) -> int:
        """How many windows are labelled."""
        return int(self.window_of[-1]) + 1 if len(self.window_of) else 0


Policy = Callable[[Known], Choice | None]


class Retrained(msgspec.Struct, frozen=True):
    """A retraining of a replay; tick: the window before which it happened."""

    tick: int
    span: int
    kind: Kind
    reason: str


def replay(
    policy: Policy,
    losses: Floats,
    window_of: Counts,
    sizes: Counts,
    known: Counts,
    *,
    price: float,
    rows: Counts,
    drifted: Sequence[bool] = (),
    aged: Sequence[bool] = (),
) -> list[Retrained]:
    """Ask the policy before each window from the second on, and do what it says.

    losses, window_of, sizes: as above; known: shape (n_ticks,), how many windows are wholly labelled at each tick;
    rows: shape (n_ticks, n_spans), that a model of each tick and span is trained on. The first model is that of tick 0
    on span 0. drifted: shape (n_windows,); aged: shape (n_ticks,), from what is known at each.
    """
    made: list[Retrained] = []
    live = (0, 0)
    for tick in range(1, losses.shape[0]):
        blocks = int(np.searchsorted(window_of, known[tick], side="left"))
        seen = Known(
            tick=tick,
            live=live,
            losses=losses[: tick + 1, :, :blocks],
            window_of=window_of[:blocks],
            sizes=sizes[:blocks],
            drifted=list(drifted[:tick]),
            aged=bool(aged[tick]) if aged else False,
            price=price,
            rows=rows[tick].tolist(),
            trained=int(rows[live]),
        )
        choice = policy(seen)
        if choice is not None:
            made.append(Retrained(tick, choice.span, choice.kind, choice.reason))
            live = (tick, choice.span)
    return made


def as_schedule(made: Sequence[Retrained]) -> Schedule:
    """The same as ticks and spans, for `schedule_cost`."""
    return [(one.tick, one.span) for one in made]


def on_schedule(every: int, span: int) -> Policy:
    """Retrain at every so many ticks, whatever happens."""

    def decide(seen: Known) -> Choice | None:
        if seen.tick % every:
            return None
        return Choice(span, "schedule", "the day has come")

    return decide


def on_drift(span: int) -> Policy:
    """Retrain after each window whose inputs raised an alarm."""

    def decide(seen: Known) -> Choice | None:
        if not seen.drifted[-1:] or not seen.drifted[-1]:
            return None
        return Choice(span, "drift", "the inputs have drifted")

    return decide


def on_performance(span: int, reference: float, *, run_length: float) -> Policy:
    """Retrain where the live model's loss has risen by more than a tenth above what it was at first.

    reference: mean loss of a row of the first model on rows that it had not seen; run_length: blocks between false
    alarms. A later model's reference is its loss on the first window that is known of it. The detector of a rising
    mean is that of Shin, Ramdas and Rinaldo 2024.
    """

    def decide(seen: Known) -> Choice | None:
        since, span_of = seen.live
        blocks = seen.window_of >= since
        served = seen.losses[since, span_of, blocks] / seen.sizes[blocks]
        windows = seen.window_of[blocks]
        usual = reference
        if since:
            first = windows == since
            if not first.any():
                return None
            usual, served = float(served[first].mean()), served[~first]
        null = usual * (1 + _TOLERANCE)
        if null <= 0 or ChangeDetector.against(null, threshold=run_length).fed(served).alarm_at is None:
            return None
        return Choice(span, "performance", f"the loss rose above {null:.3g} a row")

    return decide


def on_excess(*, horizon: float = 8, recent: int = 8) -> Policy:
    """Solvent's rule: retrain where half of what keeping the model has cost and will cost exceeds the price.

    The evidence is the paired excess of the live model over the freshest model made before each window, on the same
    rows, which cancels season and difficulty (`excess_worth`). The span whose fresh models show the largest worth
    is taken.
    """

    def decide(seen: Known) -> Choice | None:
        spans = range(seen.losses.shape[1])
        found = {span: excess_worth(_pairs(seen, span), horizon=horizon, recent=recent) for span in spans}
        known = {span: excess for span, excess in found.items() if excess.blocks >= LEAST_BLOCKS}
        if not known:
            return None
        span = max(known, key=lambda s: known[s].worth)
        if known[span].worth <= seen.price:
            return None
        excess = known[span]
        reason = f"worth {excess.worth:.3g} against a price of {seen.price:.3g}: {excess.accumulated:.3g} lost so far, "
        reason += f"{excess.expected:.3g} to come over {horizon:g} windows"
        return Choice(span, _kind(seen, span), reason)

    return decide


def looking_ahead(memory: Memory | None = None) -> Policy:
    """Retrain where the plans of a panel of planners begin with it (`Panel`), on the span that they name.

    memory: shared by lives on one and the same matrix, so that each learns it once.
    """
    panel: Panel | None = None

    def decide(seen: Known) -> Choice | None:
        nonlocal panel
        if panel is None or seen.tick == 1:
            panel = Panel(seen.price, memory or Memory())
        outlook = panel.advise(_by_window(seen), seen.live, seen.tick)
        if outlook is None:
            return None
        span = int(np.argmax(outlook.gain))
        if outlook.gain[span] <= 0:
            return None
        reason = f"saves {outlook.gain[span]:.3g} over the windows to come, its price of {seen.price:.3g} paid"
        return Choice(span, _kind(seen, span), reason)

    return decide


def as_cara() -> Policy:
    """The cost-aware rule of Mahadevan and Mathioudakis 2024 (`cara`)."""

    def decide(seen: Known) -> Choice | None:
        span = cara(_by_window(seen), seen.live, seen.tick, seen.price)
        return None if span is None else Choice(span, "performance", "the threshold that was cheapest so far is passed")

    return decide


def on_forecast() -> Policy:
    """Retrain where a forecast of the losses says with confidence that it pays, after Regol et al. 2025."""

    def decide(seen: Known) -> Choice | None:
        saving = forecast_saving(_by_window(seen), seen.live, seen.tick)
        span = int(np.argmax(saving))
        if saving[span] <= seen.price:
            return None
        reason = f"saves at least {saving[span]:.3g} over {HORIZON} windows with a chance of {LEVEL:.0%}"
        return Choice(span, _kind(seen, span), reason)

    return decide


def _by_window(seen: Known) -> Floats:
    """Losses summed by window, shape (tick + 1, n_spans, n_windows); zeros before a model was made."""
    if seen.windows == 0:
        return np.zeros((*seen.losses.shape[:2], 0))
    starts = np.flatnonzero(np.diff(seen.window_of, prepend=-1))
    return np.asarray(np.add.reduceat(np.nan_to_num(seen.losses), starts, axis=2))


def _kind(seen: Known, span: int) -> Kind:
    """`drift` once models of this table are known to age; before, more rows or the realised loss are the reason."""
    if seen.aged:
        return "drift"
    return "more_data" if seen.rows[span] > seen.trained else "performance"


def _pairs(seen: Known, span: int) -> list[Floats]:
    """Block losses of the live model less those of the fresh one, for each window since it was made."""
    since, live_span = seen.live
    live = seen.losses[since, live_span]
    pairs = []
    for window in range(since, seen.windows):
        blocks = slice(*np.searchsorted(seen.window_of, [window, window + 1]))
        pairs.append(np.asarray(live[blocks] - seen.losses[window, span, blocks]))
    return pairs
