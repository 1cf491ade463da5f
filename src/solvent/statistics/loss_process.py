"""How models age, as a prior over loss matrices: one Gaussian process that a few known losses narrow down.

The logarithm of a model's loss in a window is a sum of parts, each a Gaussian process of its own: how hard the window
is for everyone; the span's standing, and how it wanders from season to season; what each further window of training
data is worth; what age costs, on average and in this window; the model's own luck; and noise. So models of different
ages, spans and windows inform each other, few of them are enough, and what is not known has its uncertainty. How large
all of it is on this table is not known beforehand: a mixture over scales, each weighed by its marginal likelihood.
Source: Rasmussen and Williams 2006, chapters 2 and 5. The prior was learned on tables that no figure is reported on.
"""

from __future__ import annotations

import msgspec
import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from solvent.statistics.arrays import Counts, Floats

SCALES = np.array([0.01, 0.04, 0.16, 0.64, 2.56])  # of all variances but the windows' own
_WIDE = 4.0  # variance of the log loss before anything is known
_JITTER = 1e-8
_NEGLIGIBLE = 1e-4  # weight of a scale whose covariances are left out
_HIGHEST = 6.0  # log of a loss over the usual one that a forecast may reach


class Prior(msgspec.Struct, frozen=True):
    """Variances of log losses, at scale 1.

    level, odd: of a window's difficulty, what it moves by from window to window and what is its own. standing, season:
    of a span, for good and for about `season_length` windows. trained, trained_span: of what one more window of
    training data is worth, alike for all spans and beside that. age, age_now: of the factor on age ** power, for good
    and for about `now_length` windows; ageing: the mean of that factor. model: of a model's luck; noise: of an entry.
    rows: power of the number of training rows by which loss falls.
    """

    level: float
    odd: float
    standing: float
    season: float
    season_length: float
    trained: float
    trained_span: float
    age: float
    age_now: float
    now_length: float
    power: float
    ageing: float
    model: float
    noise: float
    rows: float


# Found by marginal likelihood.
LEARNED = Prior(
    level=0.0822,
    odd=0.00809,
    standing=0.000905,
    season=0.0157,
    season_length=2.74,
    trained=0.0225,
    trained_span=0.00398,
    age=0.00014,
    age_now=0.0164,
    now_length=3.61,
    power=0.579,
    ageing=0.228,
    model=0.000277,
    noise=0.0644,
    rows=0.0622,
)


class Entries(msgspec.Struct, frozen=True):
    """Entries of a loss matrix, each of shape (n,): the model's tick and span, the window, and the log of the model's
    training rows over the first model's. Spans below 0 are of models that do not know a feature; of the others, models
    of tick 0 are one and the same.
    """

    tick: Counts
    span: Counts
    window: Counts
    log_rows: Floats

    def __len__(self) -> int:
        return len(self.tick)

    @property
    def age(self) -> Counts:
        return self.window - self.tick


class Posterior(msgspec.Struct, frozen=True):
    """What is believed once some entries are known.

    weights: shape (n_scales,), of the scales; means: shape (n_scales, n_ahead), of the log losses ahead; covariances:
    shape (n_ahead, n_further), between losses ahead and entries that could be looked at; spread: shape (n_further,
    n_further), of those, their noise included.
    """

    weights: Floats
    means: Floats
    covariances: Floats
    spread: Floats

    def expected(self) -> Floats:
        """Losses ahead in units of the usual loss, shape (n_ahead,): the median at each scale, averaged."""
        return np.asarray(self.weights @ np.exp(np.clip(self.means, -20.0, _HIGHEST)))


def learn(prior: Prior, known: Entries, log_losses: Floats, ahead: Entries, further: Entries) -> Posterior:
    """Condition the process on what is known.

    log_losses: shape (n_known,), over the loss that was expected of a window before any. ahead: entries to foretell;
    further: entries that are not known and could be, by training their model now.
    """
    wanted = _joined(ahead, further)
    between, within = _covariance(prior, known, wanted), _covariance(prior, known, known)
    evidence, means, factors = [], [], []
    for scale in SCALES:
        whole = scale * within.scaled + within.plain
        whole[np.diag_indices(len(known))] += scale * prior.noise + _JITTER
        factor = cho_factor(whole, lower=True, overwrite_a=True, check_finite=False)
        surprise = log_losses - _mean(prior, known, scale)
        solved = cho_solve(factor, surprise, check_finite=False)
        carried = scale * (solved @ between.scaled[:, : len(ahead)]) + solved @ between.plain[:, : len(ahead)]
        means.append(_mean(prior, ahead, scale) + carried)
        evidence.append(-0.5 * float(surprise @ solved) - float(np.log(np.diag(factor[0])).sum()))
        factors.append(factor[0])
    weights = np.exp(np.array(evidence) - max(evidence))
    weights /= weights.sum()
    left = np.zeros((len(wanted), len(further)))
    before = _covariance(prior, wanted, further)
    for at in np.flatnonzero(weights > _NEGLIGIBLE) if len(further) else ():
        across = SCALES[at] * between.scaled + between.plain
        seen = solve_triangular(factors[at], across, lower=True, check_finite=False)
        left += weights[at] * (SCALES[at] * before.scaled + before.plain - seen.T @ seen[:, len(ahead) :])
    spread = left[len(ahead) :] + float(weights @ SCALES) * prior.noise * np.eye(len(further))
    return Posterior(weights, np.array(means), left[: len(ahead)], spread)


class _Covariance(msgspec.Struct, frozen=True):
    """scaled: what grows with the scale; plain: the windows' own."""

    scaled: Floats
    plain: Floats


def _covariance(prior: Prior, a: Entries, b: Entries) -> _Covariance:
    apart = np.abs(a.window[:, None] - b.window[None, :])
    reach = np.arange(int(apart.max(initial=0)) + 1)
    same_span = a.span[:, None] == b.span[None, :]
    earlier = np.minimum(a.tick[:, None], b.tick[None, :])
    aged = np.outer(a.age**prior.power, b.age**prior.power)
    fewer = (a.span < 0)[:, None] & same_span
    first = ((a.tick == 0) & (a.span >= 0))[:, None] & (b.span >= 0)[None, :]
    one = (a.tick[:, None] == b.tick[None, :]) & (same_span | first)
    season = prior.season * np.exp(-reach / prior.season_length)
    now = prior.age_now * np.exp(-reach / prior.now_length)
    scaled = same_span * (prior.standing + prior.trained_span * earlier + season[apart])
    scaled += prior.trained * earlier + aged * (prior.age + now[apart]) + prior.model * one
    scaled += fewer * aged * prior.ageing**2  # a model without a feature may age not at all, or all the more
    plain = _WIDE + prior.level * np.minimum(a.window[:, None], b.window[None, :]) + prior.odd * (apart == 0)
    return _Covariance(np.asarray(scaled), np.asarray(plain))


def _mean(prior: Prior, entries: Entries, scale: float) -> Floats:
    return np.asarray(np.sqrt(scale) * prior.ageing * entries.age**prior.power - prior.rows * entries.log_rows)


def _joined(a: Entries, b: Entries) -> Entries:
    return Entries(
        np.concatenate([a.tick, b.tick]),
        np.concatenate([a.span, b.span]),
        np.concatenate([a.window, b.window]),
        np.concatenate([a.log_rows, b.log_rows]),
    )
