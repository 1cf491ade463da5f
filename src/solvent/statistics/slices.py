"""Where a loss is in excess: a shallow tree that is grown on some blocks of time and judged on the others."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from sklearn.tree import DecisionTreeRegressor

from solvent.statistics.arrays import Counts, Flags, Floats
from solvent.statistics.paired import holm, paired_difference
from solvent.statistics.sequential import Interval

_LEAST_ROWS = 30  # of a leaf, in either half
_WORTH = 0.01  # share of the variance that a split must explain
_LARGE = 1e30  # trees hold 32 bits


class Bound(msgspec.Struct, frozen=True):
    """One condition of a slice: low < feature <= high; an open end is None. Missing values count as very low."""

    feature: str
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.low is None:
            return f"{self.feature} at most {self.high:.4g}"
        if self.high is None:
            return f"{self.feature} above {self.low:.4g}"
        return f"{self.feature} above {self.low:.4g} to {self.high:.4g}"


class SliceExcess(msgspec.Struct, frozen=True):
    """Rows that meet all of `bounds`. excess: their mean excess on rows that the tree had not seen; share: of those
    rows; carried: share of the whole excess that lies here (above 1 where other rows have less than none).
    """

    bounds: list[Bound]
    excess: Interval
    rows: int
    share: float
    carried: float

    def __str__(self) -> str:
        return " and ".join(str(bound) for bound in self.bounds)


def excess_slices(
    x: Floats,
    excess: Floats,
    blocks: Counts,
    names: Sequence[str],
    *,
    margin: float = 0.0,
    alpha: float = 0.05,
    level: float = 0.9,
    depth: int = 3,
    seed: int = 0,
) -> list[SliceExcess]:
    """Slices whose mean excess is shown to be above `margin`, the one that carries most first.

    x: shape (n, p), categories as codes, NaN where missing; excess: shape (n,), loss less what was expected of the
        row, in the loss's unit; blocks: shape (n,), integer labels in order of time. Blocks take turns: the even ones
        grow the tree, the odd ones judge its leaves, so that a leaf is not praised for the luck that made it.
        alpha: chance that any of the slices is named wrongly (Holm 1979).
    Returns: an empty list where there is too little to judge or no leaf is shown to be in excess.
    Source: honest splitting, Athey and Imbens 2016.
    """
    _, order = np.unique(blocks, return_inverse=True)
    grown = order % 2 == 0
    if min(int(grown.sum()), int((~grown).sum())) < 2 * _LEAST_ROWS or x.shape[1] == 0:
        return []
    x = np.clip(np.nan_to_num(x, nan=-_LARGE), -_LARGE, _LARGE)
    pays = _WORTH * float(excess[grown].var())
    tree = DecisionTreeRegressor(
        max_depth=depth, min_samples_leaf=_LEAST_ROWS, min_impurity_decrease=pays, random_state=seed
    )
    tree.fit(x[grown], excess[grown])
    leaf, held, where = tree.apply(x[~grown]), excess[~grown], order[~grown]
    found = {int(at): paired_difference(held[leaf == at], where[leaf == at]) for at in np.unique(leaf)}
    p_values = {
        str(at): one.p_above(margin) for at, one in found.items() if one.rows >= _LEAST_ROWS and one.blocks >= 5
    }
    total, tail = float(held.sum()), (1 - level) / 2
    slices = [
        SliceExcess(
            bounds=_bounds(tree, at, names),
            excess=Interval(one.mean, one.bound(1 - tail), one.bound(tail), level),
            rows=one.rows,
            share=one.rows / len(held),
            carried=one.mean * one.rows / total if total > 0 else 0.0,
        )
        for at, one in found.items()
        if str(at) in holm(p_values, alpha)
    ]
    return sorted(slices, key=lambda one: -one.carried)


def in_slice(x: Floats, names: Sequence[str], found: SliceExcess) -> Flags:
    """Which rows of x, shape (n, p), meet the slice's bounds."""
    inside = np.ones(len(x), dtype=bool)
    for bound in found.bounds:
        values = np.nan_to_num(x[:, list(names).index(bound.feature)], nan=-_LARGE)
        inside &= (values > (-np.inf if bound.low is None else bound.low)) & (
            values <= (np.inf if bound.high is None else bound.high)
        )
    return inside


def _bounds(tree: DecisionTreeRegressor, leaf: int, names: Sequence[str]) -> list[Bound]:
    """The path from the root to a leaf, one bound for each feature on it."""
    nodes, lows, highs = tree.tree_, dict[int, float](), dict[int, float]()
    at = leaf
    while at != 0:
        is_left = np.flatnonzero(nodes.children_left == at)
        parent = int(is_left[0]) if len(is_left) else int(np.flatnonzero(nodes.children_right == at)[0])
        feature, threshold = int(nodes.feature[parent]), float(nodes.threshold[parent])
        if len(is_left):
            highs[feature] = min(threshold, highs.get(feature, np.inf))
        else:
            lows[feature] = max(threshold, lows.get(feature, -np.inf))
        at = parent
    return [Bound(names[f], lows.get(f), highs.get(f)) for f in sorted(lows.keys() | highs.keys())]
