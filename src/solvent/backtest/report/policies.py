"""What each policy would have cost, at the asked price and at others."""

from __future__ import annotations

import math
from collections.abc import Sequence

from solvent.backtest.policies import AHEAD, HINDSIGHT, NEVER, ORACLE, SOLVENT, Outcome
from solvent.backtest.report.chart import (
    Layout,
    Picture,
    axes,
    behind,
    card,
    ends,
    frame_of,
    line,
    picture,
    swatch,
)
from solvent.backtest.report.told import Told
from solvent.backtest.summary import known_policies
from solvent.backtest.words import price
from solvent.pages.markup import Html, join, tag
from solvent.pages.parts import cell, table
from solvent.pages.words import alike, number

_CURVES = (
    (NEVER, "never", "never"),
    (HINDSIGHT, "best schedule", "middle"),
    (AHEAD, "looking ahead", "naive"),
    (SOLVENT, "Solvent", "realised"),
)
_MOST = 2.5  # times the oracle's cost, beyond which a curve is cut


def policies(told: Told) -> Html:
    """The policies that people know, the dearest first, and all others folded away."""
    shown = known_policies(told.found)
    others = sorted((one for one in told.found.asked.outcomes if one not in shown), key=lambda outcome: -outcome.cost)
    rest = tag(
        "details",
        tag("summary", f"{len(others)} more: every schedule with every span"),
        _table(told, others),
        class_="older",
    )
    each = price(told.found.asked.relative)
    about = f"A retraining costs {each} of the first window's loss here; Solvent pays for its comparing fits too."
    return tag(
        "div",
        tag("h2", "What each policy would have cost"),
        tag("p", about, class_="why about"),
        _table(told, shown),
        rest if others else None,
        class_="card costs",
        id="policies",
        data_name="Policies and their costs",
    )


def _table(told: Told, outcomes: Sequence[Outcome]) -> Html:
    money = told.found.options.cost_loss or 1.0
    dearest, ideal = max((one.cost for one in outcomes), default=1.0), told.found.asked.named(ORACLE).cost
    costs = alike([one.cost * money for one in outcomes])
    errors = alike([told.shown(one.error) for one in outcomes])
    rows = []
    for one, cost, error in zip(outcomes, costs, errors, strict=True):
        ours = one.name == told.found.advice.policy
        bar = tag("i", class_=None if ours else "off", style=f"width:{100 * one.cost / dearest:.1f}%")
        rows.append(
            tag(
                "tr",
                cell(join(one.name, tag("span", " · recommended", class_="why") if ours else None), kind="name"),
                cell(tag("span", bar, class_="track", aria_hidden="true"), kind="sp barcell"),
                cell(cost, "cost", kind="n"),
                cell(f"{one.cost / ideal:.2f}", "× oracle", kind="n"),
                cell(
                    "–" if math.isnan(one.regret_share) else number(round(one.regret_share, 6)),
                    "regret share",
                    kind="n",
                ),
                cell(f"{len(one.retrainings):,}", "retrained", kind="n"),
                cell(error, "error", kind="n"),
                class_="ours" if ours else None,
            )
        )
    header = ["Policy", "", "Cost", "× oracle", "Regret share", "Retrained", f"Error, {told.unit}"]
    return table(header, rows, right=(2, 3, 4, 5, 6), caption="What each policy would have cost")


def _share(outcome: Outcome) -> str:
    return "–" if math.isnan(outcome.regret_share) else number(round(outcome.regret_share, 6))


def prices(told: Told) -> Html | None:
    """Cost over the oracle's by the price of a retraining, which is on a logarithmic axis."""
    curve = told.found.curve
    if len(curve) < 2:
        return None
    across = [math.log(priced.relative) for priced in curve]
    ratios = {name: [one.named(name).cost / one.named(ORACLE).cost for one in curve] for name, *_ in _CURVES}

    def draw(layout: Layout) -> Picture:
        heights = [min(ratio, _MOST) for values in ratios.values() for ratio in values]
        frame = frame_of(layout, (across[0], across[-1]), [1.0, *heights], least=1.0)
        labels = [(x, f"{priced.relative:g}") for x, priced in zip(across, curve, strict=True)]
        labels = labels if layout.ticks > 5 else labels[:: 2 if len(labels) % 2 else 3]
        drawn = {
            name: [frame.at(x, min(y, _MOST)) for x, y in zip(across, values, strict=True)]
            for name, values in ratios.items()
        }
        parts = join(
            axes(frame, labels, "cost × oracle, by the price of a retraining in windows' loss"),
            [line(drawn[name], kind) for name, _, kind in _CURVES],
            ends(frame, [(kind, label, min(ratios[name][-1], _MOST)) for name, label, kind in _CURVES]),
        )
        first, last = (number(ratios[SOLVENT][at], 3) for at in (0, -1))
        says = f"Solvent costs {first} times the oracle at the lowest price, {last} times at the highest."
        return picture(frame, parts, drawn[SOLVENT], says=says)

    texts = [
        [
            f"at {priced.relative:g} of a window's loss",
            *(f"{label} {ratios[name][at]:.2f} ×" for name, label, _ in _CURVES),
        ]
        for at, priced in enumerate(curve)
    ]
    rows = [
        tag(
            "tr",
            cell(f"{priced.relative:g}", kind="when"),
            *[cell(f"{ratios[name][at]:.2f}", label, kind="n") for name, label, _ in _CURVES],
        )
        for at, priced in enumerate(curve)
    ]
    header = ["Price", *(label for _, label, _ in _CURVES)]
    return card(
        "How the ranking moves with the price of a retraining",
        "prices",
        draw,
        texts,
        behind(header, rows, f"{len(rows)} prices"),
        legend=join(swatch(kind, label, narrow=True) for _, label, kind in _CURVES),
    )
