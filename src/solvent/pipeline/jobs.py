"""What a run writes down: steps that start, end and are cancelled, with their artifacts and contract checks."""

from __future__ import annotations

import os
import socket
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from solvent.foundation.clock import wall_clock
from solvent.foundation.errors import SolventError
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest
from solvent.lineage.entities import NodeKind, RunEnd, RunStart, RunStatus
from solvent.pipeline.contractfile import Verdict, contract_broken, verdict
from solvent.pipeline.documents import read_document
from solvent.pipeline.environment import environment_document
from solvent.pipeline.journal import Journal
from solvent.pipeline.messages import Failure, Reply
from solvent.pipeline.options import RunOptions
from solvent.pipeline.plan import LOGGED_CODE, PlannedStep, make_recipe
from solvent.pipeline.planning import StoreLookups
from solvent.pipeline.spec import PipelineSpec, SourceSpec, StepSpec

if TYPE_CHECKING:
    from solvent.pipeline.logged import LoggedRows
    from solvent.store import Store
    from solvent.store.facts.recording import EdgeName


class Job:
    """An attempt at a step. claim: the name of its recipe's claim, held until its end is on record.

    timeout: seconds that it may take; deadline: on the monotonic clock. last: no other attempt follows.
    """

    def __init__(
        self, step: PlannedStep, claim: str, threads: int, attempt: int = 1, timeout: float | None = None
    ) -> None:
        self.key = uuid7()
        self.step = step
        self.claim = claim
        self.threads = threads
        self.attempt = attempt
        self.started = time.monotonic()
        self.deadline = None if timeout is None else self.started + timeout
        self.last = True


