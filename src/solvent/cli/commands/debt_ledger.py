"""Tell what debt did cost in this project: work done again or failed, models out of date, alerts and answers."""

from __future__ import annotations

from solvent.cli.program import Exit
from solvent.cli.show import next_step, paint, show


def command(*, json: bool = False) -> Exit:
    """Tell what debt did cost in this project: work done again or failed, models out of date, alerts and answers.

    Reads what was recorded of runs, models, measurements, alerts, decisions and audits; nothing in it is assumed, and
    what cannot be read is named.
    """
    from solvent.debt.reading.ledger import ledger_of
    from solvent.debt.report.ledger import render_ledger
    from solvent.foundation.clock import wall_clock
    from solvent.project import Project

    project = Project.find()
    found = ledger_of(
        project.store.facts, lambda model: project.settings.model(model).monitor.threshold, now=wall_clock()
    )
    lines = [*render_ledger(found, paint=paint), "", next_step("`solvent audit` tells what is owed, with these rates")]
    show(found, lines, json=json)
    return Exit.FINE
