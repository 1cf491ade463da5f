"""Running a pipeline: what is stale goes to worker processes, in parallel where the graph allows.

Each executed step is a run, recorded when it starts and, with everything that it
made, when it ends; all belong to the run of the pipeline. A lease on the recipe
keeps two processes from doing the same work: the second waits and finds it done.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from solvent.foundation.clock import wall_clock
from solvent.foundation.errors import SolventError
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, Run, RunEnd, RunStart, RunStatus
from solvent.pipeline.jobs import Bookkeeper, Job
from solvent.pipeline.logged import add_logged_rows
from solvent.pipeline.messages import Failure, Reply
from solvent.pipeline.options import (
    EVERYTHING,
    PipelineRun,
    Progress,
    RunOptions,
    State,
    StepEvent,
    StepOutput,
    StepResult,
)
from solvent.pipeline.plan import Judge, PlannedStep
from solvent.pipeline.planning import StoreLookups, prepare
from solvent.pipeline.processes import LiveProcesses, sweep_scratch
from solvent.pipeline.revision import git_commit
from solvent.pipeline.spec import LoggedSpec, PipelineSpec, Ref, SourceSpec, inputs_of
from solvent.pipeline.tasks import make_task
from solvent.pipeline.workers import Code, WorkerPool
from solvent.store.leases import Busy

if TYPE_CHECKING:
    from solvent.store import Store

_POLL_SECONDS = 0.05  # how often a recipe that another process works on is looked at again


def run_pipeline(
    root: Path,
    spec: PipelineSpec,
    store: Store,
    options: RunOptions = EVERYTHING,
    progress: Progress | None = None,
    pool: WorkerPool | None = None,
) -> PipelineRun:
    """Bring the targets up to date and say what was done.

    pool: workers to use and leave open (a tick keeps them warm); without one they
    are started when the first step needs them and ended with the run. A failed step
    is a result, not an error. Raises: UnknownStep, BadParameter; KeyboardInterrupt
    after the runs are recorded as cancelled.
    """
    with contextlib.ExitStack() as stack:
        if pool is None:
            pool = stack.enter_context(WorkerPool(root, store.root, options.workers or spec.workers))
        return _Execution(root.resolve(), prepare(spec, options), store, options, progress, pool).run()


class _Execution:
    """One run of a pipeline. results: by full name; values: by output; waiting: not started yet."""

    def __init__(
        self,
        root: Path,
        spec: PipelineSpec,
        store: Store,
        options: RunOptions,
        progress: Progress | None,
        pool: WorkerPool,
    ) -> None:
        self.root = root
        self.spec = spec
        self.store = store
        self.options = options
        self.progress = progress
        self.pool = pool
        self.key = uuid7()
        self.made: set[Digest] = set()  # recipes that this run has worked out
        self.nodes = spec.nodes
        self.lookups = StoreLookups(root, store, spec, refresh=True)
        self.judge = Judge(spec, options, self.lookups)
        self.order = spec.needed(options.targets)
        self.waiting = list(self.order)
        self.planned: dict[str, PlannedStep] = {}
        self.judged: dict[str, float] = {}  # when, on the monotonic clock
        self.results: dict[str, StepResult] = {}
        self.values: dict[Ref, Artifact] = {}
        self.running: dict[str, Job] = {}
        self.books = Bookkeeper(root, spec, store, options, self.lookups, self.key, git_commit(root))
        self.again: set[str] = set()  # steps to run although a finished run of their recipe is there
        self.stopped = False

    def run(self) -> PipelineRun:
        started = time.perf_counter()
        self.store.facts.mark_lost(self.books.host, LiveProcesses())
        sweep_scratch(self.store.root / "scratch")
        tags = {"targets": " ".join(self.options.targets), **self.options.tags}
        start = RunStart(
            key=self.key, step="pipeline", started_at=wall_clock(), host=self.books.host, pid=os.getpid(),
            git_commit=self.books.commit, tags={name: value for name, value in tags.items() if value},
        )  # fmt: skip
        self.store.facts.start_run(start)
        files = {name: stamp.digest for name, stamp in self.spec.files.items()}
        self.pool.prepare(Code(files, self.spec.environment), self._width())
        status = RunStatus.FAILED
        try:
            self._loop()
            status = RunStatus.DONE if all(r.state in ("ran", "cached") for r in self.results.values()) else status
        except KeyboardInterrupt:
            status = RunStatus.CANCELLED
            raise
        finally:
            self._abandon()
            self.store.facts.end_run(RunEnd(key=self.key, status=status, ended_at=wall_clock()))
        return PipelineRun(key=self.key, steps=list(self.results.values()), seconds=time.perf_counter() - started)

    def _loop(self) -> None:
        while self.waiting or self.running:
            held = self._advance()
            if not self.running and not held and self.waiting:
                continue
            if self.running or held:
                for key, reply in self.pool.wait(_POLL_SECONDS if held else None):
                    self._finish(self.running.pop(key), reply)

    def _advance(self) -> bool:
        """Settle or start every step that can be; whether one is held back by another process."""
        held = False
        for name in list(self.waiting):
            refs = inputs_of(self.nodes[name])
            if any(ref.node not in self.results for ref in refs.values()):
                continue
            broken = sorted(
                {ref.node for ref in refs.values() if self.results[ref.node].state not in ("ran", "cached")}
            )
            if broken or self.stopped:
                because = ", ".join(self.judge.labels[b] for b in broken)
                self._settle(name, "skipped", f"{because} did not run through" if broken else "another step failed")
                continue
            step = self._planned(name, {p: self.values[ref] for p, ref in refs.items()})
            step = msgspec.structs.replace(step, makers={p: self.results[ref.node].run for p, ref in refs.items()})
            if step.state == "fresh":
                self._reuse(step)
            elif step.error is not None:
                self._settle(name, "failed", step.reason, error=step.error.as_json()["error"])
            elif self.pool.free and not self._start(step):
                held = True
        return held

    def _planned(self, name: str, inputs: dict[str, Artifact]) -> PlannedStep:
        """A step as judged once in this run; a fresh source whose files its contract has not seen is read again."""
        if name not in self.planned:
            step, node = self.judge(name, inputs), self.nodes[name]
            if isinstance(node, SourceSpec) and step.state == "fresh":
                step = self.books.against_contract(step, node)
                if step.state == "stale":
                    self.again.add(name)
            if self.options.force:
                self.again.add(name)
            self.planned[name] = step
            self.judged[name] = time.monotonic()
        return self.planned[name]

    def _start(self, step: PlannedStep) -> bool:
        """Start a stale step, unless another process works on the same recipe. Returns: whether it is settled."""
        node = self.nodes[step.name]
        if isinstance(node, LoggedSpec):
            self._tell(step.name, "running", step.reason)
            self._add_logged(step, node)
            return True
        recipe = step.recipe.digest if step.recipe else Digest("")
        lease = contextlib.ExitStack()
        try:
            lease.enter_context(self.store.lease(f"recipe {recipe}"))
        except Busy:
            return False
        done = self._made_meanwhile(step, recipe)
        if done is not None:
            lease.close()
            self._reuse(msgspec.structs.replace(step, state="fresh", reason="another process made it", run=done))
            return True
        self._tell(step.name, "running", step.reason)
        job = Job(step, lease)
        try:
            task = make_task(node, step, self.spec, self.options, self.books)
            self.books.started(job, self.pool.threads)
            self.running[job.key] = job
            self.waiting.remove(step.name)
            self.pool.submit(job.key, task)
        except BaseException:
            if job.key not in self.running:
                lease.close()
            raise
        return True

    def _made_meanwhile(self, step: PlannedStep, recipe: Digest) -> Run | None:
        """A run of the recipe that another process, or another step, finished since this one was judged stale."""
        just_judged = time.monotonic() - self.judged[step.name] < _POLL_SECONDS
        if step.name in self.again or (just_judged and recipe not in self.made):
            return None
        done = self.lookups.cached([recipe]).get(recipe)
        whole = done is not None and not any(map(self.lookups.missing, done.end.outputs.values() if done.end else ()))
        return done if whole else None

    def _finish(self, job: Job, reply: Reply) -> None:
        with job.lease:
            reply = self.books.ended(job, reply)
        name = job.step.name
        if reply.failure is not None:
            self._settle(name, "failed", job.step.reason, reply=reply, run=job.key)
            self.stopped = self.stopped or not self.options.keep_going
        else:
            if job.step.recipe is not None:
                self.made.add(job.step.recipe.digest)
            self._settle(name, "ran", job.step.reason, reply=reply, run=job.key, outputs=reply.outputs)

    def _add_logged(self, step: PlannedStep, node: LoggedSpec) -> None:
        logged = self.options.logged
        as_of = (logged.as_of if logged else None) or self.options.as_of
        started = time.perf_counter()
        try:
            added = add_logged_rows(
                self.store, self.spec.model(node.model), step.inputs["features"], as_of, self.options.since
            )
        except SolventError as error:
            self._settle(step.name, "failed", step.reason, error=error.as_json()["error"])
            return
        reply, run = self.books.logged(step, added, time.perf_counter() - started)
        self._settle(
            step.name,
            "ran",
            f"{added.rows:,} rows from the prediction log",
            reply=reply,
            run=run,
            outputs=reply.outputs,
        )

    def _reuse(self, step: PlannedStep) -> None:
        run = step.run
        self._settle(step.name, "cached", step.reason, run=run.start.key if run else "", outputs=step.outputs)

    def _settle(
        self,
        name: str,
        state: State,
        reason: str,
        *,
        reply: Reply | None = None,
        run: str = "",
        outputs: dict[str, Artifact] | None = None,
        error: dict[str, str] | None = None,
    ) -> None:
        if name in self.waiting:
            self.waiting.remove(name)
        outputs = outputs or {}
        self.values.update({Ref(node=name, output=o): artifact for o, artifact in outputs.items()})
        if reply is not None and reply.failure is not None:
            error = _error(reply.failure)
        result = StepResult(
            name=name,
            label=self.judge.labels[name],
            state=state,
            reason=reason,
            seconds=reply.seconds if reply else 0.0,
            outputs=[_output(o, a) for o, a in outputs.items()],
            run=run,
            error=error,
            notes=reply.notes if reply else self.planned[name].notes if name in self.planned else [],
            log=Digest(reply.log) if reply and reply.log else None,
        )
        self.results[name] = result
        self._tell(name, state, reason, result)

    def _tell(self, name: str, state: State | str, reason: str, result: StepResult | None = None) -> None:
        if self.progress is not None:
            label = self.judge.labels[name]
            values = {"name": name, "label": label, "state": state, "reason": reason, "result": result}
            self.progress(StepEvent(**values, done=len(self.results), total=len(self.order)))  # type: ignore[arg-type]

    def _abandon(self) -> None:
        """After Ctrl-C or an error of ours: stop what runs and record it as cancelled."""
        if self.running:
            self.pool.cancel()
        for job in self.running.values():
            self.books.cancelled(job)
            job.lease.close()
        self.running.clear()

    def _width(self) -> int:
        """Most steps that could run at once: the largest number on one level of the graph."""
        level: dict[str, int] = {}
        for name in self.order:
            level[name] = 1 + max((level[r.node] for r in inputs_of(self.nodes[name]).values()), default=0)
        return max((list(level.values()).count(n) for n in set(level.values())), default=1)


def _error(failure: Failure) -> dict[str, str]:
    return {"code": failure.code, "what": failure.what, "where": failure.where, "next": failure.next}


def _output(name: str, artifact: Artifact) -> StepOutput:
    return StepOutput(
        name=name,
        digest=artifact.digest,
        content=artifact.content,
        type=artifact.type,
        format=artifact.format,
        about=artifact.about,
    )
