"""The audit as one self-contained page, for whoever decides what is paid first."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from solvent.debt.finding import Finding, Step
from solvent.debt.pricing.draws import Range
from solvent.debt.pricing.price import months_said
from solvent.debt.report.rules import DRIVERS, SEVERITIES
from solvent.debt.report.terminal import sentence
from solvent.debt.report.view import Debt, Family, Priced, View
from solvent.debt.report.words import Money, duration, shown_place
from solvent.debt.rules.base import Rule
from solvent.pages.document import document
from solvent.pages.markup import Child, Html, join, tag
from solvent.pages.parts import cell, table, tile
from solvent.pages.words import plural

_TONES: Final = {"E": "bad", "W": "warn", "I": "idle"}
_SHAPES: Final = {"E": "■", "W": "▲", "I": "●"}
_FIGURE: Final = re.compile(r"[\d½][\d.,½]* \w+ \([^)]*\)")


def audit_page(seen: View, name: str, *, money: Money | None = None) -> str:
    """One HTML document. name: of the repository; money: shows prices in money too."""
    body = [
        tag("header", tag("b", "Solvent"), tag("nav", tag("span", f"debt audit of {name}"))),
        tag(
            "main",
            tag("h1", _whole(sentence(seen).removesuffix("."))),
            tag("p", _read(seen), class_="sub"),
            tag("dl", _tiles(seen, money), class_="figs"),
            _families(seen),
            _first(seen),
            _set_aside(seen),
            _left_out(seen),
            _prices(),
        ),
        tag("footer"),
    ]
    style = files("solvent.debt.report").joinpath("page.css").read_text("utf-8")
    return document(sentence(seen).removesuffix("."), body, style=style)


def _read(seen: View) -> str:
    scripts = plural(seen.files - seen.notebooks, "file")
    commits = "" if seen.commits is None else f", {plural(seen.commits, 'commit')} of the last four years"
    notebooks = f", {plural(seen.notebooks, 'notebook')}" if seen.notebooks else ""
    return f"Read {scripts}{notebooks}, {plural(seen.lines, 'line')}{commits}. Nothing was run. Rules {seen.rule_set}."


def _tiles(seen: View, money: Money | None) -> list[Html]:
    interest = seen.sum.interest
    counts = {s: sum(item.rule.severity == s for item in seen.first) for s in "EWI"}
    by_severity = ", ".join(plural(n, SEVERITIES[s]) for s, n in counts.items() if n)
    tiles = [
        _figure("Owed", seen.sum.principal, money),
        _figure("Paid for it each month", interest, money),
        tile("Findings", f"{len(seen.first):,}", by_severity or "none"),
    ]
    best = next((i for i in seen.first if i.price.breaks_even is not None), None)
    if best is not None and best.price.breaks_even is not None:
        tiles.append(
            tile("The best one pays back in", months_said(best.price.breaks_even), shown_place(best.finding.place))
        )
    else:
        tiles.append(tile("Pays back in", "unknown", "no history tells how often debts are paid"))
    return tiles


def _figure(name: str, value: Range | None, money: Money | None) -> Html:
    if value is None:
        return tile(name, "unknown", "no history tells how often")
    mean, _, spread = duration(value).partition(" (")
    note = f"{spread.rstrip(')')}, 80% interval"
    return tile(name, mean, f"{note}; {money.said(value)}" if money is not None else note)


def _families(seen: View) -> Html | None:
    if not seen.families:
        return None
    most = max(family.sum.principal.mean for family in seen.families) or 1.0
    rows = [_family(family, family.sum.principal.mean / most) for family in seen.families]
    header = ("Debt", "Findings", "Principal", "", "Interest a month")
    return _card("What is owed", table(header, rows, right=(1,), caption="Debt by family"))


def _family(family: Family, share: float) -> Html:
    interest = duration(family.sum.interest) if family.sum.interest is not None else "unknown"
    bar = tag("span", tag("i", style=f"width:{share * 100:.0f}%"), class_="track")
    return tag(
        "tr",
        cell(family.name, kind="name"),
        cell(f"{family.findings:,}", "findings", kind="n"),
        cell(_whole(duration(family.sum.principal)), "principal"),
        cell(bar, kind="barcell"),
        cell(_whole(interest), "interest a month"),
    )


def _whole(text: str) -> str:
    """The same with each figure, its unit and its range on one line."""
    return _FIGURE.sub(lambda found: found[0].replace(" ", "\u00a0").replace("–", "\u2060–\u2060"), text)


def _first(seen: View) -> Html | None:
    if not seen.first:
        return None
    debts = [_debt(at, debt) for at, debt in enumerate(seen.debts, 1)]
    return join(tag("h2", "The best paying first", class_="over"), debts)


def _debt(at: int, debt: Debt) -> Html:
    rule, best = debt.rule, debt.items[0]
    even = months_said(debt.breaks_even) if debt.breaks_even is not None else "unknown"
    figures = [
        *(tag("dt", "Owes"), tag("dd", duration(debt.sum.principal))),
        *(tag("dt", "Interest"), tag("dd", _interest(debt))),
        *(tag("dt", "Breaks even in"), tag("dd", even)),
        *(tag("dt", "Paid at"), tag("dd", f"{DRIVERS[rule.driver]} ({best.price.basis})")),
    ]
    if debt.elsewhere:
        figures = [tag("dt", "Owes"), tag("dd", "counted with another debt, which has the same cause")]
    places = [_place(item) for item in debt.items]
    return tag(
        "section",
        tag("h3", tag("span", f"{at}", class_="rank"), " ", coded(rule.title), " ", _badge(rule)),
        tag("p", places[0], class_="why"),
        _evidence(best.finding),
        _folded(places[1:]),
        tag("p", tag("b", "Why it costs "), coded(rule.why)),
        tag("p", tag("b", "Fix "), coded(rule.fix)),
        tag("dl", figures, class_="facts"),
        class_="card debt",
    )


def _interest(debt: Debt) -> str:
    if debt.sum.interest is None:
        return "unknown"
    unknown = f", {debt.sum.unknown} places unknown" if debt.sum.unknown else ""
    return f"{duration(debt.sum.interest)} a month{unknown}"


def _folded(places: list[Html]) -> Html | None:
    if not places:
        return None
    summary = tag("summary", f"{plural(len(places), 'place')} more")
    return tag("details", summary, tag("ul", [tag("li", place) for place in places]))


def _place(item: Priced) -> Html:
    said = join("  ", coded(item.finding.said)) if item.finding.said else None
    return join(tag("span", shown_place(item.finding.place), class_="mono"), said)


def coded(text: str) -> Html:
    """Text with what stands between backticks as code."""
    parts = text.split("`")
    return join([tag("code", part) if at % 2 else part for at, part in enumerate(parts)])


def _badge(rule: Rule) -> Html:
    shape = tag("span", _SHAPES[rule.severity], title=SEVERITIES[rule.severity])
    return tag("span", shape, f"{rule.code} {rule.name}", class_=f"st {_TONES[rule.severity]}")


def _evidence(finding: Finding) -> Html:
    return tag("pre", tag("code", [_line(step, finding) for step in finding.evidence]), class_="mono")


def _line(step: Step, finding: Finding) -> Html:
    where = f"{step.place.path} " if step.place.path != finding.place.path else ""
    number = f"{where}{step.place.cell}:{step.place.line}" if step.place.cell else f"{where}{step.place.line}"
    here = step.place == finding.place
    return join(tag("span", f"{number:>5}  ", class_="soft"), tag("b", step.text) if here else step.text, "\n")


def _set_aside(seen: View) -> Html | None:
    allowed = [item for item in seen.items if item.finding.state == "allowed"]
    known = [item for item in seen.items if item.finding.state == "known"]
    if not allowed and not known:
        return None
    rows = [
        tag("tr", cell(shown_place(i.finding.place), kind="mono"), cell(i.rule.name), cell(i.finding.reason, "reason"))
        for i in allowed
    ]
    body = table(("Place", "Debt", "Allowed because"), rows, caption="Allowed debts") if rows else None
    note = tag("p", f"{plural(len(known), 'debt')} known before, not counted here.", class_="why") if known else None
    return _card("Set aside", body, note)


def _left_out(seen: View) -> Html | None:
    if not seen.groups:
        return None
    shown = [
        tag(
            "details",
            tag("summary", f"{group.reason}: {plural(len(group.files), 'file')}"),
            tag("ul", [tag("li", path, class_="mono") for path in group.files[:200]]),
        )
        for group in seen.groups
    ]
    return _card("Not analysed", shown)


def _prices() -> Html:
    return _card(
        "How this is priced",
        tag(
            "p",
            "Principal is what mending takes once, interest what leaving it costs a month: how often the event comes "
            "at which the debt costs something, times the chance that it does, times what it costs then. The defaults "
            "are assumptions and are the same for every repository; how often files change is read from git. Ranges "
            "hold 80% of 4,000 draws. This is not all debt that there is, and a fix does not promise to save its "
            "interest.",
            class_="why",
        ),
    )


def _card(title: str, *inside: Child) -> Html:
    return tag("section", tag("h2", title), *inside, class_="card")
