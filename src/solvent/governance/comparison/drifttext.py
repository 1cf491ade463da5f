"""What drifted between two tables, and what is broken, in lines."""

from __future__ import annotations

from textwrap import wrap

from solvent.data.compare.model import ColumnShift
from solvent.data.compare.variation import Natural
from solvent.governance.comparison.datatext import effect_said, limit_said, shift_lines
from solvent.governance.comparison.drift import Comparison
from solvent.pages.words import capital, listed, number, percent, plural

SHOWN, WIDTH = 12, 95


def sentence(found: Comparison) -> str:
    """The state of affairs, in one sentence."""
    if found.fine:
        return f"Nothing drifted and nothing is broken in {plural(len(found.columns), 'column')}"
    parts = []
    if found.broken:
        times = "" if len(found.broken) == 1 else f" {len(found.broken)} times, first"
        parts.append(f"the contract is broken{times}: {found.broken[0].cause}")
    if found.drifted:
        verb = "drifted, most" if len(found.drifted) > 1 else "drifted:"
        most = moved_said(found.drifted[0])
        parts.append(f"{len(found.drifted)} of {plural(len(found.columns), 'column')} {verb} {most}")
    return capital("; ".join(parts))


def moved_said(shift: ColumnShift) -> str:
    """`temp by 0.43 sd (natural variation: up to 0.12)`."""
    if shift.beyond:
        return f"{shift.column} by {effect_said(shift)} (natural variation: {limit_said(shift)})"
    rates = f"{percent(shift.left.missing)} → {percent(shift.right.missing)}"
    return f"{shift.column} in its missing values, {rates} (natural variation: ± {percent(shift.missing_limit or 0)})"


def natural_said(natural: Natural) -> str:
    """What columns are held against, in a sentence: what was assumed stands in it."""
    if natural.kind == "chance":
        return (
            "No time column: rows are taken as exchangeable, so natural variation is chance alone, and a difference of "
            "weekday or season counts as drift"
        )
    where = "in time" if natural.kind == "time" else "in the order of its rows"
    length = "" if natural.days is None else f", each {_span(natural.days)}"
    return (
        f"Natural variation: {natural.blocks} blocks of the reference {where}{length}, about {natural.rows:,} rows "
        "each; a season that the reference has not seen counts as drift"
    )


def _span(days: float) -> str:
    return f"{number(days)} days" if days >= 2 else f"{number(days * 24)} hours"


def joint_said(found: Comparison) -> str | None:
    """What the classifier makes of it."""
    joint = found.joint
    if joint is None:
        return None
    by = f", mostly by {listed([name for name, _ in joint.columns[:3]])}" if joint.auc > 0.6 and joint.columns else ""
    auc = f"AUC {joint.auc:.2f} (0.5: not at all, 1: always)"
    return f"A classifier tells rows of the two apart with {auc}{by}; it saw {joint.rows[0]:,} + {joint.rows[1]:,} rows"


def render(found: Comparison) -> list[str]:
    """The whole answer for a terminal, without the next step."""
    rows = f"{found.reference}: {found.rows[0]:,} rows · {found.current}: {found.rows[1]:,} rows"
    lines = [*_wrapped(f"{sentence(found)}."), rows]
    if found.broken:
        lines += ["", "  broken contract"]
        lines += [f"    ■ {line}" for violation in found.broken[:SHOWN] for line in wrap(violation.cause, WIDTH - 6)]
        lines += _more(len(found.broken) - SHOWN, "breach", "breaches")
    if found.columns:
        lines += ["", "  drift by column: effect, (what natural variation would allow), reference → current"]
        lines += [*shift_lines(found.columns[:SHOWN]), *_more(len(found.columns) - SHOWN, "column", "columns")]
    return [*lines, "", *(line for said in _remarks(found) for line in _wrapped(said, "  "))]


def _more(count: int, noun: str, many: str) -> list[str]:
    return [f"      and {plural(count, noun, many)} less"] if count > 0 else []


def _remarks(found: Comparison) -> list[str]:
    joint = joint_said(found)
    clocks = f"Left out as functions of the time: {listed(found.clocks)}." if found.clocks else None
    promise = (
        f"Two like tables would show any drift in {100 * found.level:g}% of comparisons at most, over all columns."
    )
    return [said for said in (f"{natural_said(found.natural)}.", promise, joint and f"{joint}.", clocks) if said]


def _wrapped(text: str, indent: str = "") -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
