"""The differences between two datasets as one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from solvent.data.compare.model import ColumnShift, FilesDiff, RowChanges, SchemaChange, TableDiff
from solvent.governance.comparison import pictures
from solvent.governance.comparison.data import DataDiff
from solvent.governance.comparison.datatext import effect_said, limit_said, sentence, shown, size, summary_said
from solvent.pages.document import document
from solvent.pages.markup import Html, join, tag
from solvent.pages.parts import cell, table, tile
from solvent.pages.words import percent, plural

MOST = 60  # rows of a table of files or columns
EFFECT = (
    "Effect: Wasserstein distance in standard deviations of the left for numbers, Jensen–Shannon distance for "
    "categories. Usual (the grey range): the same distance where nothing has happened. Allowed: what that variation "
    "would exceed in one comparison of twenty, over all columns, and never less than a trifle."
)
IN_ORDER = "Held against blocks of the left in the order of its rows."


def data_page(diff: DataDiff) -> str:
    """One self-contained HTML document."""
    said = sentence(diff).replace("`", "")
    parts = [
        tag("h1", said),
        tag("p", f"{diff.left} is the left side, {diff.right} the right.", class_="sub"),
        tag("dl", tiles, class_="figs") if (tiles := _tiles(diff)) else None,
        _files(diff.files) if diff.files is not None and not diff.files.equal else None,
        table_parts(diff.table, diff.left, diff.right) if diff.table is not None else None,
    ]
    head = tag("header", tag("b", "Solvent"), tag("nav", tag("span", "data diff")))
    body = [head, tag("main", tag("section", parts)), tag("footer")]
    return document(said, body, style=pictures.style())


def _tiles(diff: DataDiff) -> list[Html]:
    tiles: list[Html] = []
    files, whole = diff.files, diff.table
    if files is not None:
        gone = f"{len(files.removed):,} removed, {len(files.renamed):,} renamed, {files.same:,} the same"
        tiles.append(tile("Files added, changed", f"{len(files.added):,} + {len(files.changed):,}", gone))
        tiles.append(tile("New bytes", size(files.bytes_new), "that the left side lacks"))
        if whole is None:
            tiles.append(tile("Files removed", f"{len(files.removed):,}", f"{len(files.renamed):,} renamed"))
            tiles.append(tile("Files the same", f"{files.same:,}", "equal bytes under one name"))
    if whole is not None:
        tiles += table_tiles(whole)
    return tiles[:4]


def table_tiles(whole: TableDiff) -> list[Html]:
    """Rows, changes, and what moved, in figures."""
    rows = whole.rows
    by = f"by {', '.join(rows.key)}" if rows.key else "as a multiset"
    changed = f"{rows.changed:,} changed" if rows.key else "a changed row counts as both"
    moved = [shift.column for shift in whole.moved]
    return [
        tile("Rows", f"{rows.left:,} → {rows.right:,}", f"{plural(rows.same, 'row')} the same"),
        tile("Rows added, removed", f"{rows.added:,} + {rows.removed:,}", f"{by}; {changed}"),
        tile("Columns", f"{len(whole.shifts):,} shared", _schema_said(whole.schema)),
        tile("Columns moved", f"{len(moved)} of {len(whole.shifts)}", ", ".join(moved[:4]) or "by more than usual"),
    ]


def _schema_said(schema: SchemaChange) -> str:
    counts = (schema.added, "added"), (schema.removed, "removed"), (schema.retyped, "retyped")
    return ", ".join(f"{len(names):,} {verb}" for names, verb in counts if names) or "none added, removed or retyped"


def _files(files: FilesDiff) -> Html:
    rows = [
        tag("tr", cell(sign), cell(name, kind="code full"))
        for sign, names in (("+ added", files.added), ("− removed", files.removed), ("~ changed", files.changed))
        for name in names[:MOST]
    ]
    rows += [
        tag("tr", cell("> renamed"), cell(f"{old} → {new}", kind="code full"))
        for old, new in list(files.renamed.items())[:MOST]
    ]
    return _card("Files", table(("", "File"), rows, caption="Files that differ"))


def table_parts(whole: TableDiff, left: str, right: str) -> Html:
    """Columns, shifts with their pictures, and rows of two tables."""
    return join(
        schema_card(whole.schema) if not whole.schema.equal else None,
        moved_cards(whole.moved, left, right),
        shift_table(whole.shifts, IN_ORDER),
        _rows(whole.rows),
    )


def schema_card(schema: SchemaChange) -> Html:
    rows = [tag("tr", cell("+ added"), cell(n, kind="name"), cell(t)) for n, t in list(schema.added.items())[:MOST]]
    rows += [
        tag("tr", cell("− removed"), cell(n, kind="name"), cell(t)) for n, t in list(schema.removed.items())[:MOST]
    ]
    rows += [
        tag("tr", cell("~ retyped"), cell(n, kind="name"), cell(f"{a} → {b}"))
        for n, (a, b) in list(schema.retyped.items())[:MOST]
    ]
    order = tag("p", "The shared columns stand in another order.", class_="why") if schema.moved else None
    return _card("Columns", table(("", "Column", "Type"), rows, caption="Columns that differ") if rows else None, order)


def moved_cards(shifts: Sequence[ColumnShift], left: str, right: str) -> Html | None:
    """A picture of each column that moved."""
    cards = []
    for shift in shifts:
        picture = pictures.distributions(shift, left, right)
        if picture is not None:
            told = f"{effect_said(shift)}, where natural variation would allow {limit_said(shift)}"
            note = f"{told}. {summary_said(shift)}"
            cards.append(_card(f"▲ {shift.column}", picture, tag("p", note, class_="why")))
    if not cards:
        return None
    keys = tag(
        "p",
        tag("span", tag("span", class_="key side0"), left),
        tag("span", tag("span", class_="key side1"), right),
        class_="legend",
    )
    return tag(
        "div",
        tag("h2", "What moved beyond natural variation"),
        keys,
        tag("div", cards, class_="many"),
        class_="gap",
    )


def shift_table(shifts: Sequence[ColumnShift], held: str) -> Html | None:
    """Every column's effect over what is usual. held: what it is held against, as a sentence."""
    told = shifts[:MOST]
    if not told:
        return None
    most = max((s.effect for s in told if s.effect is not None), default=0.0)
    widest = max((s.usual[1] for s in told if s.usual is not None), default=0.0)
    most = max(most, min(widest, 3 * most))
    rows = [
        tag(
            "tr",
            cell(s.column, kind="name"),
            cell(pictures.against_usual(s, most), kind="pic"),
            cell(f"{'▲ ' if s.beyond else ''}{effect_said(s)}", "effect", kind="n"),
            cell(limit_said(s) if s.effect is not None else "–", "allowed", kind="n"),
            cell(_missing_said(s), "missing", kind="n"),
            cell(summary_said(s), kind="full"),
        )
        for s in told
    ]
    note = f"{EFFECT} {held}"
    header = ("Column", "Effect over the usual", "Effect", "Allowed", "Missing", "")
    return _card("Shift by column", table(header, rows, right=(2, 3, 4), caption=note), tag("p", note, class_="why"))


