"""The main picture: the error by window of the model that is never retrained and of a fresh one, with what was warned
and what the recommended policy would have done."""

from __future__ import annotations

import math
from itertools import pairwise

from solvent.backtest.policies import NEVER, SOLVENT, Outcome
from solvent.backtest.report.chart import (
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
    sign,
    swatch,
    whiskers,
)
from solvent.backtest.report.told import Told
from solvent.backtest.summary import source_of
from solvent.pages.axes import time_ticks
from solvent.pages.markup import Html, join, tag
from solvent.pages.parts import cell
from solvent.pages.words import between, day, number, plural

_STRIP = 24
_MOST_LINES = 15  # retrainings whose marks go through the picture


def life(told: Told) -> Html:
    """The card with the picture."""
    texts = [_texts(told, at) for at in range(len(told.windows))]
    return card(
        f"{told.name} by window",
        "life",
        lambda layout: _draw(told, layout),
        texts,
        _behind(told),
        legend=_legend(told),
    )


def shown_policy(told: Told) -> Outcome:
    """Whose retrainings are drawn: the recommended one's, Solvent's where the advice is never to retrain."""
    name = told.found.advice.policy
    return told.found.asked.named(name if name != NEVER else SOLVENT)


def _draw(told: Told, layout: Layout) -> Picture:
    windows = told.windows
    across = (windows[0].start.timestamp(), windows[-1].end.timestamp())
    lines = [*told.never, *told.fresh, told.threshold, *(told.naive if told.naive_fits else [])]
    edges = [(told.middle(w), *told.interval(w.loss)) for w in windows]
    frame = frame_of(layout, across, lines, [v for _, low, high in edges for v in (low, high)])
    at = [told.middle(w) for w in windows]
    never = [frame.at(x, y) for x, y in zip(at, told.never, strict=True)]
    ticks = time_ticks(windows[0].start, windows[-1].end, layout.ticks)
    parts = join(
        axes(frame, [(when.timestamp(), label) for when, label in ticks], told.axis),
        _estimated(told, frame),
        line([frame.at(x, y) for x, y in zip(at, told.naive, strict=True)], "naive") if told.naive_fits else None,
        ruler(frame, told.threshold, f"threshold {number(told.threshold)}"),
        whiskers(frame, edges, "never"),
        line(never, "never"),
        line([frame.at(x, y) for x, y in zip(at, told.fresh, strict=True)], "realised"),
        _retrainings(told, frame),
        _warnings(told, frame),
        ends(
            frame,
            [
                ("never", "never retrained", told.never[-1]),
                ("realised", "a fresh model", told.fresh[-1]),
                *([("naive", "naive forecast", told.naive[-1])] if told.naive_fits else []),
            ],
        ),
    )
    says = (
        f"{told.name} by window: never retrained from {number(told.never[0])} to {number(told.never[-1])}, "
        f"a fresh model from {number(told.fresh[0])} to {number(told.fresh[-1])}, threshold {number(told.threshold)}."
    )
    return picture(frame, parts, never, says=says, marks=_STRIP)


def _estimated(told: Told, frame: Frame) -> Html:
    """The estimate's band where there is one: neighbouring windows joined."""
    runs: list[list[tuple[float, float, float]]] = [[]]
    for window, one in zip(told.windows, told.found.estimated, strict=True):
        if one.loss is None or not math.isfinite(one.loss.upper):
            runs.append([])
        else:
            runs[-1].append((told.middle(window), *told.interval(one.loss)))
    return join(band(frame, run) for run in runs)


