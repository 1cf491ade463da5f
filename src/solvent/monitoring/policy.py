"""When to retrain: a pure rule from what keeping the model has cost to a proposal with its reason.

The evidence is the realised, paired excess of the live model's loss over that of the
freshest model made before each window (a shadow). Loss that rises is no evidence: a
season raises everyone's, and the pair cancels it. Windows under a broken contract, with
a gap or in a shock say nothing about age and are left out; windows still without most
of their labels wait. The rule only proposes; the gate judges the candidate.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import numpy as np

from solvent.foundation.clock import parse_span
from solvent.foundation.settings import PolicySettings, price
from solvent.statistics.retraining import LEAST_BLOCKS, Excess, excess_worth

RECENT = 8  # windows whose mean excess is carried over the horizon
LEAST_LABELLED = 0.5  # share of a window's rows whose outcome must be known
LEVEL = 0.95
_REACH = 1.96
_WITHOUT = " without "
_YEAR = timedelta(days=365)


class ShadowLoss(msgspec.Struct, frozen=True, kw_only=True):
    """A shadow's figures on one window, over the same labelled rows as the live model's.

    span: that it was trained on; made_at: the clock of the tick that made it; it has seen no row after.
    loss: sum over the rows. differences: per block of time, live loss − this loss, summed.
    """

    span: str
    made_at: datetime
    loss: float
    differences: list[float]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One closed window as evidence about one version.

    version: whose loss it is (the live version may be scored on windows that another served).
    rows: predictions served; labelled: those with an outcome; loss: sum over the labelled rows.
    excluded: why it is no evidence (`contract`, `gap`, `shock`, …), '' where it is; cause: in words.
    """

    start: datetime
    end: datetime
    version: int
    rows: int
    labelled: int
    loss: float
    shadows: list[ShadowLoss] = msgspec.field(default_factory=list)
    excluded: str = ""
    cause: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The model in service changed. kind: `retrain`, `promote` (by a person) or `roll-back`."""

    at: datetime
    kind: str


class PolicyHistory(msgspec.Struct, frozen=True, kw_only=True):
    """All that a decision about one live version may rest on.

    version: the live one; made_at: the clock of the tick that trained it. windows: oldest first.
    window_loss: loss of the model's first served window, the unit of prices such as "2 windows".
    unit: of priced loss, as people read it (`rentals`, `EUR`).
    """

    version: int
    made_at: datetime
    windows: list[Window]
    window_loss: float
    changes: list[Change] = msgspec.field(default_factory=list)
    unit: str = ""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy would do, and why.

    span: to train on, None for a hold. reason: one sentence with figures and units.
    evidence: every figure that it rests on, as JSON; `because` names the rule that decided:
    worth, price, cool-down, budget, no-evidence or switched-off.
    """

    action: Literal["retrain", "hold"]
    reason: str
    span: str | None = None
    evidence: dict[str, Any] = msgspec.field(default_factory=dict)


def propose(history: PolicyHistory, settings: PolicySettings, now: datetime) -> Proposal:
    """Retrain where a fresh model is worth its price, else hold; pure, and blind to what ends after `now`."""
    if not settings.enabled:
        return Proposal(action="hold", reason="the policy is switched off", evidence={"because": "switched-off"})
    usable, left_out, waiting = _sort(history, now)
    excess = {span: _excess(span, usable, settings) for span in _spans(usable)}
    cost = retraining_price(history, settings)
    evidence = _evidence(history, settings, excess, cost, left_out, waiting)
    known = {span: figures for span, figures in excess.items() if figures.blocks >= LEAST_BLOCKS}
    if not known:
        reason = _nothing_known(history, usable, left_out, waiting)
        return Proposal(action="hold", reason=reason, evidence={**evidence, "because": "no-evidence"})
    span = max(known, key=lambda name: known[name].worth)
    sentence = _sentence(history, settings, span, known[span], cost, usable[-1])
    evidence["span"] = span
    if known[span].worth <= cost:
        return Proposal(action="hold", reason=sentence, evidence={**evidence, "because": "price"})
    if bar := barred(history, settings, now):
        because, why = bar
        return Proposal(action="hold", reason=f"{sentence}, but {why}", evidence={**evidence, "because": because})
    return Proposal(action="retrain", span=span, reason=sentence, evidence={**evidence, "because": "worth"})


def _sort(history: PolicyHistory, now: datetime) -> tuple[list[Window], list[Window], list[Window]]:
    """The live version's closed windows: usable, excluded for a cause, waiting for labels."""
    usable: list[Window] = []
    left_out: list[Window] = []
    waiting: list[Window] = []
    for window in history.windows:
        if window.version != history.version or window.start < history.made_at or window.end > now:
            continue
        if window.excluded:
            left_out.append(window)
        elif window.labelled < max(LEAST_LABELLED * window.rows, 1):
            waiting.append(window)
        else:
            usable.append(window)
    return usable, left_out, waiting


def _spans(windows: list[Window]) -> list[str]:
    return list(dict.fromkeys(shadow.span for window in windows for shadow in window.shadows))


def _excess(span: str, windows: list[Window], settings: PolicySettings) -> Excess:
    """Live against the freshest shadow of this span, priced, and scaled from labelled rows to all."""
    blocks = []
    for window in windows:
        # A shadow made later has seen the window's rows; they prove nothing about it.
        before = [s for s in window.shadows if s.span == span and s.made_at <= window.start]
        if before:
            freshest = max(before, key=lambda shadow: shadow.made_at)
            scale = settings.loss * window.rows / window.labelled
            blocks.append(scale * np.array(freshest.differences, dtype=float))
    return excess_worth(blocks, horizon=settings.horizon, recent=RECENT)


