"""The first screen: what is owed, by family, what to pay first, what was not analysed."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap
from typing import Final

from solvent.debt.pricing.price import months_said
from solvent.debt.report.view import Debt, LastScore, Priced, View, lines_of
from solvent.debt.report.words import duration, shown_place
from solvent.pages.words import plural

WIDTH: Final = 80
FIRST: Final = 5
EVENTS: Final = {"seen": "new", "back": "back", "allowed": "newly allowed", "gone": "gone"}

Paint = Callable[[str, str], str]


def render(seen: View, *, paint: Paint, rest: bool = False) -> list[str]:
    """Lines of at most 80 columns. rest: all findings, not the first five."""
    lines = [*(paint(line, "strong") for line in _wrapped(sentence(seen), "")), *_read(seen)]
    if seen.families:
        lines += ["", *_families(seen)]
        shown = seen.debts if rest else seen.debts[:FIRST]
        lines += ["", paint("All of it, the best paying first:" if rest else "Pay first:", "strong")]
        for number, debt in enumerate(shown, 1):
            lines += _debt(number, debt, paint, rest=rest)
        left = len(seen.debts) - len(shown)
        if left:
            lines.append(paint(f"  and {plural(left, 'kind')} of debt more: `--all` lists every place", "soft"))
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
        keeps = "`solvent audit --new-since main` in CI keeps it so"
        return keeps if seen.files else "`solvent audit PATH` reads another folder, or one file"
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
        reasons = ", ".join(f"{plural(len(group.files), 'file')} ({group.reason})" for group in seen.groups)
        lines += _wrapped(f"Not analysed: {reasons}.", "")
    aside = [f"{plural(seen.allowed, 'debt')} allowed with a reason"] if seen.allowed else []
    aside += [f"{plural(seen.known, 'debt')} known before"] if seen.known else []
    return lines + ([f"Set aside: {', '.join(aside)}."] if aside else []) + _record(seen)


def _record(seen: View) -> list[str]:
    """What the project's store keeps of this audit, and how an earlier forecast did."""
    if seen.record is None:
        return []
    lines, changes = [], seen.record.changes
    if changes:
        told = ", ".join(f"{changes[event]:,} {said}" for event, said in EVENTS.items() if event in changes)
        lines += _wrapped(f"Recorded: {told} (`solvent debt findings`).", "")
    if seen.record.scored is not None:
        lines += _wrapped(scored_line(seen.record.scored), "")
    return lines


def scored_line(last: LastScore) -> str:
    """How an earlier forecast did, in one sentence."""
    score = last.score
    hits = f"{score.coverage:.0%} of files changed as often as foretold"
    if score.lift is None:
        return f"The forecast of {last.at:%Y-%m-%d}, scored: {hits} (80% intervals)."
    ours = f"the most indebted tenth got {score.lift['interest']:.1f} × its share of repairs"
    return f"The forecast of {last.at:%Y-%m-%d}, scored: {hits}; {ours}, by churn {score.lift['churn']:.1f} ×."


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


def _debt(number: int, debt: Debt, paint: Paint, *, rest: bool) -> list[str]:
    best = debt.items[0]
    even = f"breaks even in {months_said(debt.breaks_even)}" if debt.breaks_even is not None else "interest unknown"
    even = "counted with another debt" if debt.elsewhere else even
    lines = _headed(f"  {number} {shown_place(best.finding.place)}", f"{debt.rule.code} {debt.rule.name}", even, paint)
    lines += _wrapped(what(best), "      ")
    lines += [paint(f"      {_cut(line, WIDTH - 6)}", "soft") for line in lines_of(best.finding)[:4]]
    more = debt.items[1:]
    if rest:
        lines += [line for item in more for line in _further(item)]
    elif more:
        lines += _wrapped(f"and {plural(len(more), 'place')} more, {duration(debt.sum.principal)} in all", "      ")
    return [*lines, *_wrapped(f"fix: {debt.rule.fix}", "      ")]


def _further(item: Priced) -> list[str]:
    """A further place of a debt, and what is special to it."""
    place, said = shown_place(item.finding.place), item.finding.said
    if len(place) + len(said) + 7 <= WIDTH:
        return [f"      {place} {said}".rstrip()]
    return [f"      {_short(place, WIDTH - 6)}", *_wrapped(said, "        ")]


def _headed(place: str, name: str, even: str, paint: Paint) -> list[str]:
    """Place, rule and break-even in one line where they fit, else the place above the others."""
    told = f"{paint(name, 'accent')}  {even}"
    if len(f"{place}  {name}  {even}") <= WIDTH:
        return [f"{place}  {told}"]
    return [_short(place, WIDTH), f"      {told}"]


def _short(place: str, width: int) -> str:
    """A place that fits into a width: of a long path its beginning and its end."""
    left = width // 3
    return place if len(place) <= width else f"{place[:left]}…{place[left + 1 - width :]}"


def what(item: Priced) -> str:
    """What is wrong here: the rule's sentence, and what is special to the place."""
    return f"{item.rule.title}: {item.finding.said}" if item.finding.said else item.rule.title


def _wrapped(text: str, indent: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
