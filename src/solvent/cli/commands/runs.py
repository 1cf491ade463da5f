"""Runs: what was executed, when, from what, to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cyclopts

from solvent.cli.program import Exit
from solvent.cli.show import figure, next_step, show, table
from solvent.foundation.errors import UsageError, nearest
from solvent.project import Project

if TYPE_CHECKING:
    from solvent.lineage.entities import Run
    from solvent.store.facts import Facts

command = cyclopts.App(name="runs", help="Runs: what was executed, when, from what, to what.")


class UnknownRun(UsageError):
    code = "unknown-run"


@command.command(name="list")
def list_runs(*, step: str | None = None, status: str | None = None, limit: int = 20, json: bool = False) -> Exit:
    """List the newest runs.

    Parameters
    ----------
    step:
        Of this step only (its full name).
    status:
        running, done, failed, cancelled or lost.
    limit:
        So many.
    """
    from solvent.lineage.entities import RunStatus

    if status is not None and status not in set(RunStatus):
        raise UsageError(f"no status `{status}`", next=nearest(status, list(RunStatus), ", ".join(RunStatus)))
    facts = Project.find().store.facts
    found = facts.runs(step=step, status=RunStatus(status) if status else None, limit=limit)
    rows = [(r.start.key, r.start.step, r.status, f"{r.start.started_at:%Y-%m-%d %H:%M}", _seconds(r)) for r in found]
    lines = table(("run", "step", "status", "started", "took"), rows, right=(4,)) if rows else ["No run yet"]
    todo = f"`solvent runs show {found[0].start.key}`" if found else "`solvent run`"
    show(found, [*lines, next_step(todo)], json=json)
    return Exit.FINE


@command.command(name="show")
def show_run(key: str, *, json: bool = False) -> Exit:
    """Show one run with its log.

    Parameters
    ----------
    key:
        The run's key, or its beginning.
    """
    project = Project.find()
    run = _find(project.store.facts, key)
    lines = [f"{run.start.step}: {run.status}", *(f"  {name:<12} {value}" for name, value in _facts(run).items())]
    if run.end and run.end.log and project.store.objects.exists(run.end.log):
        text = project.store.objects.read(run.end.log).decode("utf-8", "replace").rstrip()
        lines += ["", *(f"  | {line}" for line in text.splitlines())]
    show(run, [*lines, next_step(f"`solvent lineage {run.start.key}`")], json=json)
    return Exit.FINE


@command.command
def compare(left: str, right: str, *, json: bool = False) -> Exit:
    """Compare two runs: parameters, code, environment, inputs, metrics.

    Parameters
    ----------
    left, right:
        Keys of runs, or their beginnings.
    """
    facts = Project.find().store.facts
    ours, theirs = _facts(_find(facts, left)), _facts(_find(facts, right))
    names = list(dict.fromkeys([*ours, *theirs]))
    rows = [(n, ours.get(n, "–"), theirs.get(n, "–")) for n in names if ours.get(n) != theirs.get(n)]
    lines = table(("", left[:12], right[:12]), rows) if rows else ["Nothing differs"]
    todo = next_step(f"`solvent runs show {right}`")
    show([{"name": n, "left": a, "right": b} for n, a, b in rows], [*lines, todo], json=json)
    return Exit.FINE


def _find(facts: Facts, key: str) -> Run:
    from solvent.lineage.entities import NodeKind

    exact = facts.run(key)
    if exact is not None:
        return exact
    near = [node.key for node in facts.find(key) if node.kind is NodeKind.RUN and node.key.startswith(key)]
    if len(near) == 1 and (found := facts.run(near[0])) is not None:
        return found
    what = f"`{key}` begins {len(near)} runs" if near else f"no run `{key}`"
    raise UnknownRun(what, next="`solvent runs list` lists the newest")


def _facts(run: Run) -> dict[str, Any]:
    """A run as flat facts, for people."""
    recipe, end = run.start.recipe, run.end
    facts: dict[str, Any] = {
        "run": run.start.key,
        "step": run.start.step,
        "started": f"{run.start.started_at:%Y-%m-%d %H:%M:%S}",
        "took": _seconds(run),
        "host": run.start.host,
        "git": run.start.git_commit or "–",
    }
    if recipe is not None:
        facts |= {"code": recipe.code[:12], "environment": recipe.environment[:12]}
        facts |= {f"parameter {name}": value for name, value in recipe.parameters.items()}
    facts |= {f"input {name}": digest[:12] for name, digest in run.start.inputs.items()}
    if end is not None:
        facts |= {f"output {name}": artifact.digest[:12] for name, artifact in end.outputs.items()}
        facts |= {f"metric {name}": figure(value) for name, value in end.metrics.items()}
        facts |= {"error": end.error} if end.error else {}
    return facts


def _seconds(run: Run) -> str:
    return f"{(run.end.ended_at - run.start.started_at).total_seconds():.1f} s" if run.end else "–"
