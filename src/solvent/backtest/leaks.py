"""Columns that give away the target or the future: named with their evidence, and refused."""

from __future__ import annotations

import shlex
from collections.abc import Collection

import numpy as np
from scipy.stats import rankdata
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from solvent.backtest.columns import Cases
from solvent.foundation.errors import Refusal
from solvent.statistics.arrays import Counts, Floats

_ROWS = 20_000
_BLOCKS = 10
_LARGE = 1e30  # trees hold 32 bits
_ALONE = 0.98  # share of the target's loss that one column may explain on rows that it was not fitted on
_TOGETHER = 0.999  # by a linear combination of columns: a total and its parts
_SAME = 0.99  # share of rows that carry the next row's target
_STILL = 0.9  # share of rows whose target is that of a later row anyway, up to which the above says something
_FAR = 400  # rows ahead that are looked at
_LOOKED_AT = 500  # rows that are looked at first
_NEAR = 8  # rows before and after that a column may be made of
_MADE_OF = 0.01  # share of a column's spread that may be left
_LESS = 10.0  # times as much is left by the rows that could be known
_KNOWN = 0.5  # share of a column's cells that must be known for a correlation
_FEW = 20  # values of a column that the target may decide
_USUAL = 0.97  # share of rows with one value, above which a column says too little to be judged so
_DECIDED = 0.998  # share of rows in which the target decides a column
_LEAST_SHARE = 0.02  # of the target's spread that a part of a total carries


Ahead = tuple[Counts, Floats]


class Leak(Refusal):
    """Columns that could not be known when the forecast is made."""

    code = "leak"

    def __init__(self, found: dict[str, str]) -> None:
        names = shlex.quote(",".join(found))
        super().__init__(
            "; ".join(found.values()), next=f"known only afterwards: --drop {names}; known in time: --keep {names}"
        )
        self.columns = list(found)


def refuse_leaks(cases: Cases, target: str, keep: Collection[str] = ()) -> None:
    """keep: columns that the user vouches for. Raises: Leak, with a sentence for each column."""
    rows = np.unique(np.linspace(0, len(cases.y) - 1, min(_ROWS, len(cases.y))).astype(int))
    with threadpool_limits(1):  # many small fits: waking a team of threads costs more than the work
        found = _leaks(cases, rows, target)
    found = {name: sentence for name, sentence in found.items() if name not in keep}
    if found:
        raise Leak(found)


def _leaks(cases: Cases, rows: Counts, target: str) -> dict[str, str]:
    before = _ahead(cases.y[::-1])
    past = {name for at, name in enumerate(cases.features) if _of_the_past(cases, at, before)}
    found = _alone(cases, rows, target, past) | _made_of_target(cases, rows, target) | _future(cases, target, past)
    return found | _parts(cases, rows, target, set(found) | past)


def _of_the_past(cases: Cases, at: int, before: Ahead) -> bool:
    """Whether a column is made of earlier targets rather than of the row's own: what was yesterday is no leak.

    Either of the rows just before, or the target of one row some way before, as of the same shop in the last month.
    """
    if _later_row(cases.x[::-1, at], cases.y[::-1], before) is not None:
        return True
    column, y = cases.x[-_ROWS:, at], cases.y[-_ROWS:]
    if cases.categorical[at] or not np.isfinite(column[_NEAR:]).all():
        return False
    earlier = _misfit(column[_NEAR:], _shifted(y, range(-_NEAR, 0)))
    own = _misfit(column[_NEAR:], y[_NEAR:, None])
    return earlier < _MADE_OF and earlier <= own


def _alone(cases: Cases, rows: Counts, target: str, past: set[str]) -> dict[str, str]:
    """One column, a small tree, tenths of time in turn: the odd ones are foretold from the even, and the reverse."""
    y, found = cases.y[rows], dict[str, str]()
    for at, name in enumerate(cases.features):
        if name in past:
            continue
        column = cases.x[rows, at]
        share = sum(_explained(column, y, cases.task == "regression", part) for part in (0, 1)) / 2
        if cases.task == "regression" and np.isfinite(column).mean() > _KNOWN:
            share = max(share, abs(_rank_correlation(column, y)) ** 2)
        if share >= _ALONE:
            found[name] = f"`{name}` alone foretells {share:.1%} of what can be known of {target}"
    return found


