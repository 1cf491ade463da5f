"""Planning for `solvent status`: what is fresh, answered without opening the store."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from solvent.foundation.clock import EPOCH
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, ArtifactType, Run, RunEnd, RunStart, RunStatus
from solvent.pipeline.options import RunOptions
from solvent.pipeline.plan import Plan, plan
from solvent.pipeline.sources import StatCache, snapshot
from solvent.pipeline.spec import PipelineSpec, SourceSpec
from solvent.store.lent import lent
from solvent.store.quick import QuickOutput, QuickStore


class QuickLookups:
    """Lookups through plain SQL. What a stale step was before is not looked up: `why` opens the store for that."""

    def __init__(self, root: Path, state: Path, store: QuickStore) -> None:
        self.root = root
        self.state = state
        self.store = store
        self.stats = StatCache(state / "plan" / "stats.json")

    @property
    def variables(self) -> Mapping[str, str]:
        return os.environ

    def cached(self, recipes: Collection[Digest]) -> dict[Digest, Run]:
        return {Digest(recipe): _run(outputs) for recipe, outputs in self.store.cached(recipes).items()}

    def last(self, step: str) -> tuple[Run | None, bool]:
        return None, self.store.has_run(step)

    def missing(self, artifact: Artifact) -> str:
        """Are the bytes there, by size, or were they promised by the remote that their facts came from?"""
        blob = self.state / "objects" / artifact.digest[:2] / artifact.digest
        here = blob.is_file() and blob.stat().st_size == artifact.size
        return "" if here or artifact.digest in self.lent else "is missing from the store"

    @cached_property
    def lent(self) -> frozenset[str]:
        return lent(self.state)

    def source(self, source: SourceSpec) -> Digest:
        found = snapshot(source, self.root, self.state, self.stats, refresh=False)
        self.stats.save()
        return found.digest

    def document(self, digest: str) -> dict[str, Any] | None:  # noqa: ARG002  nothing is kept here
        return None

    def code(self) -> dict[str, Any] | None:
        return None


def glance(root: Path, state: Path, spec: PipelineSpec, store: QuickStore) -> Plan:
    """Which steps are fresh now. Imports no user code and changes nothing."""
    return plan(spec, RunOptions(), QuickLookups(root, state, store))


def _run(outputs: list[QuickOutput]) -> Run:
    """As much of a run as planning looks at."""
    artifacts = {
        o.name: Artifact(
            digest=Digest(o.digest), content=Digest(o.content), type=ArtifactType(o.type), format=o.format, size=o.size
        )
        for o in outputs
    }
    return Run(
        start=RunStart(key="", step="", started_at=EPOCH),
        end=RunEnd(key="", status=RunStatus.DONE, ended_at=EPOCH, outputs=artifacts),
    )
