"""Take predictions made elsewhere, and outcomes as they become known."""

from __future__ import annotations

from pathlib import Path

import cyclopts

from solvent.cli.program import Exit
from solvent.cli.show import next_step, show
from solvent.foundation.clock import parse_instant, parse_span
from solvent.foundation.errors import UsageError
from solvent.project import Project

command = cyclopts.App(name="log", help="Take predictions made elsewhere, and outcomes as they become known.")


class WhichModel(UsageError):
    code = "which-model"


@command.command
def outcomes(
    file: Path, *, model: str | None = None, replay: bool = False, now: str | None = None, json: bool = False
) -> Exit:
    """Log labels that became known; a label that differs from the last one is a correction.

    Parameters
    ----------
    file:
        CSV or Parquet with prediction_id and label; happened_at and known_at are welcome.
    model:
        Whose predictions they belong to; the only model where there is one.
    replay:
        Believe `known_at` even where it lies ahead of now.
    now:
        When they arrived; the wall clock otherwise.
    """
    from solvent.registry.references import resolve
    from solvent.registry.signature import Signature
    from solvent.serving.outcomes import log_outcomes, read_outcomes
    from solvent.serving.rows import EventClock

    project = Project.find()
    name = model or _only_model(project)
    signature = Signature.of(resolve(project.store, name).signature)
    slack = parse_span(project.settings.model(name).monitor.event_time_slack)
    rows = read_outcomes(file, signature)
    clock = EventClock(slack=slack, replay=replay)
    report = log_outcomes(project.store, name, signature, rows, clock, now=parse_instant(now) if now else None)
    lines = [f"{report.new} outcomes of {name} logged, {report.corrected} corrected, {report.repeated} known already"]
    if report.unknown:
        ids = ", ".join(report.unknown_ids[:3])
        lines.append(f"{report.unknown} belong to no logged prediction ({ids}); they are kept")
    if report.bounded:
        lines.append(f"{report.bounded} were said to be known later than now; they count as known now")
    show(report, [*lines, next_step("`solvent tick` measures and decides")], json=json)
    return Exit.FINE


@command.command
def predictions(file: Path, *, model: str | None = None, json: bool = False) -> Exit:
    """Score a file with the champion and log the answers, as `score` does.

    Parameters
    ----------
    file:
        CSV or Parquet with the model's features.
    model:
        Which model; the only one where there is one.
    """
    from solvent.cli.commands.score import command as score

    return score(f"{model or _only_model(Project.find())}@champion", file, json=json)


def _only_model(project: Project) -> str:
    models = project.store.facts.models()
    if len(models) != 1:
        known = ", ".join(models) or "none yet: `solvent run` makes the first"
        raise WhichModel("which model?", next=f"--model NAME; known: {known}")
    return models[0]
