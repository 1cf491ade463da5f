"""Where things are in a picture: its parts, its scales, and how many windows it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from solvent.governance.report.life import ModelLife, Window
from solvent.pages.axes import Scale, value_ticks
from solvent.pages.figures import Figure

MOST_POINTS = 320  # more windows than this are drawn as averages of neighbours
MOST_SLACK = 0.15  # room for intervals beyond the lines, as a share of the lines' own range
LETTER = 6.1  # mean width of a letter of the labels, in picture units


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of one drawing, in picture units."""

    width: int
    left: int
    right: int
    plot: int  # height of the plot
    ticks: int  # labels on the time axis
    lanes: int  # rows of event texts above the plot
    letters: int  # longest event text


WIDE = Layout(width=1120, left=44, right=128, plot=236, ticks=8, lanes=4, letters=56)
NARROW = Layout(width=400, left=34, right=10, plot=210, ticks=4, lanes=4, letters=34)


class Frame(msgspec.Struct, frozen=True):
    """Where things are in one drawing: scales, and the heights of its parts from the top."""

    layout: Layout
    x: Scale
    y: Scale
    top: float
    base: float
    ticks: list[float]

    def at(self, instant: datetime) -> float:
        return self.x(instant.timestamp())

    def middle(self, window: Window) -> float:
        return (self.at(window.start) + self.at(window.end)) / 2


def thinned(windows: Sequence[Window]) -> list[Window]:
    """At most MOST_POINTS windows: neighbours are averaged by rows where there are more."""
    size = -(-len(windows) // MOST_POINTS)
    if size <= 1:
        return list(windows)
    return [_merged(windows[i : i + size]) for i in range(0, len(windows), size)]


def _merged(group: Sequence[Window]) -> Window:
    def mean(pick: Callable[[Window], float | None]) -> float | None:
        known = [(value, max(w.rows, 1)) for w in group if (value := pick(w)) is not None]
        return sum(v * n for v, n in known) / sum(n for _, n in known) if known else None

    def merged(pick: Callable[[Window], Figure | None]) -> Figure | None:
        def part(name: str) -> float | None:
            return mean(lambda w: getattr(figure, name) if (figure := pick(w)) else None)

        value = part("value")
        level = next((f.level for w in group if (f := pick(w))), None)
        return None if value is None else Figure(value=value, lower=part("lower"), upper=part("upper"), level=level)

    return Window(
        start=group[0].start,
        end=group[-1].end,
        rows=sum(w.rows for w in group),
        labelled=mean(lambda w: w.labelled),
        realised=merged(lambda w: w.realised),
        estimated=merged(lambda w: w.estimated),
        never=mean(lambda w: w.never),
        monthly=mean(lambda w: w.monthly),
        version=group[-1].version,
    )


def frame_of(life: ModelLife, windows: Sequence[Window], layout: Layout, lanes: int) -> Frame:
    """Scales and ticks; `lanes` rows of event texts stand above the plot."""
    ticks = value_ticks(*_reach(life, windows))
    top = 26.0 + (16 + 15 * lanes if lanes else 0)
    base = top + layout.plot
    x = Scale(
        windows[0].start.timestamp(),
        windows[-1].end.timestamp(),
        float(layout.left),
        float(layout.width - layout.right),
    )
    return Frame(layout=layout, x=x, y=Scale(ticks[0], ticks[-1], base, top), top=top, base=base, ticks=ticks)


def _reach(life: ModelLife, windows: Sequence[Window]) -> tuple[float, float]:
    """The lowest and highest value to show: all lines whole, intervals as far as they do not flatten the lines."""
    lines = [v for w in windows for v in (w.realised.value if w.realised else None, w.never) if v is not None]
    lines += [life.threshold] if life.threshold is not None else []
    lines += [w.estimated.value for w in windows if w.estimated and not w.realised]
    if not lines:
        return 0.0, 1.0
    low, high = min(lines), max(lines)
    slack = MOST_SLACK * (high - low)
    figures = [figure for w in windows for figure in (w.realised, w.estimated) if figure]
    lower = [max(f.lower, low - slack, min(low, 0.0)) for f in figures if f.lower is not None]
    upper = [min(f.upper, high + slack) for f in figures if f.upper is not None]
    return min([low, *lower]), max([high, *upper])
