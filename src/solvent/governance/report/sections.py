"""A model's part of the page: figures, the picture, what moved, why, what it cost, everything decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise

import msgspec

from solvent.governance.report import tables
from solvent.governance.report.curve import draw
from solvent.governance.report.frame import NARROW, WIDE, thinned
from solvent.governance.report.life import Health, ModelLife, Ruling, Window
from solvent.governance.report.verdict import (
    SHAPES,
    against_best,
    error_now,
    gain,
    health,
    held_estimates,
    last_move,
    pooled,
    recent,
    retrainings,
    subtitle,
    title,
    window_width,
    windows_noun,
    with_and_without,
)
from solvent.lineage.entities import Action
from solvent.pages.markup import Html, join, tag
from solvent.pages.parts import classed, embedded, tile
from solvent.pages.words import (
    alike,
    between,
    capital,
    day,
    month,
    number,
    percent,
    plural,
    times,
    window_noun,
    with_interval,
)

TONES = {
    Health.HEALTHY: "good",
    Health.AGEING: "warn",
    Health.BLIND: "warn",
    Health.FAILING: "bad",
    Health.SHADOW: "idle",
    Health.NEW: "idle",
}
RECENT_DECISIONS = 6
DULL = ("version", "policy", "unit", "level", "horizon", "because", "span")  # said by the sentence already


def chip(life: ModelLife) -> Html:
    """The state by colour, shape and word."""
    state = health(life)
    return tag("span", f"{SHAPES[state]} {state}", class_=f"st {TONES[state]}")


def section(life: ModelLife, slug: str) -> Html:
    """The whole part of one model; `slug` makes its identifiers unique on the page."""
    return tag(
        "section",
        tag("h1", title(life)),
        tag("p", chip(life), " ", subtitle(life), class_="sub"),
        _figures(life),
        _life(life, slug),
        _evidence(life),
        _costs(life, slug),
        _decisions(life, slug),
        _warnings(life, slug),
        id=slug,
        class_="model",
        data_name=life.name,
    )


def _figures(life: ModelLife) -> Html:
    tiles = [_now_tile(life), _against_tile(life), _decided_tile(life), _cost_tile(life)]
    return tag("dl", tiles, class_="figs")


def _now_tile(life: ModelLife) -> Html:
    said = error_now(life)
    if said is None:
        return tile("Error now", "–", "no outcome has arrived yet")
    value, note = said
    now = [w for w in recent(life) if w.estimated]
    estimate = pooled([msgspec.structs.replace(w, realised=w.estimated) for w in now])
    if estimate:
        note = f"{note}; the estimate said {with_interval(estimate)}"
    return tile(f"Error now, {windows_noun(life, len(recent(life)))}", _unit(value, life.unit), note)


def _unit(value: str, unit: str) -> Html:
    return join(value, tag("small", f" {unit}") if unit else None)


def _against_tile(life: ModelLife) -> Html:
    means = with_and_without(life)
    name = "Error with and without Solvent"
    if means is None:
        return tile(name, "–", "no never-retrained twin was measured")
    lived, never = alike(means)
    since = month(life.measured[0].start)
    note = f"{life.unit}, mean since {since}".removeprefix(", ")
    if lived == never:
        return tile(name, lived, f"{note}; the same without: nothing was retrained")
    saved = gain(life)
    if saved:
        note = f"{note}; {with_interval(saved)} less, 95% interval"
    return tile(name, join(lived, tag("small", f" against {never}")), note)


def _decided_tile(life: ModelLife) -> Html:
    count = retrainings(life)
    value = "never" if not count else times(count)
    counts = [("refused", Action.REFUSE), ("rolled back", Action.ROLL_BACK), ("held", Action.HOLD)]
    said = [f"{verb} {times(life.count(action))}" for verb, action in counts if life.count(action)]
    note = capital(", ".join(said)) or "nothing refused or rolled back"
    return tile("Retrained", value, note if life.rulings else "nothing was decided yet")


def _cost_tile(life: ModelLife) -> Html:
    bills = {bill.policy: bill for bill in life.bills}
    ours, both = bills.get("solvent"), against_best(life)
    if ours is None:
        kinds = len({w.kind for w in life.alarms})
        return tile("Warnings", number(len(life.alarms), 3), plural(kinds, "kind") if kinds else "none so far")
    note = [f"{tables.policy_name(p)} {number(bills[p].cost.value)}" for p in ("never", "monthly") if p in bills]
    if both:
        note.append(f"{both[0].cost.value / both[1].cost.value:.2f} × the best in hindsight")
    return tile("Cost", _unit(number(ours.cost.value), ours.unit), "; ".join(note))


def _life(life: ModelLife, slug: str) -> Html:
    if not life.windows:
        hint = tag("code", "solvent tick")
        empty = tag(
            "p", "No window has been measured yet: ", hint, " measures what was answered so far.", class_="empty"
        )
        return tag("div", tag("h2", "Life"), empty, class_="card")
    windows = thinned(life.windows)
    wide, points = draw(life, WIDE, f"{slug}-w")
    narrow, narrow_points = draw(life, NARROW, f"{slug}-n")
    data = {"points": {"wide": points, "narrow": narrow_points}, "texts": [_texts(w, life.unit) for w in windows]}
    return tag(
        "div",
        tag("h2", "Life"),
        tag("div", classed(wide, "wide"), classed(narrow, "narrow"), class_="plot", tabindex="0"),
        tag("p", _idle(life, len(windows)), class_="readout", aria_live="polite"),
        _legend(life),
        tables.behind(life, windows),
        tag("script", embedded(data), type="application/json"),
        class_="card life",
        id=f"{slug}-life",
        data_name=f"{life.name}: life",
    )


def _texts(window: Window, unit: str) -> list[str]:
    texts = [between(window.start, window.end)]
    if window.version:
        texts.append(f"v{window.version}")
    if window.realised:
        texts.append(f"realised {with_interval(window.realised)} {unit}".strip())
    if window.estimated:
        texts.append(f"estimated {with_interval(window.estimated)}")
    if window.never is not None:
        texts.append(f"never retrained {number(window.never)}")
    if window.monthly is not None:
        texts.append(f"monthly {number(window.monthly)}")
    texts.append(f"{window.rows:,} rows")
    if window.labelled is not None and window.labelled < 1:
        texts.append(f"{percent(window.labelled)} with outcome")
    return texts


def _idle(life: ModelLife, points: int) -> str:
    noun = window_noun(window_width(life))
    thinner = "" if points == len(life.windows) else f" Each point is {len(life.windows) // points} {noun}s."
    return f"Point at a {noun}, or use ← and →, for its figures.{thinner}"


def _legend(life: ModelLife) -> Html:
    parts = [tag("span", tag("i", class_="swatch realised"), " realised", class_="narrow")]
    if any(w.never is not None for w in life.windows):
        parts.append(tag("span", tag("i", class_="swatch never"), " never retrained", class_="narrow"))
    if retrainings(life):
        parts.append(tag("span", tag("span", "●", class_="shape good"), " promoted"))
    if life.count(Action.ROLL_BACK):
        parts.append(tag("span", tag("span", "◆", class_="shape bad"), " rolled back"))
    if life.count(Action.REFUSE):
        parts.append(tag("span", tag("span", "✕", class_="shape idle"), " candidate refused"))
    if any(w.kind != "contract" for w in life.alarms):
        parts.append(tag("span", tag("span", "▼", class_="shape warn"), " warning"))
    if any(w.kind == "contract" for w in life.alarms):
        parts.append(tag("span", tag("span", "■", class_="shape bad"), " contract broken"))
    held = held_estimates(life)
    if held:
        inside, judged, level = held
        said = f"band: estimate without labels, {level:.0%}; it held in {inside} of {windows_noun(life, judged)}"
        parts.append(tag("span", said))
    if any(w.realised and w.realised.lower is not None for w in life.windows):
        level_text = next((f"{w.realised.level:.0%}" for w in life.windows if w.realised and w.realised.level), "")
        parts.append(tag("span", f"hairlines: the realised error's {level_text} interval".replace("  ", " ")))
    parts.append(tag("span", "strip: versions in service"))
    return tag("p", parts, class_="legend")


def _evidence(life: ModelLife) -> Html:
    return tag("div", _moved(life), _why(life), _latest(life), class_="grid")


def _moved(life: ModelLife) -> Html:
    if not life.moved:
        text = tag("p", "No window has been compared with the reference yet.", class_="empty")
        return tag("div", tag("h2", "What moved, and matters"), text, class_="card")
    top = sorted(life.moved, key=lambda moved: -moved.floors)[:6]
    most = max(top[0].floors, 1.0)
    bars = [
        tag(
            "div",
            tag("span", moved.column, title=moved.column),
            tag("i", class_=None if moved.matters else "off", style=f"width:{100 * moved.floors / most:.0f}%"),
            tag("span", f"{number(moved.effect)} {moved.unit}".strip()),
            class_="bar",
        )
        for moved in top
    ]
    notes = []
    if any(not moved.matters for moved in top):
        notes.append("Grey: no more than windows differ by anyway, or the model hardly uses it.")
    if life.false_alarms_per_year is not None:
        notes.append(
            f"False alarms held to {life.false_alarms_per_year:g} a year over all {plural(len(life.moved), 'column')}."
        )
    if life.joint:
        by = ", ".join(life.joint.columns)
        notes.append(
            f"A classifier tells these rows from the evaluation's with an AUC of {life.joint.auc:.2f}, by {by}."
        )
    when = f", {day(life.moved_at)}" if life.moved_at else ""
    return tag(
        "div",
        tag("h2", "What moved, and matters", tag("span", when, class_="why")),
        bars,
        tag("p", " ".join(notes), class_="why") if notes else None,
        class_="card",
    )


def _why(life: ModelLife) -> Html:
    ruling = last_move(life)
    heading = tag("h2", "Why the last decision")
    if ruling is None:
        return tag("div", heading, tag("p", "Nothing was decided yet.", class_="empty"), class_="card")
    facts = [fact for fact in tables.told(ruling.evidence) if fact[0] not in DULL][:6]
    pairs = [(tag("dt", name), tag("dd", text)) for name, text in facts]
    return tag(
        "div",
        heading,
        tag("p", tag("b", f"{day(ruling.at)}, {ruling.title}."), " ", capital(ruling.reason), style="margin:0 0 8px"),
        tag("dl", pairs, class_="facts") if pairs else None,
        tag("p", f"By {ruling.by} · ", tag("a", "the full evidence", href=f"#d-{ruling.position}"), class_="why"),
        class_="card",
    )


def _latest(life: ModelLife) -> Html:
    heading = tag("h2", "Decisions")
    told = _happenings(life.rulings)
    if not told:
        hint = tag("p", "None yet: ", tag("code", "solvent tick"), " makes the first.", class_="empty")
        return tag("div", heading, hint, class_="card")
    groups = [list(group) for _, group in groupby(told, key=lambda r: (r.title, r.by))][: -RECENT_DECISIONS - 1 : -1]
    years = len({group[-1].at.year for group in groups}) > 1
    rows = [(tag("dt", _short_day(group[-1].at, year=years)), tag("dd", _happened(group))) for group in groups]
    return tag("div", heading, tag("dl", rows, class_="dec"), class_="card")


def _short_day(at: datetime, *, year: bool) -> str:
    return f"{day(at, year=False)} ’{at.year % 100:02d}" if year else day(at, year=False)


def _happened(group: Sequence[Ruling]) -> Html:
    """One decision, or the same one several times in a row."""
    newest, count = group[-1], len(group)
    often = f", {times(count)} since {day(group[0].at)}" if count > 1 else ""
    link = tag("a", f"{newest.title}{often}", href=f"#d-{newest.position}")
    return join(link, " ", tag("span", _aside(newest), class_="why"))


def _happenings(rulings: Sequence[Ruling]) -> list[Ruling]:
    """Decisions that moved something; a retraining is left out where its candidate's fate follows within a day."""
    moved = [r for r in rulings if r.action is not Action.HOLD]
    fate = (Action.PROMOTE, Action.REFUSE)
    followed = [after.action in fate and after.at - r.at < timedelta(days=1) for r, after in pairwise(moved)] + [False]
    told = [r for r, gone in zip(moved, followed, strict=False) if not (gone and r.action is Action.RETRAIN)]
    return told or list(rulings)