def retraining_price(history: PolicyHistory, settings: PolicySettings) -> float:
    """Price of a fit and a roll-out; "2 windows" are priced as loss is."""
    window = settings.loss * history.window_loss
    return price(settings.rollout, window) + price(settings.fit, window)


def barred(history: PolicyHistory, settings: PolicySettings, now: datetime) -> tuple[str, str] | None:
    """The rule and the words that forbid a retraining now, if any."""
    past = [change for change in history.changes if change.at <= now]
    free = max((change.at for change in past), default=datetime.min.replace(tzinfo=now.tzinfo))
    if past and now < (until := free + parse_span(settings.cooldown)):
        last = max(past, key=lambda change: change.at)
        return "cool-down", f"the {last.kind} of {last.at:%Y-%m-%d} cools down until {until:%Y-%m-%d}"
    spent = sum(change.kind == "retrain" and change.at > now - _YEAR for change in past)
    if spent >= settings.retrainings_per_year:
        return "budget", f"the budget of {settings.retrainings_per_year} retrainings a year is spent"
    return None


def _sentence(
    history: PolicyHistory, settings: PolicySettings, span: str, excess: Excess, cost: float, last: Window
) -> str:
    """What keeping costs, and what that makes a retraining worth: half of both parts, less half a standard error."""
    unit = history.unit or "of loss"
    sign = 1 if excess.expected >= 0 else -1
    reach = _REACH * excess.expected_error
    low, high = sorted((sign * (excess.expected - reach), sign * (excess.expected + reach)))
    more = f"cost {amount(sign * excess.expected)} ({amount(low)} to {amount(high)}) {unit} more than"
    less = more.replace("cost", "save", 1).replace("more than", "against")
    so_far = f"cost {amount(excess.accumulated)}" if excess.accumulated >= 0 else f"saved {amount(-excess.accumulated)}"
    verdict = "above" if excess.worth > cost else "not above"
    return (
        f"keeping v{history.version} would {more if sign > 0 else less} a fresh model on {rows_of(span)} "
        f"over the next {settings.horizon} {width_of(last)} and has {so_far} so far: "
        f"a retraining is worth {amount(excess.worth)}, {verdict} its price of {amount(cost)}"
    )


def _nothing_known(history: PolicyHistory, usable: list[Window], left_out: list[Window], waiting: list[Window]) -> str:
    made = f"v{history.version} was made on {history.made_at:%Y-%m-%d}"
    parts = []
    if left_out:
        causes = ", ".join(dict.fromkeys(window.cause or window.excluded for window in left_out))
        parts.append(f"{len(left_out)} since then left out ({causes})")
    if waiting:
        parts.append(f"{len(waiting)} still without most of their labels")
    if usable:
        parts.append(f"{len(usable)} without enough paired blocks of a fresh model ({LEAST_BLOCKS} needed)")
    if not parts:
        return f"{made}, and no window has closed since"
    return f"{made}, and no window speaks for or against it yet: {'; '.join(parts)}"


def _evidence(
    history: PolicyHistory,
    settings: PolicySettings,
    excess: dict[str, Excess],
    cost: float,
    left_out: list[Window],
    waiting: list[Window],
) -> dict[str, Any]:
    return {
        "version": history.version,
        "policy": settings.label,
        "price": cost,
        "unit": history.unit,
        "horizon": settings.horizon,
        "level": LEVEL,
        "spans": {span: _figures(figures) for span, figures in excess.items()},
        "left_out": [{"start": day_of(window), "kind": window.excluded, "cause": window.cause} for window in left_out],
        "waiting": [day_of(window) for window in waiting],
    }


def _figures(excess: Excess) -> dict[str, Any]:
    """As JSON: what is not finite is null."""
    reach = _REACH * excess.expected_error
    figures = {
        "accumulated": excess.accumulated,
        "expected": excess.expected,
        "expected_lower": excess.expected - reach,
        "expected_upper": excess.expected + reach,
        "worth": excess.worth,
        "standard_error": excess.uncertainty,
        "windows": excess.windows,
        "blocks": excess.blocks,
    }
    return {name: value if np.isfinite(value) else None for name, value in figures.items()}


def day_of(window: Window) -> str:
    """Its first day."""
    return f"{window.start:%Y-%m-%d}"


def rows_of(span: str) -> str:
    """A training span in words."""
    reach, feature = parts_of(span)
    rows = "all rows" if reach == "all" else f"the last {reach}"
    return f"{rows} without `{feature}`" if feature else rows


def without(span: str, feature: str) -> str:
    """A training span whose models do not know a feature, as they are told apart from those that do."""
    return f"{span}{_WITHOUT}{feature}"


def parts_of(span: str) -> tuple[str, str]:
    """Which rows a training span has, and the feature that its models do not know, '' where they know all.

    >>> parts_of("10w"), parts_of(without("all", "unit price"))
    (('10w', ''), ('all', 'unit price'))
    """
    reach, _, feature = span.partition(_WITHOUT)
    return reach, feature


def width_of(window: Window) -> str:
    """What people call windows of this width."""
    width = window.end - window.start
    return {timedelta(weeks=1): "weeks", timedelta(days=1): "days"}.get(width, "windows")


def amount(value: float) -> str:
    """A figure in a sentence: three digits where it is small, thousands grouped where it is large.

    >>> amount(12345.6), amount(31.44), amount(0.01234)
    ('12,346', '31.4', '0.0123')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
