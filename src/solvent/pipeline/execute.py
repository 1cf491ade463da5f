"""Running a pipeline: what is stale goes to worker processes, in parallel where the graph allows.

Each executed step is a run; all belong to the run of the pipeline. A step may start
from what another has made before that is on record (`journal`): both become durable
together or not at all. A claim on the recipe keeps two processes from doing the same
work: the second waits and finds it done.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from solvent.foundation.clock import wall_clock
from solvent.foundation.errors import SolventError
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, RunEnd, RunStart, RunStatus
from solvent.pipeline.agenda import Agenda
from solvent.pipeline.attempts import Attempts, timed_out
from solvent.pipeline.jobs import Bookkeeper, Job
from solvent.pipeline.logged import add_logged_rows
from solvent.pipeline.memory import MemoryBudget, available_bytes
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
from solvent.pipeline.tasks import TaskMaker
from solvent.pipeline.workers import Code, Finished, WorkerPool

if TYPE_CHECKING:
    from solvent.store import Store
    from solvent.store.claims import Claims

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
        stack.enter_context(store.session())
        if pool is None:
            pool = stack.enter_context(WorkerPool(root, store.root, options.workers or spec.workers))
        claims = stack.enter_context(store.claims())
        return _Execution(root.resolve(), prepare(spec, options), store, options, progress, pool, claims).run()


class _Execution:
    """One run of a pipeline.

    results: by full name, as they will stand once they are on record; values: by output.
    stale: steps to be started when a worker is free; blocked: those whose recipe someone else works on.
    running: jobs by key; unrecorded: jobs that ended and wait for the commit.
    """

    def __init__(
        self,
        root: Path,
        spec: PipelineSpec,
        store: Store,
        options: RunOptions,
        progress: Progress | None,
        pool: WorkerPool,
        claims: Claims,
    ) -> None:
        self.spec = spec
        self.store = store
        self.options = options
        self.progress = progress
        self.pool = pool
        self.claims = claims
        self.key = uuid7()
        self.nodes = spec.nodes
        self.lookups = StoreLookups(root, store, spec, refresh=True)
        self.judge = Judge(spec, options, self.lookups)
        self.inputs = {name: inputs_of(self.nodes[name]) for name in spec.needed(options.targets)}
        self.agenda = Agenda(list(self.inputs), {n: {r.node for r in refs.values()} for n, refs in self.inputs.items()})
        self.stale: deque[str] = deque()
        self.blocked: list[str] = []
        self.planned: dict[str, PlannedStep] = {}
        self.results: dict[str, StepResult] = {}
        self.told = 0
        self.values: dict[Ref, Artifact] = {}
        self.running: dict[str, Job] = {}
        self.unrecorded: dict[str, Job] = {}
        self.books = Bookkeeper(root, spec, store, options, self.lookups, self.key, git_commit(root))
        self.journal = self.books.journal
        self.tasks = TaskMaker(spec, options, self.books)
        self.attempts = Attempts(self.nodes)
        self.budget = MemoryBudget(spec.memory or available_bytes())
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
        while self.agenda or self.running or self.unrecorded:
            self._advance()
            if self.journal.wait == 0 or (not self.running and self.journal.wait is not None):
                self._commit()
            elif self.running or self.blocked or self.agenda.next_due is not None:
                for finished in (self.pool.wait(self._patience()), self._overdue()):
                    for key, reply in finished:
                        self._finish(self.running.pop(key), reply)

    def _patience(self) -> float | None:
        """Seconds for which nothing but a worker's answer matters."""
        waits = [self.journal.wait, _POLL_SECONDS if self.blocked else None]
        instants = [self.agenda.next_due, *(job.deadline for job in self.running.values())]
        now = time.monotonic()
        waits += [max(0.0, instant - now) for instant in instants if instant is not None]
        return min((w for w in waits if w is not None), default=None)

    def _overdue(self) -> Iterator[Finished]:
        """Stop the attempts that take longer than their step may."""
        now = time.monotonic()
        for job in list(self.running.values()):
            if job.deadline is not None and job.deadline <= now:
                yield Finished(job.key, timed_out(job, self.pool.stop(job.key)))

    def _advance(self) -> None:
        """Settle what needs no worker, and start as much of the rest as there are workers for."""
        while ready := self.agenda.take():
            for name in ready:
                if self._unneeded(name):
                    continue
                if not self._is_known(name) or self._judged(name) is not None:
                    self.stale.append(name)
        self.stale.extendleft(reversed(self.blocked))
        self.blocked.clear()
        self.stale.extend(self.agenda.due(time.monotonic()))
        while self.stale and self.pool.free and self.budget.admits(self._need(self.stale[0])):
            name = self.stale.popleft()
            if not self._unneeded(name):
                self._start(name)

    def _need(self, name: str) -> int:
        """Memory of a step, in bytes, as far as it is known."""
        return self.attempts.limits(name).memory or self.lookups.peak(name) or 0

    def _unneeded(self, name: str) -> bool:
        """Settle a step as skipped where a producer did not run through, or where nothing new is to start."""
        nodes = {ref.node for ref in self.inputs[name].values()}
        broken = sorted(node for node in nodes if self.results[node].state not in ("ran", "cached"))
        if broken or self.stopped:
            because = ", ".join(self.judge.labels[b] for b in broken)
            self._settle(name, "skipped", f"{because} did not run through" if broken else "another step failed")
        return bool(broken) or self.stopped

    def _is_known(self, name: str) -> bool:
        """Whether a step can be judged without asking the store, and so before it is claimed."""
        node = self.nodes[name]
        if isinstance(node, LoggedSpec):
            return False
        try:
            return self.lookups.is_recent(self.judge.recipe(node, self._given(name)).digest)
        except SolventError:
            return True  # it is judged to be in error

    def _given(self, name: str) -> dict[str, Artifact]:
        return {parameter: self.values[ref] for parameter, ref in self.inputs[name].items()}

    def _judged(self, name: str) -> PlannedStep | None:
        """Settle a step that is fresh or in error; one that is to run is returned, or waits for a worker."""
        step = self._plan(name)
        if step.state == "fresh":
            run = step.run
            self._settle(name, "cached", step.reason, run=run.start.key if run else "", outputs=step.outputs)
        elif step.error is not None:
            self._settle(name, "failed", step.reason, error=step.error.as_json()["error"])
        else:
            return step
        return None

    def _plan(self, name: str) -> PlannedStep:
        """Judge a step; a fresh source whose files its contract has not seen is read again."""
        step, node = self.judge(name, self._given(name)), self.nodes[name]
        if isinstance(node, SourceSpec) and step.state == "fresh":
            step = self.books.against_contract(step, node)
        makers = {parameter: self.results[ref.node].run for parameter, ref in self.inputs[name].items()}
        self.planned[name] = msgspec.structs.replace(step, makers=makers)
        return self.planned[name]

    def _start(self, name: str) -> None:
        """Start a stale step, unless its recipe is worked on: then it is looked at again later."""
        node = self.nodes[name]
        if isinstance(node, LoggedSpec):
            self._add_logged(self._plan(name), node)
            return
        claim = f"recipe {self.judge.recipe(node, self._given(name)).digest}"
        if not self.claims.take(claim):
            self.blocked.append(name)
            return
        try:
            step = self._judged(name)
            if step is not None:
                self._submit(step, claim)
                return
        except BaseException:
            self.claims.release([claim])
            raise
        self.claims.release([claim])

    def _submit(self, step: PlannedStep, claim: str) -> None:
        self._tell(step.name, "running", step.reason)
        name = step.name
        job = Job(step, claim, self.pool.threads, self.attempts.number(name), self.attempts.limits(name).timeout)
        task = self.tasks.task(step)
        self.books.started(job)
        self.running[job.key] = job
        self.budget.take(job.key, self._need(name))
        self.pool.submit(job.key, task)

    def _finish(self, job: Job, reply: Reply) -> None:
        """A step ended: others may build on it now; it is told when it is on record."""
        self.budget.give(job.key)
        reply = self.books.ended(job, reply)
        self.unrecorded[job.key] = job
        pause = None if reply.failure is None or self.stopped else self.attempts.failed(job.step.name, reply.failure)
        if pause is not None:
            job.last = False
            self.agenda.postpone(job.step.name, time.monotonic() + pause)
            return
        state: State = "ran" if reply.failure is None else "failed"
        self._settle(
            job.step.name,
            state,
            job.step.reason,
            reply=reply,
            run=job.key,
            outputs=reply.outputs,
            recorded=False,
        )
        self.stopped = self.stopped or (reply.failure is not None and not self.options.keep_going)

    def _commit(self) -> None:
        """Make durable what has gathered, tell of it, and let go of its recipes."""
        for key, failure in self.journal.commit().items():
            job = self.unrecorded.pop(key, None)
            if job is None:
                continue
            self.claims.release([job.claim])
            if not job.last:
                continue
            name = job.step.name
            if failure is not None:
                self.results[name] = msgspec.structs.replace(
                    self.results[name], state="failed", outputs=[], error=_error(failure), log=None
                )
            self._told(name)

    def _add_logged(self, step: PlannedStep, node: LoggedSpec) -> None:
        self._tell(step.name, "running", step.reason)
        self._commit()  # what it reads must be in the store
        logged = self.options.logged
        as_of = (logged.as_of if logged else None) or self.options.as_of
        started = time.perf_counter()
        try:
            added = add_logged_rows(
                self.store,
                self.spec.model(node.model),
                step.inputs["features"],
                as_of,
                self.options.since,
                hidden=node.hidden,
            )
        except SolventError as error:
            self._settle(step.name, "failed", step.reason, error=error.as_json()["error"])
            return
        reply, run = self.books.logged(step, added, time.perf_counter() - started)
        self._commit()
        reason = f"{added.rows:,} rows from the prediction log"
        self._settle(step.name, "ran", reason, reply=reply, run=run, outputs=reply.outputs)

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
        recorded: bool = True,
    ) -> None:
        """A step's result. recorded: it is on record already or never will be, and so it is told at once."""
        outputs = outputs or {}
        self.values.update({Ref(node=name, output=o): artifact for o, artifact in outputs.items()})
        if reply is not None and reply.failure is not None:
            error = _error(reply.failure)
        notes = reply.notes if reply else self.planned[name].notes if name in self.planned else []
        self.results[name] = StepResult(
            name=name,
            label=self.judge.labels[name],
            state=state,
            reason=reason,
            seconds=reply.seconds if reply else 0.0,
            outputs=[_output(o, a) for o, a in outputs.items()],
            run=run,
            error=error,
            notes=[*self.attempts.notes(name), *notes],
            log=Digest(reply.log) if reply and reply.log else None,
            attempts=self.attempts.number(name),
        )
        self.agenda.done(name)
        if recorded:
            self._told(name)

    def _told(self, name: str) -> None:
        self.told += 1
        result = self.results[name]
        self._tell(name, result.state, result.reason, result)

    def _tell(
        self, name: str, state: State | Literal["running"], reason: str, result: StepResult | None = None
    ) -> None:
        if self.progress is not None:
            label = self.judge.labels[name]
            total = len(self.inputs)
            self.progress(
                StepEvent(
                    name=name, label=label, state=state, reason=reason, result=result, done=self.told, total=total
                )
            )

    def _abandon(self) -> None:
        """After Ctrl-C or an error of ours: stop what runs and record it as cancelled. What ended stays done."""
        if self.running:
            self.pool.cancel()
        if self.running or self.unrecorded:
            self.journal.cancel(self.running)
            self.journal.commit()
        self.running.clear()
        self.unrecorded.clear()

    def _width(self) -> int:
        """Most steps that could run at once: the largest number on one level of the graph."""
        level: dict[str, int] = {}
        for name, refs in self.inputs.items():
            level[name] = 1 + max((level[ref.node] for ref in refs.values()), default=0)
        return max(Counter(level.values()).values(), default=1)


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
