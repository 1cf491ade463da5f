"""A comment for a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from solvent.debt.report.terminal import sentence
from solvent.debt.report.view import Priced, View, lines_of
from solvent.debt.report.words import duration, shown_place

MOST: Final = 20


def markdown(seen: View) -> Iterator[str]:
    """The sentence, a row a finding, the evidence folded away."""
    yield f"**{sentence(seen)}**"
    yield ""
    if seen.first:
        yield "| place | debt | principal | interest/month |"
        yield "| --- | --- | --- | --- |"
        yield from (_row(item) for item in seen.first[:MOST])
        yield ""
        yield from _details(seen.first[:MOST])
    if len(seen.first) > MOST:
        yield f"and {len(seen.first) - MOST} more; `solvent audit --all` lists them."
        yield ""
    if seen.groups:
        yield "Not analysed: " + ", ".join(f"{len(group.files)} {_plain(group.reason)}" for group in seen.groups) + "."


def _row(item: Priced) -> str:
    interest = duration(item.price.interest) if item.price.interest is not None else "unknown"
    what = f"{item.rule.code} {item.rule.name}: {_plain(item.finding.said or item.rule.title)}"
    return f"| `{_plain(shown_place(item.finding.place))}` | {what} | {duration(item.price.principal)} | {interest} |"


def _details(items: list[Priced]) -> Iterator[str]:
    yield "<details><summary>Evidence and fixes</summary>"
    yield ""
    for item in items:
        yield f"`{_plain(shown_place(item.finding.place))}` {item.rule.code}. Fix: {item.rule.fix}"
        yield ""
        yield from (f"    {line}" for line in lines_of(item.finding))
        yield ""
    yield "</details>"
    yield ""


def _plain(text: str) -> str:
    """Text that neither ends a cell nor begins markup."""
    return text.replace("|", "\\|").replace("`", "'").replace("<", "&lt;").replace("\n", " ")
