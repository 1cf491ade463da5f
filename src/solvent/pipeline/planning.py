"""Planning against a real store: the lookups behind `plan`."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, Run, RunStatus
from solvent.pipeline.discover import with_parameters
from solvent.pipeline.documents import parse_document, read_document
from solvent.pipeline.options import EVERYTHING, RunOptions
from solvent.pipeline.plan import Plan, code_changes, plan
from solvent.pipeline.sources import Snapshot, StatCache, snapshot
from solvent.pipeline.spec import LoggedSpec, PipelineSpec, Ref, SourceSpec, StepSpec
from solvent.store.objects import Corrupt, Missing

if TYPE_CHECKING:
    from solvent.pipeline.changes import Change
    from solvent.store import Store


class StoreLookups:
    """Lookups over a store and the project's files. Source digests are taken once, so that one run sees one state."""

    def __init__(self, root: Path, store: Store, spec: PipelineSpec, *, refresh: bool = False) -> None:
        self.root = root
        self.store = store
        self.refresh = refresh
        self.verify = spec.cache.verify
        self._code = spec.code
        self.stats = StatCache(store.root / "plan" / "stats.json")
        self._snapshots: dict[str, Snapshot] = {}
        self._steps = frozenset(spec.nodes)
        self._newest = store.facts.newest_runs(self._steps)  # most steps are as they were last time
        self._by_recipe = {run.start.recipe.digest: run for run in self._newest.values() if run.start.recipe}

    @property
    def variables(self) -> Mapping[str, str]:
        return os.environ

    def cached(self, recipes: Collection[Digest]) -> dict[Digest, Run]:
        known = {recipe: self._by_recipe[recipe] for recipe in recipes if recipe in self._by_recipe}
        others = [recipe for recipe in recipes if recipe not in known]
        return {**known, **self.store.facts.cached_runs(others)} if others else known

    def is_recent(self, recipe: Digest) -> bool:
        """Whether a finished run of the recipe is known without asking the store."""
        return recipe in self._by_recipe

    def last(self, step: str) -> tuple[Run | None, bool]:
        if step in self._newest:
            return self._newest[step], True
        if step in self._steps:
            return None, step in self._known
        done = self.store.facts.runs(step=step, status=RunStatus.DONE, limit=1)
        return (done[0], True) if done else (None, bool(self.store.facts.runs(step=step, limit=1)))

    def missing(self, artifact: Artifact) -> str:
        """Why an output cannot be used: '' where its bytes are there, or a remote has them.

        A missing one is fetched when it is read, a damaged one now.
        """
        why = self._damage(artifact)
        if not why or not self.store.available(artifact.digest, artifact.size):
            return why
        missing = self.store.objects.size(artifact.digest) is None
        return "" if missing or self._is_healed(artifact.digest) else why

    def _is_healed(self, digest: Digest) -> bool:
        try:
            self.store.objects.checked_path(digest)
        except (Corrupt, Missing):
            return False
        return True

    def _damage(self, artifact: Artifact) -> str:
        size = self.store.objects.size(artifact.digest)
        if size is None:
            return "is missing from the store"
        if size != artifact.size:
            return f"is damaged in the store: {size:,} bytes of {artifact.size:,}"
        if self.verify == "digest":
            try:
                self.store.objects.verify(artifact.digest)
            except Corrupt:
                return "is damaged in the store: its bytes are not those that were written"
        return ""

    def peak(self, step: str) -> int | None:
        """Most memory, in bytes, that the newest finished run of a step took; None where that is not known."""
        run = self._newest.get(step)
        return int(run.end.resources.get("max_rss_bytes", 0)) or None if run and run.end else None

    @cached_property
    def _known(self) -> set[str]:
        return self.store.facts.known_steps(self._steps - self._newest.keys())

    def source(self, source: SourceSpec) -> Digest:
        return self.snapshot(source).digest

    def snapshot(self, source: SourceSpec) -> Snapshot:
        """The files of a source as this run sees them. Raises: BadSource."""
        if source.name not in self._snapshots:
            state = self.store.root
            self._snapshots[source.name] = snapshot(source, self.root, state, self.stats, refresh=self.refresh)
            self.stats.save()
        return self._snapshots[source.name]

    def document(self, digest: str) -> dict[str, Any] | None:
        if not digest or not self.store.objects.exists(Digest(digest)):
            return None
        return msgspec.json.decode(self.store.objects.read(Digest(digest)), type=dict[str, Any])

    def code(self) -> dict[str, Any] | None:
        data = read_document(self.root, self._code)
        return parse_document(data) if data is not None else None


def plan_pipeline(root: Path, spec: PipelineSpec, store: Store, options: RunOptions = EVERYTHING) -> Plan:
    """What a run with these options would do, and why. Imports no user code, changes nothing.

    Raises: UnknownStep, BadParameter.
    """
    prepared = prepare(spec, options)
    return plan(prepared, options, StoreLookups(root.resolve(), store, prepared))


def changes_since(root: Path, spec: PipelineSpec, store: Store, names: Collection[str]) -> dict[str, list[Change]]:
    """How the code of steps differs from the code that they last finished with, by full name."""
    lookups = StoreLookups(root.resolve(), store, spec)
    lasts = {step.name: (step, lookups.last(step.name)[0]) for step in spec.steps if step.name in names}
    return {name: code_changes(step, last, lookups) for name, (step, last) in lasts.items() if last is not None}


def prepare(spec: PipelineSpec, options: RunOptions) -> PipelineSpec:
    """The spec with the run's own parameters and, where asked for, the built-in step for logged rows."""
    spec = with_parameters(spec, options.parameters, "the run's parameters")
    logged = options.logged
    return with_logged_rows(spec, logged.model, hidden=logged.hidden) if logged else spec


def with_logged_rows(spec: PipelineSpec, model: str, *, hidden: Mapping[str, Any] | None = None) -> PipelineSpec:
    """All that consumes the features of a model consumes them extended by logged rows. Raises: UnknownStep."""
    declared = spec.model(model)
    name = f"{declared.features.node.rpartition('.')[0]}.{declared.variable}_logged_rows"
    logged = LoggedSpec(name=name, model=declared.name, features=declared.features, hidden=dict(hidden or {}))

    def moved(ref: Ref) -> Ref:
        return Ref(node=name) if ref == declared.features else ref

    def rewired(step: StepSpec) -> StepSpec:
        inputs = tuple(msgspec.structs.replace(i, producer=moved(i.producer)) for i in step.inputs)
        return msgspec.structs.replace(step, inputs=inputs)

    models = tuple(
        msgspec.structs.replace(
            m, features=moved(m.features), evaluation=moved(m.evaluation), estimator=moved(m.estimator)
        )
        for m in spec.models
    )
    return msgspec.structs.replace(spec, steps=tuple(map(rewired, spec.steps)), models=models, logged=(logged,))
