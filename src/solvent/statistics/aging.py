"""How models age: what a model loses to a fresh one, by its age.

After the test of Vela et al. 2022 (Scientific Reports 12, 11654): many models, each trained at another time and
scored at every later age. Here each is compared with the model trained just before the window that both are scored
on, on as many rows, so that a bad season or a hard week, which hits both, is no age.

Excess has shape (n, n): entry [i, w] is the mean loss of a row of window w under the model trained just before window
i, less that under the model trained just before window w; NaN where w < i. Age is w - i, in windows.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np
from scipy.special import ndtri, stdtrit

from solvent.statistics.arrays import Counts, Flags, Floats
from solvent.statistics.sequential import Interval

Verdict = Literal["stable", "gradual", "abrupt", "erratic"]

FLOOR = 0.05  # of a fresh model's loss: what a model of middle age must lose more than, to have aged
_LEAST_MODELS = 3  # of one age, for its quantiles
_STEP = 0.6  # a step explains this much better than a line: its squared misfit is at most this share
_EXPLAINED = 0.6  # and so much of the squared excess
_SPREAD = 2.0  # old models differ so many times more than young ones, beyond what fewer shared rows explain
_SMOOTH = 2  # windows whose mean must cross a threshold


class AgeCurve(msgspec.Struct, frozen=True):
    """Excess by age. ages: in windows; lower, middle, upper: quantiles 25, 50 and 75 over models; models: how many."""

    ages: list[int]
    lower: list[float]
    middle: list[float]
    upper: list[float]
    models: list[int]


class Aging(msgspec.Struct, frozen=True):
    """The verdict and what it rests on, all in the loss of a row unless a share is said.

    slope: loss added per window of age; share: of a fresh model's loss, added at middle age. step: the window at which
    all older models got worse at once, None unless abrupt; step_size: by how much. misfit: squared misfit of the best
    step over that of the line; spread: how many times further apart old models are than young ones.
    """

    verdict: Verdict
    slope: Interval
    share: float
    step: int | None
    step_size: float
    misfit: float
    spread: float
    fresh: float
    curve: AgeCurve


def excess_of(losses: Floats, rows: Counts) -> Floats:
    """Excess from the loss matrix of one span.

    losses: shape (n_ticks, n_windows), summed over a window's rows; rows: shape (n_windows,).
    """
    mean = losses / rows
    excess = mean - np.diagonal(mean)[None, :]
    excess[np.tril_indices(len(rows), -1)] = np.nan
    return np.asarray(excess)


def age_curve(excess: Floats) -> AgeCurve:
    """Quantiles of excess over models of each age from 1 on that at least three reached."""
    found = [(age, np.diagonal(excess, age)) for age in range(1, len(excess))]
    found = [(age, values[np.isfinite(values)]) for age, values in found]
    found = [(age, values) for age, values in found if len(values) >= _LEAST_MODELS]
    marks = [np.quantile(values, [0.25, 0.5, 0.75]).tolist() for _, values in found]
    return AgeCurve(
        ages=[age for age, _ in found],
        lower=[mark[0] for mark in marks],
        middle=[mark[1] for mark in marks],
        upper=[mark[2] for mark in marks],
        models=[len(values) for _, values in found],
    )


def judge_aging(excess: Floats, fresh: Floats, *, memory: int, draws: int = 400, seed: int = 0) -> Aging:
    """Gradual, abrupt, erratic or stable.

    excess: shape (n, n); fresh: shape (n,), mean loss of a row of the fresh model in each window; memory: windows'
        worth of rows that a model is trained on. Ages up to two thirds of the windows count, beyond which few models
        speak.
    Abrupt: a step at one time explains most of the excess, far better than a line in age, and is a tenth of a fresh
        model's loss or more. Gradual: the slope's 90% interval lies above zero, and a model of middle age loses a
        twentieth or more. Erratic: no slope, but old models differ from each other at least twice as much as young
        ones, beyond what luck does: a model of age a shares all but a / memory of its rows with the fresh one, and so
        its luck, which explains spreads that grow with the root of that. Stable: none of these.
    The interval comes from resampling training times in blocks of the memory's length, as neighbours share their rows
        and so their luck; each drawn time counts as an aged model and as a fresh one.
    """
    n, level = len(fresh), float(np.mean(fresh))
    age = np.arange(n)[None, :] - np.arange(n)[:, None]
    used = np.isfinite(excess) & (age >= 1) & (age <= max(2 * n // 3, 1))
    filled = np.where(used, excess, 0.0)
    ages = np.where(used, age, 0).astype(float)
    weights = _drawn_weights(n, _block(n, memory), draws, seed)
    alone = float(_slopes(filled, ages, np.ones((1, n)))[0])
    slope = _interval(alone, _slopes(filled, ages, weights), n / _block(n, memory))
    share = slope.value * (n / 3) / level if level > 0 else 0.0
    step, size, left = _best_step(excess, used, memory)
    values = excess[used]
    misfit = left / max(float(((values - slope.value * age[used]) ** 2).sum()), 1e-300)
    explained = 1 - left / max(float((values**2).sum()), 1e-300)
    spread = _spread(excess, used, age, memory)
    verdict: Verdict = "stable"
    if misfit <= _STEP and explained >= _EXPLAINED and size >= 2 * FLOOR * level:
        verdict = "abrupt"
    elif slope.lower > 0 and share >= FLOOR:
        verdict = "gradual"
    elif spread[0] >= _SPREAD and spread[1] >= 2 * FLOOR * level:
        verdict = "erratic"
    return Aging(
        verdict=verdict,
        slope=slope,
        share=share,
        step=step if verdict == "abrupt" else None,
        step_size=size,
        misfit=misfit,
        spread=spread[0],
        fresh=level,
        curve=age_curve(excess),
    )


def half_life(excess: Floats, skill: float) -> float | None:
    """Age in windows at which models have on average lost half of the skill that they had when fresh.

    skill: loss of the naive baseline less that of a fresh model. None where there was no skill, or the ages seen do
    not reach so far. The mean by age is made rising (pool adjacent violators), and read between ages linearly.
    """
    if skill <= 0:
        return None
    ages, means = [0.0], [0.0]
    counts = [1e9]
    for age in range(1, len(excess)):
        values = np.diagonal(excess, age)
        values = values[np.isfinite(values)]
        if len(values) >= _LEAST_MODELS:
            ages.append(float(age))
            means.append(float(values.mean()))
            counts.append(float(len(values)))
    rising = _rising(np.array(means), np.array(counts))
    above = np.flatnonzero(rising >= skill / 2)
    if len(above) == 0:
        return None
    at = int(above[0])
    gap = rising[at] - rising[at - 1]
    return ages[at - 1] + (ages[at] - ages[at - 1]) * float((skill / 2 - rising[at - 1]) / gap)


def time_to_threshold(excess: Floats, allowed: float) -> tuple[float | None, float | None, float | None]:
    """Ages in windows by which a tenth, half and nine tenths of the models exceed what is allowed.

    allowed: excess that a model may have; it is exceeded where the mean of two windows is. Models still in bounds when
    the table ends are counted as long as they were seen. None where the table does not tell.
    Source: Kaplan and Meier 1958.
    """
    n = len(excess)
    crossed: list[tuple[int, bool]] = []
    for tick in range(n - _SMOOTH):
        path = excess[tick, tick + 1 :]
        smooth = np.convolve(path, np.ones(_SMOOTH) / _SMOOTH, mode="valid")
        above = np.flatnonzero(smooth > allowed)
        crossed.append((int(above[0]) + 1, True) if len(above) else (len(path), False))
    staying, quantiles = 1.0, list[float | None]()
    wanted = [0.1, 0.5, 0.9]
    for age in sorted({age for age, fell in crossed if fell}):
        risk = sum(seen >= age for seen, _ in crossed)
        staying *= 1 - sum(fell and seen == age for seen, fell in crossed) / risk
        while len(quantiles) < len(wanted) and 1 - staying >= wanted[len(quantiles)] - 1e-12:
            quantiles.append(float(age))
    quantiles += [None] * (len(wanted) - len(quantiles))
    return quantiles[0], quantiles[1], quantiles[2]


def _drawn_weights(n: int, length: int, draws: int, seed: int) -> Floats:
    """How often each time is drawn, in circular blocks, shape (draws, n)."""
    generator = np.random.default_rng(seed)
    blocks = -(-n // length)
    starts = generator.integers(0, n, size=(draws, blocks))
    picked = ((starts[:, :, None] + np.arange(length)) % n).reshape(draws, -1)[:, :n]
    return np.stack([np.bincount(row, minlength=n) for row in picked]).astype(float)


def _slopes(excess: Floats, age: Floats, weights: Floats) -> Floats:
    """Least squares through the origin, each pair weighted by both of its times, shape (draws,)."""
    above = np.einsum("di,iw,dw->d", weights, age * excess, weights, optimize=True)
    below = np.einsum("di,iw,dw->d", weights, age * age, weights, optimize=True)
    return np.asarray(above / np.maximum(below, 1e-12))


def _block(n: int, memory: int) -> int:
    """Neighbours within the memory share rows; at least three blocks, or nothing can be said of their spread."""
    return max(min(max(memory, round(math.sqrt(n))), n // 3), 1)


def _interval(value: float, drawn: Floats, blocks: float, level: float = 0.9) -> Interval:
    """Percentiles, stretched to Student's t for the few blocks that there are."""
    tail = (1 - level) / 2
    lower, upper = np.quantile(drawn, [tail, 1 - tail])
    stretch = float(stdtrit(blocks - 1, 1 - tail) / ndtri(1 - tail)) * math.sqrt(blocks / (blocks - 1))
    middle = float(np.median(drawn))
    below, above = stretch * (middle - float(lower)), stretch * (float(upper) - middle)
    return Interval(value, value - below, value + above, level)


