"""The first screen: 80 columns, the sentence first, small charts, the policies, the next thing to try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import wrap

from solvent.backtest.estimates import coverage
from solvent.backtest.options import TRAIN
from solvent.backtest.policies import AHEAD, CARA, FORECAST, HINDSIGHT, NEVER, ORACLE, SOLVENT, Outcome
from solvent.backtest.run import Backtest
from solvent.backtest.warnings import Warned, first_crossing
from solvent.backtest.words import blocks, close, day, figure, length, plural
from solvent.statistics.losses import metric_named

WIDTH = 80
LABEL = 20
ALONE = (NEVER, SOLVENT, AHEAD, CARA, FORECAST, HINDSIGHT, ORACLE)


def render(found: Backtest) -> list[str]:
    """Lines of at most 80 columns."""
    return [
        *wrap(_facts(found), WIDTH),
        *wrap(_assumed(found), WIDTH),
        "",
        *wrap(headline(found), WIDTH),
        "",
        *_charts(found),
        *_row("ageing", _ageing(found)),
        *_row("without labels", _estimates(found)),
        *_row("what moved", _moved(found)),
        *_row("warnings", _warned(found)),
        "",
        *_policies(found),
        "",
        *_curve(found),
        "",
        *wrap(found.advice.reason, WIDTH),
        *_config(found),
        *wrap(f"Next: {_next(found)}", WIDTH),
    ]


def headline(found: Backtest) -> str:
    """The state of affairs in one sentence."""
    verdict = found.lifetime.aging.verdict
    crossed = first_crossing(found.windows, found.lifetime.threshold)
    lived = length(found.course.days() * found.course.windows)
    model = f"A model trained on {_part(found)}"
    if crossed is None:
        if verdict == "stable":
            return f"{model} would have served all {lived} that follow: nothing here ages."
        though = "old models here differ from each other" if verdict == "erratic" else "models here age"
        return f"{model} would have stayed in bounds for the {lived} that follow, though {though}."
    when = found.windows[crossed].end
    lasted = length((when - found.windows[0].start).total_seconds() / 86_400)
    if verdict == "stable":
        return (
            f"{model} would have erred too much for the first time in {when:%B %Y}, and a fresh one no less: "
            "models here do not age, the cases get harder and easier."
        )
    return f"{model} would have lost its edge in {lasted}."


def _facts(found: Backtest) -> str:
    first, last = found.windows[0], found.windows[-1]
    start = found.cases.micros[0]
    begin = day(type(first.start).fromtimestamp(int(start) / 1e6, tz=first.start.tzinfo))
    return (
        f"{found.total:,} rows, {begin} to {day(last.end)} · {found.cases.task} · "
        f"{plural(len(found.cases.features), 'feature')} · {found.course.windows} windows of about "
        f"{length(found.course.days())}"
    )


def _assumed(found: Backtest) -> str:
    delay = found.options.label_delay
    labels = "labels come at once" if not delay else f"labels come {length(delay.total_seconds() / 86_400)} late"
    price = f"a retraining costs {figure(found.asked.relative)} of a window's loss"
    rest = "; ".join([labels, price, *found.assumptions])
    return f"Assumed: {rest}. Change with --label-delay, --cost-retrain, --drop, --threshold."


def _part(found: Backtest) -> str:
    train = found.options.train
    if isinstance(train, float):
        return f"the first {train:.0%}" if train != TRAIN else "the first quarter"
    return f"what came before {day(train)}"


def _charts(found: Backtest) -> list[str]:
    """The loss by window of the first model, of a fresh one and of a naive forecast, on one scale."""
    shown = metric_named(found.cases.metric).shown
    curves = {
        _loss_name(found): [shown(window.loss.value) for window in found.windows],
        "a fresh model": [shown(window.fresh) for window in found.windows],
        "a naive forecast": [shown(window.naive) for window in found.windows],
    }
    every = [value for curve in curves.values() for value in curve]
    low, high = min(every), max(every)
    lines = []
    for name, curve in curves.items():
        first, last = close([curve[0], curve[-1]])
        lines += _row(name, f"{blocks(curve, low, high)}  {first} → {last}")
    return lines


def _loss_name(found: Backtest) -> str:
    metric = metric_named(found.cases.metric)
    unit = found.options.target if metric.unit == "target" else metric.unit
    name = found.cases.metric.replace("_", " ")
    text = f"{name}, {unit}"
    return text if len(text) < LABEL - 1 else name


def _ageing(found: Backtest) -> str:
    life = found.lifetime
    value, low, high = close([life.month.value, life.month.lower, life.month.upper])
    sign = "+" if life.month.value > 0 else ""
    parts = [f"{life.aging.verdict}: {sign}{value} ({low} to {high}) {_unit(found)} a month of age"]
    if life.aging.verdict == "abrupt" and life.aging.step is not None:
        parts.append(f"at once in {found.windows[life.aging.step].start:%B %Y}")
    if life.half_life is not None and life.aging.verdict != "stable":
        parts.append(f"half of its skill in {length(life.half_life)}")
    low_days, middle, high_days = life.reached
    if middle is not None and life.aging.verdict != "stable":
        edge = figure(metric_named(found.cases.metric).shown(life.threshold))
        until = f"to {length(high_days)}" if high_days is not None else "or longer than the table shows"
        parts.append(f"{edge} reached in {length(middle)} ({length(low_days or middle)} {until}, 80% of models)")
    return "; ".join(parts)


def _unit(found: Backtest) -> str:
    unit = metric_named(found.cases.metric).unit
    return found.options.target if unit == "target" else unit


def _estimates(found: Backtest) -> str:
    inside, told = coverage(found.estimated, found.windows)
    if not told:
        return f"no estimate: {found.estimated[0].abstained}"
    silent = len(found.estimated) - told
    rest = ""
    if silent:
        why = Counter(one.abstained for one in found.estimated if one.abstained).most_common(1)[0][0]
        rest = f"; none in {plural(silent, 'window')} ({why if '%' not in why else 'outside what training showed'})"
    return f"the estimate's 90% interval held in {inside} of {plural(told, 'window')}{rest}"


def _moved(found: Backtest) -> str:
    """Features that an alarm named, or else the one that moved furthest."""
    alarms = [(w, d) for w, d in zip(found.windows, found.drift, strict=True) if d.named]
    if not alarms:
        return "no input more than windows usually differ"
    window, drift = alarms[0]
    told = [one for one in drift.moved if one.feature in drift.named][:3]
    words = ", ".join(f"{one.feature} by {figure(one.effect)}{' sd' if one.unit == 'sd' else ''}" for one in told)
    season = " (it may be a season: no whole year was known)" if drift.season else ""
    more = f"; {plural(len(alarms) - 1, 'alarm')} more" if len(alarms) > 1 else ""
    return f"{words} in {window.start:%B %Y}{season}{more}"


def _warned(found: Backtest) -> str:
    if not found.warnings:
        return "none"
    true = [warning for warning in found.warnings if warning.lead is not None]
    first = found.warnings[0]
    false = len(found.warnings) - len(true)
    kinds = {"drift": "from the inputs", "estimate": "from the estimate", "performance": "from the first labels"}
    text = f"the first on {day(first.at)}, {kinds[first.kind]}{_of(first)}, {_came(first, found)}"
    return f"{text}; {plural(len(found.warnings), 'warning')} in all, {false or 'none'} false"


def _of(warning: Warned) -> str:
    if not warning.features:
        return ""
    names = warning.features[:3]
    return f" ({', '.join(names)})"


def _came(warning: Warned, found: Backtest) -> str:
    if warning.lead is None:
        return "which did not come true"
    if warning.lead <= 0:
        return "when the loss was above the threshold already"
    return f"{length(warning.lead * found.course.days())} before the loss crossed the threshold"


def _policies(found: Backtest) -> list[str]:
    """The policies that people know, the dearest first; of those with spans, the cheapest span."""
    rows = [(_short(outcome.name), outcome) for outcome in _shown(found)]
    ideal = found.asked.named(ORACLE).cost
    money = found.options.cost_loss or 1.0
    lines = [f"  {'policy':<36}{'retrained':>9}{'error':>8}{'cost':>13}{'× oracle':>10}"]
    errors = close([metric_named(found.cases.metric).shown(outcome.error) for _, outcome in rows])
    for (name, outcome), error in zip(rows, errors, strict=True):
        cost = f"{figure(outcome.cost * money)}"
        lines.append(f"  {name:<36}{len(outcome.retrainings):>9}{error:>8}{cost:>13}{outcome.cost / ideal:>10.2f}")
    return lines


def _shown(found: Backtest) -> list[Outcome]:
    spanned = ("every window", "on drift", "on performance")
    groups: dict[str, list[Outcome]] = {}
    for outcome in found.asked.outcomes:
        kind = outcome.name.split(",")[0]
        if kind in spanned or outcome.name in ALONE:
            groups.setdefault(kind if kind in spanned else outcome.name, []).append(outcome)
    best = [min(group, key=lambda outcome: outcome.cost) for group in groups.values()]
    return sorted(best, key=lambda outcome: -outcome.cost)


def _short(name: str) -> str:
    return name if len(name) <= 35 else f"{name[:34]}…"


def _curve(found: Backtest) -> list[str]:
    """Cost over the oracle's by the price of a retraining."""
    prices = found.curve[:9]
    head = "at a price of"
    lines = ["  Cost × oracle, by the price of a retraining in losses of the first window:", ""]
    lines.append(f"  {head:<{LABEL}}" + "".join(f"{priced.relative:>6g}" for priced in prices))
    shown = ((NEVER, "never"), (HINDSIGHT, "best schedule"), (SOLVENT, "Solvent"), (AHEAD, "… looking ahead"))
    for name, label in shown:
        ratios = [priced.named(name).cost / priced.named(ORACLE).cost for priced in prices]
        lines.append(f"  {label:<{LABEL}}" + "".join(f"{ratio:>6.2f}" for ratio in ratios))
    return lines


def _config(found: Backtest) -> list[str]:
    return (
        ["", *(f"  {line}".rstrip() for line in found.advice.config.splitlines()), ""] if found.advice.config else [""]
    )


def _next(found: Backtest) -> str:
    asked = "--cost-retrain 200 --cost-loss 0.01 tells it in money"
    if found.options.matrix is None:
        return f"{asked} · --matrix losses.parquet keeps every loss for your own sums"
    return asked


def _row(label: str, text: str) -> list[str]:
    body: Sequence[str] = wrap(text, WIDTH - LABEL - 2) or [""]
    return [f"  {label:<{LABEL}}{body[0]}", *(f"  {'':<{LABEL}}{line}" for line in body[1:])]
