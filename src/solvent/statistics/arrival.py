"""Labels that arrive late, and not all kinds equally late: what an unfinished window may be told by.

Claims and cancellations come to light with time, 'nothing happened' only at the end. The labels known so far
are then no fair draw, and neither is their mean loss.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np
from scipy.stats import kruskal

from solvent.statistics.arrays import Counts, Floats

Standing = Literal["complete", "corrected", "provisional"]
_GROUPS = 4  # of a number's range; a class is a group of its own
_LEAST_ROWS = 50  # of a group, from which its delays are believed
_LEAST_KNOWN = 0.05  # completeness below which a label stands for too many
_MARKS = 64


class Arrival(msgspec.Struct, frozen=True):
    """How long labels take, by what they say; learned from rows old enough that all of theirs had come.

    edges: between groups of labels; delays: per group, quantiles of its delays in microseconds, ascending.
    p: chance of delays so unequal between groups, were the delay blind to the label.
    """

    edges: list[float]
    delays: list[list[float]]
    p: float

    @property
    def depends(self) -> bool:
        """Whether the delay is shown to depend on the label."""
        return self.p < 0.01

    def completeness(self, label: Floats, age: Counts) -> Floats:
        """Share of labels like this one that are known at this age, in [0, 1].

        label: shape (n,); age: shape (n,), microseconds since the event.
        """
        group, known = np.searchsorted(self.edges, label, side="right"), np.empty(len(label))
        for at in range(len(self.delays)):
            inside = group == at
            known[inside] = self._share(at, age[inside])
        return known

    def least_complete(self, age: int) -> float:
        """Completeness of the kind of label that takes longest, at this age."""
        return min(float(self._share(at, np.array([age]))[0]) for at in range(len(self.delays)))

    def _share(self, group: int, age: Counts) -> Floats:
        marks = self.delays[group]
        return np.asarray(np.searchsorted(marks, age, side="right") / len(marks))


class PartlyKnown(msgspec.Struct, frozen=True):
    """The mean loss of a window whose labels are still coming.

    value: corrected where it could be; standing: complete (all labels are there), corrected (weighted by
    completeness), provisional (neither: do not decide on it). known: share of labels; rows: effective number behind it.
    """

    value: float
    standing: Standing
    known: float
    rows: float


def learn_arrival(label: Floats, delay: Counts, age: Counts, *, horizon: int | None = None) -> Arrival | None:
    """Learn from a log how delays depend on labels.

    label: shape (n,), finite; delay: shape (n,), microseconds from event to knowledge; age: shape (n,),
        microseconds from event to now. horizon: age at which a row's label is sure to be there; without it the
        longest delay seen. Younger rows are left out, because they show their quick labels only.
    Returns: None with fewer than 50 rows of any group. Groups are classes where there are at most ten values, else
        quarters.
    Source: cohort completeness, as chain-ladder reserving (Mack 1993) and delayed feedback (Chapelle 2014) have it;
        the comparison of delays is Kruskal and Wallis 1952.
    """
    if len(label) == 0:
        return None
    horizon = int(delay.max()) if horizon is None else horizon
    old = age >= horizon
    label, delay = label[old], delay[old]
    if len(label) < _LEAST_ROWS:
        return None
    distinct = np.unique(label)
    if len(distinct) <= 10:
        edges = (distinct[1:] + distinct[:-1]) / 2
    else:
        edges = np.unique(np.quantile(label, np.linspace(0, 1, _GROUPS + 1)[1:-1]))
    group = np.searchsorted(edges, label, side="right")
    parts = [delay[group == at].astype(float) for at in range(len(edges) + 1)]
    if any(len(part) < _LEAST_ROWS for part in parts):
        return None
    varied = len(parts) > 1 and float(np.ptp(delay)) > 0
    marks = [np.quantile(part, (np.arange(_MARKS) + 0.5) / _MARKS).tolist() for part in parts]
    return Arrival(edges.tolist(), marks, float(kruskal(*parts).pvalue) if varied else 1.0)


def mean_of_partly_known(losses: Floats, label: Floats, age: Counts, rows: int, arrival: Arrival | None) -> PartlyKnown:
    """Mean loss of a window of `rows` rows from the labels known so far.

    losses, label, age: shape (n,) of the known rows, n <= rows. Where delays are blind to labels, the plain mean
        stands; where they are not, each row stands for the others of its kind that are not known yet (Hájek's ratio).
        It is provisional where nothing is known of delays, or where labels of some kind are too rare as yet.
    """
    known = len(losses) / rows if rows else 0.0
    if len(losses) == 0:
        return PartlyKnown(math.nan, "provisional", known, 0.0)
    plain = float(losses.mean())
    if len(losses) >= rows:
        return PartlyKnown(plain, "complete", known, float(rows))
    if arrival is None:
        return PartlyKnown(plain, "provisional", known, float(len(losses)))
    if not arrival.depends:
        return PartlyKnown(plain, "corrected", known, float(len(losses)))
    if arrival.least_complete(int(age.min())) < _LEAST_KNOWN:
        return PartlyKnown(plain, "provisional", known, float(len(losses)))
    weight = 1 / np.maximum(arrival.completeness(label, age), _LEAST_KNOWN)
    value = float(weight @ losses / weight.sum())
    return PartlyKnown(value, "corrected", known, float(weight.sum() ** 2 / (weight @ weight)))