def _best_step(excess: Floats, used: Flags, memory: int) -> tuple[int | None, float, float]:
    """The time at which the world changed once, the excess of a model from before, and the squared misfit."""
    n = len(excess)
    values = excess[used]
    best: tuple[int | None, float, float] = (None, 0.0, float((values**2).sum()))
    for change in range(2, n - 1):
        for fade in (1, memory):
            old = 1 - np.clip((np.arange(n) - change) / max(fade, 1), 0, 1)  # share of rows from before the change
            shape = np.maximum(old[:, None] - old[None, :], 0.0) * (np.arange(n)[None, :] >= change)
            seen = shape[used]
            power = float(seen @ seen)
            size = float(seen @ values) / power if power > 0 else 0.0
            misfit = float(((values - size * seen) ** 2).sum())
            if size > 0 and misfit < best[2]:
                best = (change, size, misfit)
    return best


def _spread(excess: Floats, used: Flags, age: Counts, memory: int) -> tuple[float, float]:
    """Quartile distance of the older half of ages over that of the youngest quarter, and the former itself.

    The ratio is divided by what the luck of models alone makes of it, as they share fewer and fewer rows.
    """
    oldest = int(age[used].max())
    young, old = used & (age <= max(oldest // 4, 1)), used & (age > oldest // 2)
    if young.sum() < _LEAST_MODELS or old.sum() < _LEAST_MODELS:
        return 1.0, 0.0
    narrow, wide = (float(np.subtract(*np.quantile(excess[side], [0.75, 0.25]))) for side in (young, old))
    apart = np.minimum(age / memory, 1.0)
    by_luck = math.sqrt(float(apart[old].mean() / apart[young].mean()))
    return (wide / narrow / by_luck if narrow > 0 else (math.inf if wide > 0 else 1.0)), wide


def _rising(means: Floats, counts: Floats) -> Floats:
    """Nearest nondecreasing sequence, weighted (pool adjacent violators)."""
    pooled: list[tuple[float, float, int]] = []
    for mean, count in zip(means.tolist(), counts.tolist(), strict=True):
        block = (mean, count, 1)
        while pooled and pooled[-1][0] >= block[0]:
            before = pooled.pop()
            weight = before[1] + block[1]
            block = ((before[0] * before[1] + block[0] * block[1]) / weight, weight, before[2] + block[2])
        pooled.append(block)
    return np.concatenate([np.full(size, mean) for mean, _, size in pooled])
