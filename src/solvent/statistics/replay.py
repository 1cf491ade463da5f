"""Policies lived through again on a loss matrix, each seeing only what was known then.

Block losses have shape (n_ticks, n_spans, n_blocks): entry [i, s, b] is the loss, summed over the rows of block b,
of the model trained at tick i on span s; blocks belong to windows, and tick i comes just before window i. A policy
is a function of what is `Known` at a tick: it may be swapped for a better one without touching the replay. It sees the
losses of models that it served or had trained as shadows, and of no others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np
from threadpoolctl import ThreadpoolController

from solvent.statistics.arrays import Counts, Flags, Floats
from solvent.statistics.foresight import Situation, advise
from solvent.statistics.loss_process import LEARNED, Prior
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


class Shadows(msgspec.Struct, frozen=True):
    """Train these models, (tick, span) each and none of a later tick, only to compare; then the policy is asked again.

    A model of an earlier tick is trained on the rows that were known then, and scored on the windows since.
    """

    models: list[tuple[int, int]]


class Known(msgspec.Struct, frozen=True):
    """What a policy may look at, at one tick.

    tick: the window about to begin; live: (tick, span) of the model in service. losses: shape (tick + 1, n_spans,
    n_known_blocks), of windows whose labels are known, NaN where the model was not trained or came later; made: shape
    (tick + 1, n_spans), which models were trained. window_of, sizes: shape (n_known_blocks,), the window and the rows
    of each block. drifted: shape (tick,), whether each past window's inputs raised an alarm, which needs no label;
    aged: whether models of equal training size are known to age by now. rows: shape (tick + 1, n_spans), that a model
    of each tick and span is trained on. price: of one retraining, fit: of a shadow on all rows, usual: loss that a
    window was expected to have before any was known, all in the unit of the losses. fewer: how many spans, the last
    ones, are of models that do not know a feature.
    """

    tick: int
    live: tuple[int, int]
    losses: Floats
    made: Flags
    window_of: Counts
    sizes: Counts
    drifted: Sequence[bool]
    aged: bool
    rows: Counts
    price: float
    fit: float
    usual: float
    fewer: int

    @property
    def windows(self) -> int:
        """How many windows are labelled."""
        return int(self.window_of[-1]) + 1 if len(self.window_of) else 0


Policy = Callable[[Known], Choice | Shadows | None]


class Retrained(msgspec.Struct, frozen=True):
    """A retraining of a replay; tick: the window before which it happened."""

    tick: int
    span: int
    kind: Kind
    reason: str


class Lived(msgspec.Struct, frozen=True):
    """What a policy did. shadows: models that it had trained and did not put into service, (tick, span) each."""

    retrained: list[Retrained]
    shadows: list[tuple[int, int]]


def replay(
    policy: Policy,
    losses: Floats,
    window_of: Counts,
    sizes: Counts,
    known: Counts,
    *,
    price: float,
    rows: Counts,
    fit: float = 0.0,
    usual: float = 1.0,
    stride: int = 1,
    drifted: Sequence[bool] = (),
    aged: Sequence[bool] = (),
    opens: Sequence[int] = (),
    fewer: int = 0,
) -> Lived:
    """Ask the policy before each window from the second on, and do what it says.

    losses, window_of, sizes: as above; known: shape (n_ticks,), how many windows are wholly labelled at each tick;
    rows: shape (n_ticks, n_spans), that a model of each tick and span is trained on. The first model is that of tick 0,
    on any span. stride: ticks between the models of the matrix; in between, the one before stands for them. drifted:
    shape (n_windows,); aged: shape (n_ticks,), from what is known at each. fit, usual: as in `Known`. opens: shape
    (n_spans,), rising, the tick from which a span may be trained on; its first model is known then. fewer: how many of
    the last spans are of models that do not know a feature.
    """
    retrained: list[Retrained] = []
    shadows: list[tuple[int, int]] = []
    one_thread = ThreadpoolController().wrap(limits=1)  # the matrices are small: threads only wait for each other
    seen, made = np.full_like(losses, np.nan), np.zeros(losses.shape[:2], dtype=bool)

    def train(tick: int, span: int) -> tuple[int, int]:
        first = tick - tick % stride
        alike = slice(first, first + stride)
        seen[alike, span], made[alike, span] = losses[alike, span], True
        return first, span

    opened, live = 0, (0, 0)
    for tick in range(losses.shape[0]):
        while opened < losses.shape[1] and (not opens or opens[opened] <= tick):
            train(0, opened)
            opened += 1
        if tick == 0:
            continue
        blocks = int(np.searchsorted(window_of, known[tick], side="left"))
        now = Known(
            tick=tick,
            live=live,
            losses=seen[: tick + 1, :opened, :blocks],
            made=made[: tick + 1, :opened],
            window_of=window_of[:blocks],
            sizes=sizes[:blocks],
            drifted=list(drifted[:tick]),
            aged=bool(aged[tick]) if aged else False,
            rows=rows[: tick + 1, :opened],
            price=price,
            fit=fit,
            usual=usual,
            fewer=max(opened + fewer - losses.shape[1], 0),
        )
        while isinstance(choice := one_thread(policy)(now), Shadows):
            shadows += [train(*model) for model in choice.models if model[0] <= tick and not made[model]]
        if choice is not None:
            live = (tick, choice.span)
            train(*live)
            retrained.append(Retrained(tick, choice.span, choice.kind, choice.reason))
    served = {(one.tick, one.span) for one in retrained}
    return Lived(retrained, [model for model in shadows if model not in served])


def comparing(policy: Policy) -> Policy:
    """The same, with a shadow of every span trained at every tick before it is asked."""

    def decide(seen: Known) -> Choice | Shadows | None:
        missing = [(seen.tick, span) for span in range(seen.made.shape[1]) if not seen.made[seen.tick, span]]
        return Shadows(missing) if missing else policy(seen)

    return decide


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


def looking_ahead(prior: Prior = LEARNED) -> Policy:
    """Retrain where the cheapest plan for the next windows begins with it, on the span that it names (`advise`).

    Shadows are trained only where what they would tell is worth their price.
    """

    def decide(seen: Known) -> Choice | Shadows | None:
        advice = advise(
            Situation(
                tick=seen.tick,
                live=seen.live,
                losses=_by_window(seen),
                made=seen.made,
                rows=seen.rows,
                price=seen.price,
                fit=seen.fit,
                usual=seen.usual,
                fewer=seen.fewer,
            ),
            prior,
        )
        if advice.shadow is not None:
            return Shadows([advice.shadow])
        if advice.span is None:
            return None
        reason = f"saves {advice.saves:.3g} over the windows to come, its price of {seen.price:.3g} paid"
        return Choice(advice.span, _kind(seen, advice.span), reason)

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
    """`drift` once models of this table are known to age, and where a feature that wanders is left out; before, more
    rows or the realised loss are the reason.
    """
    if seen.aged or span >= seen.made.shape[1] - seen.fewer:
        return "drift"
    return "more_data" if seen.rows[seen.tick, span] > seen.rows[seen.live] else "performance"


def _pairs(seen: Known, span: int) -> list[Floats]:
    """Block losses of the live model less those of the fresh one, for each window since it was made."""
    since, live_span = seen.live
    live = seen.losses[since, live_span]
    pairs = []
    for window in range(since, seen.windows):
        blocks = slice(*np.searchsorted(seen.window_of, [window, window + 1]))
        pairs.append(np.asarray(live[blocks] - seen.losses[window, span, blocks]))
    return pairs
