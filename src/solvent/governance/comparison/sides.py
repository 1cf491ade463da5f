"""What a name stands for in a comparison: a run, a pipeline run, a model version, a git revision; each by its steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from solvent.foundation.errors import UsageError, nearest
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, NodeKind, Run
from solvent.pipeline.changes import reached
from solvent.registry.references import resolve

if TYPE_CHECKING:
    from solvent.project import Project
    from solvent.store import Store

PIPELINE = "pipeline"  # the step of a run that the runs of its steps belong to
MOST_RUNS = 5_000  # of one side
SHORTEST = 4  # digits that name a run
_NUMBERED = re.compile(r"(?P<model>[^@/\s]+)@(?P<number>\d{1,9})")
_KEY = re.compile(r"[0-9a-f]+")


class UnknownSide(UsageError):
    code = "unknown-side"


class StepSide(msgspec.Struct, frozen=True, kw_only=True):
    """One step on one side. run: its key, None in a revision that was not run.

    code: digest of its fingerprint; parts: what that is made of, name → digest (files, and symbols where
    they are kept). environment: digest; interpreter and distributions: name → version, where they are kept.
    inputs, outputs: content digests by name; artifacts: of the outputs; takes: artifact digests by parameter.
    """

    step: str
    run: str | None = None
    status: str = ""
    started: datetime | None = None
    seconds: float | None = None
    parameters: dict[str, Any] = {}
    code: str = ""
    parts: dict[str, str] = {}
    document: dict[str, Any] = {}
    environment: str = ""
    interpreter: str = ""
    distributions: dict[str, str] = {}
    inputs: dict[str, str] = {}
    takes: dict[str, Digest] = {}
    artifacts: dict[str, Artifact] = {}
    metrics: dict[str, float] = {}
    source: bool = False
    upstream: list[str] = []

    @property
    def outputs(self) -> dict[str, str]:
        return {name: artifact.content for name, artifact in self.artifacts.items()}


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a comparison. said: what the name was taken to mean. steps: by full name, producers first.

    about: git commit, time, host, who. metrics: of a version, beside those of its steps. series: metrics with
    several points, (step, value). files: dataset path → digest in a revision's solvent.lock; settings: its file's.
    """

    name: str
    said: str
    kind: str
    steps: dict[str, StepSide]
    about: dict[str, Any] = {}
    metrics: dict[str, float] = {}
    series: dict[str, list[tuple[int, float]]] = {}
    files: dict[str, str] = {}
    settings: dict[str, Any] = {}


def side_of(project: Project, text: str) -> Side:
    """A version (`NAME@alias`, `NAME@3`, `NAME/3`), a run by its key's beginning, a step's newest run, a revision.

    Raises: UnknownSide, what `resolve` raises, UnknownRevision, and the errors of reading a revision's pipeline.
    """
    if "@" in text or "/" in text:
        numbered = _NUMBERED.fullmatch(text)
        reference = f"{numbered['model']}/{numbered['number']}" if numbered else text
        if re.split("[@/]", reference)[0] in project.store.facts.models():
            return _version(project.store, text, reference)
    run = find_run(project.store, text)
    if run is not None:
        return run_side(project.store, run, text)
    from solvent.governance.comparison.revisions import is_revision, revision_side

    if is_revision(project.root, text):
        return revision_side(project, text)
    steps = {run.start.step.rpartition(".")[2] for run in project.store.facts.runs(limit=200)}
    hint = nearest(
        text, [*steps, *project.store.facts.models()], "`solvent runs list` and `git log` show what there is"
    )
    raise UnknownSide(f"`{text}` is no run, model version or git revision", next=hint)


def find_run(store: Store, text: str) -> Run | None:
    """A run by its key or the beginning of it, or the newest run of a step. Raises: UnknownSide, several begin so."""
    facts = store.facts
    exact = facts.run(text)
    if exact is not None:
        return exact
    if len(text) >= SHORTEST and _KEY.fullmatch(text):
        near = [node.key for node in facts.find(text) if node.kind is NodeKind.RUN and node.key.startswith(text)]
        if len(near) > 1:
            raise UnknownSide(f"`{text}` begins {len(near)} runs", next="give more of its digits")
        if near:
            return facts.run(near[0])
    newest = facts.runs(step=text, limit=1)
    if not newest:
        recent = facts.runs(limit=200)
        full = {run.start.step for run in recent if run.start.step.endswith(f".{text}")}
        newest = facts.runs(step=full.pop(), limit=1) if len(full) == 1 else []
    return newest[0] if newest else None


