"""What drifted between two tables as one page, and as what a notebook shows."""

from __future__ import annotations

from solvent.governance.comparison import pictures
from solvent.governance.comparison.datapage import moved_cards, schema_card, shift_table
from solvent.governance.comparison.datatext import effect_said, limit_said
from solvent.governance.comparison.drift import Comparison
from solvent.governance.comparison.drifttext import joint_said, natural_said, sentence
from solvent.pages.document import document, packaged
from solvent.pages.markup import Html, join, tag
from solvent.pages.parts import cell, table, tile
from solvent.pages.words import listed, number, percent, plural

DRAWN = 12  # columns that get a picture
LISTED = 40
_AGAINST_NOTEBOOKS = """
& { border-radius: 10px; overflow: hidden; } table { color: inherit; font: inherit; margin: 0; border: 0; }
& tbody tr { background: none !important; } th, td { text-align: left; max-width: none; white-space: normal; }
td.n, th.n { text-align: right; white-space: nowrap; }
"""  # a notebook's own rules for tables


def drift_page(found: Comparison) -> str:
    """One self-contained HTML document."""
    head = tag("header", tag("b", "Solvent"), tag("nav", tag("span", "compare")))
    body = [head, tag("main", tag("section", _parts(found))), tag("footer")]
    return document(_title(found), body, style=pictures.style())


def notebook_page(found: Comparison) -> str:
    """The same without a document around it: its style is nested, so that it touches nothing else of the notebook."""
    style = (packaged("page.css") + pictures.style()).replace(":root", "&").replace("body {", "& {")
    inside = tag("div", tag("main", tag("section", _parts(found))), class_="solvent")
    return tag("div", tag("style", Html(f".solvent {{ {style}{_AGAINST_NOTEBOOKS} }}")), inside)


def _parts(found: Comparison) -> Html:
    rows = (
        f"{found.reference}, {found.rows[0]:,} rows, is the left; {found.current}, {found.rows[1]:,} rows, the right."
    )
    return join(
        tag("h1", _title(found)),
        tag("p", f"{rows} {natural_said(found.natural)}.", class_="sub"),
        tag("dl", _tiles(found), class_="figs"),
        _broken(found),
        schema_card(found.schema) if not found.schema.equal else None,
        moved_cards(found.drifted[:DRAWN], found.reference, found.current),
        shift_table(found.columns, f"{natural_said(found.natural)}."),
        tag("p", " ".join(_remarks(found)), class_="why"),
    )


def _title(found: Comparison) -> str:
    return sentence(found).replace("`", "")


def _tiles(found: Comparison) -> list[Html]:
    drifted, joint = found.drifted, found.joint
    names = listed([column.column for column in drifted[:3]]) if drifted else "none beyond natural variation"
    tiles = [
        tile("Columns drifted", f"{len(drifted)} of {len(found.columns)}", names),
        tile("Contract", f"{plural(len(found.broken), 'breach', 'breaches')}", "of what the reference keeps to"),
    ]
    if found.columns and found.columns[0].effect is not None:
        most = found.columns[0]
        said = f"{most.column}; natural variation: {limit_said(most)}"
        tiles.append(tile("Largest move", effect_said(most), said))
    if joint is not None:
        tiles.append(tile("Told apart, jointly", f"{joint.auc:.2f}", "AUC; 0.5 not at all, 1 always"))
    return tiles


def _broken(found: Comparison) -> Html | None:
    rows = [
        tag(
            "tr",
            cell(tag("span", tag("span", "■", class_="shape"), violation.kind, class_="st bad")),
            cell(violation.column, kind="name"),
            cell(violation.cause, kind="full"),
            cell(percent(violation.share), "rows", kind="n"),
        )
        for violation in found.broken[:LISTED]
    ]
    if not rows:
        return None
    caption = "Breaches of the contract that the reference keeps"
    told = table(("Kind", "Column", "What is wrong", "Rows"), rows, right=(3,), caption=caption)
    return tag("div", tag("h2", "Broken contract"), told, class_="card")


def _remarks(found: Comparison) -> list[str]:
    joint = joint_said(found)
    looked = " and ".join(f"{rows:,}" for rows in found.contract_rows)
    remarks = [
        f"Two like tables would show any drift in {100 * found.level:g}% of comparisons at most, over all columns.",
        f"The contract was read from {looked} rows, of the reference and the current.",
        f"Drift took {number(found.seconds['drift'])} s.",
    ]
    if found.clocks:
        remarks.append(f"Left out as functions of the time: {listed(found.clocks)}.")
    return [f"{joint}.", *remarks] if joint else remarks
