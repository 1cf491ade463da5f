"""Models: their versions, what they were trained on, and which one serves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import cyclopts

from solvent.cli.program import Exit
from solvent.cli.show import day, figure, next_step, show, table
from solvent.foundation.clock import parse_instant, wall_clock
from solvent.project import Project, current_actor

if TYPE_CHECKING:
    from solvent.lineage.entities import Decision, ModelVersion

DIGEST = re.compile(r"[0-9a-f]{64}")  # shortened for people; --json has it whole

command = cyclopts.App(name="models", help="Models: their versions, what they were trained on, and which one serves.")


@command.command(name="list")
def list_models(*, json: bool = False) -> Exit:
    """List the models with their aliases."""
    from solvent.registry.compare import list_models as summaries

    found = summaries(Project.find().store)
    lines = table(
        ("model", "predicts", "versions", "aliases"),
        ((m.name, f"{m.target} ({m.task})", m.versions, _aliases(m.aliases)) for m in found),
        right=(2,),
    )
    todo = f"`solvent models show {found[0].name}`" if found else "`solvent run` makes the first version"
    show(found, [*(lines if found else ["No model yet"]), next_step(todo)], json=json)
    return Exit.FINE


@command.command(name="show")
def show_model(reference: str, *, json: bool = False) -> Exit:
    """Show a model's versions and the history of its aliases, or one version.

    Parameters
    ----------
    reference:
        `NAME` for all versions; `NAME@alias` or `NAME/3` for one.
    """
    from solvent.registry.compare import describe_model
    from solvent.registry.references import resolve

    store = Project.find().store
    if "@" in reference or "/" in reference:
        version = resolve(store, reference)
        show(version, _describe(version), json=json)
        return Exit.FINE
    detail = describe_model(store, reference)
    names = {number: alias for alias, number in detail.summary.aliases.items()}
    versions = table(
        ("version", "made", "alias", "evaluation", "why"),
        (
            (
                f"v{v.number}",
                day(v.created_at),
                names.get(v.number, ""),
                _cell(v.about.get("metrics", {})),
                v.about.get("reason", ""),
            )
            for v in detail.versions
        ),
    )
    history = [
        f"  {day(h.move.at):>11}  {h.move.alias} → v{h.move.number}  {h.decision.decision.reason if h.decision else ''}"
        for h in detail.history
    ]
    newest = detail.versions[-1].number if detail.versions else 0
    todo = f"`solvent models compare {reference}@champion {reference}/{newest}`" if newest > 1 else "`solvent tick`"
    show(detail, [*versions, "", *history, next_step(todo)], json=json)
    return Exit.FINE


@command.command
def compare(left: str, right: str, *, json: bool = False) -> Exit:
    """Compare two versions: parameters, metrics, code, environment, data.

    Parameters
    ----------
    left:
        `NAME@alias` or `NAME/3`.
    right:
        The same, of the other version.
    """
    from solvent.registry.compare import compare_versions

    comparison = compare_versions(Project.find().store, left, right)
    lines = table(("", left, right), ((row.name, _cell(row.left), _cell(row.right)) for row in comparison.different))
    show(comparison, [*lines, next_step(f"`solvent models promote {right}`")], json=json)
    return Exit.FINE


@command.command
def promote(
    reference: str,
    *,
    waive: str | None = None,
    canary: float | None = None,
    now: str | None = None,
    json: bool = False,
) -> Exit:
    """Put a version into service, through the gate: exit 1 where it stays closed.

    Parameters
    ----------
    reference:
        `NAME/3` or `NAME@alias`.
    waive:
        Promote it past a closed gate, for this reason; the waiver is a decision on record.
    canary:
        Let it answer this share of the requests beside the champion instead, 0 to less than 1.
    now:
        The clock to decide by; the wall clock otherwise.
    """
    from solvent.automation.promotion import promote_by_person

    project = Project.find()
    at = parse_instant(now) if now else wall_clock()
    decision = promote_by_person(project, reference, at=at, actor=current_actor(), waiver=waive, canary=canary)
    show(decision, _decided(decision), json=json)
    return Exit.FINE


@command.command
def rollback(
    model: str,
    *,
    to: int | None = None,
    canary: bool = False,
    reason: str = "by hand",
    now: str | None = None,
    json: bool = False,
) -> Exit:
    """Put an earlier version back into service.

    Parameters
    ----------
    to:
        Its number; without, the version that the current champion replaced.
    canary:
        End the trial of the version beside the champion instead.
    reason:
        Why, for the record.
    now:
        The clock to decide by; the wall clock otherwise.
    """
    from solvent.registry.canary import withdraw_canary
    from solvent.registry.versions import rollback as roll_back

    project = Project.find()
    at = parse_instant(now) if now else wall_clock()
    if canary:
        decision = withdraw_canary(project.store, model, actor=current_actor(), at=at, reason=reason)
    else:
        decision = roll_back(project.store, model, to, actor=current_actor(), at=at, reason=reason)
    show(decision, _decided(decision), json=json)
    return Exit.FINE


def _decided(decision: Decision) -> list[str]:
    made = decision.decision
    return [
        f"{made.action} {made.model}/{made.number}: {made.reason}",
        next_step(f"`solvent models show {made.model}` · a running endpoint takes it by itself"),
    ]


def _describe(version: ModelVersion) -> list[str]:
    rows = [
        ("made", day(version.created_at)),
        ("task", f"{version.signature.get('task')} of {version.signature.get('target')}"),
        ("features", ", ".join(version.signature.get("features", {}))),
        *(("hidden", f"{one['name']}, {_cell(one['value'])} instead") for one in version.signature.get("hidden", [])),
        *((name, _cell(value)) for name, value in version.about.items()),
        ("run", version.run or "–"),
        ("artifact", version.artifact[:16]),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name.ljust(width)}  {value}" for name, value in rows]
    return [version.name, *lines, next_step(f"`solvent lineage {version.name}` shows what stood behind it")]


def _aliases(aliases: dict[str, int]) -> str:
    return " ".join(f"{alias}=v{number}" for alias, number in aliases.items())


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return figure(value)
    if isinstance(value, dict):
        return ", ".join(f"{k} {_cell(v)}" for k, v in value.items())
    text = str(value)
    return text[:16] if DIGEST.fullmatch(text) else text