def _aside(ruling: Ruling) -> str:
    """What stands beside a decision in a short list: who promoted, or why not."""
    if ruling.action in (Action.PROMOTE, Action.APPROVE, Action.RETRAIN):
        return f"by {ruling.by}"
    text = ruling.reason.rstrip(".")
    return text if len(text) <= 72 else f"{text[:70].rsplit(' ', 1)[0]}…"


def _costs(life: ModelLife, slug: str) -> Html | None:
    if not life.bills:
        return None
    heading = tag("h2", "What each policy would have cost")
    name = f"{life.name}: costs"
    return tag("div", heading, tables.costs(life), class_="card costs", id=f"{slug}-costs", data_name=name)


def _decisions(life: ModelLife, slug: str) -> Html | None:
    if not life.rulings:
        return None
    heading = tag("h2", f"All decisions: {len(life.rulings):,}")
    return tag(
        "div",
        heading,
        tables.decisions(life),
        class_="card decisions",
        id=f"{slug}-decisions",
        data_name=f"{life.name}: all decisions",
    )


def _warnings(life: ModelLife, slug: str) -> Html | None:
    if not life.warnings:
        return None
    heading = tag("h2", f"All warnings: {len(life.warnings):,}")
    return tag(
        "div",
        heading,
        tables.warnings(life),
        class_="card warnings",
        id=f"{slug}-warnings",
        data_name=f"{life.name}: all warnings",
    )
