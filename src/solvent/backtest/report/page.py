"""The page: one self-contained HTML file, no request to anywhere, readable without its script."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from solvent.backtest import summary
from solvent.backtest.lifetime import in_days
from solvent.backtest.policies import NEVER, SOLVENT
from solvent.backtest.report.ageing import ageing, forecasts
from solvent.backtest.report.life import life
from solvent.backtest.report.moved import moved
from solvent.backtest.report.policies import policies, prices
from solvent.backtest.report.told import Told
from solvent.backtest.run import Backtest
from solvent.backtest.warnings import Warned
from solvent.backtest.words import close, length, losses
from solvent.foundation.errors import UsageError
from solvent.pages.document import document
from solvent.pages.markup import Html, join, tag
from solvent.pages.parts import tile
from solvent.pages.words import alike, capital, day, in_words, number, plural

_KEYS = (
    ("/", "find a picture, a table, a warning"),
    ("j  k", "next, previous"),
    ("← →", "in a picture: window by window"),
    ("?", "this list"),
)
_CARDS = (("life", "Life"), ("drift", "Inputs"), ("ageing", "Ageing"), ("policies", "Policies"), ("prices", "Prices"))
_MOST_WARNINGS = 8
_ALONE = (
    "The inputs showed nothing before the error crossed the threshold: where only their relation to the target moves, "
    "labels alone can warn."
)
_ENOUGH = 8  # windows with an estimate, before which nothing is said of it
_HELD = 0.85  # of the 90% intervals, that must have held


def render_html(found: Backtest) -> str:
    """The backtest as one HTML document, in UTF-8; open it in any browser, print it, mail it."""
    told = Told(found)
    style = files("solvent.backtest.report").joinpath("report.css").read_text("utf-8")
    body = [_header(), tag("main", _section(told)), _keys()]
    return document(f"Backtest of {found.options.target}", body, style=style, script=True)


def write_page(found: Backtest, path: Path) -> None:
    """Raises: UsageError where it cannot be written."""
    try:
        path.write_text(render_html(found), "utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}", next="--html FILE") from None


def _section(told: Told) -> Html:
    found = told.found
    return tag(
        "section",
        tag("h1", summary.headline(found)),
        tag("p", summary.facts(found), class_="sub"),
        tag("dl", _tiles(told), class_="figs"),
        life(told),
        tag("div", _advice(told), _warnings(told), _labels(told), class_="grid"),
        moved(told),
        tag("div", ageing(told), forecasts(told), class_="pair"),
        policies(told),
        prices(told),
        _assumptions(told),
        tag("footer", f"solvent backtest · {found.model} · seed {found.options.seed} · {found.seconds:.0f} s"),
        id="backtest",
        class_="model",
        data_name="Backtest",
    )


def _header() -> Html:
    find = tag(
        "div",
        tag("input", type="search", placeholder="Find anything", aria_label="Find anything", autocomplete="off"),
        tag("kbd", "/", aria_hidden="true"),
        tag("ul", class_="found", hidden=True),
        class_="find",
    )
    links = [tag("a", name, href=f"#{ident}") for ident, name in _CARDS]
    return tag("header", tag("b", "Solvent"), tag("nav", links, aria_label="Parts"), find)


def _tiles(told: Told) -> list[Html]:
    return [_error_tile(told), _age_tile(told), _threshold_tile(told), _saved_tile(told)]


def _error_tile(told: Told) -> Html:
    """First and last quarter of the windows, which no single window decides."""
    quarter = max(len(told.never) // 4, 1)
    first, last = (sum(part) / quarter for part in (told.never[:quarter], told.never[-quarter:]))
    fresh = sum(told.fresh[-quarter:]) / quarter
    begin, end, newest, worst = alike([first, last, fresh, max(told.never)])
    value = join(begin, tag("small", f" → {end} {told.unit}"))
    note = f"first and last quarter, worst window {worst}; a fresh model ends at {newest}"
    return tile("Error, never retrained", value, note)


def _age_tile(told: Told) -> Html:
    pace = told.found.lifetime.pace
    value, low, high = close([pace.value, pace.lower, pace.upper])
    sign, span = "+" if pace.value > 0 else "", "day" if in_days(told.found.course) else "month"
    verdict = told.found.lifetime.aging.verdict
    figure = join(f"{sign}{value}", tag("small", f" {told.unit} a {span}"))
    return tile("What age adds", figure, f"90% interval {low} to {high}; {verdict}")


def _threshold_tile(told: Told) -> Html:
    low, middle, high = told.found.lifetime.reached
    name = f"Threshold {number(told.threshold)} reached in"
    if told.found.lifetime.aging.verdict == "stable":
        told_apart = (
            "may be the season's or the age's" if summary.unexplained(told.found) else "are the cases', not the age's"
        )
        said = "not told" if summary.unexplained(told.found) else "no"
        return tile("Threshold reached by age", said, f"crossings of {number(told.threshold)} {told_apart}")
    if middle is None:
        return tile(name, "not seen", "fewer than half of the models reached it within the table")
    upper = length(high) if high is not None else "beyond the table"
    return tile(name, length(middle), f"80% of models: {length(low or middle)} to {upper}")


def _saved_tile(told: Told) -> Html:
    asked = told.found.asked
    never, own = asked.named(NEVER), asked.named(SOLVENT)
    count = plural(len(own.retrainings), "retraining")
    ratio = 100 * (1 - own.cost / never.cost)
    if abs(ratio) < 1:
        return tile("Retraining would have saved", "nothing", f"{count} by Solvent; never costs the same")
    word = "saved" if ratio > 0 else "cost more by"
    note = f"of the cost of never; {count}, each at {losses(asked.relative)}"
    return tile(f"Solvent would have {word}", f"{number(abs(ratio))}%", note)


def _advice(told: Told) -> Html:
    found = told.found
    first, *rest = found.advice.reason.split(". ")
    return tag(
        "div",
        tag("h2", "What to do"),
        tag("p", tag("b", first.rstrip(".") + "."), " ", ". ".join(rest), class_="said"),
        tag("p", f"What wanders is {wanders}.", class_="said") if (wanders := summary.wandering(found)) else None,
        tag("pre", found.advice.config) if found.advice.config else None,
        tag("p", "Lines of solvent.toml; ", tag("code", "solvent init --from-backtest"), " writes them.", class_="why"),
        class_="card",
        id="advice",
        data_name="What to do",
    )


def _warnings(told: Told) -> Html:
    warnings = told.found.warnings
    false = sum(warning.lead is None for warning in warnings)
    if not warnings:
        body: Html = tag("p", capital(summary.warned(told.found)) + ".", class_="empty")
        return tag("div", tag("h2", "Warnings"), body, class_="card", id="warnings", data_name="Warnings")
    shown = warnings[:_MOST_WARNINGS]
    rows = [(tag("dt", day(warning.at)), tag("dd", _warning(told, warning))) for warning in shown]
    left = len(warnings) - len(shown)
    said = f"{capital(in_words(len(warnings)))} in all, {in_words(false) if false else 'none'} false."
    more = f" {plural(left, 'later one')} not shown." if left else ""
    return tag(
        "div",
        tag("h2", "Warnings"),
        tag("dl", rows, class_="dec"),
        tag("p", f"{said}{more} Held to one false alarm a year.", class_="why"),
        tag("p", _ALONE, class_="why") if summary.labels_alone(told.found) else None,
        class_="card",
        id="warnings",
        data_name="Warnings",
    )


def _warning(told: Told, warning: Warned) -> Html:
    days, tone, shape = summary.lead(told.found, warning), "warn", "▼"
    if days is None:
        came, tone, shape = "did not come true", "idle", "▽"
    elif days > 0:
        came = f"{length(days)} ahead of the threshold"
    elif days == 0:
        came = "in the window that crossed the threshold"
    else:
        came = f"{length(-days)} after the threshold"
    mark = tag("span", shape, class_=f"shape {tone}", aria_hidden="true")
    return join(mark, f" {summary.source_of(warning)} ", tag("span", came, class_="why"))


def _labels(told: Told) -> Html:
    """What can be said without labels, and how far it can be trusted."""
    inside, count = told.estimates
    share = f"{capital(summary.estimates(told.found))}."
    note = (
        "It sees inputs that move, and cannot see that the relation between inputs and target moves; where the "
        "realised error leaves the band, the relation did."
    )
    verdict = None
    if count >= _ENOUGH:
        good = inside >= _HELD * count
        word = "● held what it promises here" if good else "▲ do not trust it here"
        verdict = tag("p", tag("span", word, class_=f"st {'good' if good else 'warn'}"))
    return tag(
        "div",
        tag("h2", "Without labels"),
        tag("p", share, class_="said"),
        verdict,
        tag("p", note, class_="why"),
        class_="card",
        id="labels",
        data_name="Without labels",
    )


def _assumptions(told: Told) -> Html:
    items = [tag("li", capital(text)) for text in summary.assumed(told.found)]
    return tag(
        "div",
        tag("h2", "What was assumed"),
        tag("ul", items, class_="assumed"),
        tag("p", "Change with --label-delay, --cost-retrain, --drop, --train, --threshold and --metric.", class_="why"),
        class_="card",
        id="assumptions",
        data_name="What was assumed",
    )


def _keys() -> Html:
    rows = [
        (tag("dt", [join(tag("kbd", key), " ") for key in keys.split("  ")]), tag("dd", what)) for keys, what in _KEYS
    ]
    close_it = tag("form", tag("button", "Close", autofocus=True), method="dialog")
    return tag("dialog", tag("h2", "Keys"), tag("dl", rows), close_it, aria_label="Keys")
