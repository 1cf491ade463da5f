"""The first screen: 80 columns, the sentence first, small charts, the policies, the next thing to try."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from solvent.backtest import summary
from solvent.backtest.policies import AHEAD, HINDSIGHT, NEVER, ORACLE, SOLVENT
from solvent.backtest.run import Backtest
from solvent.backtest.words import blocks, close
from solvent.pages.words import number
from solvent.statistics.losses import metric_named

WIDTH = 80
LABEL = 20


def render(found: Backtest) -> list[str]:
    """Lines of at most 80 columns."""
    return [
        *wrap(summary.facts(found), WIDTH),
        *wrap(_assumed(found), WIDTH),
        "",
        *wrap(summary.headline(found), WIDTH),
        "",
        *_charts(found),
        *_row("ageing", summary.ageing(found)),
        *_row("what comes next", summary.coming(found)),
        *_row("forecasts so far", summary.foretold(found)),
        *_row("without labels", summary.estimates(found)),
        *_row("what moved", summary.moved(found)),
        *(_row("what wanders", summary.wandering(found)) if summary.wandering(found) else []),
        *_row("warnings", summary.warned(found)),
        "",
        *_policies(found),
        "",
        *_curve(found),
        "",
        *wrap(found.advice.reason, WIDTH),
        *_config(found),
        *wrap(f"Next: {_next(found)}", WIDTH),
    ]


def _assumed(found: Backtest) -> str:
    rest = "; ".join(summary.assumed(found))
    return f"Assumed: {rest}. Change with --label-delay, --cost-retrain, --drop, --threshold."


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
    name = found.cases.metric.replace("_", " ")
    text = f"{name}, {summary.unit(found)}"
    return text if len(text) < LABEL - 1 else name


def _policies(found: Backtest) -> list[str]:
    rows = [(_short(outcome.name), outcome) for outcome in summary.known_policies(found)]
    ideal = found.asked.named(ORACLE).cost
    money = found.options.cost_loss or 1.0
    lines = [f"  {'policy':<36}{'retrained':>9}{'error':>8}{'cost':>13}{'× oracle':>10}"]
    errors = close([metric_named(found.cases.metric).shown(outcome.error) for _, outcome in rows])
    for (name, outcome), error in zip(rows, errors, strict=True):
        cost = number(outcome.cost * money)
        lines.append(f"  {name:<36}{len(outcome.retrainings):>9}{error:>8}{cost:>13}{outcome.cost / ideal:>10.2f}")
    return lines


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
    if found.options.html is None:
        return "--html report.html draws all of it · solvent init --from-backtest FILE.json takes it over"
    return "solvent init --from-backtest FILE.json (of --json) puts this policy to work"


def _row(label: str, text: str) -> list[str]:
    body: Sequence[str] = wrap(text, WIDTH - LABEL - 2) or [""]
    return [f"  {label:<{LABEL}}{body[0]}", *(f"  {'':<{LABEL}}{line}" for line in body[1:])]
