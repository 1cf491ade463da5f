"""Say why a step would run again, or why it would not."""

from __future__ import annotations

from solvent.cli.program import Exit
from solvent.cli.show import next_step, show
from solvent.project import Project


def command(target: str, *, json: bool = False) -> Exit:
    """Say why a step would run again, or why it would not.

    Parameters
    ----------
    target:
        A step, an output (`split.train`), a source or a model.
    """
    from solvent.pipeline import RunOptions, plan_pipeline

    project = Project.find()
    plan = plan_pipeline(project.root, project.spec, project.store, RunOptions(targets=(target,)))
    asked = plan.steps[-1]
    lines = [f"{asked.label} is {asked.state}: {asked.reason}"]
    lines += [f"  {step.label} is {step.state}: {step.reason}" for step in plan.steps[:-1] if step.state != "fresh"]
    todo = "nothing to do" if plan.fresh else f"`solvent run {target}`"
    document = [{"step": s.name, "state": s.state, "reason": s.reason, "notes": s.notes} for s in plan.steps]
    show({"target": target, "steps": document}, [*lines, next_step(todo)], json=json)
    return Exit.FINE
