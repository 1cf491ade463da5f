"""A picture with two axes, drawn wide and narrow, its figures told by pointer and keys and in a table behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from solvent.pages.axes import Scale, spread, tick_labels, value_ticks
from solvent.pages.markup import Child, Html, join, tag
from solvent.pages.parts import classed, embedded, table
from solvent.pages.words import capital

Point: TypeAlias = tuple[float, float]
LETTER = 6.1  # mean width of a letter, in picture units
_SLACK = 0.15  # room for intervals beyond the lines, as a share of the lines' own range


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of one drawing, in picture units. head: room above the plot; foot: below its axis; ticks: on the x axis."""

    width: int
    left: int
    right: int
    plot: int
    ticks: int
    head: int = 30
    foot: int = 24


WIDE = Layout(width=1120, left=52, right=132, plot=250, ticks=8)
HALF = Layout(width=548, left=50, right=104, plot=210, ticks=5)
NARROW = Layout(width=400, left=42, right=12, plot=210, ticks=4)


class Frame(msgspec.Struct, frozen=True):
    """Where things are: scales from the data to the picture, and the ticks of the y axis."""

    layout: Layout
    x: Scale
    y: Scale
    ticks: list[float]

    @property
    def top(self) -> float:
        return self.y.end

    @property
    def base(self) -> float:
        return self.y.start

    def at(self, x: float, y: float) -> Point:
        return self.x(x), self.y(min(max(y, self.ticks[0]), self.ticks[-1]))


class Picture(msgspec.Struct, frozen=True):
    """A drawing at one width. points: where each entry of the readout stands, (x, -1) where it has no mark."""

    svg: Html
    points: list[Point]


def frame_of(
    layout: Layout,
    across: tuple[float, float],
    lines: Sequence[float],
    bands: Sequence[float] = (),
    *,
    least: float | None = None,
) -> Frame:
    """Scales that show all lines whole, and bands as far as they do not flatten the lines.

    least: where the y axis starts.
    """
    low, high = min(lines), max(lines)
    slack = _SLACK * (high - low)
    inside = [min(max(value, low - slack, min(low, 0.0)), high + slack) for value in bands]
    ticks = value_ticks(min([low, *inside]), max([high, *inside]))
    ticks = ticks if least is None else [least, *(tick for tick in ticks if tick > least)]
    base = float(layout.head + layout.plot)
    x = Scale(*across, float(layout.left), float(layout.width - layout.right))
    return Frame(layout, x, Scale(ticks[0], ticks[-1], base, float(layout.head)), ticks)


def picture(frame: Frame, parts: Child, points: Sequence[Point], *, says: str, marks: float = 0) -> Picture:
    """says: the picture in words, for those who do not see it; marks: height of a strip below the axis."""
    layout = frame.layout
    svg = tag(
        "svg",
        parts,
        tag("line", class_="cursor", y1=frame.top, y2=frame.base, x1=0, x2=0, visibility="hidden"),
        tag("circle", class_="cursor", r=4, cx=0, cy=0, visibility="hidden"),
        viewBox=f"0 0 {layout.width} {frame.base + layout.foot + marks:.0f}",
        role="img",
        aria_label=says,
    )
    return Picture(svg, [(round(x, 1), round(y, 1)) for x, y in points])


def axes(frame: Frame, labels: Sequence[tuple[float, str]], unit: str) -> Html:
    """Faint lines with the values of y, the labels of x below, and the unit above."""
    parts: list[Html] = []
    for tick, label in zip(frame.ticks, tick_labels(frame.ticks), strict=True):
        y = frame.y(tick)
        parts.append(tag("line", class_="grid", x1=frame.x.start, x2=frame.x.end, y1=y, y2=y))
        parts.append(tag("text", label, x=frame.x.start - 8, y=y + 4, text_anchor="end"))
    for value, label in labels:
        x, room = frame.x(value), len(label) * LETTER / 2
        first, last = x - room < 4, x + room > frame.layout.width - 4
        anchor = "start" if first else "end" if last else "middle"
        parts.append(tag("text", label, x=x, y=frame.base + 17, text_anchor=anchor))
    parts.append(tag("text", unit, x=2, y=13))
    return join(parts)