def _retrainings(told: Told, frame: Frame) -> Html:
    """A mark at each retraining with a head of its own, and the models in service as a strip below."""
    made = shown_policy(told).retrainings
    starts = [told.windows[one.tick].start.timestamp() for one in made]
    marks: list[Html] = []
    foot = frame.base + 24 if len(made) <= _MOST_LINES else frame.top
    for x, one in zip((frame.x(start) for start in starts), made, strict=True):
        span = told.found.matrix.spans[one.span].name
        title = tag(
            "title", f"{day(told.windows[one.tick].start)}: retrained on {told.span(span)}. {told.reason(one.kind)}"
        )
        rule = tag("line", class_="mark good", x1=x, x2=x, y1=frame.top - 8, y2=foot)
        marks.append(tag("g", rule, tag("circle", class_="head good", cx=x, cy=frame.top - 8, r=4), title))
    strip: list[Html] = []
    borders = [frame.x.low, *starts, frame.x.high]
    for number_of, (left, right) in enumerate(pairwise(borders), 1):
        a, b, label = frame.x(left), frame.x(right), f"v{number_of}"
        strip.append(
            tag("rect", class_="version", x=a + 1, y=frame.base + 25, width=max(b - a - 2, 1.0), height=16, rx=3)
        )
        if b - a > len(label) * 6.1 + 4:
            strip.append(tag("text", label, x=(a + b) / 2, y=frame.base + 37, text_anchor="middle"))
    return join(strip, marks)


def _warnings(told: Told, frame: Frame) -> Html:
    parts: list[Html] = []
    stacked: dict[int, int] = {}
    for warning in told.found.warnings:
        level = stacked[warning.window] = stacked.get(warning.window, 0) + 1
        window = told.windows[warning.window]
        x, y = frame.at(told.middle(window), told.never[warning.window])
        y -= 9 + 11 * (level - 1)
        tone = "warn" if warning.lead is not None else "idle"
        shape = tag("path", class_=f"warning {tone}", d=f"M{x:.1f},{y:.1f}l-5,-9h10Z")
        parts.append(tag("g", shape, tag("title", f"{day(warning.at)}: warning {source_of(warning)}")))
    return join(parts)


def _legend(told: Told) -> Html:
    made, found = shown_policy(told), told.found
    parts = [
        swatch("never", "never retrained", narrow=True),
        swatch("realised", "a fresh model", narrow=True),
        swatch("naive", "naive forecast", narrow=True) if told.naive_fits else tag("span", told.naive_said),
        sign("●", "good", f"{made.name} retrains ({plural(len(made.retrainings), 'time')}; strip: models in service)"),
    ]
    if any(warning.lead is not None for warning in found.warnings):
        parts.append(sign("▼", "warn", "warning that came true"))
    if any(warning.lead is None for warning in found.warnings):
        parts.append(sign("▼", "idle", "false warning"))
    if told.estimates[1]:
        inside, count = told.estimates
        parts.append(
            tag("span", f"band: estimate without labels, 90%; it held in {inside} of {plural(count, 'window')}")
        )
    parts.append(tag("span", "hairlines: 90% interval of the realised error"))
    return join(parts)


def _texts(told: Told, at: int) -> list[str]:
    window, guess = told.windows[at], told.found.estimated[at].loss
    texts = [
        between(window.start, window.end),
        f"never retrained {told.figure(window.loss)}",
        f"fresh {number(told.fresh[at])}",
        f"naive {number(told.naive[at])}",
    ]
    if guess is not None:
        texts.append(f"estimated {told.figure(guess)}")
    return [*texts, f"{window.rows:,} rows"]


def _behind(told: Told) -> Html:
    rows = []
    for at, window in enumerate(told.windows):
        guess = told.found.estimated[at]
        rows.append(
            tag(
                "tr",
                cell(between(window.start, window.end), kind="when"),
                cell(f"{window.rows:,}", "rows", kind="n"),
                cell(told.figure(window.loss), "never retrained", kind="n"),
                cell(number(told.fresh[at]), "fresh", kind="n"),
                cell(number(told.naive[at]), "naive", kind="n"),
                cell(told.figure(guess.loss) if guess.loss is not None else "–", "estimated", kind="n"),
            )
        )
    header = ["Window", "Rows", "Never retrained", "Fresh", "Naive", "Estimated"]
    return behind(header, rows, plural(len(told.windows), "window"))
