"""Two models on the same rows, in sequence: is the new one worse, better, or not yet known?"""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np

from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.blocks import HOUR, block_means
from solvent.statistics.bootstrap import block_bootstrap
from solvent.statistics.sequential import Bets, Interval

Verdict = Literal["worse", "better", "open"]


class PairedState(msgspec.Struct, kw_only=True):
    """Carried between calls; JSON can hold it.

    scale: block mean differences are clipped at ± this; margin: by how much the new model may be worse.
    means: block mean differences (new less old) so far; until: labels known before this have been taken, microseconds.
    """

    margin: float
    scale: float
    block: int
    alpha: float
    worse: Bets
    better: Bets
    means: list[float] = msgspec.field(default_factory=list)
    rows: int = 0
    until: int | None = None


class PairedVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """verdict: worse, the new model's loss exceeds the old one's by more than the margin; better, it is below the
    old one's; open. difference: mean block difference, new less old, with its interval; evidence: e-values against
    'not worse' and 'not better' at their peak; alpha: chance of a wrong 'worse', ever, however often it is asked."""

    verdict: Verdict
    difference: Interval
    worse_evidence: float
    better_evidence: float
    blocks: int
    rows: int
    alpha: float


def begin_paired(
    reference_loss: float, *, margin: float = 0.0, block: int = 6 * HOUR, alpha: float = 0.05
) -> PairedState:
    """No pair seen yet.

    reference_loss: a usual mean loss of either model (unrooted), which sets the scale of the bets; margin: in
        the same unit, >= 0; block: microseconds, one block is one piece of evidence.
    Raises: ValueError, reference_loss <= 0 or margin outside [0, reference_loss).
    """
    if reference_loss <= 0 or not 0 <= margin < reference_loss:
        raise ValueError("a paired test needs a positive usual loss and a margin below it")
    return PairedState(
        margin=margin,
        scale=reference_loss,
        block=block,
        alpha=alpha,
        worse=Bets.against(margin, low=-reference_loss),
        better=Bets.against(0.0, low=-reference_loss),
    )


def paired_check(
    state: PairedState, old_losses: Floats, new_losses: Floats, times: Counts, *, level: float = 0.9
) -> tuple[PairedState, PairedVerdict]:
    """Feed newly known pairs and judge; anytime-valid for the mean of the clipped block differences.

    old_losses, new_losses: shape (n,), losses of both models on the same rows; pairs with NaN are dropped.
    times: shape (n,), when each label was known, microseconds; rows before the last call's newest are skipped.
    """
    fresh = np.isfinite(old_losses) & np.isfinite(new_losses)
    if state.until is not None:
        fresh &= times > state.until
    order = np.flatnonzero(fresh)
    order = order[np.argsort(times[order], kind="stable")]
    difference = np.asarray(new_losses)[order] - np.asarray(old_losses)[order]
    means, _, _ = block_means(difference, times[order], state.block)
    clipped = np.clip(means, -state.scale, state.scale)
    after = PairedState(
        margin=state.margin,
        scale=state.scale,
        block=state.block,
        alpha=state.alpha,
        worse=state.worse.fed(clipped),
        better=state.better.fed(-clipped),
        means=(state.means + [float(m) for m in means])[-1000:],
        rows=state.rows + len(order),
        until=int(times[order].max()) if len(order) else state.until,
    )
    return after, _judge(after, level)


def _judge(state: PairedState, level: float) -> PairedVerdict:
    bar = 1 / state.alpha
    verdict: Verdict = "open"
    if state.worse.peak >= bar:
        verdict = "worse"
    elif state.better.peak >= bar:
        verdict = "better"
    means = np.array(state.means)
    return PairedVerdict(
        verdict=verdict,
        difference=block_bootstrap(means, np.ones(len(means), dtype=np.int64), level=level),
        worse_evidence=state.worse.peak,
        better_evidence=state.better.peak,
        blocks=len(means),
        rows=state.rows,
        alpha=state.alpha,
    )
