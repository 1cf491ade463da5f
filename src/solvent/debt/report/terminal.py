"""The first screen: what is owed, by family, what to pay first, what was not analysed."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap
from typing import Final

from solvent.debt.pricing.price import months_said
from solvent.debt.report.view import Priced, View, lines_of
from solvent.debt.report.words import duration, plural, shown_place

WIDTH: Final = 80
FIRST: Final = 5

Paint = Callable[[str, str], str]


def render(seen: View, *, paint: Paint, rest: bool = False) -> list[str]:
    """Lines of at most 80 columns. rest: all findings, not the first five."""
    lines = [*(paint(line, "strong") for line in _wrapped(sentence(seen), "")), *_read(seen)]
    if seen.families:
        lines += ["", *_families(seen)]
        shown = seen.first if rest else seen.first[:FIRST]
        lines += ["", paint("All of it, the best paying first:" if rest else "Pay first:", "strong")]
        for number, item in enumerate(shown, 1):
            lines += _item(number, item, paint)
        left = len(seen.first) - len(shown)
        if left:
            lines.append(paint(f"  and {plural(left, 'finding')} more: `--all` lists them", "soft"))
    return lines


def sentence(seen: View) -> str:
    """The state of affairs."""
    new = "new debt of " if seen.against else ""
    if not seen.first:
        aside = f" ({plural(seen.known, 'known finding')})" if seen.known else ""
        return f"No {'new ' if seen.against else ''}debt found{aside}." if seen.files else "No Python to audit here."
    owes = f"This repository owes {new}about {duration(seen.sum.principal)}"
    if seen.sum.interest is None:
        why = "its git history is cut" if seen.shallow else "no history tells how often it is paid"
        return f"{owes}; the interest is unknown, since {why}."
    return f"{owes} and pays {duration(seen.sum.interest)} a month for it."


def next_steps(seen: View) -> str:
    """The last line."""
    if not seen.first:
        return "`solvent audit --new-since main` in CI keeps it so"
    return f"`solvent debt explain {seen.first[0].rule.code}` · `solvent audit --new-since main` in CI"


def _read(seen: View) -> list[str]:
    parts = [
        plural(seen.files - seen.notebooks, "file"),
        plural(seen.notebooks, "notebook"),
        plural(seen.lines, "line"),
    ]
    if seen.commits is not None:
        parts.append(plural(seen.commits, "commit"))
    lines = [f"Read: {', '.join(parts)} in {seen.seconds:.1f} s."]
    if seen.groups:
        reasons = ", ".join(f"{len(group.files):,} {group.reason}" for group in seen.groups)
        lines += _wrapped(f"Not analysed: {reasons}.", "")
    aside = [f"{plural(seen.allowed, 'debt')} allowed with a reason"] if seen.allowed else []
    aside += [f"{plural(seen.known, 'debt')} known before"] if seen.known else []
    return lines + ([f"Set aside: {', '.join(aside)}."] if aside else [])


def _families(seen: View) -> list[str]:
    rows = [("family", "findings", "principal", "interest/month")]
    for family in seen.families:
        interest = family.sum.interest
        rows.append(
            (
                family.name,
                f"{family.findings:,}",
                duration(family.sum.principal),
                duration(interest) if interest is not None else "unknown",
            )
        )
    return [f"  {name:<22} {count:>8}   {principal:<18} {interest}" for name, count, principal, interest in rows]


def _item(number: int, item: Priced, paint: Paint) -> list[str]:
    finding, price = item.finding, item.price
    even = f"breaks even in {months_said(price.breaks_even)}" if price.breaks_even is not None else "interest unknown"
    if price.principal.mean == 0:
        even = "paid with the one above"
    head = f"  {number} {shown_place(finding.place)}  {paint(f'{item.rule.code} {item.rule.name}', 'accent')}  {even}"
    lines = [head, *_wrapped(finding.said or item.rule.title, "      ")]
    lines += [paint(f"      {_cut(line, WIDTH - 6)}", "soft") for line in lines_of(finding)[:4]]
    return [*lines, *_wrapped(f"fix: {item.rule.fix}", "      ")]


def _wrapped(text: str, indent: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
