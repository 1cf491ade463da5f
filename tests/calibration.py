"""What the statistics promise, by simulation: false alarms where nothing happens, intervals that hold, power.

`tests/promises` draws a little of it in every run of the suite, `make calibrate` all of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.signal import lfilter
from scipy.stats import beta, ks_2samp, rankdata
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from solvent.statistics.blocks import HOUR
from solvent.statistics.changepoint import date_change
from solvent.statistics.drift import LAG, average_evidence, detector_step, e_value, pool_distances, predictive_p
from solvent.statistics.estimation import learn_loss
from solvent.statistics.losses import row_loss, stated_bound
from solvent.statistics.powered import powered_mean
from solvent.statistics.profiles import bin_gaps, edges_of, histogram
from solvent.statistics.selfscoring import intervals_failed
from solvent.statistics.sequential import Bets, ChangeDetector, confidence_sequence
from solvent.statistics.trend import AHEAD, RARER, approach

LEVEL = 0.9
WINDOW, FEATURES = 168, 3
THRESHOLD = 104.0  # windows of a week between false alarms, at one a year shared by drift and performance
SHIFTS = (0.0, 0.7, 1.5)


@dataclass(frozen=True)
class Rate:
    """hits of trials, and what was promised of them. most: the promise is an upper bound (a rate of alarms), else a
    lower one (a coverage). note: what else was seen."""

    name: str
    hits: int
    trials: int
    promise: float
    most: bool
    note: str = ""

    @property
    def interval(self) -> tuple[float, float]:
        """95%, Clopper and Pearson."""
        low = float(beta.ppf(0.025, self.hits, self.trials - self.hits + 1)) if self.hits else 0.0
        high = float(beta.ppf(0.975, self.hits + 1, self.trials - self.hits)) if self.hits < self.trials else 1.0
        return low, high

    @property
    def kept(self) -> bool:
        """Whether what was seen is no evidence against the promise."""
        return self.interval[0] <= self.promise if self.most else self.interval[1] >= self.promise


def series(kind: str, rng: np.random.Generator, rows: int) -> np.ndarray:
    """One feature without drift."""
    noise = rng.normal(size=rows)
    match kind:
        case "autocorrelated":
            return np.asarray(lfilter([1], [1, -0.95], noise))
        case "seasonal":  # a cycle of thirteen windows that the reference has seen twice
            return noise + np.sin(np.arange(rows) / WINDOW / 13 * 2 * math.pi)
        case "long tailed":
            return np.exp(1.5 * noise)
        case _:
            return noise


def first_alarm(features: Sequence[np.ndarray], known: int, threshold: float = THRESHOLD) -> int | None:
    """Windows until the drift alarm, of features of whole windows; the first `known` are the reference."""
    detectors = []
    for values in features:
        reference = values[: known * WINDOW]
        edges, scale = edges_of(reference), float(reference.std())
        windows = np.array([histogram(part, edges) for part in values.reshape(-1, WINDOW)])
        evidence, path = 0.0, []
        for at in range(known, len(windows)):
            pool = windows[: max(known, at - LAG)]
            distances = pool_distances(np.vstack([pool, windows[at]]), bin_gaps(edges) / max(scale, 1e-12))
            evidence = detector_step(evidence, e_value(predictive_p(distances)))
            path.append(evidence)
        detectors.append(path)
    average = [average_evidence(np.array(at), np.ones(len(features))) for at in zip(*detectors, strict=True)]
    return next((at for at, evidence in enumerate(average) if evidence >= threshold), None)


def drawn_features(kind: str, rng: np.random.Generator, known: int, lived: int, shift: float = 0.0) -> list[np.ndarray]:
    """A few features of a model's life, the first of which shifts by so many deviations after the reference."""
    features = [series(kind, rng, (known + lived) * WINDOW) for _ in range(FEATURES)]
    features[0][known * WINDOW :] += shift * float(features[0][: known * WINDOW].std())
    return features


