"""One round of the loop: measure, alert, decide, act."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from solvent.cli.program import Exit
from solvent.cli.show import day, figure, next_step, note, paint, paragraph, write_json
from solvent.foundation.clock import parse_instant, wall_clock
from solvent.project import Project

if TYPE_CHECKING:
    from solvent.automation import ModelTick, TickReport

TONES = {"promote": "good", "roll-back": "warn", "refuse": "warn", "retrain": "accent"}


def command(*models: str, now: str | None = None, json: bool = False) -> Exit:
    """One round of the loop: measure, alert, decide, act.

    Safe to kill, to repeat and to start twice at once: from cron, a systemd timer or
    CI. Exits 0 whenever it has decided, a hold included.

    Parameters
    ----------
    models:
        Of these models; all without.
    now:
        The clock to decide by; the wall clock otherwise. Before the last tick is refused.
    """
    from solvent.automation.tick import tick
    from solvent.integrations.notify import notifiers

    project = Project.find()
    report = tick(
        project,
        now=parse_instant(now) if now else wall_clock(),
        models=models or None,
        notifiers=notifiers(project.settings.notify, project.root),
        progress=_tell if sys.stderr.isatty() else None,
    )
    if json:
        write_json(report)
    else:
        show_report(report)
    return Exit.FINE


def show_report(report: TickReport) -> None:
    """A tick in words."""
    for done in report.models:
        for line in model_lines(done):
            print(line)
    for problem in report.undelivered:
        note(f"not delivered: {problem}")
    if not report.models:
        print("No model yet")
    print(next_step("`solvent monitor report` · `solvent decisions`" if report.models else "`solvent run`"))


def model_lines(done: ModelTick) -> list[str]:
    champion = f"v{done.champion}" if done.champion else "no champion"
    if not done.windows:
        head = f"{done.model} ({champion}): no window has closed since the last tick"
    else:
        (start, _), (_, end) = done.windows[0], done.windows[-1]
        head = f"{done.model} ({champion}): {day(start)} to {day(end)}{_loss(done)}"
    lines = [head]
    for kind in dict.fromkeys(alert.kind for alert in done.alerts):
        titles = [alert.title for alert in done.alerts if alert.kind == kind]
        more = f" (and {len(titles) - 1} more of its kind)" if len(titles) > 1 else ""
        lines += paragraph(f"{paint('▲', 'warn')} {kind}: {titles[-1]}{more}")
    for made in done.decisions:
        what = made.decision
        version = f" v{what.number}" if what.number else ""
        lines += paragraph(f"{paint(what.action, TONES.get(what.action, 'soft'))}{version}: {what.reason}")
    return [*lines, *paragraph(done.note)]


def _loss(done: ModelTick) -> str:
    realised = [m for m in done.measurements if m.name == "loss.realised"]
    if not realised:
        return ""
    last = max(realised, key=lambda m: m.window_end)
    return f", loss {figure(last.value)} ({figure(last.lower)} to {figure(last.upper)}) {last.unit}"


def _tell(text: str) -> None:
    note(paint(f"  … {text}", "soft", stream=sys.stderr))
