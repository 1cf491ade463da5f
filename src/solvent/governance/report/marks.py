"""What is written into the picture: versions, decisions, warnings and real events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import TypeAlias

from solvent.governance.report.frame import LETTER, Frame, Layout
from solvent.governance.report.life import ModelLife, Warn, Window
from solvent.lineage.entities import Action
from solvent.pages.axes import Scale
from solvent.pages.markup import Child, Html, join, tag
from solvent.pages.words import day

MOST_EVENTS = 12
WRITTEN_IN = ("gap", "shock", "contract")  # kinds of alerts whose title is written into the picture
Event: TypeAlias = "tuple[datetime, str, str]"  # instant, text, tone


def strip(frame: Frame, life: ModelLife, y: float) -> Html:
    parts: list[Html] = []
    for stretch in life.stretches:
        start = max(frame.at(stretch.start), frame.x.start)
        end = min(frame.at(stretch.end) if stretch.end else frame.x.end, frame.x.end)
        if end - start < 1:
            continue
        label = f"v{stretch.number}"
        until = day(stretch.end) if stretch.end else "now"
        title = tag("title", f"{label} in service from {day(stretch.start)} until {until}")
        parts.append(tag("rect", class_="version", x=start + 1, y=y, width=max(end - start - 2, 1.0), height=16, rx=3))
        if end - start > len(label) * LETTER + 4:
            parts.append(tag("text", label, x=(start + end) / 2, y=y + 12, text_anchor="middle"))
        parts[-1] = tag("g", parts[-1], title)
    return join(parts)


def promotions(frame: Frame, life: ModelLife, bottom: float) -> Html:
    """Promotions and rollbacks as vertical marks with a head of their own shape; refusals as a head alone."""
    parts: list[Child] = []
    head = frame.top - 12
    for ruling in life.rulings:
        x = frame.at(ruling.at)
        if not frame.x.start - 1 <= x <= frame.x.end + 1:
            continue
        title = tag("title", f"{day(ruling.at)}: {ruling.title}. {ruling.reason}")
        if ruling.crowned not in (None, life.first_version):
            line = tag("line", class_="mark good", x1=x, x2=x, y1=head, y2=bottom)
            parts.append(tag("g", line, tag("circle", class_="head good", cx=x, cy=head, r=4), title))
        elif ruling.action is Action.ROLL_BACK:
            line = tag("line", class_="mark bad", x1=x, x2=x, y1=head, y2=bottom)
            shape = tag("path", class_="head bad", d=f"M{x:.1f},{head + 5:.1f}l-5,-5l5,-5l5,5Z")
            parts.append(tag("g", line, shape, title))
        elif ruling.action is Action.REFUSE:
            cross = f"M{x - 3.5:.1f},{head - 3.5:.1f}l7,7m0,-7l-7,7"
            parts.append(tag("g", tag("path", class_="head refused", d=cross), title))
    return join(parts)


def warnings(frame: Frame, life: ModelLife, windows: Sequence[Window]) -> Html:
    """Warnings at the curve: a triangle; a broken contract is a square."""
    parts: list[Child] = []
    stacked: dict[int, int] = {}
    for warning in life.alarms:
        place = next((i for i, w in enumerate(windows) if w.start <= warning.window_start < w.end), None)
        if place is None:
            continue
        level = stacked[place] = stacked.get(place, 0) + 1
        if level > 3:
            continue
        window = windows[place]
        value = window.realised or window.estimated
        y = (frame.y(min(value.value, frame.y.high)) if value else frame.base - 4) - 9 - 11 * (level - 1)
        x = frame.middle(window)
        title = tag("title", f"{day(warning.at)}: {warning.title}")
        if warning.kind == "contract":
            shape = tag("rect", class_="warning bad", x=x - 4, y=y - 8, width=8, height=8)
        else:
            shape = tag("path", class_="warning warn", d=f"M{x:.1f},{y:.1f}l-5,-9h10Z")
        parts.append(tag("g", shape, title))
    return join(parts)


def events(life: ModelLife, layout: Layout) -> list[Event]:
    """What is written into the picture, in time order: gaps, shocks and broken contracts by window, rollbacks."""
    told: list[Event] = []
    written_in = [w for w in life.alarms if w.kind in WRITTEN_IN]
    for (start, _), group in groupby(written_in, key=lambda w: (w.window_start, w.kind)):
        first, *others = group
        more = f", and {len(others)} more" if others else ""
        held = ", held" if first.kind != "contract" and _was_held(life, first) else ""
        text = _short(f"{day(start, year=False)}: {first.title}", layout.letters - len(more + held))
        told.append((start, f"{text}{more}{held}", "soft"))
    undone = [r for r in life.rulings if r.action is Action.ROLL_BACK]
    told += [(r.at, f"{day(r.at, year=False)}: {r.title}", "bad") for r in undone]
    return sorted(told)[-MOST_EVENTS:]


def _was_held(life: ModelLife, warning: Warn) -> bool:
    """Whether the decision taken when the warning came was to hold."""
    width = warning.window_end - warning.window_start
    answer = next((r for r in life.rulings if warning.at <= r.at < warning.at + width), None)
    return answer is not None and answer.action is Action.HOLD


def _short(text: str, letters: int) -> str:
    if len(text) <= letters:
        return text
    return text[: letters - 1].rsplit(" ", 1)[0].rstrip(",:;") + "…"


def rows_used(told: Sequence[Event], life: ModelLife, layout: Layout) -> int:
    """How many rows of texts stand above the plot."""
    return len({row for row, *_ in _placed(told, life, layout)})


def _placed(told: Sequence[Event], life: ModelLife, layout: Layout) -> list[tuple[int, float, str, str, str]]:
    """(row, x, anchor, text, tone): each text in the first row above the plot where it fits; none where it does not."""
    first, last = life.windows[0].start.timestamp(), life.windows[-1].end.timestamp()
    x_of = Scale(first, last, float(layout.left), float(layout.width - layout.right))
    taken: list[list[tuple[float, float]]] = [[] for _ in range(layout.lanes)]
    placed = []
    for at, text, tone in told:
        x, width = x_of(at.timestamp()), len(text) * LETTER
        right = x + 6 + width <= layout.width - 4
        left_edge = x + 6 if right else max(x - 6 - width, 2.0)
        span = (left_edge - 8, left_edge + width + 8)
        for row, spans in enumerate(taken):
            if all(span[1] <= a or span[0] >= b for a, b in spans):
                spans.append(span)
                placed.append((row, x, "start" if right else "end", text, tone))
                break
    return placed


def written(frame: Frame, told: Sequence[Event], life: ModelLife) -> Html:
    leaders: list[Html] = []
    texts: list[Html] = []
    for row, x, anchor, text, tone in _placed(told, life, frame.layout):
        y = frame.top - 28 - 15 * row
        side = 6 if anchor == "start" else -6
        leaders.append(tag("line", class_="leader", x1=x, x2=x, y1=y - 8, y2=frame.base))
        texts.append(tag("text", text, class_=f"event {tone} halo", x=x + side, y=y, text_anchor=anchor))
    return join(leaders, texts)
