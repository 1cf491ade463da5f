"""What is fresh, what is stale, what is in service, what needs you."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from solvent.cli.program import Exit
from solvent.cli.show import day, folded, next_step, paint, show, table
from solvent.foundation.clock import from_micros
from solvent.project import Project

if TYPE_CHECKING:
    from solvent.pipeline.plan import Plan
    from solvent.store.quick import QuickStatus

MARKS = {"fresh": "●", "stale": "▲", "unknown": "○"}
TONES = {"fresh": "good", "stale": "warn", "unknown": "soft"}


def command(*, json: bool = False) -> Exit:
    """Say what is fresh, what is stale, what is in service, and what needs you.

    Imports none of your code and opens nothing that a quick look does not need.
    """
    project = Project.find()
    found, plan = _look(project)
    document = {
        "steps": [{"name": s.label, "state": s.state, "reason": _reason(s.state, s.reason)} for s in plan.steps],
        "runs": found.runs if found else {},
        "models": _models(found),
        "alerts": [alert._asdict() | {"at": from_micros(alert.at)} for alert in found.open_alerts] if found else [],
    }
    show(document, _lines(document, plan), json=json)
    return Exit.FINE


def _look(project: Project) -> tuple[QuickStatus | None, Plan]:
    """The quick answers, or the store's own where there are none (PostgreSQL, a store of another version)."""
    quick = project.quick()
    if quick is None:
        from solvent.pipeline import plan_pipeline
        from solvent.store.overview import overview

        return overview(project.store), plan_pipeline(project.root, project.spec, project.store)
    from solvent.pipeline.glance import glance

    with quick:
        return quick.status(), glance(project.root, project.state, project.spec, quick)


def _models(found: QuickStatus | None) -> list[dict[str, Any]]:
    return [
        {
            "model": name,
            "aliases": model.aliases,
            "last_tick": from_micros(model.last_tick) if model.last_tick is not None else None,
        }
        for name, model in (found.models if found else {}).items()
    ]


def _reason(state: str, reason: str) -> str:
    return reason if state != "stale" or reason == "never run" else "`solvent why` names the reason"


def _lines(document: dict[str, Any], plan: Plan) -> list[str]:
    stale = [step for step in plan.steps if step.state != "fresh"]
    head = "Everything is up to date" if not stale else f"{len(stale)} of {len(plan.steps)} steps would run"
    shown, left = folded([step.state for step in plan.steps], ("stale", "unknown", "fresh"))
    rows = [
        (paint(MARKS[s.state], TONES[s.state]), s.label, _reason(s.state, s.reason))
        for s in (plan.steps[i] for i in shown)
    ]
    rows += [(MARKS[state], f"and {count:,} more", state) for state, count in left]
    lines = [head, *table(("", "step", ""), rows)]
    for model in document["models"]:
        aliases = " ".join(f"{alias}=v{number}" for alias, number in sorted(model["aliases"].items()))
        ticked = f"last tick {day(model['last_tick'])}" if model["last_tick"] else "no tick yet"
        lines.append(f"  {model['model']}  {aliases or 'no version in service'}  {ticked}")
    lines += [f"  {paint('▲', 'warn')} {a['model']}: {a['title']}" for a in document["alerts"]]
    first = next((s.label for s in stale if s.state == "stale"), "")
    todo = f"`solvent why {first}` · `solvent run`" if first else "`solvent tick` · `solvent monitor report`"
    return [*lines, next_step(todo)]
