"""The sentences that terminal and page share."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from solvent.backtest.estimates import coverage
from solvent.backtest.lifetime import in_days
from solvent.backtest.options import TRAIN
from solvent.backtest.policies import AHEAD as LOOKING_AHEAD
from solvent.backtest.policies import CARA, FORECAST, HINDSIGHT, NEVER, ORACLE, SOLVENT, Outcome
from solvent.backtest.run import Backtest
from solvent.backtest.warnings import Warned, first_crossing, relation_alone
from solvent.backtest.words import close, length, losses
from solvent.foundation.clock import from_micros
from solvent.pages.words import day, in_words, number, plural
from solvent.statistics.forecast import AHEAD
from solvent.statistics.losses import metric_named
from solvent.statistics.trend import Approach

ALONE = (NEVER, SOLVENT, LOOKING_AHEAD, CARA, FORECAST, HINDSIGHT, ORACLE)
_FAR_WORSE = 1.5  # times a fresh model's loss: more than its additional rows are worth
_UNEVEN = 3.0  # times the shortest window, up to which their mean length tells of all
_SPANNED = ("every window", "on drift", "on performance")


def headline(found: Backtest) -> str:
    """The state of affairs in one sentence."""
    verdict = found.lifetime.aging.verdict
    crossed = first_crossing(found.windows, found.lifetime.threshold)
    lived = length(found.course.days() * found.course.windows)
    model = f"A model trained on {_part(found)}"
    if found.lifetime.skill <= 0:
        new, naive = (number(figure) for figure in skill(found))
        return (
            f"{model} does no better than a naive forecast, nor does one that is always fresh "
            f"({new} against {naive} {unit(found)}): there is no skill that age could take."
        )
    if unexplained(found):
        return f"{model} would have {_unexplained_said(found, crossed)}"
    if crossed is None:
        if verdict == "stable":
            return f"{model} would have served all {lived} that follow: nothing here ages."
        though = "old models here differ from each other" if verdict == "erratic" else "models here age"
        return f"{model} would have stayed in bounds for the {lived} that follow, though {though}."
    when = found.windows[crossed].end
    lasted = length(_days(when - found.windows[0].start))
    if found.reference.naive <= found.reference.risk.value and verdict != "stable":
        new = "does no better than a naive forecast when new"
        return f"{model} {new}, and would have crossed the threshold in {lasted}."
    above = sum(window.loss.value > found.lifetime.threshold for window in found.windows)
    if verdict == "stable":
        fresh = sum(window.fresh > found.lifetime.threshold for window in found.windows)
        return (
            f"{model} would have crossed the threshold in {above} of {found.course.windows} windows, first "
            f"{when_of(found, found.windows[crossed].start)}, and one always fresh in {fresh}: the cases get harder "
            "and easier, age adds little."
        )
    if verdict == "erratic":
        return (
            f"{model} would have crossed the threshold in {above} of {found.course.windows} windows, first after "
            f"{lasted}: models here do not age steadily, but old ones fail now and then."
        )
    return f"{model} would have lost its edge in {lasted}."


def facts(found: Backtest) -> str:
    """Rows, span, task, features and windows."""
    begin = day(from_micros(int(found.cases.micros[0])))
    end = day(from_micros(int(found.cases.micros[-1])))
    return (
        f"{found.total:,} rows, {begin} to {end} · {found.cases.task} · "
        f"{plural(len(found.cases.features), 'feature')} · {_windows(found)}"
    )


def _windows(found: Backtest) -> str:
    rows = sorted(window.rows for window in found.windows)
    if _even(found):
        return f"{found.course.windows} windows of about {length(found.course.days())}"
    days = [_days(window.end - window.start) for window in found.windows]
    usual, longest = rows[len(rows) // 2], length(max(days))
    return f"{found.course.windows} windows of {usual:,} rows ({length(min(days))} to {longest})"


def ahead(found: Backtest) -> str:
    """How far forecasts reach: in time where windows are about equally long."""
    return length(found.course.days() * AHEAD) if _even(found) else f"{AHEAD} windows"


def lead(found: Backtest, warning: Warned) -> float | None:
    """Days from the window of a warning to the one that crosses the threshold, negative after it; None if false."""
    if warning.lead is None:
        return None
    crossing = found.windows[warning.window + warning.lead]
    return _days(crossing.end - found.windows[warning.window].end)


def _even(found: Backtest) -> bool:
    days = [_days(window.end - window.start) for window in found.windows[:-1]]
    return max(days) <= _UNEVEN * min(days)


def _days(span: timedelta) -> float:
    return span / timedelta(days=1)


def assumed(found: Backtest) -> list[str]:
    """What was taken for granted, flags aside."""
    delay = found.options.label_delay
    labels = "labels come at once" if not delay else f"labels come {length(delay.total_seconds() / 86_400)} late"
    dear = f"a retraining costs {losses(found.asked.relative)}"
    return [labels, dear, *found.assumptions]


def unit(found: Backtest) -> str:
    """Of the metric; the target's name stands for its own."""
    return metric_named(found.cases.metric).unit.replace("target", found.options.target)


