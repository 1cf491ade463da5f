"""The page: one self-contained HTML file, no request to anywhere, readable without its script."""

from __future__ import annotations

import re
from collections.abc import Sequence

from solvent.governance.report.life import LifeReport, ModelLife, Window
from solvent.governance.report.sections import chip, section
from solvent.governance.report.verdict import (
    NEEDS_SOMEONE,
    error_now,
    health,
    last_move,
    report_subtitle,
    report_title,
    retrainings,
    tally,
    with_and_without,
)
from solvent.lineage.entities import Action
from solvent.pages.document import document
from solvent.pages.markup import Html, join, tag
from solvent.pages.parts import cell, table, tile
from solvent.pages.words import alike, day, moment, number, plural

KEYS = (
    ("/", "find a model, a decision, a warning"),
    ("j  k", "next, previous"),
    ("← →", "in the picture: window by window"),
    ("?", "this list"),
)


def render_html(report: LifeReport) -> str:
    """The report as one HTML document, in UTF-8; open it in any browser, print it, mail it."""
    slugs = _slugs([life.name for life in report.models])
    return document(report_title(report), [_header(report, slugs), _main(report, slugs), _keys()], script=True)


def _slugs(names: Sequence[str]) -> list[str]:
    """Identifiers for a page: unique, safe in a link."""
    return [f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-') or 'model'}-{i}" for i, name in enumerate(names)]


def _header(report: LifeReport, slugs: Sequence[str]) -> Html:
    links = [tag("a", life.name, href=f"#{slug}") for life, slug in zip(report.models[:8], slugs[:8], strict=True)]
    find = tag(
        "div",
        tag("input", type="search", placeholder="Find anything", aria_label="Find anything", autocomplete="off"),
        tag("kbd", "/", aria_hidden="true"),
        tag("ul", class_="found", hidden=True),
        class_="find",
    )
    return tag("header", tag("b", "Solvent"), tag("nav", links, aria_label="Models"), find)


def _main(report: LifeReport, slugs: Sequence[str]) -> Html:
    parts = [section(life, slug) for life, slug in zip(report.models, slugs, strict=True)]
    head = _portfolio(report, slugs) if len(report.models) != 1 else None
    about = tag("p", report.about, class_="sub") if report.about and head is None else None
    return tag("main", head, parts, about, _footer(report))


def _portfolio(report: LifeReport, slugs: Sequence[str]) -> Html:
    """The head of a report over several models; of a project without one, the command that makes the first."""
    if not report.models:
        hint = tag("p", tag("code", "solvent run"), " trains the first one and registers it.", class_="sub")
        return tag("section", tag("h1", report_title(report)), hint, class_="portfolio")
    rows = [_row(life, slug) for life, slug in zip(report.models, slugs, strict=True)]
    header = [
        "Model",
        "State",
        "Loss, and never retrained",
        "Error now",
        "Mean, without → with",
        "Warnings",
        "Last decision",
    ]
    body = table(header, rows, right=(3, 4, 5), caption="Models of this project")
    about = f" {report.about}" if report.about else ""
    return tag(
        "section",
        tag("h1", report_title(report)),
        tag("p", report_subtitle(report) + about, class_="sub"),
        tag("dl", _portfolio_tiles(report), class_="figs"),
        tag("div", body, class_="card models"),
        class_="portfolio",
        id="portfolio",
        data_name="all models",
    )


def _portfolio_tiles(report: LifeReport) -> list[Html]:
    models = report.models
    needing = sum(health(life) in NEEDS_SOMEONE for life in models)
    rulings = [ruling for life in models for ruling in life.rulings]
    alone = [r for r in rulings if r.by.startswith("policy ")]
    kinds = [
        (sum(retrainings(life) for life in models), "retrained"),
        (sum(r.action is Action.REFUSE for r in alone), "refused"),
        (sum(r.action is Action.ROLL_BACK for r in alone), "rolled back"),
        (sum(r.action is Action.HOLD for r in alone), "held"),
    ]
    answered = sum(window.rows for life in models for window in life.windows)
    warned = sum(len(life.alarms) for life in models)
    broken = sum(w.kind == "contract" for life in models for w in life.alarms)
    said = f"{plural(broken, 'broken contract')} among them" if broken else "no contract broken"
    windows = [window for life in models for window in life.windows]
    since = f"since {day(min(w.start for w in windows))}" if windows else "none yet"
    return [
        tile("Models", number(len(models), 3), f"{len(models) - needing} healthy" if needing else "none needs you"),
        tile("Predictions answered", f"{answered:,}", since),
        tile("Decided without a person", f"{len(alone):,}", ", ".join(f"{n:,} {verb}" for n, verb in kinds if n)),
        tile(
            "Warnings",
            f"{warned:,}",
            said,
        ),
    ]


def _row(life: ModelLife, slug: str) -> Html:
    now, means, move = error_now(life), with_and_without(life), last_move(life)
    lived, never = alike(means) if means else ("", "–")
    return tag(
        "tr",
        cell(
            join(
                tag("a", life.name, href=f"#{slug}", class_="name"),
                tag("div", _standing(life), class_="why"),
            )
        ),
        cell(chip(life)),
        cell(_spark(life), kind="sp"),
        cell(now[0] if now else "–", "error now", kind="n"),
        cell(f"{never} → {lived}" if means and lived != never else never, "without → with", kind="n"),
        cell(f"{len(life.alarms):,}", "warnings", kind="n"),
        cell(
            join(move.title, tag("div", day(move.at), class_="why")) if move else "none", "last decision", kind="last"
        ),
        class_="row",
        tabindex="-1",
        id=f"{slug}-row",
    )


def _standing(life: ModelLife) -> str:
    """Champion and what was decided, in a few words."""
    if life.champion is None:
        return "no champion"
    since = f" since {day(life.live_since)}" if life.live_since else ""
    return f"v{life.champion}{since}; {tally(life)[:1].lower()}{tally(life)[1:].rstrip('.')}"


def _spark(life: ModelLife) -> Html:
    """The curve in small: realised over what it would have been; the section has the figures."""
    windows = life.windows[-60:]
    values = [v for w in windows for v in (w.realised.value if w.realised else None, w.never) if v is not None]
    if len(windows) < 2 or not values:
        return tag("span", "no curve yet", class_="why")
    low, span = min(values), (max(values) - min(values)) or 1.0

    def path(points: Sequence[tuple[int, float | None]]) -> str:
        text, pen = "", "M"
        for i, value in points:
            if value is None:
                pen = "M"
                continue
            text += f"{pen}{2 + 146 * i / (len(windows) - 1):.1f},{31 - 28 * (value - low) / span:.1f}"
            pen = "L"
        return text

    def realised(window: Window) -> float | None:
        return window.realised.value if window.realised else None

    return tag(
        "svg",
        tag("path", class_="never", d=path([(i, w.never) for i, w in enumerate(windows)])),
        tag("path", d=path([(i, realised(w)) for i, w in enumerate(windows)])),
        class_="spark",
        viewBox="0 0 150 34",
        aria_hidden="true",
    )


def _footer(report: LifeReport) -> Html:
    chain = report.chain
    until = f"Facts as recorded until {moment(report.until)}" if report.until else "No fact recorded yet"
    if chain.problems:
        state = join(tag("span", f"■ chain broken: {chain.problems[0]}", class_="st bad"))
    elif chain.length:
        state = join(
            f"chain of {plural(chain.length, 'decision')} verified · ",
            tag("span", chain.head[:8], class_="mono", title=chain.head),
        )
    else:
        state = Html("no decision yet")
    made = f" · solvent {report.made_by}" if report.made_by else ""
    return tag("footer", until, " · ", state, f" · project {report.project}{made}")


def _keys() -> Html:
    rows = [
        (tag("dt", [join(tag("kbd", key), " ") for key in keys.split("  ")]), tag("dd", what)) for keys, what in KEYS
    ]
    close = tag("form", tag("button", "Close", autofocus=True), method="dialog")
    return tag("dialog", tag("h2", "Keys"), tag("dl", rows), close, aria_label="Keys")
