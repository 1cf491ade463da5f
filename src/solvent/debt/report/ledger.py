"""The ledger for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from solvent.debt.cascades import Cascade
from solvent.debt.ledger import Ledger, ModelCost, StepCost, Work
from solvent.debt.report.terminal import WIDTH, Paint
from solvent.debt.report.words import rounded
from solvent.debt.staleness import StaleUse
from solvent.debt.thresholds import PastThreshold
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
    for heading, part in _parts(found):
        lines = list(part)
        if lines:
            yield ""
            yield heading
            yield from lines
    if found.left_out:
        yield ""
        yield from _wrapped(f"Not known here: {'; '.join(found.left_out)}.", "")


def _parts(found: Ledger) -> Iterator[tuple[str, Iterator[str]]]:
    """The parts below the table of steps; one without lines is not told."""
    yield "Done again with the same result, because of another …", _unchanged(found)
    yield "Failed, and what did not run for it:", (line for one in found.cascades[:MOST] for line in _cascade(one))
    yield "In use, and behind what the pipeline makes now:", (line for one in found.stale for line in _stale(one))
    yield "Past the threshold:", (line for one in found.past for line in _past(one))
    yield "Read or written without being declared:", _undeclared(found)
    yield f"  {'model':<30} {'alerts':>6}  {'open':>5}  answered after", map(_model, found.models)


def _unchanged(found: Ledger) -> Iterator[str]:
    causes: dict[str, Work] = {}
    for step in found.steps:
        for cause, work in step.unchanged.items():
            before = causes.get(cause, Work(0, 0.0))
            causes[cause] = Work(before.runs + work.runs, before.minutes + work.minutes)
    for cause, work in sorted(causes.items(), key=lambda item: -item[1].minutes):
        yield f"  {cause:<30} {work.runs:>5}  {rounded(work.minutes):>8}"


def _cascade(one: Cascade) -> Iterator[str]:
    held = ", ".join(f"{step.rpartition('.')[2]} {count}" for step, count in one.held_up.items()) or "nothing"
    yield from _wrapped(f"{one.step} {plural(one.failures, 'time')}: {held}", "  ")


def _stale(one: StaleUse) -> Iterator[str]:
    why = "; ".join(f"{behind.step}: {', '.join(behind.causes)}" for behind in one.behind)
    uses = f", {one.answered:,} predictions since" if one.answered is not None else ""
    yield from _wrapped(f"{one.model}/{one.number} ({', '.join(one.by)}) since {one.since:%d %b %Y}{uses}: {why}", "  ")


def _past(one: PastThreshold) -> Iterator[str]:
    unit = f" {one.unit}" if one.unit else ""
    yield from _wrapped(
        f"{one.model}/{one.number} above {one.threshold:g}{unit} since {one.since:%d %b %Y}"
        f" ({plural(one.windows, 'window')}), after {one.took_days:.0f} days",
        "  ",
    )


def _undeclared(found: Ledger) -> Iterator[str]:
    for one in found.undeclared or ():
        yield f"  {one.rule} {one.path}:{one.line}  since {one.first_seen:%d %b %Y}"


def _model(model: ModelCost) -> str:
    after = rounded(model.answered_minutes) if model.answered_minutes is not None else "never"
    return f"  {model.model:<30} {model.alerts:>6}  {model.open:>5}  {after}"


def _wrapped(text: str, indent: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)


def _row(step: StepCost) -> str:
    causes = ", ".join(
        f"{cause} {work.runs}" for cause, work in sorted(step.missed.items(), key=lambda item: -item[1].runs)
    )
    repeated, failed = step.repeated.runs or "–", step.failed.runs or "–"
    time = rounded(step.minutes)
    return f"  {step.step[-30:]:<30} {step.runs:>5}  {time:>8}  {repeated:>9}  {failed:>9}  {causes}".rstrip()


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole > 0 else "None"
