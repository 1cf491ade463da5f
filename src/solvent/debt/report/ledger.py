"""The ledger for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from solvent.debt.ledger import Ledger, StepCost
from solvent.debt.report.terminal import Paint
from solvent.debt.report.words import rounded
from solvent.pages.words import plural

MOST = 20


def render_ledger(found: Ledger, *, paint: Paint) -> Iterator[str]:
    """What was paid, by step and by model, in time that was measured."""
    if found.since is None or found.until is None:
        yield paint("Nothing has run here yet: there is no ledger.", "strong")
        return
    repeated = sum(step.repeated.minutes for step in found.steps)
    failed = sum(step.failed.minutes for step in found.steps)
    spent = sum(step.minutes for step in found.steps)
    yield paint(f"{_share(repeated + failed, spent)} of {rounded(spent)} of computing was paid for nothing.", "strong")
    runs = sum(step.runs for step in found.steps)
    yield f"Read: {plural(runs, 'run')}, {found.since:%d %b %Y} to {found.until:%d %b %Y}."
    yield ""
    yield paint(f"  {'step':<30} {'runs':>5}  {'time':>8}  {'repeated':>9}  {'failed':>9}  reruns because of", "soft")
    for step in sorted(found.steps, key=lambda s: -(s.repeated.minutes + s.failed.minutes))[:MOST]:
        yield _row(step)
    if found.models:
        yield ""
        yield paint(f"  {'model':<30} {'alerts':>6}  {'open':>5}  answered after", "soft")
        for model in found.models:
            after = rounded(model.answered_minutes) if model.answered_minutes is not None else "never"
            yield f"  {model.model:<30} {model.alerts:>6}  {model.open:>5}  {after}"


def _row(step: StepCost) -> str:
    causes = ", ".join(
        f"{cause} {work.runs}" for cause, work in sorted(step.missed.items(), key=lambda item: -item[1].runs)
    )
    repeated, failed = step.repeated.runs or "–", step.failed.runs or "–"
    time = rounded(step.minutes)
    return f"  {step.step[-30:]:<30} {step.runs:>5}  {time:>8}  {repeated:>9}  {failed:>9}  {causes}".rstrip()


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole > 0 else "None"
