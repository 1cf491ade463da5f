"""Why a loss rose: the first of the causes that explains it, in a fixed order."""

from __future__ import annotations

from typing import Any

import msgspec

from solvent.foundation.clock import from_micros
from solvent.monitoring.dissect import Dissection
from solvent.monitoring.reference import Reference
from solvent.monitoring.state import MonitorState
from solvent.monitoring.tracks import OUTPUT
from solvent.statistics.blocks import DAY

_NEAR = 7 * DAY
_SEASON = 60 * DAY  # how long a note of an unseen season explains
_SEASONAL = 0.5  # share of the live model's excess that a fresh one shares


class Fresh(msgspec.Struct, frozen=True):
    """Clipped mean losses of the live model and of one trained just before, on the same rows; unrooted."""

    live: float
    fresh: float


def name_cause(
    reference: Reference,
    state: MonitorState,
    since: int,
    mean: float,
    fresh: Fresh | None,
    *,
    until: int | None = None,
    found: Dissection | None = None,
) -> dict[str, Any]:
    """Broken contract, gap or shock, season, drift of inputs, else a changed relation (concept); and in which slice.

    since: when the excess began, microseconds; mean: clipped loss since then; until: the end of the one bad window
    that is looked at, too little to tell a changed relation by; found: what the rise is made of. Returns: kind,
    sentence and, by kind, the features or the spans that it rests on.
    """
    near = [span for span in state.spans if span.start - DAY <= since <= span.end + _NEAR]
    if until is not None:
        near = [span for span in state.spans if span.start < until and since < span.end]
    for kind, words in (("contract", "the data was broken"), ("shock", "a shock")):
        spans = [span for span in near if span.kind == kind]
        if spans:
            last = spans[-1]
            note = f": {last.note}" if last.note else ""
            return {
                "kind": kind,
                "sentence": f"{words} from {from_micros(last.start):%d %b %Y}{note}",
                "spans": [
                    [f"{from_micros(s.start):%Y-%m-%d %H:%M}", f"{from_micros(s.end):%Y-%m-%d %H:%M}"] for s in spans
                ],
            }
    if fresh is not None and reference.risk is not None:
        usual = reference.risk.mean.value
        if fresh.live > usual and fresh.fresh - usual >= _SEASONAL * (fresh.live - usual):
            share = (fresh.fresh - usual) / (fresh.live - usual)
            return {
                "kind": "seasonal",
                "sentence": f"a fresh model would do hardly better ({share:.0%} of the excess is its own too)",
                "share": share,
            }
    if state.drift.named:
        names = state.drift.named
        return {"kind": "drift", "sentence": f"the inputs drifted: {', '.join(names[:3])}", "features": names}
    names = [name for name in state.drift.season if name != OUTPUT]
    if names and state.episodes.get("unseen-season", -_SEASON) >= since - _SEASON:
        sentence = f"a season that it has not seen, above all in {' and '.join(names[:2])}"
        return {"kind": "unseen-season", "sentence": sentence, "features": names}
    unusual = _unusual(state)
    hint = f" (most unusual input: {unusual})" if unusual else ""
    if until is not None:
        return {"kind": "unknown", "sentence": f"no input broke or drifted{hint}; one window tells no more"}
    place = f", above all where {found.place}" if found is not None and found.place else ""
    if found is not None and found.of_inputs:
        which = f" (by {' and '.join(found.moved[:2])})" if found.moved else ""
        return {
            "kind": "covariate",
            "sentence": f"its rows are of a harder kind than those it was evaluated on{which}{place}",
            "features": found.moved,
        }
    sentence = f"no input broke or drifted: the relation of inputs to label has changed{hint}{place}"
    return {"kind": "concept", "sentence": sentence, "mean": mean}


def _unusual(state: MonitorState) -> str:
    tracks = state.drift.tracks
    name = max(tracks, key=lambda n: tracks[n].evidence, default="")
    return name if name and tracks[name].evidence >= 10 else ""