def _made_of_target(cases: Cases, rows: Counts, target: str) -> dict[str, str]:
    """Few-valued columns that a number's target decides, as a delay does whether it was late."""
    if cases.task != "regression":
        return {}
    y, found = np.clip(cases.y[rows], -_LARGE, _LARGE)[:, None], dict[str, str]()
    test = np.arange(len(rows)) * _BLOCKS // len(rows) % 2 == 0
    for at, name in enumerate(cases.features):
        column = np.nan_to_num(cases.x[rows, at], nan=-1.0, posinf=-1.0, neginf=-1.0)
        values, counts = np.unique(column, return_counts=True)
        if not 2 <= len(values) <= _FEW or counts.max() > _USUAL * len(column):
            continue
        codes = np.searchsorted(values, column)
        tree = DecisionTreeClassifier(max_leaf_nodes=2 * len(values), random_state=0).fit(y[~test], codes[~test])
        if float((tree.predict(y[test]) == codes[test]).mean()) >= _DECIDED:
            found[name] = f"`{name}` follows from {target}"
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


def _future(cases: Cases, target: str, past: set[str]) -> dict[str, str]:
    """Columns that are the target of a later row, or made of the next few, where earlier ones do not tell as much."""
    found, ahead = dict[str, str](), _ahead(cases.y)
    for at, name in enumerate(cases.features):
        if name in past:
            continue
        later = _later_row(cases.x[:, at], cases.y, ahead)
        if later is not None:
            rows = "the row after it" if later[0] == 1 else f"the {later[0]:,}th row after it"
            found[name] = f"`{name}` is {target} of {rows} in {later[1]:.1%} of rows"
        elif (
            cases.task == "regression"
            and not cases.categorical[at]
            and _made_of_later(cases.x[-_ROWS:, at], cases.y[-_ROWS:])
        ):
            found[name] = f"`{name}` follows from {target} of the {_NEAR} rows after it"
    return found


def _ahead(y: Floats) -> Ahead:
    """Some rows, and the targets of the rows after each, the nearest first: shapes (n,) and (n, n_ahead)."""
    reach = min(_FAR, len(y) // 4)
    at = np.unique(np.linspace(0, len(y) - reach - 1, min(_LOOKED_AT, len(y) - reach)).astype(int))
    return at, y[at[:, None] + np.arange(1, reach + 1)]


def _later_row(column: Floats, y: Floats, ahead: Ahead) -> tuple[int, float] | None:
    """How many rows later the target is this column's value, and in which share of rows that have one; or None.

    Targets that hardly change from row to row are like any of their neighbours and tell nothing.
    """
    at, targets = ahead
    known = np.isfinite(column)
    some = known[at]
    if some.mean() < _KNOWN:
        return None
    shares = (column[at[some], None] == targets[some]).mean(axis=0)
    for step in (np.flatnonzero(shares >= _SAME) + 1).tolist():
        whole = slice(None, len(y) - step)
        share = float((column[whole] == y[step:])[known[whole]].mean())
        if share >= _SAME and float((y[whole] == y[step:]).mean()) <= _STILL:
            return step, share
    return None


def _made_of_later(column: Floats, y: Floats) -> bool:
    """Whether the next targets say all of a column, and the earlier ones with the row's own far less."""
    middle = column[_NEAR:-_NEAR]
    if not np.isfinite(middle).all() or float(middle.std()) == 0:
        return False
    later = _misfit(middle, _shifted(y, range(1, _NEAR + 1))[: len(middle)])
    if later >= _MADE_OF:
        return False
    return _misfit(middle, _shifted(y, range(-_NEAR, 1))[: len(middle)]) > _LESS * later


def _shifted(y: Floats, steps: range) -> Floats:
    """Targets of rows before (negative) or after each row from `_NEAR` on that has all of them."""
    ahead = max(*steps, 0)
    rows = np.arange(_NEAR, len(y) - ahead)
    return np.column_stack([y[rows + step] for step in steps])


def _misfit(column: Floats, design: Floats) -> float:
    """Share of a column's spread in the second half of the time that a linear fit of the first leaves."""
    return 1 - _linear(design, column)[0] if float(column.std()) > 0 else 1.0


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
