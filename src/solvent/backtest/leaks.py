"""Columns that give away the target or the future: named with their evidence, and refused."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from solvent.backtest.columns import Cases
from solvent.foundation.errors import Refusal
from solvent.statistics.arrays import Counts, Floats

_ROWS = 20_000
_BLOCKS = 10
_LARGE = 1e30  # trees hold 32 bits
_ALONE = 0.98  # share of the target's loss that one column may explain on rows that it was not fitted on
_TOGETHER = 0.999  # by a linear combination of columns: a total and its parts
_SAME = 0.99  # share of rows that carry the next row's target
_LEAST_SHARE = 0.02  # of the target's spread that a part of a total carries


class Leak(Refusal):
    """Columns that could not be known when the forecast is made."""

    code = "leak"

    def __init__(self, found: dict[str, str]) -> None:
        names = ",".join(found)
        super().__init__("; ".join(found.values()), next=f"if they are known only afterwards: --drop {names}")
        self.columns = list(found)


def refuse_leaks(cases: Cases, target: str) -> None:
    """Raises: Leak, with a sentence for each column."""
    rows = np.unique(np.linspace(0, len(cases.y) - 1, min(_ROWS, len(cases.y))).astype(int))
    found = _alone(cases, rows, target) | _future(cases, target)
    found |= _parts(cases, rows, target, set(found))
    if found:
        raise Leak(found)


def _alone(cases: Cases, rows: Counts, target: str) -> dict[str, str]:
    """One column, a small tree, tenths of time in turn: the odd ones are foretold from the even, and the reverse."""
    y, found = cases.y[rows], dict[str, str]()
    for at, name in enumerate(cases.features):
        column = cases.x[rows, at]
        if np.isnan(column).mean() > 0.5:
            continue
        share = sum(_explained(column, y, cases.task == "regression", part) for part in (0, 1)) / 2
        if cases.task == "regression":
            share = max(share, abs(_rank_correlation(column, y)) ** 2)
        if share >= _ALONE:
            found[name] = f"`{name}` alone foretells {share:.1%} of what can be known of {target}"
    return found


def _explained(column: Floats, y: Floats, regression: bool, part: int) -> float:
    """Share of the loss of a constant that a tree on this column saves in every second tenth of the time."""
    test = np.arange(len(y)) * _BLOCKS // len(y) % 2 == part
    x = np.clip(np.nan_to_num(column, nan=-_LARGE), -_LARGE, _LARGE)[:, None]
    if regression:
        spread = float(((y[test] - y[test].mean()) ** 2).sum())
        tree = DecisionTreeRegressor(max_leaf_nodes=256, min_samples_leaf=3, random_state=0).fit(x[~test], y[~test])
        return 1 - float(((y[test] - tree.predict(x[test])) ** 2).sum()) / spread if spread > 0 else 0.0
    if len(np.unique(y[~test])) < 2 or len(np.unique(y[test])) < 2:
        return 0.0
    _, counts = np.unique(y[test], return_counts=True)
    constant = 1 - float(counts.max()) / len(y[test])
    tree = DecisionTreeClassifier(max_leaf_nodes=64, random_state=0).fit(x[~test], y[~test])
    return 1 - float((tree.predict(x[test]) != y[test]).mean()) / constant


def _rank_correlation(column: Floats, y: Floats) -> float:
    """Spearman's, over the rows that have a value; 0 where a side does not vary."""
    known = np.isfinite(column)
    ranks = rankdata(np.stack([column[known], y[known]]), axis=1)
    return float(np.corrcoef(ranks)[0, 1]) if (ranks.std(axis=1) > 0).all() else 0.0


def _future(cases: Cases, target: str) -> dict[str, str]:
    """A column that is the target of the next row, where the target is not simply like its predecessor."""
    now, ahead = cases.y[:-1], cases.y[1:]
    if float((now == ahead).mean()) > 0.9:
        return {}
    same = {name: float((cases.x[:-1, at] == ahead).mean()) for at, name in enumerate(cases.features)}
    return {
        name: f"`{name}` is {target} of the row after it in {share:.1%} of rows"
        for name, share in same.items()
        if share >= _SAME
    }


def _parts(cases: Cases, rows: Counts, target: str, known: set[str]) -> dict[str, str]:
    """Numbers that add up to the target, as the parts of a total do."""
    if cases.task != "regression":
        return {}
    x, y = np.nan_to_num(cases.x[rows]), cases.y[rows]
    spread = x.std(axis=0)
    at = [
        i for i, name in enumerate(cases.features) if spread[i] > 0 and not cases.categorical[i] and name not in known
    ]
    if not at or float(y.std()) == 0:
        return {}
    if _linear(x[:, at], y)[0] < _TOGETHER:
        return {}
    weights = np.abs(_linear(x[:, at], y)[1] * spread[at]) / float(y.std())
    kept = [i for i, weight in zip(at, weights, strict=True) if weight >= _LEAST_SHARE]
    if not kept or _linear(x[:, kept], y)[0] < _TOGETHER:
        kept = at
    names = [cases.features[i] for i in kept]
    sentence = f"{' and '.join(f'`{name}`' for name in names)} add up to {target}"
    return {name: sentence if name == names[0] else f"`{name}` likewise" for name in names}


def _linear(x: Floats, y: Floats) -> tuple[float, Floats]:
    """Share of the second half's spread that a linear fit of the first explains, and its weights."""
    half = len(y) // 2
    design = np.column_stack([x, np.ones(len(y))])
    weights, *_ = np.linalg.lstsq(design[:half], y[:half], rcond=None)
    rest = y[half:]
    spread = float(((rest - rest.mean()) ** 2).sum())
    missed = float(((rest - design[half:] @ weights) ** 2).sum())
    return (1 - missed / spread if spread > 0 else 0.0), np.asarray(weights[:-1])
