"""When to retrain, by plan: the next windows foretold from the losses of the models that there are.

The other rule of `policy`. Nothing is trained as a matter of course: where a model as of an earlier tick would tell
more than its fit costs, the answer is that model, and the caller trains it, scores it on the windows since, and asks
again. What counts as evidence is the same: windows under a broken contract, with a gap or in a shock are left out, and
those without most of their labels wait. `statistics.foresight` plans; here a life becomes its situation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from solvent.foundation.clock import parse_span
from solvent.foundation.settings import PolicySettings, price
from solvent.monitoring.policy import (
    LEAST_LABELLED,
    PolicyHistory,
    Proposal,
    Window,
    amount,
    barred,
    day_of,
    parts_of,
    retraining_price,
    rows_of,
    width_of,
)
from solvent.statistics.arrays import Counts
from solvent.statistics.foresight import HORIZON, REMEMBERED, Advice, Situation, advise
from solvent.statistics.loss_process import LEARNED

_MINUTE = timedelta(minutes=1)
_WIDER = 1.1  # times the training rows, from which on they are named among the reasons


class Made(msgspec.Struct, frozen=True):
    """A model that was trained, or could be: on the rows known at an instant, and on which span of them."""

    at: datetime
    span: str


class Life(PolicyHistory, frozen=True, kw_only=True):
    """A history with every model that was trained; its windows may be of any version, and none of them overlap.

    width: of a window. learned_since: time of the oldest row that the first version learned from, None where rows have
    no time. versions: by number, without those that were rolled back. shadows: trained so far, or tried in vain.
    bought: those of this tick. fewer: spans beside the policy's own whose models do not know a feature.
    """

    width: timedelta
    learned_since: datetime | None
    versions: dict[int, Made]
    shadows: list[Made] = msgspec.field(default_factory=list)
    bought: list[Made] = msgspec.field(default_factory=list)
    fewer: list[str] = msgspec.field(default_factory=list)


def plan(life: Life, settings: PolicySettings, now: datetime) -> Proposal | Made:
    """What to do now, or the shadow to train before that is known; pure, and blind to what ends after `now`."""
    told = _Told(life, now)
    evidence = _evidence(life, settings, told)
    if not told.known or life.window_loss <= 0:
        return Proposal(
            action="hold", reason=_nothing_known(life, told), evidence={**evidence, "because": "no-evidence"}
        )
    bar = barred(life, settings, now)  # where nothing may change, nothing is spent to know
    spans = [*settings.spans, *life.fewer]
    seen = _situation(life, settings, told, spans)
    advice = advise(seen, LEARNED, shadows=bar is None)
    if advice.shadow is not None:
        tick, on = advice.shadow
        return Made(told.origin + tick * life.width, spans[on])
    evidence["saves"] = advice.saves
    if advice.span is None:
        return Proposal(
            action="hold", reason=_keeping(life, told, seen, advice), evidence={**evidence, "because": "price"}
        )
    span, wider = spans[advice.span], float(seen.rows[seen.tick, advice.span] / seen.rows[seen.live])
    evidence |= {"span": span, "rows": wider}
    reason = _retraining(life, told, seen, advice, span, wider)
    if bar:
        because, why = bar
        return Proposal(action="hold", reason=f"{reason}, but {why}", evidence={**evidence, "because": because})
    return Proposal(action="retrain", span=span, reason=reason, evidence={**evidence, "because": "saves"})


class _Told:
    """The closed windows of a life by what they tell. origin: start of the oldest; known: that count."""

    def __init__(self, life: Life, now: datetime) -> None:
        closed = [window for window in life.windows if window.end <= now]
        self.origin = min((window.start for window in closed), default=life.made_at)
        self.tick = _position(max((window.end for window in closed), default=life.made_at), self.origin, life.width)
        self.left_out = _first_of_each(window for window in closed if window.excluded)
        fair = [window for window in closed if not window.excluded]
        self.known = [window for window in fair if window.labelled >= max(LEAST_LABELLED * window.rows, 1)]
        starts = {window.start for window in self.known}
        self.waiting = _first_of_each(window for window in fair if window.start not in starts)


def _first_of_each(windows: Iterator[Window]) -> list[Window]:
    """One of each start, in order of time."""
    found: dict[datetime, Window] = {}
    for window in windows:
        found.setdefault(window.start, window)
    return sorted(found.values(), key=lambda window: window.start)


def _position(at: datetime, origin: datetime, width: timedelta) -> int:
    """The first window that begins at `at` or later; what is older than all windows stands before the first."""
    return max(math.ceil((at - origin) / width), 0)


def _situation(life: Life, settings: PolicySettings, told: _Told, spans: Sequence[str]) -> Situation:
    """Losses priced and scaled from labelled rows to all, on a grid of ticks, spans and windows.

    A span that is no longer among the settings counts as the first one.
    """
    windows = 1 + max(_position(window.start, told.origin, life.width) for window in told.known)
    losses, whole = np.full((told.tick + 1, len(spans), windows), np.nan), len(settings.spans)
    made = np.zeros(losses.shape[:2], dtype=bool)
    made[0, :whole] = True
    live = Made(life.made_at, life.versions[life.version].span)

    def place(model: Made) -> tuple[int, int | slice]:
        tick = _position(model.at, told.origin, life.width)
        span = spans.index(model.span) if model.span in spans else 0
        # before the first window a model that knows every feature is one, whatever its span
        return tick, span if tick or span >= whole else slice(whole)

    for model in [*life.shadows, *life.versions.values()]:
        if place(model)[0] <= told.tick:
            made[place(model)] = True
    for window in sorted(told.known, key=lambda window: window.version == life.version):  # the live one's count last
        at = _position(window.start, told.origin, life.width)
        scale = settings.loss * window.rows / window.labelled
        seen = [(Made(shadow.made_at, shadow.span), shadow.loss) for shadow in window.shadows]
        if window.version in life.versions:
            seen.append((life.versions[window.version], window.loss))
        for model, loss in seen:
            if place(model)[0] <= at:
                losses[(*place(model), at)] = scale * loss
    since, span = place(live)
    each = settings.loss * life.window_loss
    return Situation(
        tick=told.tick,
        live=(since, span if isinstance(span, int) else 0),
        losses=losses,
        made=made,
        rows=_rows(life, told, spans),
        price=retraining_price(life, settings),
        fit=price(settings.fit, each),
        usual=each,
        fewer=len(life.fewer),
    )


def _rows(life: Life, told: _Told, spans: Sequence[str]) -> Counts:
    """Training rows of each tick and span, as far as they matter: in proportion to the time that they cover."""
    rows = np.ones((told.tick + 1, len(spans)), dtype=int)
    reaches = [parts_of(span)[0] for span in spans]
    if life.learned_since is None:
        return rows
    for tick in range(told.tick + 1):
        whole = (told.origin + tick * life.width - life.learned_since) // _MINUTE
        minutes = [whole if reach == "all" else min(parse_span(reach) // _MINUTE, whole) for reach in reaches]
        rows[tick] = np.maximum(minutes, 1)
    return rows


def _retraining(life: Life, told: _Told, seen: Situation, advice: Advice, span: str, wider: float) -> str:
    """What it saves against the best that waits, over which windows, and whether more rows are a part of why.

    wider: training rows of the new model over those of the one in service.
    """
    more = f", {wider:.1f} times what v{life.version} learned from," if wider >= _WIDER else ""
    saves = f"would save {amount(advice.saves)} {_ahead(life, told)}"
    price_paid = f"its price of {amount(seen.price)} paid"
    return (
        f"retraining v{life.version} now on {rows_of(span)}{more} {saves} against waiting, {price_paid}{_trained(life)}"
    )


def _keeping(life: Life, told: _Told, seen: Situation, advice: Advice) -> str:
    saves = f"would save {amount(-advice.saves)} {_ahead(life, told)}"
    return (
        f"keeping v{life.version} for now {saves} against a retraining now, whose price is {amount(seen.price)}"
        f"{_trained(life)}"
    )


def _ahead(life: Life, told: _Told) -> str:
    return f"{life.unit or 'of loss'} over the next {HORIZON} {width_of(told.known[-1])}"


def _trained(life: Life) -> str:
    """Which shadows this tick asked for."""
    looked = [f"{rows_of(model.span)} as of {model.at:%Y-%m-%d}" for model in life.bought]
    return f"; trained to know that: {', '.join(looked)}" if looked else ""


def _nothing_known(life: Life, told: _Told) -> str:
    parts = []
    if told.left_out:
        causes = ", ".join(dict.fromkeys(window.cause or window.excluded for window in told.left_out))
        parts.append(f"{len(told.left_out)} left out ({causes})")
    if told.waiting:
        parts.append(f"{len(told.waiting)} still without most of their labels")
    made = f"v{life.version} was made on {life.made_at:%Y-%m-%d}"
    return (
        f"{made}, and no window tells anything yet: {'; '.join(parts)}"
        if parts
        else f"{made}, and no window has closed"
    )


def _evidence(life: Life, settings: PolicySettings, told: _Told) -> dict[str, Any]:
    """models: those whose losses the plan rests on, each with how many windows; windows: from the first to the last."""
    recent = sorted({window.start for window in told.known})[-REMEMBERED:]
    counted: dict[Made, set[datetime]] = {}
    for window in told.known:
        models = [Made(shadow.made_at, shadow.span) for shadow in window.shadows]
        models += [life.versions[window.version]] if window.version in life.versions else []
        for model in models:
            if model.at <= window.start and window.start in recent:
                counted.setdefault(model, set()).add(window.start)
    return {
        "version": life.version,
        "policy": settings.label,
        "rule": settings.rule,
        "price": retraining_price(life, settings),
        "unit": life.unit,
        "horizon": HORIZON,
        "windows": [f"{start:%Y-%m-%d}" for start in (recent[0], recent[-1])] if recent else [],
        "models": [
            {"made": f"{model.at:%Y-%m-%d}", "span": model.span, "windows": len(starts)}
            for model, starts in sorted(counted.items(), key=lambda one: one[0].at)
        ],
        "trained": [{"made": f"{model.at:%Y-%m-%d}", "span": model.span} for model in life.bought],
        "left_out": [{"start": day_of(w), "kind": w.excluded, "cause": w.cause} for w in told.left_out],
        "waiting": [day_of(window) for window in told.waiting],
    }
