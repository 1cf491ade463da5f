"""Shadows: the project's own pipeline, run as of an instant on each training span."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from solvent.automation.state import Shadow
from solvent.foundation.clock import parse_span
from solvent.lineage.digests import Digest
from solvent.lineage.entities import ArtifactType
from solvent.monitoring.policy import parts_of
from solvent.pipeline import Logged, RunOptions, WorkerPool, run_pipeline
from solvent.pipeline.spec import RESULT, ModelSpec, PipelineSpec, Ref
from solvent.pipeline.workers import usable_cores

if TYPE_CHECKING:
    from solvent.pipeline import PipelineRun
    from solvent.project import Project
    from solvent.registry.signature import Plain
    from solvent.store import Store


class Pools:
    """Worker processes of a loop: one for each training span, so that spans train side by side."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._pools: list[WorkerPool] = []

    def take(self, count: int) -> list[WorkerPool]:
        """The first `count` pools of one worker each, started on first use."""
        threads = max(1, usable_cores() // count)
        while len(self._pools) < count:
            self._pools.append(WorkerPool(self._project.root, self._project.state, workers=1, threads=threads))
        return self._pools[:count]

    def close(self) -> None:
        for pool in self._pools:
            pool.close()
        self._pools = []


def make_shadows(
    project: Project,
    model: ModelSpec,
    spans: Sequence[str],
    as_of: datetime,
    pools: Pools,
    *,
    hidden: Mapping[str, Mapping[str, Plain]] | None = None,
) -> list[Shadow | str]:
    """One shadow for each span, trained side by side; for one that failed, why.

    hidden: by span, where it is one without a feature, the value that stands in that feature's place.
    """
    workers, spec = pools.take(len(spans)), project.spec
    values = [(hidden or {}).get(span) for span in spans]

    def made(span: str, pool: WorkerPool, instead: Mapping[str, Plain] | None) -> Shadow | str:
        return make_shadow(project, spec, model, span, as_of, pool, hidden=instead)

    with ThreadPoolExecutor(len(spans)) as threads:
        return list(threads.map(made, spans, workers, values))


def make_shadow(
    project: Project,
    spec: PipelineSpec,
    model: ModelSpec,
    span: str,
    as_of: datetime,
    pool: WorkerPool,
    *,
    hidden: Mapping[str, Plain] | None = None,
) -> Shadow | str:
    """Run the pipeline as of an instant on a span ("all" or a length of time back from it).

    hidden: features that the model does not get to know, each with the value that stands in its place.
    Returns: the shadow, or a sentence that says which step failed and how.
    """
    reach, _ = parts_of(span)
    since = None if reach == "all" else as_of - parse_span(reach)
    options = RunOptions(
        targets=(target(model.estimator), target(model.evaluation)),
        as_of=as_of,
        since=since,
        logged=Logged(model=model.name, as_of=as_of, hidden=dict(hidden or {})),
        tags={"shadow": span, "model": model.name},
    )
    run = run_pipeline(project.root, spec, project.store, options, pool=pool)
    failed = next((step for step in run.steps if step.state == "failed"), None)
    if failed is not None:
        what = (failed.error or {}).get("what", failed.reason)
        return f"the pipeline failed at `{failed.label}` as of {as_of:%Y-%m-%d} on {span}: {what}"
    return shadow_of(project.store, model, run, span, as_of, hidden=hidden)


def shadow_of(
    store: Store,
    model: ModelSpec,
    run: PipelineRun,
    span: str,
    made_at: datetime,
    *,
    hidden: Mapping[str, Plain] | None = None,
) -> Shadow:
    """The parts of a finished pipeline run that make up a model."""
    fitted = run.output(target(model.estimator))
    made_by = run.step(model.estimator.node).run
    artifact = store.facts.artifact(fitted.digest)
    return Shadow(
        span=span,
        made_at=made_at,
        run=made_by,
        estimator=fitted.digest,
        training=training_table(store, made_by, model.target),
        evaluation=run.output(target(model.evaluation)).digest,
        size=artifact.size if artifact else 0,
        hidden=dict(hidden or {}),
    )


def training_table(store: Store, run: str, label: str) -> Digest:
    """Digest of the table that an estimator's run learned from: the dataset among its inputs that has the target."""
    made = store.facts.run(run)
    inputs = made.start.inputs if made else {}
    artifacts = store.facts.artifacts(list(inputs.values()))
    tables = [a for a in artifacts.values() if a.type is ArtifactType.DATASET]
    named = [a for a in tables if label in a.about.get("columns", {})]
    return next((a.digest for a in [*named, *tables]), Digest(""))


def target(ref: Ref) -> str:
    """A reference as a target of a run: `pipeline.fit`, `pipeline.split.train`."""
    return ref.node if ref.output == RESULT else f"{ref.node}.{ref.output}"


def freshest(shadows: Iterable[Shadow], before: datetime) -> list[Shadow]:
    """For each span the newest shadow that was made by `before`."""
    newest: dict[str, Shadow] = {}
    for shadow in sorted(shadows, key=lambda shadow: shadow.made_at):
        if shadow.made_at <= before:
            newest[shadow.span] = shadow
    return list(newest.values())


def model_spec(spec: PipelineSpec, name: str) -> ModelSpec | None:
    """The declaration of a registered model, where the pipeline still has it."""
    return next((model for model in spec.models if model.name == name), None)
