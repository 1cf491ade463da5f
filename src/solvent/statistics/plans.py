"""Plans of retrainings for the next windows, the cheapest of them found by dynamic programming.

A model is retrained at the start of one of the next windows, on a span, and serves until the next retraining or the
horizon. Losses that are expected lie in a flat array: first those of the model in service, one a window, then those of
each model that could be made, as `Ahead` numbers them.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from solvent.statistics.arrays import Counts, Floats


class Ahead(msgspec.Struct, frozen=True):
    """Which losses are to be foretold: windows are counted from now, and so are the starts of models.

    start, span, window: shape (n_entries,) each; at: shape (horizon, n_spans, horizon), the position of each entry in
    the flat array, -1 before the model's start.
    """

    start: Counts
    span: Counts
    window: Counts
    at: Counts

    @property
    def horizon(self) -> int:
        return len(self.at)


class Plan(msgspec.Struct, frozen=True):
    """cost: expected, prices included; served: positions in the flat array, one for each window of the horizon."""

    cost: float
    served: list[int]


def ahead(horizon: int, spans: int) -> Ahead:
    """All models that could be made within the horizon, in the windows that they could serve."""
    start, span, window = np.indices((horizon, spans, horizon))
    later = window >= start
    at = np.full(later.shape, -1)
    at[later] = horizon + np.arange(int(later.sum()))
    return Ahead(start[later], span[later], window[later], at)


class Planning:
    """The cheapest plans against one forecast.

    expected: the flat array; price: of a retraining, in its unit; spans: that may be trained on, all by default.
    """

    def __init__(self, expected: Floats, grid: Ahead, price: float, spans: Sequence[int] | None = None) -> None:
        horizon, count, _ = grid.at.shape
        self._grid, self._price = grid, price
        self._spans = list(range(count)) if spans is None else list(spans)
        self._keep = np.cumsum(expected[:horizon])
        losses = np.where(grid.at >= 0, expected[grid.at], 0.0)
        self._served = np.cumsum(losses, axis=2)
        self._from = np.zeros(horizon + 1)  # cost of the cheapest plan that retrains at each window
        self._next: list[tuple[int, int]] = [(0, 0)] * horizon  # its span, and where the next retraining is
        for start in range(horizon - 1, -1, -1):
            span, until = min(
                ((span, self._until(start, span)) for span in self._spans),
                key=lambda one: self._cost(start, *one),
            )
            self._from[start], self._next[start] = self._cost(start, span, until), (span, until)

    def waiting(self) -> Plan:
        """The cheapest that does not begin with a retraining."""
        totals = self._keep + self._from[1:]
        until = int(np.argmin(totals)) + 1
        return Plan(float(totals[until - 1]), [*range(until), *self._follow(until)])

    def beginning(self, span: int) -> Plan:
        """The cheapest that begins with a retraining on this span."""
        until = self._until(0, span)
        return Plan(self._cost(0, span, until), [*self._grid.at[0, span, :until].tolist(), *self._follow(until)])

    def best(self) -> Plan:
        return min(self.waiting(), *(self.beginning(span) for span in self._spans), key=lambda plan: plan.cost)

    def _until(self, start: int, span: int) -> int:
        return start + 1 + int(np.argmin(self._served[start, span, start:] + self._from[start + 1 :]))

    def _cost(self, start: int, span: int, until: int) -> float:
        return self._price + float(self._served[start, span, until - 1] + self._from[until])

    def _follow(self, start: int) -> list[int]:
        served: list[int] = []
        while start < self._grid.horizon:
            span, until = self._next[start]
            served += self._grid.at[start, span, start:until].tolist()
            start = until
        return served
