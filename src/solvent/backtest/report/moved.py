"""What moved among the inputs, by feature and window, and what mattered."""

from __future__ import annotations

from solvent.backtest.report.chart import LETTER, Frame, Layout, Picture, behind, card, picture, sign
from solvent.backtest.report.told import Told
from solvent.pages.axes import Scale, time_ticks
from solvent.pages.markup import Html, join, tag
from solvent.pages.parts import cell
from solvent.pages.words import between, number, percent, plural

_MOST = 14  # features drawn; the others stand in the document
_ROW = 20
_HEAD = 4


def moved(told: Told) -> Html | None:
    """A square by feature and window: as large as the move against what is usual, filled where an alarm named it."""
    features = _features(told)
    if not features:
        return None
    texts = [_texts(told, at, features) for at in range(len(told.windows))]
    rest = len({one.feature for drift in told.found.drift for one in drift.moved}) - len(features)
    about = "The larger a square, the further from what windows usually differ; full at four times as far."
    if rest > 0:
        about += f" {plural(rest, 'more feature')} moved less or matter less."
    return card(
        "What moved among the inputs",
        "drift",
        lambda layout: _draw(told, features, layout),
        texts,
        _behind(told, features),
        about=about,
        legend=join(
            sign("■", "warn", "named by an alarm"),
            sign("■", "idle", "further than usual, no alarm"),
            tag("span", "beside the name: share of the model's skill that rests on it"),
        ),
    )


def _features(told: Told) -> list[str]:
    """Those that an alarm named, then the ones that the model leans on most."""
    drifts = told.found.drift
    named = [name for drift in drifts for name in drift.named]
    reliance = told.found.reference.reliance
    every = {one.feature for drift in drifts for one in drift.moved}
    return sorted(every, key=lambda name: (name not in named, -reliance[name], name))[:_MOST]


def _draw(told: Told, features: list[str], layout: Layout) -> Picture:
    windows = told.windows
    left = 48 + LETTER * max(min(max(map(len, features)), 20 if layout.ticks > 5 else 12), 8)
    x = Scale(windows[0].start.timestamp(), windows[-1].end.timestamp(), left, layout.width - 12.0)
    base = _HEAD + _ROW * len(features) + 0.0
    frame = Frame(layout, x, Scale(0, 1, base, float(_HEAD)), [0.0, 1.0])
    parts: list[Html] = []
    letters = int((left - 48) / LETTER)
    for row, name in enumerate(features):
        y = _HEAD + _ROW * (row + 0.5)
        share = percent(told.found.reference.reliance[name])
        short = name if len(name) <= letters else f"{name[: letters - 1]}…"
        parts.append(tag("text", short, tag("title", name), x=2, y=y + 4))
        parts.append(tag("text", share, class_="share", x=left - 8, y=y + 4, text_anchor="end"))
        parts.append(tag("line", class_="grid", x1=left, x2=layout.width - 12, y1=y, y2=y))
        parts += _squares(told, name, frame, y)
    for when, label in time_ticks(windows[0].start, windows[-1].end, layout.ticks):
        room = len(label) * LETTER / 2
        at = min(max(x(when.timestamp()), left + room - 8), layout.width - 4 - room)
        parts.append(tag("text", label, x=at, y=base + 17, text_anchor="middle"))
    points = [(x(told.middle(window)), -1.0) for window in windows]
    alarms = sum(bool(drift.named) for drift in told.found.drift)
    says = f"Drift of {plural(len(features), 'feature')} by window; {plural(alarms, 'alarm')}."
    return picture(frame, join(parts), points, says=says)


def _squares(told: Told, name: str, frame: Frame, y: float) -> list[Html]:
    parts = []
    for window, drift in zip(told.windows, told.found.drift, strict=True):
        one = next((m for m in drift.moved if m.feature == name), None)
        if one is None:
            continue
        width = frame.x(window.end.timestamp()) - frame.x(window.start.timestamp())
        usual = one.usual or 0.0
        far = min(one.effect / usual / 4, 1.0) if usual > 0 else float(one.effect > 0)
        size = max(min(width - 1, _ROW - 4.0), 3.0) * max(far, 0.12)
        x = frame.x(told.middle(window)) - size / 2
        kind = "cell alarm" if name in drift.named else "cell"
        parts.append(tag("rect", class_=kind, x=x, y=y - size / 2, width=size, height=size))
    return parts


def _texts(told: Told, at: int, features: list[str]) -> list[str]:
    window, drift = told.windows[at], told.found.drift[at]
    ordered = sorted(
        (one for one in drift.moved if one.feature in features),
        key=lambda one: (one.feature not in drift.named, -one.effect / (one.usual or 1e9)),
    )
    said = [f"{one.feature} {_effect(one.effect, one.unit)}" for one in ordered[:4]]
    joint = f"inputs told from training's with AUC {drift.joint:.2f}" if drift.joint is not None else ""
    alarm = f"alarm: {', '.join(drift.named[:4])}" if drift.named else ""
    season = "it may be a season" if drift.named and drift.season else ""
    return [between(window.start, window.end), *(text for text in (alarm, season, *said, joint) if text)]


def _effect(effect: float, unit: str) -> str:
    return f"{number(effect)}{' sd' if unit == 'sd' else ''}"


def _behind(told: Told, features: list[str]) -> Html:
    rows = []
    for name in features:
        found = [
            (one.effect, one.usual, one.unit, window)
            for window, drift in zip(told.windows, told.found.drift, strict=True)
            for one in drift.moved
            if one.feature == name
        ]
        if not found:
            continue
        effect, usual, unit, window = max(found, key=lambda one: one[0])
        alarms = sum(name in drift.named for drift in told.found.drift)
        rows.append(
            tag(
                "tr",
                cell(name, kind="when"),
                cell(percent(told.found.reference.reliance[name]), "of the skill", kind="n"),
                cell(_effect(effect, unit), "furthest", kind="n"),
                cell(_effect(usual, unit) if usual is not None else "–", "usual", kind="n"),
                cell(between(window.start, window.end), "in", kind="n"),
                cell(f"{alarms:,}", "alarms", kind="n"),
            )
        )
    header = ["Feature", "Of the skill", "Furthest", "Usual then", "In", "Alarms"]
    return behind(header, rows, plural(len(rows), "feature"))
