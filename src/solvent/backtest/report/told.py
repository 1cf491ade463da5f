"""What was found, in the unit that people read: the figures of every picture."""

from __future__ import annotations

import math
from functools import cached_property

from solvent.backtest import summary
from solvent.backtest.estimates import coverage
from solvent.backtest.realised import Realised
from solvent.backtest.run import Backtest
from solvent.pages.figures import Figure
from solvent.pages.words import capital, number, with_interval
from solvent.statistics.losses import metric_named
from solvent.statistics.sequential import Interval

METRICS = {
    "mae": "mean absolute error",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "log_loss": "log loss",
    "brier": "Brier score",
    "error": "share of errors",
    "accuracy": "share of errors",
}
_ROOM = 1.2  # times the largest error of the models, up to which a naive forecast is drawn
_REASONS = {
    "drift": "Models of this table are known to age.",
    "performance": "The realised loss of the live model fell behind.",
    "more_data": "More rows make a better model.",
    "schedule": "The day had come.",
}


class Told:
    """A backtest with its figures as shown."""

    def __init__(self, found: Backtest) -> None:
        self.found = found
        self.metric = metric_named(found.cases.metric)
        self.windows: list[Realised] = found.windows
        self.shown = self.metric.shown
        self.never = [self.shown(window.loss.value) for window in found.windows]
        self.fresh = [self.shown(window.fresh) for window in found.windows]
        self.naive = [self.shown(window.naive) for window in found.windows]
        self.threshold = self.shown(found.lifetime.threshold)
        self.estimates = coverage(found.estimated, found.windows)

    @cached_property
    def name(self) -> str:
        return METRICS[self.metric.name].capitalize() if self.metric.name != "brier" else "Brier score"

    @cached_property
    def unit(self) -> str:
        return summary.unit(self.found)

    @cached_property
    def axis(self) -> str:
        return f"{self.unit}, {METRICS[self.metric.name]}"

    @cached_property
    def naive_fits(self) -> bool:
        """Whether the naive forecast can be drawn without flattening what matters."""
        return max(self.naive) <= _ROOM * max(*self.never, *self.fresh, self.threshold)

    @cached_property
    def naive_said(self) -> str:
        return f"a naive forecast, above the picture: {number(min(self.naive))} to {number(max(self.naive))}"

    @cached_property
    def aged(self) -> str:
        return capital(f"{summary.ageing(self.found)}.")

    @cached_property
    def scored(self) -> str:
        return capital(f"{summary.foretold(self.found)}.")

    def interval(self, loss: Interval | None) -> tuple[float, float]:
        if loss is None:
            return math.nan, math.nan
        return self.shown(max(loss.lower, 0.0)), self.shown(max(loss.upper, 0.0))

    def figure(self, loss: Interval) -> str:
        """`43 (38–49)`; without bounds where there are none."""
        lower, upper = self.interval(loss)
        if not math.isfinite(upper):
            return with_interval(Figure(value=self.shown(loss.value)))
        return with_interval(Figure(value=self.shown(loss.value), lower=lower, upper=upper))

    def middle(self, window: Realised) -> float:
        """Seconds since 1970 of the middle of a window."""
        return (window.start.timestamp() + window.end.timestamp()) / 2

    def span(self, name: str) -> str:
        return "all rows" if name == "all" else name

    def reason(self, kind: str) -> str:
        return _REASONS[kind]
