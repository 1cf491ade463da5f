"""The pictures of a comparison: distributions over each other, effects against the usual, metrics, curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.resources import files

from solvent.data.compare.model import ColumnShift, Picture
from solvent.governance.comparison.datatext import effect_said, usual_said
from solvent.pages.axes import Scale, spread, tick_labels, value_ticks
from solvent.pages.markup import Html, join, tag
from solvent.pages.words import number, percent

TONES = 5  # sides told apart by colour; every one bears its name, too
WIDTH, HEIGHT, EDGE = 320.0, 120.0, 6.0


def style() -> str:
    """The CSS of these pictures and of the pages around them."""
    return files("solvent.governance.comparison").joinpath("comparison.css").read_text("utf-8")


def distributions(shift: ColumnShift, left: str, right: str) -> Html | None:
    """Both sides of a column that moved: the left filled, the right as an outline."""
    picture = shift.picture
    if picture is None or not picture.left:
        return None
    drawn = _categories(picture) if picture.labels else _numbers(picture)
    said = f"{shift.column}: {left} filled, {right} outlined; effect {effect_said(shift)}, usual {usual_said(shift)}"
    height = 22.0 * len(picture.labels) + 6 if picture.labels else HEIGHT + 18
    return tag("svg", drawn, class_="plot", viewBox=f"0 0 {WIDTH:.0f} {height:.0f}", role="img", aria_label=said)


def _numbers(picture: Picture) -> Html:
    top = max(*picture.left, *picture.right) or 1.0
    x = Scale(picture.edges[0], picture.edges[-1], EDGE, WIDTH - EDGE)
    y = Scale(0.0, top, HEIGHT, EDGE)
    bars = [
        tag("rect", class_="before", x=x(a), y=y(share), width=max(x(b) - x(a) - 0.5, 0.5), height=HEIGHT - y(share))
        for a, b, share in zip(picture.edges, picture.edges[1:], picture.left, strict=False)
    ]
    steps = [(x(picture.edges[0]), HEIGHT)]
    for a, b, share in zip(picture.edges, picture.edges[1:], picture.right, strict=False):
        steps += [(x(a), y(share)), (x(b), y(share))]
    steps.append((x(picture.edges[-1]), HEIGHT))
    ends = [
        tag("text", number(picture.edges[0]), x=EDGE, y=HEIGHT + 15),
        tag("text", number(picture.edges[-1]), x=WIDTH - EDGE, y=HEIGHT + 15, text_anchor="end"),
    ]
    floor = tag("line", class_="grid", x1=EDGE, x2=WIDTH - EDGE, y1=HEIGHT, y2=HEIGHT)
    return join(bars, tag("path", class_="after", d=_path(steps)), floor, ends)


def _categories(picture: Picture) -> Html:
    top = max(*picture.left, *picture.right) or 1.0
    length = Scale(0.0, top, 0.0, 122.0)
    rows = []
    for i, (name, before, after) in enumerate(zip(picture.labels, picture.left, picture.right, strict=True)):
        at = 22.0 * i + 4
        rows += [
            tag("text", name if len(name) < 17 else f"{name[:15]}…", x=0, y=at + 12),
            tag("rect", class_="before", x=100, y=at, width=length(before), height=7),
            tag("rect", class_="after bar", x=100, y=at + 8, width=length(after), height=7),
            tag("text", f"{percent(before)} → {percent(after)}", x=WIDTH, y=at + 12, text_anchor="end"),
        ]
    return join(rows)


def against_usual(shift: ColumnShift, most: float) -> Html | None:
    """The effect as a mark over what is usual, a tick at what is allowed. most: effect at the right edge."""
    if shift.effect is None:
        return None
    x = Scale(0.0, most or 1.0, 4.0, 176.0)
    parts = []
    if shift.usual is not None:
        low, high = (min(x(value), 176.0) for value in shift.usual)
        parts.append(tag("rect", class_="usual", x=low, y=3, width=max(high - low, 2.0), height=10))
    if shift.limit is not None and shift.limit <= most:
        parts.append(tag("line", class_="allowed", x1=x(shift.limit), x2=x(shift.limit), y1=1, y2=15))
    parts.append(
        tag("circle", class_="effect warn" if shift.beyond else "effect", cx=min(x(shift.effect), 176.0), cy=8, r=4)
    )
    said = f"effect {effect_said(shift)}, usual {usual_said(shift)}"
    return tag("svg", parts, class_="plot", viewBox="0 0 180 16", role="img", aria_label=said)


def metric_bars(name: str, sides: Sequence[str], values: Sequence[float | None]) -> Html:
    """One metric as a bar a side, from zero."""
    known = [abs(v) for v in values if v is not None and math.isfinite(v)]
    top = max(known, default=0.0) or 1.0
    rows = [_bar(i, side, value, top) for i, (side, value) in enumerate(zip(sides, values, strict=True))]
    return tag("div", tag("h3", name), rows, class_="metric")


def _bar(i: int, side: str, value: float | None, top: float) -> Html:
    width = 100 * abs(value) / top if value is not None and math.isfinite(value) else 0.0
    said = "–" if value is None else number(value, 4)
    fill = tag("i", style=f"width:{width:.1f}%")
    return tag("div", tag("span", side, title=side), tag("span", fill), tag("span", said), class_=f"bar {tone(i)}")


def tone(side: int) -> str:
    """The class that colours a side."""
    return f"side{min(side, TONES - 1)}"


def curves(name: str, series: Mapping[str, Sequence[tuple[int, float]]], sides: Sequence[str]) -> Html:
    """A metric step by step, one line a side, labelled at its end."""
    lines = {s: [(k, v) for k, v in points if math.isfinite(v)] for s, points in series.items()}
    everything = [point for points in lines.values() for point in points]
    if not everything:
        return tag("p", f"{name}: no finite value", class_="why")
    ticks = value_ticks(min(v for _, v in everything), max(v for _, v in everything), 4)
    steps = [k for k, _ in everything]
    x = Scale(min(steps), max(steps), 44.0, 540.0)
    y = Scale(ticks[0], ticks[-1], 180.0, 14.0)
    grid = [
        join(
            tag("line", class_="grid", x1=44, x2=540, y1=y(t), y2=y(t)),
            tag("text", label, x=38, y=y(t) + 4, text_anchor="end"),
        )
        for t, label in zip(ticks, tick_labels(ticks), strict=True)
    ]
    ends = spread([y(points[-1][1]) for points in lines.values() if points], 14.0)
    drawn = []
    for (side, points), end in zip(((s, p) for s, p in lines.items() if p), ends, strict=True):
        kind = tone(sides.index(side))
        drawn.append(tag("path", class_=f"curve {kind}", d=_path([(x(k), y(v)) for k, v in points])))
        drawn.append(tag("text", f"{side} {number(points[-1][1], 3)}", class_=f"label {kind}", x=546, y=end + 4))
    axis = [
        tag("text", f"step {min(steps)}", x=44, y=198),
        tag("text", f"{max(steps)}", x=540, y=198, text_anchor="end"),
    ]
    said = f"{name} by step, for {', '.join(lines)}"
    picture = tag("svg", grid, drawn, axis, class_="plot", viewBox="0 0 700 204", role="img", aria_label=said)
    return tag("div", tag("h3", name), picture, class_="metric")


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
