"""Which feature's relation to the target wanders: a version's losses beside those of its likes without one feature.

Both learned from the same rows, so season and difficulty cancel. `statistics.wandering` says when; here a life becomes
its figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
import numpy as np

from solvent.foundation.settings import PolicySettings, price
from solvent.monitoring.policy import LEAST_LABELLED, Window, parts_of
from solvent.statistics.wandering import MOST, RECENT, RELIED, SAVES, wanders_since


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A version beside whose twin models without one feature were trained: on its rows, as of its instant.

    at: when. same: whether the twin, which today's pipeline makes of the same rows, is the version itself.
    """

    number: int
    made_at: datetime
    span: str
    at: datetime
    same: bool = False

    def beside(self, made_at: datetime, span: str) -> bool:
        """Whether a model is the twin or one of its likes."""
        return made_at == self.made_at and (span == self.span or parts_of(span)[1] != "")


class Wandering(msgspec.Struct, frozen=True, kw_only=True):
    """A feature, known to wander since a tick. span: of the models that do without it.

    saved: share of the loss that version `number` would not have had without it, over the latest `windows` then.
    """

    feature: str
    span: str
    since: datetime
    number: int
    saved: float
    windows: int

    def in_words(self) -> str:
        more = f"v{self.number} without it would have lost {self.saved:.0%} less over the last {self.windows} windows"
        return f"`{self.feature}` wanders: {more}"


def worth_trying(
    reliance: Mapping[str, float], clocks: Iterable[str], policy: PolicySettings, window_loss: float
) -> list[str]:
    """Features that a version may be tried without, those first on which it relies most.

    reliance: by feature, the share of its skill that is lost when the feature is shuffled. clocks: functions of the
    clock, which stay: season and trend are no feature's fault. A trial costs a fit, so no more are tried than pay once
    one is named; and with a single feature none.
    """
    if len(reliance) < 2:
        return []
    each = policy.loss * window_loss
    fit, saves = price(policy.fit, each), SAVES * RECENT * each
    affordable = MOST if fit <= 0 else min(int(saves / fit), MOST)
    out = set(clocks)
    names = [name for name, share in reliance.items() if share >= RELIED and name not in out]
    return sorted(names, key=lambda name: -reliance[name])[:affordable]


def wandering(windows: Iterable[Window], tried: Tried, now: datetime) -> Wandering | None:
    """The feature without which a version would lately have erred less; None where there is none.

    windows: with the losses of its twin and likes beside those of whichever version was in service. Those under a
    broken contract, with a gap or in a shock are left out, and so are those without most of their labels. It is asked
    at every tick, of several features and versions: no fewer than four windows tell.
    """
    pairs: dict[str, dict[datetime, tuple[float, float]]] = {}
    for window in windows:
        if window.excluded or window.labelled < max(LEAST_LABELLED * window.rows, 1) or window.end > now:
            continue
        losses = {shadow.span: shadow.loss for shadow in window.shadows if shadow.made_at == tried.made_at}
        own = losses.get(tried.span, window.loss if tried.same and window.version == tried.number else None)
        for like, loss in losses.items():
            if own is not None and parts_of(like)[1]:
                pairs.setdefault(like, {})[window.start] = own, loss
    found = [_compared(like, beside, tried.number, now) for like, beside in pairs.items()]
    return max((one for one in found if one is not None), key=lambda one: one.saved, default=None)


def _compared(
    span: str, beside: Mapping[datetime, tuple[float, float]], number: int, now: datetime
) -> Wandering | None:
    starts = sorted(beside)[-RECENT:]
    whole, without = np.array([beside[start] for start in starts]).T
    if len(starts) < RECENT or wanders_since(whole, without, np.array([RECENT])) is None:
        return None
    return Wandering(
        feature=parts_of(span)[1],
        span=span,
        since=now,
        number=number,
        saved=float(1 - without.sum() / whole.sum()),
        windows=len(starts),
    )
