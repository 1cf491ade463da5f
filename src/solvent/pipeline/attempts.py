"""Attempts at steps: who gets another one after a failure, and when."""

from __future__ import annotations

import time
from collections.abc import Mapping

from solvent.pipeline.errors import StepFailed, TimedOut, WorkerDied
from solvent.pipeline.jobs import Job
from solvent.pipeline.messages import Failure, Reply
from solvent.pipeline.spec import Limits, LoggedSpec, SourceSpec, StepSpec

_PASSING = {StepFailed.code, TimedOut.code, WorkerDied.code}  # what may go well the next time
_LONGEST_PAUSE = 300.0  # seconds


class Attempts:
    """The attempts of one run, by step."""

    def __init__(self, nodes: Mapping[str, StepSpec | SourceSpec | LoggedSpec]) -> None:
        self._nodes = nodes
        self._failures: dict[str, list[str]] = {}

    def limits(self, name: str) -> Limits:
        node = self._nodes[name]
        return node.limits if isinstance(node, StepSpec) else Limits()

    def number(self, name: str) -> int:
        """Of the attempt that runs, or that is next."""
        return len(self._failures.get(name, ())) + 1

    def notes(self, name: str) -> list[str]:
        """What became of the attempts before."""
        return [f"attempt {n} failed: {what}" for n, what in enumerate(self._failures.get(name, ()), start=1)]

    def failed(self, name: str, failure: Failure) -> float | None:
        """An attempt failed. Returns: the pause before the next one in seconds; None: there is no next one."""
        limits, number = self.limits(name), self.number(name)
        if failure.code not in _PASSING or number > limits.retries:
            return None
        self._failures.setdefault(name, []).append(failure.what)
        return float(min(_LONGEST_PAUSE, limits.backoff * 2 ** (number - 1)))


def timed_out(job: Job, log: str) -> Reply:
    """The reply of an attempt that was stopped as it took too long. log: the end of what it printed."""
    seconds = time.monotonic() - job.started
    failure = Failure(
        code=TimedOut.code,
        what=f"it was stopped after {seconds:.1f} s, its timeout",
        where="",
        next="raise `timeout=` of the step, or see in its log where it stays",
    )
    return Reply(failure=failure, notes=[log] if log else [], seconds=seconds)