class Bookkeeper:
    """Records the steps of one pipeline run. parent: its key; commit: of the user's repository."""

    def __init__(
        self,
        root: Path,
        spec: PipelineSpec,
        store: Store,
        options: RunOptions,
        lookups: StoreLookups,
        parent: str,
        commit: str | None,
    ) -> None:
        self.root = root
        self.spec = spec
        self.nodes = spec.nodes
        self.store = store
        self.options = options
        self.lookups = lookups
        self.parent = parent
        self.commit = commit
        self.host = socket.gethostname()
        self.journal = Journal(store)

    def started(self, job: Job) -> None:
        """A step begins: its recipe, inputs, code and environment."""
        tags = {"attempt": str(job.attempt)} if job.attempt > 1 else {}
        self.journal.start(self._start(job.key, job.step, tags))

    def ended(self, job: Job, reply: Reply) -> Reply:
        """A step ended. Returns: the reply, with what its contract said, and failed where that stops the run."""
        node = self.nodes[job.step.name]
        if isinstance(node, SourceSpec) and reply.failure is None:
            reply = self._checked(job, node, reply)
        elif isinstance(node, StepSpec):
            reply = msgspec.structs.replace(reply, notes=[*node.notes, *reply.notes])
        failed = reply.failure
        end = RunEnd(
            key=job.key,
            status=RunStatus.DONE if failed is None else RunStatus.FAILED,
            ended_at=wall_clock(),
            outputs=reply.outputs,
            metrics=reply.metrics,
            log=Digest(reply.log) if reply.log else None,
            error=None if failed is None else ": ".join(filter(None, (failed.where, failed.what))),
            resources={"seconds": reply.seconds, "max_rss_bytes": reply.max_rss_bytes, "threads": float(job.threads)},
        )
        blobs = {Digest(digest): data for digest, data in reply.blobs.items()}
        self.journal.end(end, blobs, _member_edges(reply), reply.members)
        return reply

    def logged(self, step: PlannedStep, added: LoggedRows, seconds: float) -> tuple[Reply, str]:
        """Record the built-in step for logged rows, whose provenance reaches the log's segments."""
        key = uuid7()
        start = self._start(key, step, {})
        if step.recipe is not None:
            contents = {**step.recipe.inputs, "logged": added.content}
            recipe = make_recipe(LOGGED_CODE, step.recipe.environment, step.recipe.parameters, contents)
            start = msgspec.structs.replace(start, recipe=recipe)
        inputs = {**start.inputs, **{f"segment {i}": digest for i, digest in enumerate(added.segments)}}
        self.journal.start(msgspec.structs.replace(start, inputs=inputs))
        outputs, resources = {"result": added.artifact}, {"seconds": seconds}
        end = RunEnd(key=key, status=RunStatus.DONE, ended_at=wall_clock(), outputs=outputs, resources=resources)
        self.journal.end(end, {}, [])
        return Reply(outputs=outputs, seconds=seconds), key

    def contract(self, source: SourceSpec) -> Path | None:
        """The contract file of a source, whether it is there or not; None for a source without one."""
        return self.root / source.contract if source.contract else None

    def verdict(self, source: SourceSpec) -> Verdict:
        """What is known of a source's files under its contract. Raises: BadSource."""
        return verdict(self.store.facts, self.contract(source), self._files(source))

    def against_contract(self, step: PlannedStep, source: SourceSpec) -> PlannedStep:
        """A fresh source, or a stale one where its contract has not seen all its files or is broken and that stops."""
        contract = self.contract(source)
        if contract is None or not contract.exists():
            return step
        try:
            known = self.verdict(source)
            if known.broken and self.spec.on_break == "stop":
                raise contract_broken(step.label, known.broken)
        except SolventError as error:
            return msgspec.structs.replace(step, state="stale", reason=error.what, error=error)
        if known.checked != self._files(source):
            return msgspec.structs.replace(step, state="stale", reason="its contract changed")
        return msgspec.structs.replace(step, notes=known.broken)

    def _files(self, source: SourceSpec) -> set[Digest]:
        return {member.digest for member in self.lookups.snapshot(source).members}

    def _start(self, key: str, step: PlannedStep, tags: dict[str, str]) -> RunStart:
        node = self.nodes[step.name]
        tags = {**tags, "environment": self._environment}
        if isinstance(node, StepSpec) and self._code:
            tags["code"] = self._code
        return RunStart(
            key=key,
            step=step.name,
            started_at=wall_clock(),
            recipe=step.recipe,
            inputs={name: artifact.digest for name, artifact in step.inputs.items()},
            makers=step.makers,
            parent=self.parent,
            host=self.host,
            pid=os.getpid(),
            git_commit=self.commit,
            tags={**tags, **self.options.tags},
        )

    @cached_property
    def _environment(self) -> Digest:
        return self.journal.keep("environment", environment_document(self.spec.distributions))

    @cached_property
    def _code(self) -> Digest | None:
        """One document for all steps: what each reaches, so that `why` can say later what changed."""
        data = read_document(self.root, self.spec.code)
        return self.journal.keep("code", data) if data is not None else None

    def _checked(self, job: Job, source: SourceSpec, reply: Reply) -> Reply:
        """Record a source's raw files and contract checks before its run ends."""
        if reply.checks:
            contracts = {check.contract.digest: check.contract for check in reply.checks}
            self.store.facts.add_artifacts([*reply.members, *contracts.values(), *reply.outputs.values()])
        for check in reply.checks:
            self.store.facts.add_contract_check(
                Digest(check.file), check.contract.digest, check.ok, check.violations, wall_clock()
            )
        broken = self.verdict(source).broken
        reply = msgspec.structs.replace(reply, notes=[*reply.notes, *broken])
        if not broken or self.spec.on_break != "stop":
            return reply
        error = contract_broken(job.step.label, broken)
        failure = Failure(code=error.code, what=error.what, where=error.where, next=error.next)
        return msgspec.structs.replace(reply, failure=failure, outputs={})


def _member_edges(reply: Reply) -> list[EdgeName]:
    """file → tree → table: the first member is what the source's location was."""
    if not reply.members or reply.failure is not None:
        return []
    raw, *files = [(NodeKind.ARTIFACT, str(member.digest)) for member in reply.members]
    tables = [(NodeKind.ARTIFACT, str(a.digest)) for a in reply.outputs.values() if a.digest != raw[1]]
    return [*((file, raw, "member") for file in files), *((raw, table, "files") for table in tables)]
