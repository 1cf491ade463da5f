"""A backtest from table to verdict."""

from __future__ import annotations

import time as clock
from collections.abc import Callable

import msgspec

from solvent.backtest.advice import Advice, advise
from solvent.backtest.columns import Cases, understand
from solvent.backtest.cut import Course, cut
from solvent.backtest.drift import Drift, watch
from solvent.backtest.estimates import Estimated, estimate
from solvent.backtest.forecasts import Foretold, foretell
from solvent.backtest.leaks import refuse_leaks
from solvent.backtest.leftout import LeftOut, leave_out
from solvent.backtest.lifetime import Lifetime, age, aging_by_tick, known_to_age, threshold_of
from solvent.backtest.matrix import Matrix, budgeted, fill, fixed_plan, write_matrix
from solvent.backtest.models import Learner
from solvent.backtest.options import PRICE, Options, check
from solvent.backtest.policies import Field, Priced
from solvent.backtest.realised import Realised, live_on
from solvent.backtest.reference import Reference, judge
from solvent.backtest.table import read_table
from solvent.backtest.warnings import Warned, warnings_of
from solvent.foundation.clock import MICROSECOND

_MATRIX = 0.7  # share of a budget by which the matrix must be filled
_TAIL = 0.9  # share by which the last figures that can be left out are


class Backtest(msgspec.Struct, frozen=True):
    """Everything that was found; `document` makes it the JSON that is printed, `render` the lines."""

    options: Options
    total: int
    columns: int
    cases: Cases
    course: Course
    model: str
    reference: Reference
    matrix: Matrix
    left_out: LeftOut | None
    windows: list[Realised]
    asked: Priced
    curve: list[Priced]
    lifetime: Lifetime
    drift: list[Drift]
    estimated: list[Estimated]
    forecast: Foretold
    warnings: list[Warned]
    advice: Advice
    assumptions: list[str]
    seconds: float


def backtest(options: Options, progress: Callable[[str], None]) -> Backtest:
    """Train on the past, live the rest of the table in order of time, and price what could have been done.

    Raises: BadOption, BadTable, NoColumn, BadTime, BadTarget, NoFeatures, TooFew, BadModel; Leak.
    """
    begun = clock.perf_counter()
    table = read_table(check(options))
    cases = understand(table, options)
    refuse_leaks(cases, options.target, options.keep)
    course = cut(cases, options)
    learner = Learner(cases, options.model, options.seed)
    plan = fixed_plan(course, full=options.full)
    progress(f"{len(cases.y):,} rows read; judging the first model")
    reference = judge(learner, course, fit_rows=plan.fit_rows, seed=options.seed)
    if options.budget is not None and not options.full:
        plan = budgeted(plan, course, learner, reference.bound, _left(options, begun))
    seconds = _left(options, begun) if options.budget is not None and not options.full else None
    matrix = fill(learner, course, plan, bound=reference.bound, progress=progress, seconds=seconds)
    left_out = None
    if seconds is None:
        matrix, left_out = leave_out(learner, course, matrix, reference, seed=options.seed, progress=progress)
    if options.matrix is not None:
        write_matrix(matrix, course, options.matrix)
    windows = live_on(learner, course, matrix, bound=reference.bound, fit_rows=plan.fit_rows, seed=options.seed)
    progress("reading what it says")
    until = begun + options.budget * _TAIL if options.budget is not None and not options.full else None
    drift = watch(cases, course, reference, seed=options.seed, until=until)
    estimated = estimate(cases, course, reference, windows)
    threshold, assumed = threshold_of(cases, reference, options)
    lifetime = age(cases, course, reference, matrix, windows, options, threshold=threshold)
    aged = aging_by_tick(course, matrix, seed=options.seed)
    field = Field(
        matrix,
        course,
        reference,
        drifted=[bool(one.named) for one in drift],
        aged=known_to_age(aged),
    )
    delay = options.label_delay // MICROSECOND
    asked = field.price(asked_price(options, field.window_loss))
    curve = [field.price(price) for price in options.prices]
    spent = clock.perf_counter() - begun
    return Backtest(
        options=options,
        total=table.total,
        columns=table.columns,
        cases=cases,
        course=course,
        model=learner.name,
        reference=reference,
        matrix=matrix,
        left_out=left_out,
        windows=windows,
        asked=asked,
        curve=curve,
        lifetime=lifetime,
        drift=drift,
        estimated=estimated,
        forecast=foretell(course, reference, windows, aged, delay=delay),
        warnings=warnings_of(
            course,
            reference,
            windows,
            drift,
            estimated,
            threshold=threshold,
            delay=delay,
        ),
        advice=advise(asked, curve, lifetime, matrix, course),
        assumptions=[
            *cases.assumptions,
            *course.assumptions,
            *matrix.said,
            *([assumed] if assumed else []),
            *([_missed(options.budget, spent)] if options.budget is not None and spent > options.budget else []),
        ],
        seconds=spent,
    )


def _left(options: Options, begun: float) -> float:
    """Seconds for the matrix: what is left of the budget, less what comes after it."""
    return (options.budget or 0.0) * _MATRIX - (clock.perf_counter() - begun)


def _missed(budget: float, spent: float) -> str:
    return f"the budget of {budget:g} s is too small for this table: the least that can be told took {spent:.0f} s"


def asked_price(options: Options, window_loss: float) -> float:
    """The price of a retraining in first-window losses that the first screen is told at."""
    if options.cost_retrain is None or options.cost_loss is None:
        return PRICE
    return options.cost_retrain / options.cost_loss / window_loss
