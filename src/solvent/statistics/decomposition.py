"""How much of a change in loss came from other inputs, and how much from another relation to the label."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.sequential import Interval

_LEAST_SHARED = 20.0  # effective rows a side, below which the two samples have too little in common


class Parts(msgspec.Struct, frozen=True):
    """A difference of mean losses, window less reference, and its parts, all in the loss's unit.

    covariate: inputs that became more or less common; concept: another loss on inputs that both have. They add up to
    `total`. shared: effective rows of the smaller side that lie where both have rows.
    """

    total: Interval
    covariate: Interval
    concept: Interval
    shared: float


def decompose(
    reference_losses: Floats,
    window_losses: Floats,
    reference_scores: Floats,
    window_scores: Floats,
    reference_blocks: Counts,
    window_blocks: Counts,
    *,
    level: float = 0.9,
    draws: int = 300,
    seed: int = 0,
) -> Parts | None:
    """Split a change of loss through the inputs that both samples share.

    losses: shape (n,) and (m,). scores: the chance that a row of these inputs comes from the window, were both sides
        equally likely, from a classifier that has not seen the row. blocks: integer labels; rows of one block lean on
        each other and are drawn together. The shared inputs have density p·q / (p + q): reference rows weigh by their
        score, window rows by one less it.
    Returns: None where a side is empty or fewer than twenty effective rows are shared: then nothing can be told of
        the relation. The interval is a block bootstrap's; the classifier's own error is not in it.
    Source: Cai, Namkoong and Yadlowsky 2023 (distribution shift decomposition).
    """
    if len(reference_losses) == 0 or len(window_losses) == 0:
        return None
    there, here = np.clip(reference_scores, 0.0, 1.0), 1 - np.clip(window_scores, 0.0, 1.0)
    shared = min(_effective(there), _effective(here))
    if shared < _LEAST_SHARED:
        return None
    sides = [_Side(reference_losses, there, reference_blocks), _Side(window_losses, here, window_blocks)]
    found = np.array(_parts(*(side.means() for side in sides)))
    generator = np.random.default_rng(seed)
    drawn = np.array([_parts(*(side.drawn(generator) for side in sides)) for _ in range(draws)])
    tail = (1 - level) / 2
    lower, upper = np.quantile(drawn, [tail, 1 - tail], axis=0)
    few = min(side.blocks for side in sides) < 2
    total, covariate, concept = (
        Interval(float(v), -math.inf if few else float(lo), math.inf if few else float(hi), level)
        for v, lo, hi in zip(found, lower, upper, strict=True)
    )
    return Parts(total, covariate, concept, shared)


class _Side:
    """One sample as sums per block: rows, losses, weights, weighted losses."""

    def __init__(self, losses: Floats, weights: Floats, blocks: Counts) -> None:
        _, which = np.unique(blocks, return_inverse=True)
        columns = (np.ones(len(losses)), losses, weights, weights * losses)
        self.sums = np.stack([np.bincount(which, weights=column) for column in columns])
        self.blocks = self.sums.shape[1]

    def means(self, pick: Counts | None = None) -> tuple[float, float]:
        """Mean loss of the sample, and on the inputs that are shared."""
        rows, losses, weights, weighted = (self.sums if pick is None else self.sums[:, pick]).sum(axis=1)
        return float(losses / rows), float(weighted / max(weights, 1e-12))

    def drawn(self, generator: np.random.Generator) -> tuple[float, float]:
        return self.means(generator.integers(0, self.blocks, size=(self.blocks,)))


def _parts(reference: tuple[float, float], window: tuple[float, float]) -> tuple[float, float, float]:
    total = window[0] - reference[0]
    concept = window[1] - reference[1]
    return total, total - concept, concept


def _effective(weights: Floats) -> float:
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0
