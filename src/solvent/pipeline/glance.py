"""Planning for a plain `solvent status`, `why` or `run`: what is fresh, answered without opening the store."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from solvent.foundation.clock import EPOCH, from_micros
from solvent.foundation.errors import SolventError
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, ArtifactType, Run, RunEnd, RunStart, RunStatus
from solvent.pipeline.agenda import Agenda
from solvent.pipeline.contractfile import contract_artifact
from solvent.pipeline.discover import with_parameters
from solvent.pipeline.download import is_url
from solvent.pipeline.options import EVERYTHING, PipelineRun, RunOptions, StepOutput, StepResult
from solvent.pipeline.plan import Plan, PlannedStep, plan
from solvent.pipeline.sources import Snapshot, StatCache, snapshot
from solvent.pipeline.spec import PipelineSpec, SourceSpec, inputs_of
from solvent.store.lent import lent
from solvent.store.quick import QuickRun, QuickStore


class QuickLookups:
    """Lookups through plain SQL. What a stale step was before is not looked up: `why` opens the store for that."""

    def __init__(self, root: Path, state: Path, store: QuickStore, spec: PipelineSpec, *, lent: bool = True) -> None:
        """lent: count what the remote promised as there."""
        self.root = root
        self.state = state
        self.store = store
        self.stats = StatCache(state / "plan" / "stats.json")
        self.snapshots: dict[str, Snapshot] = {}
        self._objects = str(state / "objects")
        self._trusts = lent
        self._newest = store.newest(spec.nodes)  # most steps are as they were last time

    @property
    def variables(self) -> Mapping[str, str]:
        return os.environ

    def cached(self, recipes: Collection[Digest]) -> dict[Digest, Run]:
        found: dict[str, QuickRun] = {recipe: self._newest[recipe] for recipe in recipes if recipe in self._newest}
        others = [recipe for recipe in recipes if recipe not in found]
        if others:
            found |= self.store.cached(others)
        return {Digest(recipe): _run(run) for recipe, run in found.items()}

    def last(self, step: str) -> tuple[Run | None, bool]:
        return None, self.store.has_run(step)

    def missing(self, artifact: Artifact) -> str:
        """Are the bytes there, by size, or were they promised by the remote that their facts came from?"""
        digest = artifact.digest
        try:
            here = Path(f"{self._objects}/{digest[:2]}/{digest}").stat().st_size == artifact.size
        except OSError:
            here = False
        return "" if here or (self._trusts and digest in self.lent) else "is missing from the store"

    @cached_property
    def lent(self) -> frozenset[str]:
        return lent(self.state)

    def source(self, source: SourceSpec) -> Digest:
        found = self.snapshots[source.name] = snapshot(source, self.root, self.state, self.stats, refresh=False)
        self.stats.save()
        return found.digest

    def document(self, digest: str) -> dict[str, Any] | None:  # noqa: ARG002  nothing is kept here
        return None

    def code(self) -> dict[str, Any] | None:
        return None


def glance(root: Path, state: Path, spec: PipelineSpec, store: QuickStore, options: RunOptions = EVERYTHING) -> Plan:
    """Which steps are fresh now. Imports no user code and changes nothing. Raises: UnknownStep."""
    return plan(spec, options, QuickLookups(root, state, store, spec))


def idle_run(root: Path, state: Path, spec: PipelineSpec, store: QuickStore, options: RunOptions) -> PipelineRun | None:
    """What a run says that has nothing to do; None where it has, or where only an opened store can tell.

    Raises: UnknownStep, BadParameter.
    """
    started = time.perf_counter()
    spec = with_parameters(spec, options.parameters, "the run's parameters")
    if options.force or options.logged or spec.cache.verify != "size" or _has_more_to_look_at(state, spec, store):
        return None
    lookups = QuickLookups(root, state, store, spec, lent=False)
    found = plan(spec, options, lookups)
    if not found.fresh or not _is_fine(root, spec, lookups):
        return None
    steps = {step.name: step for step in found.steps}
    nodes = spec.nodes
    agenda = Agenda(list(steps), {name: {ref.node for ref in inputs_of(nodes[name]).values()} for name in steps})
    results: list[StepResult] = []
    while ready := agenda.take():  # in the order in which a run would have settled them
        for name in ready:
            agenda.done(name)
            results.append(_result(steps[name]))
    return PipelineRun(key=uuid7(), steps=results, seconds=time.perf_counter() - started)


def _has_more_to_look_at(state: Path, spec: PipelineSpec, store: QuickStore) -> bool:
    """Whether a run would ask a server, or look after another run that may be going on or may have died."""
    scratch = state / "scratch"
    return (
        any(is_url(source.location) for source in spec.sources)
        or store.status().runs.get(RunStatus.RUNNING.value, 0) > 0
        or (scratch.is_dir() and any(scratch.iterdir()))
    )


def _is_fine(root: Path, spec: PipelineSpec, lookups: QuickLookups) -> bool:
    """Whether the contracts, as they are now, have found all files that were looked at to be fine."""
    contracts = {source.name: root / source.contract for source in spec.sources if source.contract}
    for name, seen in lookups.snapshots.items():
        if name in contracts and contracts[name].exists():
            files = {member.digest for member in seen.members}
            try:
                checked = lookups.store.checked(contract_artifact(contracts[name]).digest, files)
            except SolventError:  # no contract; the run says so
                return False
            if not all(checked.get(file) for file in files):
                return False
    return True


def _result(step: PlannedStep) -> StepResult:
    outputs = [
        StepOutput(name=name, digest=a.digest, content=a.content, type=a.type, format=a.format)
        for name, a in step.outputs.items()
    ]
    run = step.run.start.key if step.run else ""
    return StepResult(name=step.name, label=step.label, state="cached", reason=step.reason, outputs=outputs, run=run)


def _run(run: QuickRun) -> Run:
    """As much of a run as planning looks at."""
    artifacts = {
        o.name: Artifact(
            digest=Digest(o.digest), content=Digest(o.content), type=ArtifactType(o.type), format=o.format, size=o.size
        )
        for o in run.outputs
    }
    return Run(
        start=RunStart(key=run.key, step="", started_at=EPOCH),
        end=RunEnd(key=run.key, status=RunStatus.DONE, ended_at=from_micros(run.ended_at), outputs=artifacts),
    )
