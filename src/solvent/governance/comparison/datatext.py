"""The differences between two datasets, in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from solvent.data.compare.model import ColumnShift, FilesDiff, RowChanges, SchemaChange, TableDiff
from solvent.governance.comparison.data import DataDiff
from solvent.pages.words import alike, listed, number, percent, plural

NAMED = 12  # files, columns or cells named of each kind
CELL = 40  # letters of a value shown
WIDTH = 95


def sentence(diff: DataDiff) -> str:
    """What differs, in one sentence."""
    if diff.equal:
        return f"{diff.left} and {diff.right} hold the same"
    parts = [*_files_said(diff.files), *(_table_said(diff.table) if diff.table else [])]
    if not parts:
        parts = ["the bytes differ, the rows do not"] if diff.table else ["the bytes differ"]
    return f"{diff.left} → {diff.right}: {listed(parts)}"


def _files_said(files: FilesDiff | None) -> list[str]:
    if files is None:
        return []
    counts = (len(files.added), "added"), (len(files.removed), "removed"), (len(files.changed), "changed")
    said = [f"{plural(count, 'file')} {verb}" for count, verb in counts if count]
    return [*said, f"{len(files.renamed)} renamed"] if files.renamed else said


def _table_said(table: TableDiff) -> list[str]:
    schema, rows = table.schema, table.rows
    said = [f"column {listed([f'`{c}`' for c in names])} {verb}" for names, verb in _columns_said(schema)]
    counts = (rows.added, "added"), (rows.removed, "removed"), (rows.changed, "changed")
    said += [f"{plural(count, 'row')} {verb}" for count, verb in counts if count]
    said += ["the rows in another order"] if rows.reordered else []
    moved = [f"`{shift.column}`" for shift in table.moved]
    if moved:
        shown = [*moved[:3], f"{len(moved) - 3} more"] if len(moved) > 3 else moved
        said.append(f"{listed(shown)} moved more than the left varies by itself")
    return said


def _columns_said(schema: SchemaChange) -> Iterator[tuple[list[str], str]]:
    for names, verb in ((schema.added, "added"), (schema.removed, "removed"), (schema.retyped, "retyped")):
        if names:
            yield list(names)[:NAMED], verb


def render(diff: DataDiff) -> list[str]:
    """The whole answer for a terminal, without the next step."""
    lines = wrap(f"{sentence(diff)}.", WIDTH, break_on_hyphens=False, break_long_words=False)
    if diff.files is not None and not diff.files.equal:
        lines += ["", *_files(diff.files)]
    return [*lines, *(table_lines(diff.table) if diff.table else [])]


def table_lines(table: TableDiff) -> list[str]:
    """Columns, rows and shifts of two tables."""
    return [*_schema(table.schema), *_rows(table.rows), *_shifts(table)]


def _files(files: FilesDiff) -> list[str]:
    lines = []
    for sign, names in (("+", files.added), ("−", files.removed), ("~", files.changed)):
        lines += [f"  {sign} {_cut(name, 80)}" for name in names[:NAMED]]
        lines += [f"  {sign} and {len(names) - NAMED:,} more"] if len(names) > NAMED else []
    lines += [f"  > {_cut(old)} is now {_cut(new)}" for old, new in list(files.renamed.items())[:NAMED]]
    return [*lines, f"  {plural(files.same, 'file')} the same; {size(files.bytes_new)} that the left lacks"]


def _schema(schema: SchemaChange) -> list[str]:
    if schema.equal:
        return []
    lines = ["", "  columns"]
    lines += [f"    + {name}  {dtype}" for name, dtype in schema.added.items()]
    lines += [f"    − {name}  {dtype}" for name, dtype in schema.removed.items()]
    lines += [f"    ~ {name}  {old} → {new}" for name, (old, new) in schema.retyped.items()]
    lines += ["    the shared columns stand in another order"] if schema.moved else []
    return [_cut(line, 95) for line in lines]


def _rows(rows: RowChanges) -> list[str]:
    how = f"by {', '.join(rows.key)}" if rows.key else "as a multiset: a changed row is one removed and one added"
    lines = ["", f"  rows {rows.left:,} → {rows.right:,}, compared {how}"]
    for sign, count, verb, examples in (
        ("+", rows.added, "added", rows.examples_added),
        ("−", rows.removed, "removed", rows.examples_removed),
    ):
        if count:
            lines.append(f"    {sign} {count:,} {verb}")
            lines += [f"        {_cut(_row(row), 84)}" for row in examples]
    if rows.changed:
        by_column = [f"{name} in {count:,}" for name, count in list(rows.columns.items())[:NAMED]]
        lines.append(_cut(f"    ~ {rows.changed:,} changed: {listed(by_column)}", 95))
        for changed in rows.examples_changed:
            cells = [f"{name} {shown(a)} → {shown(b)}" for name, (a, b) in changed.values.items()]
            lines.append(f"        {_cut(f'{_row(changed.key)}: {listed(cells)}', 84)}")
    if rows.reordered:
        lines.append("    the same rows in another order")
    return [*lines, f"    {plural(rows.same, 'row')} the same"]


def _shifts(table: TableDiff) -> list[str]:
    told = [shift for shift in table.shifts if shift.effect or shift.moved_missing]
    if not told:
        return []
    sampled = max(table.sampled)
    lines = [
        "",
        "  shift by column: effect, (what natural variation would allow), left → right",
        *shift_lines(told[:NAMED]),
    ]
    if len(told) > NAMED:
        lines.append(f"      and {plural(len(told) - NAMED, 'column')} less")
    if sampled < max(table.rows.left, table.rows.right):
        lines.append(f"    effects from {sampled:,} evenly spaced rows")
    return lines


def shift_lines(shifts: Sequence[ColumnShift]) -> list[str]:
    """One aligned line a column; ▲ marks what moved."""
    rows = [_shift_row(shift) for shift in shifts]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    cells = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return [_cut(f"    {line}".rstrip(), 95) for line in cells]


def _shift_row(shift: ColumnShift) -> list[str]:
    mark = "▲" if shift.moved else " "
    return [mark, _cut(shift.column, 28), effect_said(shift), f"({limit_said(shift)})", summary_said(shift)]


def effect_said(shift: ColumnShift) -> str:
    """`0.31 sd`, or nothing where a column has no distance."""
    if shift.effect is None:
        return "–"
    return f"{number(shift.effect)} {shift.unit}" if shift.unit == "sd" else number(shift.effect)


def limit_said(shift: ColumnShift) -> str:
    """The largest effect that is no drift: `up to 0.12`."""
    if shift.effect is None:
        return "no distance"
    return "too few rows to say" if shift.limit is None else f"up to {number(shift.limit)}"


def usual_said(shift: ColumnShift) -> str:
    """`0.05–0.12`."""
    if shift.usual is None:
        return "too few rows to say"
    low, high = alike(shift.usual)
    return f"{low}–{high}"


def summary_said(shift: ColumnShift) -> str:
    """The means, the new categories, the missing share: what a person asks next."""
    parts = []
    if shift.left.mean is not None and shift.right.mean is not None:
        before, after = alike([shift.left.mean, shift.right.mean])
        parts.append(f"mean {before} → {after}" if before != after else f"mean {before}")
    parts += [f"new: {', '.join(_cut(name, 16) for name in shift.new)}"] if shift.new else []
    parts += [f"gone: {', '.join(_cut(name, 16) for name in shift.gone)}"] if shift.gone else []
    if shift.moved_missing:
        parts.append(f"missing {percent(shift.left.missing)} → {percent(shift.right.missing)}")
    return "; ".join(parts)


def shown(value: Any) -> str:
    """A value for people: short, a missing one as a dash."""
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else _cut(str(value))


def _row(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {shown(value)}" for name, value in row.items())


def _cut(text: str, width: int = CELL) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def size(count: int) -> str:
    """Bytes for people.

    >>> size(999), size(12_345), size(5 << 30)
    ('999 bytes', '12 kB', '5.4 GB')
    """
    if count < 1000:
        return plural(count, "byte")
    steps: Sequence[tuple[str, float]] = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
    unit, scale = next((unit, scale) for unit, scale in steps if count >= scale)
    return f"{number(count / scale)} {unit}"