def line(points: Sequence[Point], kind: str) -> Html:
    return tag("path", class_=f"line {kind}", d=path(points)) if len(points) > 1 else Html("")


def band(frame: Frame, edges: Sequence[tuple[float, float, float]], kind: str = "") -> Html:
    """edges: (x, lower, upper) in the data."""
    if len(edges) < 2:
        return Html("")
    upper = [frame.at(x, high) for x, _, high in edges]
    lower = [frame.at(x, low) for x, low, _ in reversed(edges)]
    return tag("path", class_=f"band {kind}".strip(), d=f"{path([*upper, *lower])}Z")


def whiskers(frame: Frame, edges: Sequence[tuple[float, float, float]], kind: str = "") -> Html:
    strokes = []
    for x, low, high in edges:
        (at, foot), (_, head) = frame.at(x, low), frame.at(x, high)
        strokes.append(f"M{at:.1f},{foot:.1f}V{head:.1f}")
    return tag("path", class_=f"whisker {kind}".strip(), d="".join(strokes)) if strokes else Html("")


def path(points: Sequence[Point]) -> str:
    return "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def ruler(frame: Frame, value: float, label: str) -> Html:
    """A dotted line at a value, named at its start."""
    y = frame.y(value)
    return join(
        tag("line", class_="threshold", x1=frame.x.start, x2=frame.x.end, y1=y, y2=y),
        tag("text", label, class_="bad halo", x=frame.x.start + 6, y=y - 5),
    )


def ends(frame: Frame, named: Sequence[tuple[str, str, float]]) -> Html | None:
    """Names at the ends of the lines instead of a legend, moved apart; (kind, label, value). None where no room is."""
    if frame.layout.right < 60:
        return None
    heights = spread([frame.at(0, value)[1] for *_, value in named], 15.0)
    return join(
        tag("text", label, class_=f"end {kind}", x=frame.x.end + 8, y=y + 4)
        for (kind, label, _), y in zip(named, heights, strict=True)
    )


def card(
    title: str,
    ident: str,
    draw: Callable[[Layout], Picture],
    texts: Sequence[Sequence[str]],
    behind: Html,
    *,
    wide: Layout = WIDE,
    about: Child = None,
    legend: Child = None,
) -> Html:
    """texts: of each entry its name and its figures, as the pointer tells them; behind: the table of them."""
    large, small = draw(wide), draw(NARROW)
    data = {"points": {"wide": large.points, "narrow": small.points}, "texts": texts}
    return tag(
        "div",
        tag("h2", title),
        tag("p", about, class_="why about") if about else None,
        tag("div", classed(large.svg, "wide"), classed(small.svg, "narrow"), class_="plot", tabindex="0"),
        tag("p", "Point into the picture, or use ← and →, for its figures.", class_="readout", aria_live="polite"),
        tag("p", legend, class_="legend") if legend else None,
        behind,
        tag("script", embedded(data), type="application/json"),
        class_="card life",
        id=ident,
        data_name=title,
    )


def behind(header: Sequence[str], rows: Sequence[Html], caption: str) -> Html:
    """The table behind a picture, folded away; all but the first column are figures."""
    body = table(header, rows, right=range(1, len(header)), caption=capital(caption))
    return tag(
        "details",
        tag("summary", f"The figures behind the picture: {caption}"),
        tag("div", body, class_="scroll"),
        class_="behind",
    )


def swatch(kind: str, label: str, *, narrow: bool = False) -> Html:
    """An entry of a legend; narrow: shown only where the line has no name at its end."""
    return tag("span", tag("i", class_=f"swatch {kind}"), f" {label}", class_="narrow" if narrow else None)


def sign(shape: str, tone: str, label: str) -> Html:
    return tag("span", tag("span", shape, class_=f"shape {tone}"), f" {label}")
