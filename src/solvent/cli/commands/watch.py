"""Tick again and again until interrupted."""

from __future__ import annotations

import time

from solvent.cli.commands.tick import show_report
from solvent.cli.program import Exit
from solvent.cli.show import note, write_json
from solvent.foundation.clock import parse_span, wall_clock
from solvent.foundation.errors import SolventError
from solvent.project import Project


def command(*models: str, every: str = "1h", times: int | None = None, json: bool = False) -> Exit:
    """Tick again and again until interrupted.

    A tick that fails is told and the next one tries again.

    Parameters
    ----------
    models:
        Of these models; all without.
    every:
        Time between the beginnings of two ticks.
    times:
        End after so many.
    """
    from solvent.automation.tick import Loop
    from solvent.integrations.notify import notifiers

    interval = parse_span(every).total_seconds()
    project = Project.find()
    ticks = 0
    with Loop(project, notifiers=notifiers(project.settings.notify, project.root)) as loop:
        while times is None or ticks < times:
            began = time.monotonic()
            try:
                report = loop.tick(wall_clock(), models or None)
            except SolventError as error:
                note(f"this tick failed: {error}")
            else:
                write_json(report) if json else show_report(report)
            ticks += 1
            if times is None or ticks < times:
                time.sleep(max(0.0, interval - (time.monotonic() - began)))
    return Exit.FINE
