"""Many models measured side by side, in processes that keep what they know of their models.

The store has one writer still: these processes only read, and what they found goes back to the loop.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from solvent.foundation.waiting import WAITING

if TYPE_CHECKING:
    from solvent.automation.measuring import Measured, Measurer, Question

MODELS_EACH = 8  # fewer are measured sooner than a process has begun
MOST = 4  # processes: each may hold a window of a million rows
_AHEAD = 3  # questions for each process that are asked before the first answer is taken

_measurer: Measurer  # in such a process, from its beginning on


def worth(models: int, cores: int) -> int:
    """How many processes this many models are worth; 0: the loop's own is enough.

    >>> worth(12, 8), worth(16, 2), worth(500, 8)
    (0, 2, 4)
    """
    count = min(models // MODELS_EACH, cores, MOST)
    return count if count > 1 else 0


class SideBySide:
    """Processes that measure, started when the first question is asked; a model always goes to the same one."""

    def __init__(self, root: Path, here: Measurer) -> None:
        self._root = root
        self._here = here
        self._processes: list[ProcessPoolExecutor] = []
        self._places: dict[str, int] = {}
        self._broken = False  # whether one of them was ended by somebody else

    def answers(self, questions: Iterable[Question], count: int) -> Iterator[Measured]:
        """Answers in order, by `count` processes. Raises: what a `Measurer` raises."""
        self._begin(count)
        waiting: deque[tuple[Question, Future[Measured]]] = deque()
        for question in questions:
            waiting.append((question, self._asked(question)))
            if len(waiting) > _AHEAD * count:
                yield self._answer(*waiting.popleft())
        while waiting:
            yield self._answer(*waiting.popleft())

    def _begin(self, count: int) -> None:
        if len(self._processes) == count and not self._broken:
            return
        self.close()
        from solvent.pipeline.workers import THREAD_VARIABLES, usable_cores

        threads = dict.fromkeys(THREAD_VARIABLES, str(max(1, usable_cores() // count)))
        environment = WAITING | threads
        self._processes = [
            ProcessPoolExecutor(1, get_context("spawn"), initializer=_begin, initargs=(self._root, environment))
            for _ in range(count)
        ]

    def _asked(self, question: Question) -> Future[Measured]:
        place = self._places.setdefault(question.champion.model, len(self._places))
        try:
            return self._processes[place % len(self._processes)].submit(_measure, question)
        except BrokenProcessPool as error:
            refused: Future[Measured] = Future()
            refused.set_exception(error)
            return refused

    def _answer(self, question: Question, asked: Future[Measured]) -> Measured:
        try:
            return asked.result()
        except BrokenProcessPool:  # somebody ended it, or memory ran out: here one window at a time is held
            self._broken = True
            return self._here(question)

    def close(self) -> None:
        for process in self._processes:
            process.shutdown(cancel_futures=True)
        self._processes, self._broken = [], False


def _begin(root: Path, environment: dict[str, str]) -> None:
    """The beginning of a process: nothing that starts threads has been imported yet."""
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the loop's process hears it too, and ends this one
    Thread(target=_end_with_parent, daemon=True).start()
    from solvent.automation.measuring import Measurer
    from solvent.automation.scoring import Scorer
    from solvent.project import Project

    global _measurer
    store = Project(root).store
    _measurer = Measurer(store, Scorer(store))


def _end_with_parent() -> None:
    """So that nothing outlives a loop that was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _measure(question: Question) -> Measured:
    return _measurer(question)
