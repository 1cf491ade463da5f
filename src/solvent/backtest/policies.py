"""The policies compared: each replayed on the matrix with what was known then, and paid for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from solvent.backtest.cut import Course
from solvent.backtest.matrix import Matrix
from solvent.backtest.reference import Reference
from solvent.statistics.arrays import Counts
from solvent.statistics.replay import (
    Lived,
    Policy,
    Retrained,
    as_cara,
    as_schedule,
    comparing,
    looking_ahead,
    on_drift,
    on_excess,
    on_forecast,
    on_performance,
    on_schedule,
    replay,
)
from solvent.statistics.retraining import best_schedule_in_hindsight, oracle, regret_share, schedule_cost

EVERY = (1, 2, 3, 4, 6, 8, 12)  # windows between retrainings of the fixed schedules
FIT = 0.005  # price of a fit on all rows that is not rolled out, in first-window losses
_MOST_OF_PRICE = 0.25  # a fit never costs more than this share of a retraining
_LEAST_LOSS = 1e-12  # of a row, that a perfect model is expected to have
NEVER, SOLVENT, AHEAD = "never", "Solvent", "Solvent, looking ahead"
CARA, FORECAST = "CARA", "on forecast"
HINDSIGHT, ORACLE = "the best schedule in hindsight", "oracle"
RULES = {SOLVENT: "compare", AHEAD: "plan"}  # the values of `policy.rule` that put them to work
SHOWN_ONLY = (HINDSIGHT, ORACLE, CARA, FORECAST)  # no setting does


class Outcome(msgspec.Struct, frozen=True):
    """What one policy cost at one price, in the unit of the losses.

    fits: models trained after the first, shadows included; loss: summed over all rows; error: of a row;
    regret: cost above the oracle's; regret_share: of the avoidable cost, NaN where nothing was avoidable.
    """

    name: str
    retrainings: list[Retrained]
    fits: int
    loss: float
    error: float
    cost: float
    regret: float
    regret_share: float


class Priced(msgspec.Struct, frozen=True):
    """All policies at one price; relative: to the loss of the first window; price: in the unit of the losses."""

    relative: float
    price: float
    outcomes: list[Outcome]

    def named(self, name: str) -> Outcome:
        """Raises: KeyError."""
        return {outcome.name: outcome for outcome in self.outcomes}[name]


class Field:
    """The matrix with what every policy needs; policies that know no price are lived only once.

    Models without a feature are for the policy that looks ahead alone: schedules, the oracle and the rules choose among
    spans of rows.
    """

    def __init__(
        self,
        matrix: Matrix,
        course: Course,
        reference: Reference,
        *,
        drifted: Sequence[bool],
        aged: Sequence[bool],
    ) -> None:
        self.matrix, self.course = matrix, course
        self._all = matrix.by_window()
        self._spans = [at for at, span in enumerate(matrix.spans) if not span.without]
        self.sums = self._all[:, self._spans]
        self.window_loss = float(self.sums[0, 0, 0])
        self._sizes = np.bincount(course.block_of, minlength=len(course.window_of))
        self._rows = _trained_rows(matrix, course)
        self._drifted, self._aged = drifted, aged
        self._usual = max(reference.risk.value, _LEAST_LOSS) * float(matrix.rows[0])
        self._fixed = {name: self._live(policy, 0.0, 0.0) for name, policy in self._without_price(reference).items()}

    def price(self, relative: float) -> Priced:
        """Every policy at a price in first-window losses."""
        each = relative * self.window_loss
        fit = min(FIT * self.window_loss, _MOST_OF_PRICE * each)
        ideal, best = oracle(self.sums, each), best_schedule_in_hindsight(self.sums, each)
        never = schedule_cost(self.sums, [], each)
        weighing = {
            AHEAD: looking_ahead(),
            SOLVENT: comparing(on_excess()),
            CARA: comparing(as_cara()),
            FORECAST: comparing(on_forecast()),
        }
        lives = {
            **self._fixed,
            **{name: self._live(policy, each, fit, fewer=name == AHEAD) for name, policy in weighing.items()},
        }
        for name, plan, why in (
            (HINDSIGHT, best, "chosen knowing the outcome"),
            (ORACLE, ideal, "knows every outcome"),
        ):
            lives[name] = Lived([Retrained(tick, span, "schedule", why) for tick, span in plan.retrainings], [])
        outcomes = [self._outcome(name, life, each, fit, never, ideal.cost) for name, life in lives.items()]
        return Priced(relative, each, outcomes)

    def _live(self, policy: Policy, price: float, fit: float, *, fewer: bool = False) -> Lived:
        """fewer: whether it may also train models that do not know the feature that wanders."""
        spans = list(range(len(self.matrix.spans))) if fewer else self._spans
        lived = replay(
            policy,
            self.matrix.losses[:, spans],
            self.matrix.window_of,
            self._sizes,
            self.course.known,
            price=price,
            rows=self._rows[:, spans],
            fit=fit,
            usual=self._usual,
            stride=self.matrix.plan.stride,
            drifted=self._drifted,
            aged=self._aged,
            opens=[self.matrix.spans[at].since for at in spans],
            fewer=len(spans) - len(self._spans),
        )
        tried = [(0, 0)] * len(self.matrix.tried) if fewer else []
        return msgspec.structs.replace(lived, shadows=[*lived.shadows, *tried])

    def _without_price(self, reference: Reference) -> dict[str, Policy]:
        run = self.course.quiet_blocks()
        found: dict[str, Policy] = {NEVER: lambda _: None}
        for at, span in enumerate(self.matrix.spans):
            on = "all rows" if span.rows is None else span.name
            if span.without:
                continue
            for every in (every for every in EVERY if every < self.course.windows):
                found[schedule_name(every, on)] = on_schedule(every, at)
            found[f"on drift, {on}"] = on_drift(at)
            found[f"on performance, {on}"] = on_performance(at, reference.risk.value, run_length=run)
        return found

    def _outcome(self, name: str, life: Lived, each: float, fit: float, never: float, ideal: float) -> Outcome:
        """A shadow's fit costs as its rows, against those of all."""
        loss = schedule_cost(self._all, as_schedule(life.retrained), 0.0)
        share = self._rows / self._rows.max(axis=1, keepdims=True)
        cost = loss + len(life.retrained) * each + fit * float(sum(share[one] for one in life.shadows))
        rows = int(self.matrix.rows.sum())
        return Outcome(
            name,
            life.retrained,
            len(life.retrained) + len(life.shadows),
            loss,
            loss / rows,
            cost,
            cost - ideal,
            regret_share(cost, never, ideal),
        )


def schedule_name(every: int, on: str) -> str:
    """As people read it."""
    return f"every window, {on}" if every == 1 else f"every {every} windows, {on}"


def _trained_rows(matrix: Matrix, course: Course) -> Counts:
    """Rows that the model of each tick and span is trained on, before any sampling."""
    known = course.trained_by
    return np.stack([np.minimum(known, span.rows or known.max()) for span in matrix.spans], axis=1)
