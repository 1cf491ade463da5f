"""The main picture of a life: realised loss by window, what was expected, what was decided.

Drawn twice, wide and narrow, as inline SVG in CSS variables; the page shows the
one that fits. Every mark has a shape of its own, so colour is never the only sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from solvent.governance.report.frame import LETTER, Frame, Layout, frame_of, thinned
from solvent.governance.report.life import ModelLife, Window
from solvent.governance.report.marks import events, promotions, rows_used, strip, warnings, written
from solvent.governance.report.verdict import alternative, metric_name, window_width
from solvent.pages.axes import spread, tick_labels, time_ticks
from solvent.pages.figures import Figure
from solvent.pages.markup import Html, join, tag
from solvent.pages.words import number, window_noun


def draw(life: ModelLife, layout: Layout, ident: str) -> tuple[Html, list[tuple[float, float]]]:
    """The picture, and where each drawn window's point is: (x, y) by position in `thinned(life.windows)`."""
    windows = thinned(life.windows)
    told = events(life, layout)
    frame = frame_of(life, windows, layout, rows_used(told, life, layout))
    below = frame.base + 22
    picture = tag(
        "svg",
        tag("defs", tag("clipPath", tag("rect", **_box(frame)), id=f"clip-{ident}")),
        _grid(frame, life),
        _threshold(frame, life),
        _band(frame, windows, ident),
        _line(frame, windows, lambda w: w.never, "never"),
        _whiskers(frame, windows, ident),
        _line(frame, windows, lambda w: w.realised.value if w.realised else None, "realised"),
        strip(frame, life, below + 4),
        promotions(frame, life, below + 2),
        warnings(frame, life, windows),
        written(frame, told, life),
        _end_labels(frame, windows) if layout.right > 60 else None,
        tag("line", class_="cursor", y1=frame.top, y2=frame.base, x1=0, x2=0, visibility="hidden"),
        tag("circle", class_="cursor", r=4, cx=0, cy=0, visibility="hidden"),
        viewBox=f"0 0 {layout.width} {below + 26:.0f}",
        role="img",
        aria_label=alternative(life),
    )
    points = [(round(frame.middle(w), 1), round(frame.y(w.realised.value), 1) if w.realised else -1.0) for w in windows]
    return picture, points


def _box(frame: Frame) -> dict[str, float]:
    return {
        "x": frame.x.start,
        "y": frame.top - 12,
        "width": frame.x.end - frame.x.start,
        "height": frame.base - frame.top + 12,
    }


def _grid(frame: Frame, life: ModelLife) -> Html:
    parts: list[Html] = []
    for tick, label in zip(frame.ticks, tick_labels(frame.ticks), strict=True):
        y = frame.y(tick)
        parts.append(tag("line", class_="grid", x1=frame.x.start, x2=frame.x.end, y1=y, y2=y))
        parts.append(tag("text", label, x=frame.x.start - 8, y=y + 4, text_anchor="end"))
    span = (frame.x.low, frame.x.high)
    first, last = (datetime.fromtimestamp(edge, tz=life.windows[0].start.tzinfo) for edge in span)
    for at, label in time_ticks(first, last, frame.layout.ticks):
        x = min(max(frame.at(at), frame.x.start), frame.x.end)
        room = len(label) * LETTER / 2
        anchor = "start" if x - room < frame.x.start - 20 else "middle"
        parts.append(tag("text", label, x=x, y=frame.base + 17, text_anchor=anchor))
    noun = window_noun(window_width(life))
    unit = f"{life.unit}, " if life.unit else ""
    parts.append(tag("text", f"{unit}{metric_name(life)} by {noun}", x=8 if frame.layout.left > 40 else 2, y=13))
    return join(parts)


def _threshold(frame: Frame, life: ModelLife) -> Html | None:
    if life.threshold is None:
        return None
    y = frame.y(life.threshold)
    label = f"threshold {number(life.threshold)}"
    return join(
        tag("line", class_="threshold", x1=frame.x.start, x2=frame.x.end, y1=y, y2=y),
        tag("text", label, class_="bad halo", x=frame.x.start + 6, y=y - 5),
    )


def _runs(windows: Sequence[Window], known: Callable[[Window], bool]) -> Iterator[list[Window]]:
    """Stretches of neighbouring windows that are known: a gap is a gap in the line too."""
    run: list[Window] = []
    for window in windows:
        if known(window) and (not run or window.start <= run[-1].end):
            run.append(window)
            continue
        if run:
            yield run
        run = [window] if known(window) else []
    if run:
        yield run


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _line(frame: Frame, windows: Sequence[Window], pick: Callable[[Window], float | None], kind: str) -> Html:
    parts: list[Html] = []
    for run in _runs(windows, lambda w: pick(w) is not None):
        points = [(frame.middle(w), frame.y(pick(w) or 0.0)) for w in run]
        if len(points) == 1:
            parts.append(tag("circle", class_=f"dot {kind}", cx=points[0][0], cy=points[0][1], r=2.5))
        else:
            parts.append(tag("path", class_=f"line {kind}", d=_path(points)))
    return join(parts)


def _band(frame: Frame, windows: Sequence[Window], ident: str) -> Html:
    """The label-free estimate's interval, behind everything."""
    parts: list[Html] = []
    for run in _runs(windows, lambda w: _bounded(w.estimated)):
        upper = [(frame.middle(w), frame.y(w.estimated.upper or 0.0)) for w in run if w.estimated]
        lower = [(frame.middle(w), frame.y(w.estimated.lower or 0.0)) for w in run if w.estimated]
        parts.append(
            tag("path", class_="band", d=f"{_path([*upper, *reversed(lower)])}Z", clip_path=f"url(#clip-{ident})")
        )
    return join(parts)


def _bounded(figure: Figure | None) -> bool:
    return figure is not None and figure.lower is not None and figure.upper is not None


def _whiskers(frame: Frame, windows: Sequence[Window], ident: str) -> Html:
    """The realised loss's own interval: a hairline at each window."""
    lines = [
        f"M{frame.middle(w):.1f},{frame.y(w.realised.lower or 0.0):.1f}V{frame.y(w.realised.upper or 0.0):.1f}"
        for w in windows
        if w.realised and _bounded(w.realised)
    ]
    return tag("path", class_="whisker", d="".join(lines), clip_path=f"url(#clip-{ident})") if lines else Html("")


def _end_labels(frame: Frame, windows: Sequence[Window]) -> Html:
    """Names at the ends of the lines instead of a legend, moved apart where the lines meet."""
    known = [
        ("realised", "realised", [w.realised.value for w in windows if w.realised]),
        ("never", "never retrained", [w.never for w in windows if w.never is not None]),
    ]
    named = [(kind, label, frame.y(values[-1])) for kind, label, values in known if values]
    heights = spread([y for *_, y in named], 15.0)
    return join(
        tag("text", label, class_=f"end {kind}", x=frame.x.end + 8, y=y + 4)
        for (kind, label, _), y in zip(named, heights, strict=True)
    )
