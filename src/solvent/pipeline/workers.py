"""A pool of spawned worker processes, warm across the runs of one process."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

import msgspec

from solvent.foundation.ids import uuid7
from solvent.foundation.waiting import WAITING
from solvent.lineage.digests import Digest
from solvent.pipeline.discover import child_environment
from solvent.pipeline.errors import WorkerDied
from solvent.pipeline.messages import FILES, LOG, Failure, Reply, Task

THREAD_VARIABLES = (
    "POLARS_MAX_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "RAYON_NUM_THREADS",
)
_CLOSING_SECONDS = 2.0
_WATCH_SECONDS = 0.5  # how often a worker that says nothing is asked whether it lives


class Finished(NamedTuple):
    """A task that ended. key: as submitted."""

    key: str
    reply: Reply


class Code(NamedTuple):
    """What a worker imports: the project's files with digests, and the environment's digest."""

    files: dict[str, Digest]
    environment: str


class _Process:
    """One worker. scratch: its own folder; key: of the task that it is at, None when idle."""

    def __init__(self, root: Path, state: Path, threads: int, code: Code) -> None:
        self.code = code
        self.key: str | None = None
        self.scratch = state / "scratch" / f"{os.getpid()}-{uuid7()}"
        self.scratch.mkdir(parents=True)
        (self.scratch / FILES).write_bytes(msgspec.json.encode(code.files))
        read_fd, write_fd = os.pipe()
        environment = WAITING | child_environment() | dict.fromkeys(THREAD_VARIABLES, str(threads))
        places = [str(root), str(state), str(self.scratch)]
        command = [sys.executable, "-m", "solvent.pipeline.worker", *places, str(write_fd)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=(write_fd,),
            env=environment,
            cwd=root,
            start_new_session=True,
        )
        os.close(write_fd)
        self.replies: BinaryIO = os.fdopen(read_fd, "rb", buffering=0)

    def send(self, message: bytes) -> None:
        stdin = self.process.stdin
        if stdin is None:
            raise BrokenPipeError("the worker has no input")
        stdin.write(len(message).to_bytes(4, "little") + message)
        stdin.flush()

    def receive(self) -> Reply | None:
        """The reply that is waiting; None where the process has died."""
        head = self._exactly(4)
        body = self._exactly(int.from_bytes(head, "little")) if head else None
        return msgspec.msgpack.decode(body, type=Reply) if body is not None else None

    def _exactly(self, count: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < count:
            piece = self.replies.read(count - len(parts))
            if not piece:
                return None
            parts += piece
        return bytes(parts)

    def close(self, *, kill: bool = False) -> int:
        """End the process and return its exit status; a busy one dies in the middle of its task."""
        if kill:
            self._kill_group()
        if self.process.stdin:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                self.process.stdin = None  # it died with bytes unread; there is nothing left to close
        try:
            status = self.process.wait(_CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill_group()
            status = self.process.wait()
        self.replies.close()
        return status

    def _kill_group(self) -> None:
        """Kill the process and whatever its step has started."""
        with contextlib.suppress(ProcessLookupError):  # it is gone already
            os.killpg(self.process.pid, signal.SIGKILL)

    def forget(self) -> None:
        """Remove what the process left in its folder."""
        shutil.rmtree(self.scratch, ignore_errors=True)


class WorkerPool:
    """Worker processes for one project.

    root: the project's folder. state: its `.solvent` folder (default inside root).
    workers: most processes at once; by default as many as the first run's graph can
    use, at most one per core. threads: of each worker; by default cores ÷ workers.
    """

    def __init__(
        self, root: Path, state: Path | None = None, workers: int | None = None, threads: int | None = None
    ) -> None:
        self.root = root.resolve()
        self.state = (state or root / ".solvent").resolve()
        self.workers = workers
        self.threads = threads or 1
        self._given = threads
        self._code = Code({}, "")
        self._processes: list[_Process] = []
        self._selector = selectors.DefaultSelector()

    def prepare(self, code: Code, width: int) -> None:
        """Get ready for a run. code: what is to be imported; workers that imported another are replaced.

        width: most steps of the graph that can run at once.
        """
        cores = usable_cores()
        if self.workers is None:
            self.workers = max(1, min(cores, width))
        self.threads = self._given or max(1, cores // self.workers)
        self._code = code
        for process in [
            p for p in self._processes if p.key is None and (p.code != code or p.process.poll() is not None)
        ]:
            self._drop(process)

    @property
    def free(self) -> bool:
        """Whether a task can start now."""
        return len(self._busy()) < (self.workers or 1)

    def submit(self, key: str, task: Task) -> None:
        """Start a task."""
        idle = next((p for p in self._processes if p.key is None), None) or self._start()
        idle.key = key
        message = msgspec.msgpack.encode(task)
        try:
            idle.send(message)
        except BrokenPipeError:  # it died while idle: `wait` reports that, unless a new one can take over
            self._drop(idle)
            fresh = self._start()
            fresh.key = key
            fresh.send(message)

    def wait(self, timeout: float | None) -> list[Finished]:
        """Tasks that ended, after at most `timeout` seconds; a killed worker's task as a failure that says so."""
        limit = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _WATCH_SECONDS if limit is None else min(_WATCH_SECONDS, max(0.0, limit - time.monotonic()))
            ready = {selected.data for selected, _ in self._selector.select(left)}
            ready |= {p for p in self._busy() if p.process.poll() is not None}  # its own children may hold its pipe
            if ready or (limit is not None and time.monotonic() >= limit):
                return self._collect(ready)

    def _collect(self, ready: set[_Process]) -> list[Finished]:
        finished = []
        for process in ready:
            reply = process.receive() if self._has_reply(process) else None
            key = process.key
            if reply is None:
                self._selector.unregister(process.replies)
                self._processes.remove(process)
                reply = _died(process.close(kill=True), process.scratch / LOG)
                process.forget()
            process.key = None
            if key is not None:
                finished.append(Finished(key, reply))
        return finished

    def _has_reply(self, process: _Process) -> bool:
        return any(selected.data is process for selected, _ in self._selector.select(0))

    def stop(self, key: str) -> str:
        """Stop one task in the middle; its worker is replaced when one is needed. Returns: the end of its log."""
        process = next(p for p in self._processes if p.key == key)
        tail = _tail(process.scratch / LOG)
        self._drop(process, kill=True)
        return tail

    def cancel(self) -> None:
        """Stop what is running, in the middle."""
        for process in self._busy():
            self._drop(process, kill=True)

    def close(self) -> None:
        for process in list(self._processes):
            self._drop(process)
        self._selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _busy(self) -> list[_Process]:
        return [p for p in self._processes if p.key is not None]

    def _start(self) -> _Process:
        process = _Process(self.root, self.state, self.threads, self._code)
        self._processes.append(process)
        self._selector.register(process.replies, selectors.EVENT_READ, process)
        return process

    def _drop(self, process: _Process, *, kill: bool = False) -> None:
        self._selector.unregister(process.replies)
        self._processes.remove(process)
        process.close(kill=kill)
        process.forget()


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _died(status: int, log: Path) -> Reply:
    name = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    hint = "perhaps memory ran out" if status == -signal.SIGKILL else ""
    tail = _tail(log)
    failure = Failure(code=WorkerDied.code, what=f"its worker process was ended by {name}", where="", next=hint)
    return Reply(failure=failure, notes=[tail] if tail else [])


def _tail(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-2000:] if log.exists() else ""
