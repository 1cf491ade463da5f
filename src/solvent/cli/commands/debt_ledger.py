"""Tell what debt did cost in this project: repeated and failed work, reruns by cause, alerts and answers."""

from __future__ import annotations

from solvent.cli.program import Exit
from solvent.cli.show import next_step, paint, show


def command(*, json: bool = False) -> Exit:
    """Tell what debt did cost in this project: repeated and failed work, reruns by cause, alerts and answers.

    Reads what was recorded of runs, alerts and decisions; nothing in it is assumed.
    """
    from solvent.debt.ledger import MOST_RUNS, ledger
    from solvent.debt.report.ledger import render_ledger
    from solvent.project import Project

    facts = Project.find().store.facts
    found = ledger(facts.runs(limit=MOST_RUNS), facts.alerts(), facts.decisions())
    lines = [*render_ledger(found, paint=paint), "", next_step("`solvent audit` tells what is owed, with these rates")]
    show(found, lines, json=json)
    return Exit.FINE