def ageing(found: Backtest) -> str:
    """Verdict, loss a month, half-life, time to the threshold."""
    life = found.lifetime
    value, low, high = close([life.pace.value, life.pace.lower, life.pace.upper])
    sign, span = "+" if life.pace.value > 0 else "", "day" if in_days(found.course) else "month"
    parts = [f"{life.aging.verdict}: {sign}{value} ({low} to {high}, 90%) {unit(found)} a {span} of age"]
    if life.aging.verdict == "abrupt" and life.aging.step is not None:
        parts.append(f"at once {when_of(found, found.windows[life.aging.step].start)}")
    if life.half_life is not None and life.aging.verdict != "stable":
        parts.append(f"half of its skill gone in {length(life.half_life)}")
    low_days, middle, high_days = life.reached
    if middle is not None and life.aging.verdict != "stable":
        edge = number(metric_named(found.cases.metric).shown(life.threshold))
        until = f"to {length(high_days)}" if high_days is not None else "or longer than the table shows"
        parts.append(f"{edge} reached in {length(middle)} ({length(low_days or middle)} {until}, 80% of models)")
    return "; ".join(parts)


def foretold(found: Backtest) -> str:
    """How the forecasts did, against 'it stays as it is'."""
    told = found.forecast
    if not told.own.count:
        return "too few windows to score a forecast"
    ratio = told.own.score / told.persistence.score if told.persistence.score else 1.0
    than = f"{number(100 * abs(1 - ratio))}% {'better' if ratio < 1 else 'worse'} than 'it stays as it is'"
    than = "as good as 'it stays as it is'" if abs(1 - ratio) < 0.01 else than
    held = f"the 80% intervals {ahead(found)} ahead held in {told.own.inside} of {told.own.count}"
    return f"{held}, {than} (interval score)"


def coming(found: Backtest) -> str:
    """The furthest forecast, of a window that nobody has seen."""
    last, shown = found.forecast.coming[-1], metric_named(found.cases.metric).shown
    value, low, high = (number(shown(bound)) for bound in (last.value, last.lower, last.upper))
    return f"{value} ({low} to {high}, 80%) {unit(found)} in {ahead(found)}, never retrained"


def estimates(found: Backtest) -> str:
    """How often the interval without labels held."""
    inside, told = coverage(found.estimated, found.windows)
    if not told:
        return f"no estimate: {found.estimated[0].abstained}"
    silent = len(found.estimated) - told
    rest = ""
    if silent:
        why = Counter(one.abstained for one in found.estimated if one.abstained).most_common(1)[0][0]
        rest = f"; none in {plural(silent, 'window')} ({why if '%' not in why else 'outside what training showed'})"
    return f"the estimate's 90% interval held in {inside} of {plural(told, 'window')}{rest}"


def moved(found: Backtest) -> str:
    """Features that an alarm named."""
    alarms = [(w, d) for w, d in zip(found.windows, found.drift, strict=True) if d.named]
    if not alarms:
        return "no input more than windows usually differ"
    window, drift = alarms[0]
    told = [one for one in drift.moved if one.feature in drift.named][:3]
    words = ", ".join(f"{one.feature} by {number(one.effect)}{' sd' if one.unit == 'sd' else ''}" for one in told)
    season = " (it may be a season: no whole year was known)" if drift.season else ""
    more = f"; {plural(len(alarms) - 1, 'alarm')} more" if len(alarms) > 1 else ""
    return f"{words} {when_of(found, window.start)}{season}{more}"


def wandering(found: Backtest) -> str:
    """The feature that a model had better not known, and what leaving it out saves; '' where none is known."""
    left = found.left_out
    if left is None or not left.saved.lower > 0:
        return ""
    low, high = (max(round(100 * bound), 0) for bound in (left.saved.lower, min(left.saved.upper, 1.0)))
    since = when_of(found, found.windows[left.since].start)
    return (
        f"{left.feature}: its relation to {found.options.target} moved, and without it the first model would have "
        f"erred {left.saved.value:.0%} less ({low} to {high}%, 90%) after that was known {since}: "
        f"try --drop {left.feature}"
    )