def quiet_drift(kind: str, known: int, lives: int, *, lived: int = 52, seed: int = 7) -> tuple[Rate, Rate]:
    """False alarms by window where nothing drifts: ours, and those of a Kolmogorov–Smirnov test a window and feature at
    5% shared among the features, as drift libraries do it."""
    rng, ours, windows, theirs = np.random.default_rng(seed), 0, 0, 0
    for _ in range(lives):
        features = drawn_features(kind, rng, known, lived)
        at = first_alarm(features, known)
        ours, windows = ours + (at is not None), windows + (lived if at is None else at + 1)
        theirs += sum(
            any(
                ks_2samp(f[: known * WINDOW], f[t * WINDOW : (t + 1) * WINDOW]).pvalue < 0.05 / FEATURES
                for f in features
            )
            for t in range(known, known + 4)
        )
    name = f"drift, {kind}, {known} reference windows"
    return (
        Rate(name, ours, windows, 1 / THRESHOLD, most=True),
        Rate(f"{name}, by a Kolmogorov–Smirnov test", theirs, 4 * lives, 1 / THRESHOLD, most=True),
    )


def _differs(features: Sequence[np.ndarray], known: int, at: int) -> bool:
    """The common test: is a window's sample another one than the reference's?"""
    samples = [(f[: known * WINDOW], f[at * WINDOW : (at + 1) * WINDOW]) for f in features]
    return any(ks_2samp(*pair).pvalue < 0.05 / len(features) for pair in samples)


