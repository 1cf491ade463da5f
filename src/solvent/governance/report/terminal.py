"""The life report for a terminal: 80 columns, small charts of block characters, the next thing to try last."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from solvent.governance.report.life import LifeReport, ModelLife, Ruling
from solvent.governance.report.tables import policy_name
from solvent.governance.report.verdict import (
    SHAPES,
    error_now,
    gain,
    health,
    held_estimates,
    last_move,
    report_title,
    subtitle,
    title,
    windows_noun,
    with_and_without,
)
from solvent.pages.words import alike, capital, day, moment, number, with_interval

WIDTH = 80
CHART = 48  # blocks of a chart
LABEL = 22
BLOCKS = "▁▂▃▄▅▆▇█"


def render_life(report: LifeReport) -> list[str]:
    """The report in lines of at most 80 columns."""
    lines = [*wrap(report_title(report), WIDTH), ""]
    for life in report.models:
        lines += [*_model(life, alone=len(report.models) == 1), ""]
    if not report.models:
        lines += ["Next: solvent run"]
        return lines
    chain = f"chain of {report.chain.length:,} decisions " + ("verified" if not report.chain.problems else "BROKEN")
    until = f"Facts as recorded until {moment(report.until)}" if report.until else "No fact recorded yet"
    return [
        *lines,
        f"{until} · {chain}",
        "Next: solvent monitor report --html FILE shows the curves · solvent decisions",
    ]


def _model(life: ModelLife, *, alone: bool) -> list[str]:
    head = [] if alone else wrap(f"{SHAPES[health(life)]} {title(life)}", WIDTH, subsequent_indent="  ")
    lines = [*head, *wrap(subtitle(life), WIDTH, initial_indent="  ", subsequent_indent="  "), ""]
    lines += _charts(life)
    lines += _figures(life)
    lines += _bills(life)
    move = last_move(life)
    return lines + (_last(move) if move else [])


def _charts(life: ModelLife) -> list[str]:
    """The realised loss over what it would have been, on one scale."""
    realised = [w.realised.value if w.realised else None for w in life.windows]
    never = [w.never for w in life.windows]
    known = [v for v in [*realised, *never] if v is not None]
    if len(known) < 2:
        return []
    low, high = min(known), max(known)
    lines = [_row(f"error, {life.unit}"[: LABEL - 2], f"{_blocks(realised, low, high)}  {_ends(realised)}")]
    if any(v is not None for v in never):
        lines.append(_row("never retrained", f"{_blocks(never, low, high)}  {_ends(never)}"))
    return lines


def _row(label: str, text: str) -> str:
    return f"  {label:<{LABEL - 2}}{text}"


def _blocks(values: Sequence[float | None], low: float, high: float) -> str:
    """At most CHART blocks; each the mean of its windows, a space where nothing is known."""
    size = -(-len(values) // CHART)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    drawn = ""
    for i in range(0, len(values), size):
        known = [v for v in values[i : i + size] if v is not None]
        drawn += BLOCKS[round((sum(known) / len(known) - low) * scale)] if known else " "
    return drawn


def _ends(values: Sequence[float | None]) -> str:
    known = [v for v in values if v is not None]
    return " → ".join(alike([known[0], known[-1]]))


def _figures(life: ModelLife) -> list[str]:
    lines: list[str] = []
    now, means, saved, held = error_now(life), with_and_without(life), gain(life), held_estimates(life)
    if now:
        lines.append(_row("error now", f"{now[0]} ({now[1]})"))
    if means:
        lived, never = alike(means)
        less = f", {with_interval(saved)} less" if saved and lived != never else ""
        lines.append(_row("with and without", f"{lived} against {never} {life.unit}{less}"))
    if held:
        text = f"{held[2]:.0%} interval held in {held[0]} of {windows_noun(life, held[1])}"
        lines.append(_row("estimate", text))
    if life.alarms:
        last = life.alarms[-1]
        text = f"{len(life.alarms):,}, the last {day(last.at)}: {last.title}"
        lines.append(_row("warnings", text if len(text) <= WIDTH - LABEL else f"{text[: WIDTH - LABEL - 1]}…"))
    return lines


def _bills(life: ModelLife) -> list[str]:
    if not life.bills:
        return []
    base = next((b.cost.value for b in life.bills if b.policy == "oracle"), None)
    base = base or min(b.cost.value for b in life.bills)
    ratio = "× oracle" if any(b.policy == "oracle" for b in life.bills) else "× best"
    lines = ["", f"  {'policy':<24}{'retrained':>11}{'error':>10}{'cost':>12}{ratio:>11}"]
    for bill in sorted(life.bills, key=lambda b: -b.cost.value):
        cells = (
            "–" if bill.retrained is None else f"{bill.retrained:,}",
            "–" if bill.error is None else number(bill.error, 3),
            number(bill.cost.value),
            f"{bill.cost.value / base:.2f}",
        )
        lines.append(f"  {policy_name(bill.policy):<24}{cells[0]:>11}{cells[1]:>10}{cells[2]:>12}{cells[3]:>11}")
    return lines


def _last(ruling: Ruling) -> list[str]:
    text = f"{day(ruling.at)}, {ruling.title}: {capital(ruling.reason)}"
    return ["", *wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")]
