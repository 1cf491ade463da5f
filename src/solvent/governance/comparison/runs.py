"""Everything about one run, as a value and in lines."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from solvent.governance.comparison.sides import StepSide, find_run, run_side
from solvent.governance.comparison.text import cell, cut
from solvent.lineage.entities import Run
from solvent.pages.words import plural

if TYPE_CHECKING:
    from solvent.store import Store

MOST = 20  # lines of one kind
LOG_LINES = 200


class RunDetail(msgspec.Struct, frozen=True, kw_only=True):
    """All of a run. step: its recipe taken apart; steps: of a pipeline's run; makers: of its inputs."""

    run: Run
    who: str | None
    seconds: float | None
    step: StepSide | None
    steps: list[StepSide]
    series: dict[str, list[tuple[int, float]]]
    log: str | None
    makers: dict[str, str]


def run_detail(store: Store, text: str) -> RunDetail | None:
    """The run of this key, or the newest of this step; None where there is none. Raises: UnknownSide."""
    run = find_run(store, text)
    if run is None:
        return None
    side = run_side(store, run, text)
    own = side.steps.get(run.start.step)
    made = {a.digest: s.run for s in side.steps.values() for a in s.artifacts.values() if s.run}
    log = run.end.log if run.end else None
    kept = log is not None and store.objects.exists(log)
    return RunDetail(
        run=run,
        who=side.about["who"],
        seconds=side.about["seconds"],
        step=_without_source(own) if own else None,
        steps=[_without_source(step) for step in side.steps.values()] if side.kind == "pipeline" else [],
        series=side.series,
        log=store.objects.read(log).decode("utf-8", "replace") if kept and log else None,
        makers={name: made[d] for name, d in run.start.inputs.items() if d in made},
    )


def _without_source(step: StepSide) -> StepSide:
    """The step without the sources of its code, which are many times the rest."""
    return msgspec.structs.replace(step, document={})


def render_run(detail: RunDetail) -> list[str]:
    """For a terminal, without the next step."""
    start, end, step = detail.run.start, detail.run.end, detail.step
    took = f" after {detail.seconds:.2f} s" if detail.seconds is not None else ""
    lines = [f"{start.step}: {detail.run.status}{took}"]
    lines += _facts([("run", start.key), *_when(start.started_at, end.ended_at if end else None)])
    lines += _facts([("who", detail.who), ("host", start.host), ("process", start.pid or None)])
    lines += _facts([("git", start.git_commit), ("parent", start.parent)])
    tags = {k: v for k, v in start.tags.items() if k not in ("code", "environment")}
    lines += _facts([("tags", ", ".join(f"{k}={v}" for k, v in tags.items()))])
    if end and end.error:
        lines += _facts([("error", end.error)])
    if step:
        lines += _section("parameters", step.parameters)
        lines += _section("inputs", {n: _input(n, d, detail) for n, d in step.takes.items()})
        lines += _section(
            "outputs", {n: f"{a.digest[:12]}  {_told(a.about, a.size)}" for n, a in step.artifacts.items()}
        )
        lines += _section("metrics", step.metrics)
        lines += _section(f"code {step.code[:12]}", {name: digest[:12] for name, digest in step.parts.items()})
        lines += _environment(step)
    if detail.steps:
        rows = {s.step: f"{s.status}  {s.seconds or 0:.2f} s" for s in detail.steps}
        lines += _section("steps, with those that they were built on", rows)
    if end and end.resources:
        lines += _section("resources", end.resources)
    if detail.log:
        told = detail.log.rstrip().splitlines()
        lines += ["", *(f"  | {cut(line, 92)}" for line in told[-LOG_LINES:])]
    return lines


def _when(started: datetime, ended: datetime | None) -> list[tuple[str, Any]]:
    return [
        ("started", f"{started:%Y-%m-%d %H:%M:%S} UTC"),
        ("ended", f"{ended:%Y-%m-%d %H:%M:%S} UTC" if ended else None),
    ]


def _facts(facts: list[tuple[str, Any]]) -> list[str]:
    return [f"  {name:<12} {cut(str(value), 80)}" for name, value in facts if value is not None and value != ""]


def _section(title: str, rows: dict[str, Any]) -> list[str]:
    if not rows:
        return []
    shown = list(rows.items())[:MOST]
    width = min(max(len(name) for name, _ in shown), 44)
    lines = ["", f"  {title}"]
    for name, value in shown:
        text = value if isinstance(value, str) and "  " in value else cell(value)
        lines.append(cut(f"    {cut(name, 44).ljust(width)}  {text}", 95))
    return [*lines, f"    and {len(rows) - MOST} more"] if len(rows) > MOST else lines


def _input(name: str, digest: str, detail: RunDetail) -> str:
    maker = detail.makers.get(name)
    return f"{digest[:12]}  made by run {maker[:12]}" if maker else f"{digest[:12]}  "


def _told(about: dict[str, Any], size: int) -> str:
    rows = f"{about['rows']:,} rows, " if "rows" in about else ""
    return f"{rows}{plural(size, 'byte')}"


def _environment(step: StepSide) -> list[str]:
    if not step.environment:
        return []
    said = f"{step.interpreter}, {plural(len(step.distributions), 'distribution')}" if step.interpreter else "not kept"
    return ["", f"  environment {step.environment[:12]}", f"    {said}; `--json` lists them"]
