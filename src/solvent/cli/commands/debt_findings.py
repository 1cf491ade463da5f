"""List what audits of this project recorded: since when each debt is owed, who allowed it and why, what is gone."""

from __future__ import annotations

from typing import Literal

from solvent.cli.program import Exit
from solvent.cli.show import next_step, paint, show


def command(*, state: list[Literal["open", "allowed", "gone"]] | None = None, json: bool = False) -> Exit:
    """List what audits of this project recorded: since when each debt is owed, who allowed it and why, what is gone.

    Parameters
    ----------
    state:
        Only findings in this state: open, allowed or gone; may be repeated.
    """
    from solvent.debt.report.findings import finding_document, render_findings
    from solvent.lineage.findings import FindingState
    from solvent.project import Project

    wanted = [FindingState(one) for one in state] if state else list(FindingState)
    records = Project.find().store.facts.findings(wanted)
    lines = [*render_findings(records, paint=paint), "", next_step("`solvent debt explain CODE` tells how to mend one")]
    show([finding_document(record) for record in records], lines, json=json)
    return Exit.FINE