def quiet_table(x: np.ndarray, *, seeds: int, known: int = 8, columns: int = 8) -> Rate:
    """False alarms on a real table whose rows are shuffled in time."""
    alarms = windows = 0
    whole = len(x) // WINDOW * WINDOW
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(x))[:whole]
        features = [x[order, at] for at in range(x.shape[1]) if np.isfinite(x[:, at]).all() and np.ptp(x[:, at]) > 0]
        at = first_alarm(features[:columns], known)
        alarms, windows = alarms + (at is not None), windows + (whole // WINDOW - known if at is None else at + 1)
    return Rate("drift, shuffled", alarms, windows, 1 / THRESHOLD, most=True)


def drift_power(shift: float, lives: int, *, kind: str = "independent", known: int = 12, seed: int = 8) -> Rate:
    """How often a shift of one of the features is told within eight windows."""
    rng = np.random.default_rng(seed)
    found = sum(first_alarm(drawn_features(kind, rng, known, 8, shift), known) is not None for _ in range(lives))
    return Rate(f"drift of {shift:g} deviations, {kind}", found, lives, 0.0, most=False)


def bounded(kind: str, rng: np.random.Generator, shape: tuple[int, int]) -> tuple[np.ndarray, float]:
    """Values in [0, 1] and their mean."""
    if kind == "rare":
        return (rng.random(shape) < 0.03).astype(float), 0.03
    if kind == "skewed":
        return rng.beta(0.5, 4.5, shape), 0.1
    return rng.uniform(size=shape), 0.5


def sequences_that_missed(kind: str, draws: int) -> Rate:
    """Confidence sequences that ever left the mean out."""
    values, mean = bounded(kind, np.random.default_rng(9), (draws, 200))
    missed = 0
    for row in values:
        lower, upper = confidence_sequence(row, level=LEVEL)
        missed += bool((lower > mean).any() or (upper < mean).any())
    return Rate(f"confidence sequence, {kind}", missed, draws, 1 - LEVEL, most=True)


def bets_that_got_rich(kind: str, draws: int) -> Rate:
    """Bets against the truth that ever made twenty of one."""
    values, mean = bounded(kind, np.random.default_rng(10), (draws, 300))
    rich = sum(Bets.against(mean).fed(row).peak >= 20 for row in values)
    return Rate(f"bets, {kind}", rich, draws, 1 / 20, most=True)


def quiet_losses(lives: int, *, threshold: float = 200.0) -> Rate:
    """Alarms by block where losses lean on their neighbours and lie below the null."""
    rng, blocks, alarms = np.random.default_rng(11), 0, 0
    for _ in range(lives):
        noise = np.asarray(lfilter([1], [1, -0.2], rng.normal(size=600)))  # what block_length lets pass
        losses = np.exp(0.5 * noise)
        detector = ChangeDetector.against(1.1 * float(np.exp(0.125 / 0.96)), threshold=threshold).fed(losses)
        alarms += detector.alarm_at is not None
        blocks += detector.count
    return Rate("performance, dependent blocks", alarms, blocks, 1 / threshold, most=True)


def quiet_trend(kind: str, lives: int, *, limit: float, lived: int = 104) -> Rate:
    """False warnings by window of estimates without a trend, whose limit is so many of their deviations away.

    One is false where none of the next eight figures lies above the limit; what begins within eight windows of the last
    is the same warning.
    """
    rng, false = np.random.default_rng(12), 0
    for _ in range(lives):
        figures = levels(kind, rng, lived)
        last = -math.inf
        for at in range(lived):
            if approach(figures[: at + 1], limit, sure=1 / (RARER * THRESHOLD)) is not None:
                false += at - last > AHEAD and not (figures[at + 1 : at + 1 + AHEAD] > limit).any()
                last = at
    return Rate(f"trend, {kind}, limit at {limit:g} deviations", false, lives * lived, 1 / THRESHOLD, most=True)


def levels(kind: str, rng: np.random.Generator, windows: int) -> np.ndarray:
    """Estimates of windows in which nothing lasts, of deviation 1 about 0."""
    noise = rng.normal(size=windows + 50)
    match kind:
        case "autocorrelated":
            return np.asarray(lfilter([1], [1, -0.5], noise))[50:] * math.sqrt(1 - 0.5**2)
        case "seasonal":  # a quarter of a year's weeks
            return (noise[50:] + 1.5 * np.sin(np.arange(windows) / 13 * 2 * math.pi)) / math.sqrt(1 + 1.5**2 / 2)
        case _:
            return noise[50:]


def true_intervals_condemned(shared: float, lives: int, *, windows: int = 40) -> Rate:
    """Lives in which true intervals, looked at in every window, are said to have failed. shared: share of the error's
    variance that all windows of a life have in common."""
    rng, reach, condemned = np.random.default_rng(13), np.full(windows, 1.6449), 0
    for _ in range(lives):
        error = rng.normal() * math.sqrt(shared) + rng.normal(size=windows) * math.sqrt(1 - shared)
        condemned += any(intervals_failed(-reach[:n], reach[:n], error[:n], level=LEVEL) for n in range(1, windows + 1))
    return Rate(f"true intervals condemned, {shared:g} of the error shared", condemned, lives, 0.05, most=True)


def dates_that_held(draws: int, *, size: float, lag: float) -> Rate:
    """Intervals of a change's date that hold it."""
    rng, held = np.random.default_rng(5), 0
    for _ in range(draws):
        true = int(rng.integers(15, 46))
        noise = lfilter([1], [1, -lag], rng.normal(size=80))[20:] * math.sqrt(1 - lag**2)
        found = date_change(noise + size * (np.arange(60) >= true), level=LEVEL)
        held += found is not None and found.earliest <= true <= found.latest
    return Rate(f"date of a change of {size:g} deviations, autocorrelation {lag:g}", held, draws, 0.85, most=False)


def powered_that_held(draws: int, *, skill: float) -> Rate:
    """Prediction-powered intervals of partly labelled windows; skill: what the loss model is worth."""
    held = 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        expected = rng.exponential(size=1500)
        losses = skill * expected + 0.3 + rng.normal(size=1500) * 0.3
        known = rng.permutation(1500) < 150
        blocks = (np.arange(1500) // 50)[known]
        found = powered_mean(losses[known], expected[known], expected[~known], blocks, level=LEVEL)
        held += found.lower <= losses.mean() <= found.upper
    return Rate(f"a tenth of labels, loss model of skill {skill:g}", held, draws, 0.85, most=False)


@dataclass(frozen=True)
class Told:
    """One window's estimate beside what was realised. shift: how far the inputs were moved, in deviations."""

    held: bool
    width: float
    error: float
    shift: float
    abstained: bool


def shifted_windows(
    x: np.ndarray, y: np.ndarray, task: str, metric: str, *, seed: int, windows: int, reference: int = 1500
) -> Iterator[Told]:
    """A real table in which only inputs move: rows shuffled in time, then drawn so that one feature, a threshold of
    one, the output, or a sum of two is tilted by up to 1.5 deviations."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    x, y, learn = x[order], y[order], len(y) // 3
    with threadpool_limits(1):
        kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
        model = kind(max_iter=60, random_state=0).fit(x[:learn], y[:learn])
        output = model.predict(x) if task == "regression" else model.predict_proba(x)[:, 1]
    held, rest = np.arange(learn, learn + reference), np.arange(learn + reference, len(y))
    raw = row_loss(metric, y, output)
    bound = stated_bound(metric, raw[held])
    loss = np.minimum(raw, bound)
    known = learn_loss(task, metric, y[held], output[held], held * HOUR, bound=bound, block=24 * HOUR, features=x[held])
    assert known is not None
    for number in range(windows):
        shift = SHIFTS[number % len(SHIFTS)]
        tilt = _direction(x[rest], output[rest], number % 4, rng)
        chance = np.exp(shift * tilt)
        rows = rest[rng.choice(len(rest), min(400, len(rest) // 4), replace=False, p=chance / chance.sum())]
        found = known.estimate(output[rows], np.arange(len(rows)) * HOUR, features=x[rows], level=LEVEL)
        true = float(loss[rows].mean())
        yield Told(
            held=found.loss.lower <= true <= found.loss.upper,
            width=(found.loss.upper - found.loss.lower) / 2 / true,
            error=(found.loss.value - true) / true,
            shift=shift,
            abstained=bool(found.abstains),
        )


def _direction(x: np.ndarray, output: np.ndarray, kind: int, rng: np.random.Generator) -> np.ndarray:
    one, other = (rankdata(np.nan_to_num(x[:, rng.integers(x.shape[1])])) for _ in range(2))
    tilt = (one, (one > 0.8 * len(one)) * 1.0, rankdata(output), one + other)[kind]
    spread = float(tilt.std())
    return (tilt - tilt.mean()) / (spread if spread > 0 else 1.0) * rng.choice([-1, 1])


def as_case(table: pl.DataFrame, target: str, leave: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Features as numbers, categories by the rank of their text, and the target."""
    columns = [
        (table[name] if table[name].dtype.is_numeric() else table[name].cast(pl.String).rank("dense"))
        .cast(pl.Float64)
        .fill_null(math.nan)
        .to_numpy()
        for name in table.columns
        if name not in (target, *leave)
    ]
    return np.column_stack(columns), table[target].cast(pl.Float64).to_numpy()


def coverage(name: str, told: list[Told]) -> Rate:
    """The estimate's intervals on windows that it did not abstain from; promised are 85% where 90% is said."""
    seen = [one for one in told if not one.abstained]
    by_shift = {shift: np.mean([one.held for one in seen if one.shift == shift]) for shift in SHIFTS}
    width, error = np.median([one.width for one in seen]), np.sqrt(np.mean([one.error**2 for one in seen]))
    note = f"half width {width:.1%} of the loss, error {error:.1%}, abstained from {len(told) - len(seen)}; by shift "
    note += ", ".join(f"{shift:g}: {share:.2f}" for shift, share in by_shift.items())
    return Rate(name, sum(one.held for one in seen), len(seen), 0.85, most=False, note=note)


def as_json(rates: list[Rate]) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "hits": int(one.hits),
            "trials": int(one.trials),
            "rate": round(float(one.hits / one.trials), 5),
            "interval": [round(bound, 5) for bound in one.interval],
            "promise": one.promise,
            "kept": bool(one.kept),
            "note": one.note,
        }
        for one in rates
    ]