def warned(found: Backtest) -> str:
    """The first warning, how many were false, and whether inputs could have told."""
    alone = "; the inputs showed nothing by then: where only the relation moves, labels alone can warn"
    return _warned(found) + (alone if labels_alone(found) else "")


def labels_alone(found: Backtest) -> bool:
    """Whether the loss crossed the threshold while neither drift nor an estimate had shown anything."""
    return relation_alone(found.windows, found.drift, found.estimated, threshold=found.lifetime.threshold)


def _warned(found: Backtest) -> str:
    crossed = first_crossing(found.windows, found.lifetime.threshold)
    if not found.warnings:
        return "none" if crossed is None else "none, though the loss crossed the threshold"
    first = found.warnings[0]
    false = sum(warning.lead is None for warning in found.warnings)
    text = f"the first on {day(first.at)}, {source_of(first)}, {_came(first, found)}"
    if len(found.warnings) == 1:
        return f"{text}; no other"
    return f"{text}; {in_words(len(found.warnings))} in all, {in_words(false) if false else 'none'} false"


def source_of(warning: Warned) -> str:
    """What a warning rests on."""
    kinds = {
        "drift": "from the inputs",
        "estimate": "from the estimate",
        "estimate-trend": "from the trend of the estimates",
        "performance": "from the labels",
        "performance-trend": "from the trend of the losses",
    }
    if warning.due is not None:
        return f"{kinds[warning.kind]} ({_due(warning.due)})"
    names = f" ({', '.join(warning.features[:3])})" if warning.features else ""
    return kinds[warning.kind] + names


def _due(due: Approach) -> str:
    """When a trend was expected to reach the threshold."""
    if due.due == 0:
        return "on the threshold by then"
    until = f"to {due.latest}" if due.latest is not None else "or more"
    return f"the threshold in about {plural(due.due, 'window')}, {due.soonest} {until}"


def _came(warning: Warned, found: Backtest) -> str:
    days = lead(found, warning)
    if days is None:
        return "which did not come true"
    if days == 0:
        return "of the window in which the loss crossed the threshold"
    return f"{length(abs(days))} {'after' if days < 0 else 'before'} the loss crossed the threshold"


def known_policies(found: Backtest) -> list[Outcome]:
    """The policies that people know, the dearest first; of those with spans, the cheapest span."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in found.asked.outcomes:
        kind = outcome.name.split(",")[0]
        if kind in _SPANNED or outcome.name in ALONE:
            groups.setdefault(kind if kind in _SPANNED else outcome.name, []).append(outcome)
    best = [min(group, key=lambda outcome: outcome.cost) for group in groups.values()]
    return sorted(best, key=lambda outcome: -outcome.cost)


def _part(found: Backtest) -> str:
    train = found.options.train
    if isinstance(train, float):
        return f"the first {train:.0%}" if train != TRAIN else "the first quarter"
    return f"what came before {day(train)}"


def when_of(found: Backtest, instant: datetime) -> str:
    """In a month, or on a day where all that is lived is too short for that."""
    return f"on {day(instant)}" if in_days(found.course) else f"in {instant:%B %Y}"


def _unexplained_said(found: Backtest, crossed: int | None) -> str:
    fate = f"stayed in bounds for the {length(found.course.days() * found.course.windows)} that follow"
    if crossed is not None:
        fate = f"crossed the threshold first {when_of(found, found.windows[crossed].start)}"
    more = f"{_over_fresh(found) - 1:.0%}"
    return f"{fate}, and erred {more} more than one always fresh; this table is too short to tell age from seasons."


def unexplained(found: Backtest) -> bool:
    """Whether no ageing was made out, and yet the first model errs far more than a fresh one."""
    return found.lifetime.aging.verdict == "stable" and _over_fresh(found) >= _FAR_WORSE


def _over_fresh(found: Backtest) -> float:
    fresh = sum(window.rows * window.fresh for window in found.windows)
    return sum(window.rows * window.loss.value for window in found.windows) / fresh if fresh > 0 else 1.0


def skill(found: Backtest) -> tuple[float, float]:
    """Loss of a model that is always fresh, and of a naive forecast, over all rows."""
    rows = [window.rows for window in found.windows]
    sides = ([window.fresh for window in found.windows], [window.naive for window in found.windows])
    shown = metric_named(found.cases.metric).shown
    fresh, naive = (sum(n * loss for n, loss in zip(rows, side, strict=True)) / sum(rows) for side in sides)
    return shown(fresh), shown(naive)