def _version(store: Store, text: str, reference: str) -> Side:
    """A version with its training and, where they ran together, all that was run beside it, its evaluation included."""
    version = resolve(store, reference)
    run = store.facts.run(version.run) if version.run else None
    if run is None:
        made = Side(name=text, said="", kind="version", steps={})
    else:
        beside = store.facts.runs(parent=run.start.parent, limit=MOST_RUNS) if run.start.parent else []
        made = _side(store, run, [*beside, run], text)
    metrics = {n: float(v) for n, v in version.about.get("metrics", {}).items() if isinstance(v, int | float)}
    about = {**made.about, "version": version.name, "made": version.created_at}
    said = f"version {version.number} of {version.model}"
    return msgspec.structs.replace(made, said=said, kind="version", metrics=metrics, about=about)


def run_side(store: Store, run: Run, text: str) -> Side:
    """A run with all that it was built on; of a pipeline's run, its steps and all that they were built on."""
    whole = run.start.step == PIPELINE and run.start.recipe is None
    tops = store.facts.runs(parent=run.start.key, limit=MOST_RUNS) if whole else [run]
    side = _side(store, run, tops, text)
    if not whole:
        return side
    return msgspec.structs.replace(
        side, kind="pipeline", said=f"the pipeline run of {run.start.started_at:%Y-%m-%d %H:%M}"
    )


def _side(store: Store, run: Run, tops: Sequence[Run], text: str) -> Side:
    found = {top.start.key: top for top in tops}
    passed: set[str] = set()
    for top in sorted(tops, key=lambda r: r.start.started_at, reverse=True):
        if top.start.key in passed:
            continue  # what it was built on came with what was built on it
        above = store.facts.ancestors(NodeKind.RUN, top.start.key).nodes
        for key in (node.key for node in above if node.kind is NodeKind.RUN):
            passed.add(key)
            if key not in found and (other := store.facts.run(key)) is not None:
                found[key] = other
    newest: dict[str, Run] = {}
    for one in sorted(found.values(), key=lambda r: r.start.started_at):
        newest[one.start.step] = one
    documents: dict[str, dict[str, Any]] = {}
    steps = {name: _step(store, one, documents) for name, one in newest.items() if name != PIPELINE}
    name = text[:12] if len(text) > 12 and _KEY.fullmatch(text) else text
    said = f"run of {run.start.step}"
    return Side(name=name, said=said, kind="run", steps=steps, about=_about(store, run), series=_series(store, newest))


def _about(store: Store, run: Run) -> dict[str, Any]:
    who = store.facts.recorder(NodeKind.RUN, run.start.key)
    taken = (run.end.ended_at - run.start.started_at).total_seconds() if run.end else None
    return {
        "run": run.start.key,
        "status": run.status.value,
        "started": run.start.started_at,
        "seconds": taken,
        "git": run.start.git_commit,
        "host": run.start.host or None,
        "who": f"{who.kind} {who.name}" if who else None,
        "tags": {k: v for k, v in run.start.tags.items() if k not in ("code", "environment")},
    }


def _series(store: Store, runs: dict[str, Run]) -> dict[str, list[tuple[int, float]]]:
    """Metrics with more than one point, by `step.metric`."""
    found = {}
    for name, run in runs.items():
        for metric, points in store.facts.metric_history(run.start.key).items():
            if len(points) > 1:
                found[f"{name.rpartition('.')[2]}.{metric}"] = points
    return found


def _step(store: Store, run: Run, documents: dict[str, dict[str, Any]]) -> StepSide:
    recipe, end, tags = run.start.recipe, run.end, run.start.tags
    environment = _document(store, tags.get("environment", ""), documents)
    document = _document(store, tags.get("code", ""), documents)
    return StepSide(
        step=run.start.step,
        run=run.start.key,
        status=run.status.value,
        started=run.start.started_at,
        seconds=(end.ended_at - run.start.started_at).total_seconds() if end else None,
        parameters=recipe.parameters if recipe else {},
        code=recipe.code if recipe else "",
        parts=reached(document, run.start.step),
        document=document,
        environment=recipe.environment if recipe else "",
        interpreter=str(environment.get("interpreter", "")),
        distributions=versions_of(environment.get("distributions", [])),
        inputs=dict(recipe.inputs) if recipe else dict(run.start.inputs),
        takes=dict(run.start.inputs),
        artifacts=end.outputs if end else {},
        metrics=end.metrics if end else {},
        source=recipe is not None and "code" not in tags,
    )


def _document(store: Store, digest: str, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What a run's `code` or `environment` tag stands for; empty where it is not kept."""
    if digest not in known:
        kept = bool(digest) and store.objects.exists(Digest(digest))
        known[digest] = msgspec.json.decode(store.objects.read(Digest(digest)), type=dict[str, Any]) if kept else {}
    return known[digest]


def versions_of(distributions: list[str]) -> dict[str, str]:
    """`name==version` texts as a mapping."""
    return dict(text.split("==", 1) for text in distributions if "==" in text)
