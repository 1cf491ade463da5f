"""The state of affairs in words: health, titles, subtitles and the sentence over a portfolio. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from solvent.governance.report.life import Bill, Health, LifeReport, ModelLife, Ruling, Warn, Window
from solvent.lineage.entities import Action
from solvent.pages.figures import Figure
from solvent.pages.words import (
    alike,
    capital,
    day,
    in_words,
    interval,
    listed,
    number,
    plural,
    times,
    window_noun,
)

RECENT = 4  # windows that `now` is about
SHAPES = {
    Health.HEALTHY: "●",
    Health.AGEING: "▲",
    Health.BLIND: "▲",
    Health.FAILING: "■",
    Health.SHADOW: "○",
    Health.NEW: "○",
}
NEEDS_SOMEONE = (Health.FAILING, Health.BLIND, Health.AGEING)
METRICS = {
    "mae": "mean absolute error",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "log_loss": "log loss",
    "brier": "Brier score",
    "error": "share of wrong answers",
    "quantile": "pinball loss",
}


def metric_name(life: ModelLife) -> str:
    """The metric as people say it."""
    return METRICS.get(life.metric, life.metric.replace("_", " "))


def window_width(life: ModelLife) -> timedelta:
    """The usual width of the model's windows; a week where there is none."""
    widths = sorted(window.end - window.start for window in life.windows)
    return widths[len(widths) // 2] if widths else timedelta(weeks=1)


def windows_noun(life: ModelLife, count: int) -> str:
    """`4 weeks`."""
    return plural(count, window_noun(window_width(life)))


def pooled(windows: Sequence[Window]) -> Figure | None:
    """The realised loss over several windows, weighted by their labelled rows.

    The interval takes the windows as independent of each other; it is left out
    where one of them has none. None where no window has a realised loss.
    """
    known = [(window.realised, _labelled_rows(window)) for window in windows if window.realised is not None]
    total = sum(rows for _, rows in known)
    if not known or not total:
        return None
    value = sum(figure.value * rows for figure, rows in known) / total
    low = high = 0.0
    for figure, rows in known:
        if figure.lower is None or figure.upper is None:
            return Figure(value=value)
        low += (rows / total * (figure.value - figure.lower)) ** 2
        high += (rows / total * (figure.upper - figure.value)) ** 2
    return Figure(value=value, lower=value - math.sqrt(low), upper=value + math.sqrt(high), level=known[-1][0].level)


def _labelled_rows(window: Window) -> float:
    return max(window.rows * (1.0 if window.labelled is None else window.labelled), 1.0)


def with_and_without(life: ModelLife) -> tuple[float, float] | None:
    """Mean loss as lived and as it would have been without a retraining, over the windows that know both."""
    both = [w for w in life.windows if w.realised is not None and w.never is not None]
    total = sum(_labelled_rows(w) for w in both)
    if not both:
        return None
    lived = sum(w.realised.value * _labelled_rows(w) for w in both if w.realised is not None) / total
    never = sum(w.never * _labelled_rows(w) for w in both if w.never is not None) / total
    return lived, never


def gain(life: ModelLife) -> Figure | None:
    """Mean loss that retraining saved on each row, with its 95% interval; None without a never-retrained twin.

    Paired by window and resampled in blocks of RECENT windows, since neighbouring windows resemble each other.
    """
    from numpy import array

    from solvent.statistics.bootstrap import block_bootstrap

    both = [(w.never - w.realised.value, _labelled_rows(w)) for w in life.windows if w.realised and w.never is not None]
    blocks = [both[i : i + RECENT] for i in range(0, len(both), RECENT)]
    rows = [sum(n for _, n in block) for block in blocks]
    means = [sum(saved * n for saved, n in block) / total for block, total in zip(blocks, rows, strict=True)]
    if len(blocks) < 3:
        return None
    found = block_bootstrap(array(means), array([round(n) for n in rows]), level=0.95)
    return Figure(value=found.value, lower=found.lower, upper=found.upper, level=0.95)


def recent(life: ModelLife) -> list[Window]:
    """The last windows whose loss is known."""
    return life.measured[-RECENT:]


def open_warnings(life: ModelLife) -> list[Warn]:
    """Warnings of the last windows about the model itself that no later decision has answered."""
    if not life.windows:
        return []
    since = life.windows[-1].end - RECENT * window_width(life)
    answered = max((r.at for r in life.rulings), default=None)
    about_model = [w for w in life.alarms if w.kind in ("drift", "estimate-trend", "performance") and w.at >= since]
    return [w for w in about_model if answered is None or w.at > answered]


def health(life: ModelLife) -> Health:
    """The state of a model: failing, blind, ageing, in this order; else healthy, in shadow, or not measured yet."""
    if not any(w.realised or w.estimated for w in life.windows):
        return Health.NEW
    if life.champion is None:
        return Health.SHADOW
    now = pooled(recent(life))
    if life.threshold is not None and now is not None and now.value > life.threshold:
        return Health.FAILING
    last = life.windows[-RECENT:]
    if len(last) == RECENT and not any(w.realised or w.estimated for w in last):
        return Health.BLIND
    return Health.AGEING if open_warnings(life) else Health.HEALTHY


def retrainings(life: ModelLife) -> int:
    """Retrainings that went into service: promotions after the first version's."""
    return sum(r.crowned not in (None, life.first_version) for r in life.rulings)


def title(life: ModelLife) -> str:
    """One sentence that says how the model is and what was done about it."""
    state = health(life)
    if state is Health.NEW:
        return f"{life.name} has not been measured yet"
    if state is Health.SHADOW:
        return f"{life.name} answers in the shadow: no version is champion"
    return f"{life.name} is {state}: {_because(life, state)}"


def _because(life: ModelLife, state: Health) -> str:
    now = pooled(recent(life))
    if state is Health.FAILING and now is not None and life.threshold is not None:
        value, threshold = alike([now.value, life.threshold])
        return f"its error, {value} {life.unit}, is above the threshold of {threshold}".replace(" ,", ",")
    if state is Health.BLIND:
        return f"no outcome and no estimate for its last {windows_noun(life, RECENT)}"
    if state is Health.AGEING:
        return open_warnings(life)[-1].title
    return story(life)


def story(life: ModelLife) -> str:
    """What retraining, or not retraining, has done so far: the second half of a title."""
    count, means = retrainings(life), with_and_without(life)
    if count and means and means[0] < means[1]:
        lived, never = alike(means)
        noun = "one retraining" if count == 1 else f"{in_words(count)} retrainings"
        return f"{noun} cut its error from {never} to {lived} {life.unit}".rstrip()
    if count:
        return f"retrained {times(count)}"
    if none_would_pay(life):
        return "never retrained, and no schedule of retraining would have paid"
    held = life.count(Action.HOLD)
    return f"not retrained, held {times(held)}" if held else "no reason to retrain so far"


def none_would_pay(life: ModelLife) -> bool:
    """The costs say that never retraining was the cheapest of all policies known before or after the fact."""
    never = next((bill for bill in life.bills if bill.policy == "never"), None)
    others = [bill for bill in life.bills if bill.policy not in ("never", "oracle")]
    return never is not None and bool(others) and all(never.cost.value <= bill.cost.value for bill in others)


def subtitle(life: ModelLife) -> str:
    """Champion, since when, how much it answers; then what was decided, counted."""
    if life.champion is None:
        return "No version is champion: `solvent models promote` names one." if life.windows else ""
    parts = [f"Champion v{life.champion}"]
    if life.live_since:
        parts.append(f"live since {day(life.live_since)}")
    volume = [w.rows for w in life.windows[-RECENT:] if w.rows]
    if volume:
        noun = window_noun(window_width(life))
        parts.append(f"answering {number(sum(volume) / len(volume), 3)} requests a {noun}")
    return f"{', '.join(parts)}. {tally(life)}".strip()


def tally(life: ModelLife) -> str:
    """The decisions, counted: `Retrained 9 times, refused twice, rolled back once, held 12 times.`"""
    counts = [
        ("retrained", retrainings(life)),
        ("refused", life.count(Action.REFUSE)),
        ("rolled back", life.count(Action.ROLL_BACK)),
        ("held", life.count(Action.HOLD)),
    ]
    said = [f"{verb} {times(count)}" for verb, count in counts if count]
    return f"{capital(', '.join(said))}." if said else "Nothing was decided yet."


def last_move(life: ModelLife) -> Ruling | None:
    """The newest decision that moved something; the newest of all where none did."""
    moved = [r for r in life.rulings if r.crowned or r.action in (Action.ROLL_BACK, Action.REFUSE)]
    newest = moved or life.rulings
    return newest[-1] if newest else None


def held_estimates(life: ModelLife) -> tuple[int, int, float] | None:
    """(windows whose realised loss lay in the label-free interval, windows with both, the level that was promised)."""
    both = [(w.realised, w.estimated) for w in life.windows if w.realised and w.estimated]
    judged = [(r.value, e) for r, e in both if e.lower is not None and e.upper is not None and e.level is not None]
    if not judged:
        return None
    inside = sum((e.lower or 0.0) <= value <= (e.upper or 0.0) for value, e in judged)
    return inside, len(judged), judged[-1][1].level or 0.0


def against_best(life: ModelLife) -> tuple[Bill, Bill] | None:
    """(ours, the best fixed policy in hindsight) where both are billed."""
    bills = {bill.policy: bill for bill in life.bills}
    ours, best = bills.get("solvent"), bills.get("hindsight")
    return (ours, best) if ours and best else None


def report_title(report: LifeReport) -> str:
    """The sentence over the whole report."""
    models = report.models
    if not models:
        return "No model yet"
    if len(models) == 1:
        return title(models[0])
    needing = [life for life in models if health(life) in NEEDS_SOMEONE]
    if needing:
        verb = "needs" if len(needing) == 1 else "need"
        return f"{capital(in_words(len(needing)))} of {in_words(len(models))} models {verb} you"
    retrained = sum(retrainings(life) > 0 for life in models)
    paid = sum(none_would_pay(life) for life in models)
    whom = f"{capital(in_words(retrained))} of {in_words(len(models))} models {'was' if retrained == 1 else 'were'}"
    rest = len(models) - retrained
    if retrained and rest and paid >= rest:
        others = "the other" if rest == 1 else f"the other {in_words(rest)}"
        return f"{whom} retrained; for {others} no retraining would have paid"
    if retrained and rest:
        return f"{whom} retrained, {'the other was' if rest == 1 else 'the others were'} held"
    everyone = "Both" if len(models) == 2 else f"All {in_words(len(models))}"
    return f"{everyone} models are looked after; {'each was' if retrained else 'none was'} retrained"


def report_subtitle(report: LifeReport) -> str:
    """A clause for each of the first few models, those that need someone first."""
    if not report.models:
        return ""
    if len(report.models) == 1:
        return subtitle(report.models[0])
    order = sorted(report.models, key=lambda life: health(life) not in NEEDS_SOMEONE)
    clauses = [title(life) for life in order[:3]]
    rest = len(order) - 3
    more = f"; {plural(rest, 'more model')} below" if rest > 0 else ""
    return f"{'; '.join(clauses)}{more}."


def alternative(life: ModelLife) -> str:
    """The main picture in words, for those who cannot see it."""
    known = life.measured
    if not known:
        return f"{life.name}: no loss is known yet, so there is no curve."
    peak = max(known, key=lambda w: w.realised.value if w.realised else 0.0)
    values = [w.realised.value for w in known if w.realised]
    first, last, high = alike([values[0], values[-1], max(values)])
    noun = window_noun(window_width(life))
    text = (
        f"{capital(metric_name(life))} of {life.name} by {noun}, {day(known[0].start)} to {day(known[-1].end)}, in "
        f"{life.unit or 'its own unit'}: {first} in the first {noun}, {last} in the last, "
        f"at most {high} in the {noun} of {day(peak.start)}."
    )
    never = [w.never for w in life.windows if w.never is not None]
    if never:
        text += f" Never retrained, it would have ended at {number(never[-1])}."
    said = [plural(retrainings(life), "retraining"), plural(len(life.alarms), "warning")]
    return f"{text} {capital(listed(said))}. The table below the picture has every figure."


def error_now(life: ModelLife) -> tuple[str, str] | None:
    """(the loss of the recent windows, its interval in words) where it is known."""
    now = pooled(recent(life))
    if now is None:
        return None
    spread = interval(now)
    level = f", {now.level:.0%} interval" if now.level else ""
    return number(now.value), f"{spread}{level}" if spread else "no interval recorded"
