"""Whether plants are real: programs are run, and what the models were given shows the debt itself."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from benchmarks.debt.seeded import MODELS, Program
from numpy.typing import NDArray

Array = NDArray[np.float64]
_DRAWERS = ("sklearn.ensemble.RandomForestClassifier", "sklearn.ensemble.ExtraTreesClassifier")


@dataclass
class Seen:
    """What models were given: rows and targets of each fit, rows of each answer or score, in order."""

    fitted: list[tuple[Array, Array]] = field(default_factory=list)
    judged: list[Array] = field(default_factory=list)
    printed: str = ""


def real(program: Program) -> bool | None:
    """Whether a program has the debt that it is said to have; None where running it cannot show that."""
    test = {
        "DAT101": _moved_by_judged_rows,
        "DAT102": _moved_by_judged_rows,
        "DAT103": _judged_rows_were_learnt,
        "DAT104": _judged_rows_move_each_other,
        "DAT105": _judged_rows_were_learnt,
        "DAT107": _target_is_a_column,
        "REP001": lambda text: len({run(text).printed for _ in range(12)}) > 1,
    }.get(program.rule)
    return test(program.text) if test is not None else None


def leaks(program: Program) -> bool:
    """Of a clean program: whether rows that are judged moved what a model learnt."""
    return _moved_by_judged_rows(program.text)


def run(text: str, touched: Sequence[int] = ()) -> Seen:
    """Run a program's text; touched: rows whose values are moved far away first."""
    seen = Seen()
    with contextlib.ExitStack() as stack:
        for name in (*MODELS, *_DRAWERS):
            stack.enter_context(_recorded(name, seen))
        stack.enter_context(_data(touched))
        out = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        exec(compile(text, "seeded", "exec"), {"__name__": "seeded"})  # noqa: S102  our own text
        seen.printed = out.getvalue()
    return seen


def _moved_by_judged_rows(text: str) -> bool:
    """Whichever rows are kept from a fit, changing them changes what it learns from."""
    before = run(text)
    for rows in _kept_rows():
        for (a, _), (b, _) in zip(before.fitted, run(text, rows).fitted, strict=True):
            if a.shape == b.shape and not _rows_that_differ(a, b):
                return False
    return True


def _kept_rows() -> list[list[int]]:
    """The test rows of the splits and first folds that programs draw, all of 120 rows and the same target."""
    import sklearn.datasets as datasets
    from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

    rows, target = datasets.make_classification(n_samples=120, n_features=12, random_state=3)
    sides = [train_test_split(np.arange(120), random_state=0)[1]]
    sides += [next(folds.split(rows, target))[1] for folds in (KFold(3), StratifiedKFold(3), StratifiedKFold(5))]
    return [[int(row) for row in side] for side in sides]


def _judged_rows_were_learnt(text: str) -> bool:
    seen = run(text)
    learnt = {tuple(row) for a, _ in seen.fitted for row in a.round(9)}
    return any(tuple(row) in learnt for rows in seen.judged for row in rows.round(9))


def _judged_rows_move_each_other(text: str) -> bool:
    half = _kept_rows()[0][::2]
    pairs = zip(run(text).judged, run(text, half).judged, strict=True)
    return any(_rows_that_differ(a, b) > len(half) for a, b in pairs)


def _target_is_a_column(text: str) -> bool:
    return any((a == y[:, None]).all(axis=0).any() for a, y in run(text).fitted)


def _rows_that_differ(a: Array, b: Array) -> int:
    return int((~np.isclose(a, b, atol=1e-9)).any(axis=1).sum())


@contextlib.contextmanager
def _recorded(name: str, seen: Seen) -> Iterator[None]:
    """A model class whose `fit`, `predict` and `score` note what they are given."""
    module, _, last = name.rpartition(".")
    kind: Any = getattr(__import__(module, fromlist=[last]), last)
    before = {method: getattr(kind, method) for method in ("fit", "predict", "score")}

    def noting(method: str) -> Callable[..., Any]:
        def call(self: Any, rows: Any, *more: Any, **named: Any) -> Any:
            values = np.asarray(rows, dtype=float)
            if method == "fit":
                seen.fitted.append((values, np.asarray(more[0], dtype=float)))
            else:
                seen.judged.append(values)
            return before[method](self, rows, *more, **named)

        return call

    for method in before:
        setattr(kind, method, noting(method))
    try:
        yield
    finally:
        for method, function in before.items():
            setattr(kind, method, function)


@contextlib.contextmanager
def _data(touched: Sequence[int]) -> Iterator[None]:
    import sklearn.datasets as datasets

    before = datasets.make_classification

    def changed(**named: Any) -> tuple[Array, Array]:
        rows, target = before(**named)
        noise = np.random.default_rng(1).normal(scale=50, size=rows.shape)
        rows[list(touched)] += noise[list(touched)]
        return rows, target

    datasets.make_classification = changed
    try:
        yield
    finally:
        datasets.make_classification = before
