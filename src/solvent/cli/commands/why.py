"""Say why a step would run again, or why it would not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from solvent.cli.program import Exit
from solvent.cli.show import day, next_step, show
from solvent.project import Project

if TYPE_CHECKING:
    from solvent.pipeline.changes import Change
    from solvent.pipeline.plan import Plan, PlannedStep


def command(target: str, *, diff: bool = False, json: bool = False) -> Exit:
    """Say why a step would run again, or why it would not.

    Parameters
    ----------
    target:
        A step, an output (`split.train`), a source or a model.
    diff:
        Show how the code differs from the code of its last finished run.
    """
    project = Project.find()
    plan = _plan(project, target)
    asked, stale = plan.steps[-1], [step for step in plan.steps if step.state != "fresh"]
    changes: dict[str, list[Change]] = {}
    if diff and stale:
        from solvent.pipeline.planning import changes_since

        changes = changes_since(project.root, project.spec, project.store, [step.name for step in stale])
    doubts = {step.name: list(step.notes) for step in project.spec.steps}
    lines = [f"{asked.label} is {_told(asked)}"]
    lines += [f"  {step.label} is {_told(step)}" for step in stale if step is not asked]
    lines += [f"  uncertain: {doubt}" for doubt in doubts.get(asked.name, [])]
    for step in stale:
        lines += [f"  {line}" for change in changes.get(step.name, []) for line in ["", *change.diff()]]
    todo = "nothing to do" if plan.fresh else f"`solvent run {target}`"
    show(
        {"target": target, "steps": [_facts(s, changes, doubts) for s in plan.steps]},
        [*lines, next_step(todo)],
        json=json,
    )
    return Exit.FINE


def _plan(project: Project, target: str) -> Plan:
    """The plan of what a target needs; what is stale is looked at again through the store, which knows the reason."""
    from solvent.pipeline.options import RunOptions

    options = RunOptions(targets=(target,))
    quick = project.quick() if project.settings.cache.verify == "size" else None
    if quick is not None:
        from solvent.pipeline.glance import glance

        with quick:
            plan = glance(project.root, project.state, project.spec, quick, options)
        if plan.fresh:
            return plan
    from solvent.pipeline import plan_pipeline

    return plan_pipeline(project.root, project.spec, project.store, options)


def _told(step: PlannedStep) -> str:
    """State and reason; since when it is fresh, and by which run."""
    if step.run is not None and step.run.end is not None:
        return f"fresh since {day(step.run.end.ended_at)}, run {step.run.start.key[:12]}"
    return f"{step.state}: {step.reason}"


def _facts(step: PlannedStep, changes: dict[str, list[Change]], doubts: dict[str, list[str]]) -> dict[str, Any]:
    facts: dict[str, Any] = {"step": step.name, "state": step.state, "reason": step.reason, "notes": step.notes}
    facts["uncertain"] = doubts.get(step.name, [])
    if step.run is not None and step.run.end is not None:
        facts |= {"run": step.run.start.key, "since": step.run.end.ended_at}
    if step.name in changes:
        facts["changes"] = [change._asdict() for change in changes[step.name]]
    return facts
