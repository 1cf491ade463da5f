"""What age costs, by age; and what was forecast against what came."""

from __future__ import annotations

from datetime import datetime

from solvent.backtest import summary
from solvent.backtest.report.chart import (
    HALF,
    Frame,
    Layout,
    Picture,
    axes,
    band,
    behind,
    card,
    ends,
    frame_of,
    line,
    picture,
    ruler,
    swatch,
)
from solvent.backtest.report.told import Told
from solvent.backtest.words import length
from solvent.pages.axes import time_ticks, value_ticks
from solvent.pages.markup import Html, join, tag
from solvent.pages.parts import cell
from solvent.pages.words import between, day, number, plural
from solvent.statistics.forecast import AHEAD, Forecast


def ageing(told: Told) -> Html | None:
    """Excess over a fresh model by age: the middle half of the models as a band, their median as a line."""
    curve, days = told.found.lifetime.aging.curve, told.found.course.days()
    if len(curve.ages) < 2:
        return None
    ages = [age * days for age in curve.ages]
    quantiles = list(zip(ages, curve.lower, curve.middle, curve.upper, strict=True))
    allowed = told.found.lifetime.threshold - told.found.reference.risk.value

    def draw(layout: Layout) -> Picture:
        lines = [*curve.middle, 0.0, *([allowed] if allowed <= 2 * max(curve.upper) else [])]
        frame = frame_of(layout, (0.0, ages[-1]), lines, [*curve.lower, *curve.upper])
        labels = [(tick, length(tick) if tick else "fresh") for tick in value_ticks(0.0, ages[-1], layout.ticks - 1)]
        points = [frame.at(age, middle) for age, _, middle, _ in quantiles]
        parts = join(
            axes(frame, [(x, text) for x, text in labels if x <= ages[-1] * 1.001], f"{told.unit}, more than fresh"),
            tag("line", class_="zero", x1=frame.x.start, x2=frame.x.end, y1=frame.y(0.0), y2=frame.y(0.0)),
            band(frame, [(age, low, high) for age, low, _, high in quantiles]),
            line([frame.at(0.0, 0.0), *points], "realised"),
            ruler(frame, allowed, "threshold") if allowed in lines else None,
            ends(frame, [("realised", "median model", curve.middle[-1])]),
        )
        says = f"A model of {length(ages[-1])} loses {number(curve.middle[-1])} {told.unit} more than a fresh one."
        return picture(frame, parts, points, says=says)

    rows = [
        tag(
            "tr",
            cell(length(age), kind="when"),
            *[cell(number(value), label, kind="n") for value, label in ((low, "25%"), (mid, "median"), (high, "75%"))],
            cell(f"{models:,}", "models", kind="n"),
        )
        for (age, low, mid, high), models in zip(quantiles, curve.models, strict=True)
    ]
    texts = [
        [f"{length(age)} old", f"median {number(mid)} more", f"middle half {number(low)} to {number(high)}"]
        for age, low, mid, high in quantiles
    ]
    return card(
        "What age costs",
        "ageing",
        draw,
        texts,
        behind(["Age", "25%", "Median", "75%", "Models"], rows, plural(len(ages), "age")),
        wide=HALF,
        about=told.aged,
        legend=join(
            swatch("realised", "median model", narrow=True), tag("span", "band: the middle half of the models")
        ),
    )


def forecasts(told: Told) -> Html:
    """The 80% interval of each forecast over what came true; those of windows that nobody has seen at the end."""
    foretold = told.found.forecast
    all_of = [*(one for one in foretold.made if one.window < len(told.windows)), *foretold.coming]
    starts = [window.start for window in told.windows]
    width = (told.windows[-1].end - starts[0]) / len(starts)
    edges = [*starts, *(told.windows[-1].end + width * at for at in range(AHEAD + 1))]

    def middle(window: int) -> float:
        return (edges[window].timestamp() + edges[window + 1].timestamp()) / 2

    def draw(layout: Layout) -> Picture:
        bounds = [told.shown(value) for one in all_of for value in (one.lower, one.upper)]
        frame = frame_of(layout, (edges[0].timestamp(), edges[-1].timestamp()), told.never, bounds)
        fan = [(middle(one.window), told.shown(one.lower), told.shown(one.upper)) for one in all_of]
        points = [frame.at(middle(one.window), told.shown(one.value)) for one in all_of]
        lived = [frame.at(told.middle(w), y) for w, y in zip(told.windows, told.never, strict=True)]
        ticks = time_ticks(edges[0], edges[-1], layout.ticks)
        parts = join(
            axes(frame, [(when.timestamp(), label) for when, label in ticks], told.axis),
            band(frame, fan),
            line(points, "middle"),
            line(lived, "never"),
            _missed(told, frame),
            _now(frame, edges[len(starts)]),
            ends(
                frame, [("realised", "forecast", told.shown(all_of[-1].value)), ("never", "realised", told.never[-1])]
            ),
        )
        says = f"Forecasts {AHEAD} windows ahead against what came: {told.scored}"
        return picture(frame, parts, points, says=says)

    texts = [_texts(told, one, edges) for one in all_of]
    rows = [_row(told, one, edges) for one in all_of]
    return card(
        f"The error foretold, {summary.ahead(told.found)} ahead",
        "forecasts",
        draw,
        texts,
        behind(["For", "Made", "Forecast, 80%", "Realised"], rows, plural(len(rows), "forecast")),
        wide=HALF,
        about=told.scored,
        legend=join(
            swatch("never", "realised, never retrained", narrow=True),
            swatch("middle", "forecast", narrow=True),
            tag("span", "band: 80% interval"),
            tag("span", tag("span", "✕", class_="shape bad"), " outside"),
        ),
    )


def _missed(told: Told, frame: Frame) -> Html:
    parts = []
    for one in told.found.forecast.made:
        if one.window < len(told.windows) and not one.holds(told.windows[one.window].loss.value):
            x, y = frame.at(told.middle(told.windows[one.window]), told.never[one.window])
            parts.append(tag("path", class_="missed", d=f"M{x - 3.5:.1f},{y - 3.5:.1f}l7,7m0,-7l-7,7"))
    return join(parts)


def _now(frame: Frame, end: datetime) -> Html:
    x = frame.x(end.timestamp())
    return join(
        tag("line", class_="leader", x1=x, x2=x, y1=frame.top, y2=frame.base),
        tag("text", "the table ends", class_="halo", x=x - 4, y=frame.top - 4, text_anchor="end"),
    )


def _range(told: Told, one: Forecast) -> str:
    return f"{number(told.shown(one.value))} ({number(told.shown(one.lower))}–{number(told.shown(one.upper))})"


def _realised(told: Told, one: Forecast) -> str:
    return number(told.never[one.window]) if one.window < len(told.never) else "–"


def _texts(told: Told, one: Forecast, edges: list[datetime]) -> list[str]:
    came = f"came {_realised(told, one)}" if one.window < len(told.never) else "nobody has seen it"
    made = f"made {day(edges[one.made])}"
    return [between(edges[one.window], edges[one.window + 1]), f"forecast {_range(told, one)}", came, made]


def _row(told: Told, one: Forecast, edges: list[datetime]) -> Html:
    return tag(
        "tr",
        cell(between(edges[one.window], edges[one.window + 1]), kind="when"),
        cell(day(edges[one.made]), "made", kind="n"),
        cell(_range(told, one), "forecast", kind="n"),
        cell(_realised(told, one), "realised", kind="n"),
    )
