"""Monitoring: how the models are doing, and the report that shows their lives."""

from __future__ import annotations

from pathlib import Path

import cyclopts

from solvent.cli.program import Exit
from solvent.cli.show import next_step, note, show
from solvent.foundation.clock import parse_instant, wall_clock
from solvent.foundation.errors import UsageError
from solvent.project import Project

command = cyclopts.App(
    name="monitor", help="Monitoring: how the models are doing, and the report that shows their lives."
)


@command.command
def check(*models: str, now: str | None = None, json: bool = False) -> Exit:
    """Measure now, and exit 1 where a model has an alert that is still open.

    Nothing is retrained or promoted, and nothing is recorded.

    Parameters
    ----------
    models:
        Of these models; all without.
    now:
        The clock to measure by; the wall clock otherwise.
    """
    from solvent.automation.looking import look
    from solvent.cli.commands.tick import model_lines

    looks = look(Project.find(), now=parse_instant(now) if now else wall_clock(), models=models or None)
    lines = [line for one in looks for line in model_lines(one)]
    found = any(alert.evidence.get("severity") == "alert" for one in looks for alert in one.alerts)
    show(looks, [*(lines or ["No model yet"]), next_step("`solvent tick` decides and acts")], json=json)
    return Exit.FINDINGS if found else Exit.FINE


@command.command
def report(*models: str, html: Path | None = None, json: bool = False) -> Exit:
    """Tell the models' lives: loss, alerts, decisions, costs.

    Parameters
    ----------
    models:
        Of these models; all without.
    html:
        Also write the self-contained page here.
    """
    from solvent.governance.report.gather import life_report
    from solvent.governance.report.html import render_html
    from solvent.governance.report.terminal import render_life
    from solvent.registry.references import require_model

    project = Project.find()
    for name in models:
        require_model(project.store, name)
    told = life_report(project.store, project.settings, models=models or None)
    if html is not None:
        _write(html, render_html(told))
        note(f"The page is written: open {html}")
    show(told, render_life(told), json=json)
    return Exit.FINE


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, "utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", next="--html FILE") from None
