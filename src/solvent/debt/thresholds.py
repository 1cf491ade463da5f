"""Models whose loss has passed the threshold that the project set, and how long they took to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from solvent.lineage.entities import Measurement


class PastThreshold(msgspec.Struct, frozen=True):
    """since: start of the first of the latest windows in a row whose loss lay above with its whole interval; took_days:
    from the first window that the version was measured in.
    """

    model: str
    number: int | None
    threshold: float
    unit: str
    since: datetime
    windows: int
    took_days: float


def past_threshold(losses: Iterable[Measurement], threshold: float) -> PastThreshold | None:
    """Of one model, whose realised losses are given; None where its newest window does not lie above."""
    ordered = sorted(losses, key=lambda one: one.window_start)
    if not ordered:
        return None
    version = ordered[-1].number
    mine = [one for one in ordered if one.number == version]
    above = 0
    for one in reversed(mine):
        bound = one.lower if one.lower is not None else one.value
        if bound is None or bound <= threshold:
            break
        above += 1
    if not above:
        return None
    since = mine[-above].window_start
    took = (since - mine[0].window_start) / timedelta(days=1)
    return PastThreshold(mine[-1].model, version, threshold, mine[-1].unit, since, above, took)
