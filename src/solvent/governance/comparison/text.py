"""A comparison in lines: a sentence, then what stands behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any

from solvent.governance.comparison.compare import Comparison, Group, Pair, StepChange, short
from solvent.governance.comparison.datatext import table_lines
from solvent.pages.words import listed, number, plural

WIDTH = 95
MOST = 14  # rows of one kind
DIGEST = re.compile(r"[0-9a-f]{32,64}")
SIGNS = {"changed": "~", "new": "+", "gone": "−"}


def sentence(found: Comparison) -> str:
    """What differs, in one sentence."""
    names = listed([side.name for side in found.sides])
    if found.equal:
        return f"{names}: nothing differs"
    said = [plural(n, noun) for n, noun in _counts(found) if n]
    causes = dict.fromkeys(part for pair in found.pairs for part in pair_said(pair))
    steps = {step.step for pair in found.pairs for step in pair.steps}
    parts = [*causes, *said] or ([f"the recipes of {plural(len(steps), 'step')}"] if steps else [])
    if not parts:
        return f"{names}: only the results differ"
    one = len(parts) == 1 and (not said or said[0].startswith("1 "))
    return f"{names}: {listed(parts)} {'differs' if one else 'differ'}"


def _counts(found: Comparison) -> list[tuple[int, str]]:
    differing = {group.name: sum(row.differs for row in group.rows) for group in found.groups}
    return [
        (differing["metrics"], "metric"),
        (differing["parameters"], "parameter"),
        (differing["settings"], "setting"),
        (differing["data"], "dataset"),
    ]


def pair_said(pair: Pair) -> list[str]:
    """The causes between two sides, in words."""
    said = []
    if pair.code:
        said.append(f"code of {listed([change.part for change in pair.code[:3]])}" + _more(len(pair.code) - 3))
    if pair.environment or pair.interpreter:
        changed = [version_said(v.distribution, v.left, v.right) for v in pair.environment[:2]]
        changed += [f"interpreter {pair.interpreter[0]} → {pair.interpreter[1]}"] if pair.interpreter else []
        said.append(f"environment ({listed(changed)}{_more(len(pair.environment) - 2)})")
    return said


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def version_said(name: str, left: str | None, right: str | None) -> str:
    """`polars 2.0.1 → 2.1.0`, `polars 2.1.0 added`."""
    if left is None:
        return f"{name} {right} added"
    return f"{name} {left} removed" if right is None else f"{name} {left} → {right}"


def render(found: Comparison) -> list[str]:
    """The whole answer for a terminal, without the next step."""
    lines = wrap(f"{sentence(found)}.", WIDTH, break_on_hyphens=False, break_long_words=False)
    lines += [f"  {cut(side.name, 24)}: {cut(side.said, 66)}" for side in found.sides]
    for name in ("metrics", "parameters", "settings", "data"):
        lines += _group(found, found.group(name))
    for pair in found.pairs:
        lines += _pair(pair, named=len(found.pairs) > 1)
    for name, table in found.tables.items():
        lines += ["", f"  table {name}", *(f"  {line}" if line else "" for line in table_lines(table))]
    return [*lines, *_group(found, found.group("about"))]


def _group(found: Comparison, group: Group) -> list[str]:
    if not group.rows:
        return []
    header = [group.name, *(cut(side.name, 16) for side in found.sides)]
    rows = [[cut(row.name, 32), *(cell(value) for value in row.values), change_said(row.change)] for row in group.rows]
    lines = _table([*header, ""], rows[:MOST])
    if len(rows) > MOST:
        lines.append(f"    and {len(rows) - MOST} more")
    if group.same and group.name != "about":
        lines.append(f"    {group.same} the same")
    return ["", *lines]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(row: Sequence[str], indent: str) -> str:
        cells = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        return cut(f"{indent}{'  '.join(cells)}".rstrip(), WIDTH)

    return [line(header, "  "), *(line(row, "  ") for row in rows)]


def _pair(pair: Pair, *, named: bool) -> list[str]:
    lines: list[str] = []
    against = f", {pair.left} → {pair.right}" if named else ""
    if pair.steps:
        lines += ["", f"  steps{against}"]
        lines += [cut(f"    {short(step.step)}: {step_said(step)}", WIDTH) for step in pair.steps[:MOST]]
        lines += [f"    and {len(pair.steps) - MOST} more"] if len(pair.steps) > MOST else []
    if pair.code:
        lines += ["", f"  code{against}"]
        for change in pair.code[:MOST]:
            said = f"{SIGNS[change.how]} {change.said}; of {listed(change.steps[:4])}"
            lines += [f"    {line}" for line in wrap(said, WIDTH - 4, subsequent_indent="  ", break_on_hyphens=False)]
        lines += [f"    and {len(pair.code) - MOST} more"] if len(pair.code) > MOST else []
    if pair.environment or pair.interpreter:
        lines += ["", f"  environment{against}"]
        lines += [f"    interpreter {pair.interpreter[0]} → {pair.interpreter[1]}"] if pair.interpreter else []
        lines += [f"    {version_said(v.distribution, v.left, v.right)}" for v in pair.environment[:MOST]]
        lines += [f"    and {len(pair.environment) - MOST} more"] if len(pair.environment) > MOST else []
    if pair.unknown:
        lines += ["", f"  not compared, since a side does not say it: {listed(pair.unknown)}"]
    return lines


def step_said(step: StepChange) -> str:
    """`code, inputs changed; the result differs`."""
    only = [cause for cause in step.causes if cause.startswith("only")]
    said = only[0] if only else f"{listed(step.causes)} changed" if step.causes else "nothing in its recipe changed"
    said += f", through {listed([short(name) for name in step.through])}" if step.through else ""
    results = {"equal": "; the result is equal", "differs": "; the result differs", None: ""}
    return said + results[step.result]


def change_said(change: float | None) -> str:
    """`+0.3`, or nothing."""
    return "" if change is None else f"{'+' if change > 0 else ''}{number(change)}"


def cell(value: Any) -> str:
    """One fact for people."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case dict() | list():
            return cut(str(value), 24)
    text = str(value)
    return text[:12] if DIGEST.fullmatch(text) else cut(text, 24)


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