def _missing_said(shift: ColumnShift) -> str:
    return f"{'▲ ' if shift.missing_beyond else ''}{percent(shift.left.missing)} → {percent(shift.right.missing)}"


def _rows(rows: RowChanges) -> Html | None:
    parts = []
    if rows.columns:
        lines = [tag("tr", cell(n, kind="name"), cell(f"{c:,}", "rows", kind="n")) for n, c in rows.columns.items()]
        parts.append(_card("Changed values by column", table(("Column", "Rows"), lines, right=(1,))))
    for title, examples in (("Rows added", rows.examples_added), ("Rows removed", rows.examples_removed)):
        if examples:
            parts.append(_card(f"{title}, the first", [_facts(row) for row in examples]))
    if rows.examples_changed:
        shown_rows = [
            _facts({**row.key, **{n: f"{shown(a)} → {shown(b)}" for n, (a, b) in row.values.items()}})
            for row in rows.examples_changed
        ]
        parts.append(_card("Rows changed, the first", shown_rows))
    return tag("div", parts, class_="two gap") if parts else None


def _facts(row: Mapping[str, Any]) -> Html:
    pairs = [join(tag("dt", name), tag("dd", shown(value))) for name, value in row.items()]
    return tag("dl", pairs, class_="facts")


def _card(title: str, *content: Any) -> Html:
    return tag("div", tag("h2", title), content, class_="card")
