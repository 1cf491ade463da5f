"""Bring the pipeline up to date; run only what is stale."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, NamedTuple

from solvent.cli.program import Exit
from solvent.cli.show import folded, next_step, note, paint, table, write_json
from solvent.foundation.clock import parse_instant, to_micros, wall_clock
from solvent.project import Project, current_actor

if TYPE_CHECKING:
    from datetime import datetime

    from solvent.lineage.entities import ModelVersion
    from solvent.pipeline import PipelineRun, RunOptions, StepEvent
    from solvent.pipeline.spec import ModelSpec
    from solvent.store.quick import QuickStore

MARKS = {"ran": "●", "cached": "·", "failed": "■", "skipped": "○", "cancelled": "○"}


def command(
    *targets: str,
    as_of: str | None = None,
    force: bool = False,
    workers: int | None = None,
    set: list[str] | None = None,
    json: bool = False,
) -> Exit:
    """Bring the pipeline up to date; run only what is stale.

    What was fitted becomes a version of its model; the first one becomes the champion.

    Parameters
    ----------
    targets:
        Steps, outputs (`split.train`), sources or models; all without.
    as_of:
        See no row that was known later than this.
    force:
        Run even what is fresh.
    workers:
        Processes at once.
    set:
        Another value for a keyword-only parameter, in this run only: `--set fit.seed=3`, as often as wanted.
    """
    from solvent.pipeline import RunOptions
    from solvent.pipeline.overrides import parse_overrides

    project = Project.find()
    at = parse_instant(as_of) if as_of else wall_clock()
    options = RunOptions(
        targets=targets,
        as_of=parse_instant(as_of) if as_of else None,
        force=force,
        workers=workers,
        parameters=parse_overrides(project.spec, set or ()),
    )
    run, versions = _idle(project, options, at) or _run(project, options, at, json=json)
    if json:
        write_json({**run.document(), "versions": [version.name for version in versions]})
    else:
        _show(run, versions)
    return Exit.FINE if run.ok else Exit.FINDINGS


class Told(NamedTuple):
    """A version that an estimator of the run is, and the number of the one in service."""

    model: str
    number: int
    champion: int | None

    @property
    def name(self) -> str:
        return f"{self.model}/{self.number}"


def _idle(project: Project, options: RunOptions, at: datetime) -> tuple[PipelineRun, list[Told]] | None:
    """A run with nothing to do, answered and recorded without opening the store; None where there is more to it."""
    quick = project.quick()
    if quick is None:
        return None
    from solvent.pipeline.glance import idle_run

    with quick:
        run = idle_run(project.root, project.state, project.spec, quick, options)
        versions = _known_versions(project, run, quick) if run is not None else None
    if run is None or versions is None or not _recorded(project, run, options, at):
        return None
    return run, versions


def _known_versions(project: Project, run: PipelineRun, quick: QuickStore) -> list[Told] | None:
    """The versions that the run's estimators are; None where one of them is none yet."""
    models, known = quick.status().models, quick.versions()
    told = []
    for model in _fitted(project, run):
        made = run.made(model.estimator)
        number = next((v.number for v in known if (v.model, v.artifact) == (model.name, made)), None)
        if number is None:
            return None
        told.append(Told(model.name, number, models[model.name].aliases.get("champion")))
    return told


def _recorded(project: Project, run: PipelineRun, options: RunOptions, started: datetime) -> bool:
    from solvent.lineage.digests import canonical
    from solvent.pipeline.revision import git_commit
    from solvent.store.filesystem import prepare_folder
    from solvent.store.quick_run import IdleRun, record_idle

    prepare_folder(project.state)
    actor = current_actor()
    tags = {"targets": " ".join(options.targets)} if options.targets else {}
    return record_idle(
        project.database,
        IdleRun(
            key=run.key,
            step="pipeline",
            project=project.settings.project.name,
            kind=actor.kind,
            actor=actor.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            git_commit=git_commit(project.root),
            tags=canonical(tags).decode(),
            started_at=to_micros(started),
            ended_at=to_micros(wall_clock()),
        ),
    )


def _run(project: Project, options: RunOptions, at: datetime, *, json: bool) -> tuple[PipelineRun, list[Told]]:
    from solvent.pipeline import run_pipeline

    run = run_pipeline(project.root, project.spec, project.store, options, None if json else _tell)
    versions = _versions(project, run, at) if run.ok else []
    return run, [Told(v.model, v.number, project.store.facts.alias(v.model, "champion")) for v in versions]


def _fitted(project: Project, run: PipelineRun) -> list[ModelSpec]:
    """The models whose estimators the run looked at."""
    names = {step.name for step in run.steps}
    return [model for model in project.spec.models if model.estimator.node in names]


def _versions(project: Project, run: PipelineRun, at: datetime) -> list[ModelVersion]:
    """The versions that the run's estimators are; only where one is new is anything heavy imported."""
    fitted = _fitted(project, run)
    if not fitted:
        return []
    if {step.state for step in run.steps} == {"cached"}:
        made = {model.name: run.made(model.estimator) for model in fitted}
        known = {name: project.store.facts.versions(name) for name in made.keys() & set(project.store.facts.models())}
        found = [v for name, digest in made.items() for v in known.get(name, []) if v.artifact == digest]
        if len({version.model for version in found}) == len(fitted):
            return list({version.model: version for version in reversed(found)}.values())[::-1]
    from solvent.automation.promotion import register_run

    return register_run(project, run, at=at, actor=current_actor())


def _tell(event: StepEvent) -> None:
    """Progress, one line a step that takes time, on stderr."""
    if event.state == "running" and sys.stderr.isatty():
        note(paint(f"  … {event.label} ({event.done + 1} of {event.total}): {event.reason}", "soft", stream=sys.stderr))


def _show(run: PipelineRun, versions: list[Told]) -> None:
    tones = {"failed": "bad", "ran": "good"}
    shown, left = folded([step.state for step in run.steps], ("failed", "ran", "skipped", "cancelled", "cached"))
    rows: list[tuple[str, str, str, str, str]] = [
        (paint(MARKS[s.state], tones.get(s.state, "soft")), s.label, s.state, f"{s.seconds:.1f} s", s.reason)
        for s in (run.steps[i] for i in shown)
    ]
    rows += [(MARKS[state], f"and {count:,} more", state, "", "") for state, count in left]
    for line in table(("", "step", "state", "time", "why"), rows, right=(3,)):
        print(line)
    for step in run.steps:
        for text in step.notes:
            print(f"  {step.label}: {text}")
        if step.error:
            place = f" ({step.error['where']})" if step.error.get("where") else ""
            print(f"{paint('failed', 'bad')}: {step.label}{place}: {step.error.get('what', '')}")
            if step.error.get("next"):
                print(f"  {step.error['next']}")
    for version in versions:
        serving = "champion" if version.champion == version.number else f"champion is v{version.champion}"
        print(f"{version.name} ({serving})")
    print(next_step(_next(run, versions)))


def _next(run: PipelineRun, versions: list[Told]) -> str:
    failed = next((step for step in run.steps if step.state == "failed"), None)
    if failed is not None:
        return f"`solvent why {failed.label}`; the steps that do not depend on it are done"
    if versions:
        return f"`solvent serve {versions[0].model}@champion`"
    return "declare a `model(...)` in the pipeline to serve one"
