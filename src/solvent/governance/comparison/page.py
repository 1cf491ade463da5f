"""A comparison of runs, versions or revisions as one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from solvent.governance.comparison import pictures
from solvent.governance.comparison.compare import Comparison, Group, Pair, PartChange, short
from solvent.governance.comparison.datapage import table_parts, table_tiles
from solvent.governance.comparison.text import SIGNS, change_said, sentence, step_said, version_said
from solvent.governance.comparison.text import cell as said_cell
from solvent.pages.document import document
from solvent.pages.markup import Html, join, tag
from solvent.pages.parts import cell, table, tile
from solvent.pages.words import listed, plural

MOST = 200  # rows of one table
_LINES = {"+": "new", "-": "old", "@": "soft"}


def comparison_page(found: Comparison) -> str:
    """One self-contained HTML document."""
    title = sentence(found)
    parts = [
        tag("h1", title),
        tag("dl", [_side(i, s.name, s.said) for i, s in enumerate(found.sides)], class_="facts sides"),
        tag("dl", _tiles(found), class_="figs"),
        _metrics(found),
        tag(
            "div",
            [_group(found, title.lower(), title) for title in ("Parameters", "Data", "Settings")],
            class_="two gap",
        ),
        tag("div", [_pair(pair) for pair in found.pairs], class_="two gap") if found.pairs else None,
        [_table(found, name) for name in found.tables],
        _group(found, "about", "When, where, who"),
    ]
    head = tag("header", tag("b", "Solvent"), tag("nav", tag("span", "diff")))
    return document(title, [head, tag("main", tag("section", parts)), tag("footer")], style=pictures.style())


def _side(i: int, name: str, said: str) -> Html:
    return join(tag("dt", tag("span", class_=f"key {pictures.tone(i)}"), name), tag("dd", said))


def _tiles(found: Comparison) -> list[Html]:
    differing = {group.name: [row.name for row in group.rows if row.differs] for group in found.groups}
    parts = [change for pair in found.pairs for change in pair.code]
    versions = [change for pair in found.pairs for change in pair.environment]
    return [
        _count("Metrics that differ", differing["metrics"], found.group("metrics")),
        _count("Parameters that differ", differing["parameters"], found.group("parameters")),
        tile("Code changed", str(len(parts)), listed([part.part for part in parts[:2]]) or "none that a step reaches"),
        tile("Packages changed", str(len(versions)), listed([v.distribution for v in versions[:3]]) or "the same"),
    ]


def _count(title: str, names: Sequence[str], group: Group) -> Html:
    return tile(title, f"{len(names)} of {len(group.rows) + group.same}", listed(names[:3]) or "all the same")


def _metrics(found: Comparison) -> Html | None:
    group = found.group("metrics")
    names = [side.name for side in found.sides]
    drawn = [pictures.curves(name, series, names) for name, series in found.series.items()]
    bars = [
        pictures.metric_bars(row.name, names, [v if isinstance(v, int | float) else None for v in row.values])
        for row in group.rows[:MOST]
        if row.name not in found.series
    ]
    if not drawn and not bars:
        return None
    return _card(
        "Metrics", drawn, tag("div", bars, class_="many") if bars else None, _rows(found, group) if bars else None
    )


def _group(found: Comparison, name: str, title: str) -> Html | None:
    group = found.group(name)
    if not group.rows:
        return None
    same = tag("p", f"{group.same} more are the same", class_="why") if group.same and name != "about" else None
    return _card(title, _rows(found, group), same)


def _rows(found: Comparison, group: Group) -> Html:
    sides = [side.name for side in found.sides]
    rows = [
        tag(
            "tr",
            cell(row.name, kind="name full"),
            [
                cell(said_cell(v), side, kind="n full" if group.name == "about" else "n")
                for side, v in zip(sides, row.values, strict=True)
            ],
            cell(change_said(row.change), "change" if row.change is not None else "", kind="n"),
        )
        for row in group.rows[:MOST]
    ]
    right = range(1, len(sides) + 2)
    return tag("div", table(("", *sides, ""), rows, right=tuple(right), caption=group.name), class_="scroll")


def _pair(pair: Pair) -> Html:
    against = f", {pair.left} → {pair.right}"
    steps = [tag("tr", cell(short(s.step), kind="name"), cell(step_said(s), kind="full")) for s in pair.steps[:MOST]]
    code = [
        tag(
            "tr",
            cell(f"{SIGNS[c.how]} {c.how}"),
            cell(c.part, kind="code full"),
            cell(listed(c.steps[:6]), kind="full"),
        )
        for c in pair.code[:MOST]
    ]
    versions = [version_said(v.distribution, v.left, v.right) for v in pair.environment]
    versions += [f"interpreter {pair.interpreter[0]} → {pair.interpreter[1]}"] if pair.interpreter else []
    unknown = f"Not compared, since a side does not say it: {listed(pair.unknown)}." if pair.unknown else ""
    return join(
        _card(f"Steps{against}", table(("Step", "What changed"), steps)) if steps else None,
        _card(f"Code{against}", table(("", "Part", "Reached by"), code)) if code else None,
        _card(f"Environment{against}", tag("ul", [tag("li", v) for v in versions])) if versions else None,
        tag("p", unknown, class_="why") if unknown else None,
    )


def _part(change: PartChange) -> Html:
    """A part of the code, what changed in it, and its source before and after."""
    lines = [tag("span", line, class_=_LINES.get(line[:1])) for line in change.diff[2:]]
    source = tag("pre", [join(line, "\n") for line in lines], class_="mono") if lines else None
    behind = tag("details", tag("summary", "source"), source) if source is not None else None
    return join(tag("div", change.part, class_="mono"), tag("div", change.said.replace("`", ""), class_="why"), behind)


def _table(found: Comparison, name: str) -> Html:
    whole, sides = found.tables[name], [side.name for side in found.sides]
    return join(
        tag("h1", f"The table {name}: {plural(whole.rows.added, 'row')} added, {whole.rows.removed:,} removed"),
        tag("dl", table_tiles(whole), class_="figs"),
        table_parts(whole, sides[0], sides[1]),
    )


def _card(title: str, *content: Any) -> Html:
    return tag("div", tag("h2", title), content, class_="card")
