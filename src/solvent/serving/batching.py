"""Requests that arrive together are answered together: one prediction, one write to the log.

No timer and no queue length to tune: whatever the event loop has read by the time
it gets round to predicting is one batch. Small batches are answered in the loop
itself (a thread costs more than it saves at a millisecond a batch); large ones, and
those of a slow model, go through one thread, and more gather while it works.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from solvent.foundation.errors import SolventError, Unexpected
from solvent.serving.lineup import Lineup
from solvent.serving.scorer import Answer, Scorer
from solvent.serving.served import Request, one_thread

logger = logging.getLogger("solvent.serving")
Waiting = tuple[Request, "asyncio.Future[Answer]"]


class Batcher:
    """Hands requests to the scorer in batches; lives on one event loop.

    lineup: the versions that answer now, asked once a batch, so that a swap falls between two batches.
    inline: False where the log waits for the disk (durability `full`): then all goes through the thread.
    """

    def __init__(self, scorer: Scorer, lineup: Callable[[], Lineup], *, inline: bool = True) -> None:
        self._scorer = scorer
        self._lineup = lineup
        self._inline = inline
        self._waiting: list[Waiting] = []
        self._large: list[Waiting] = []
        self._lane: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "solvent-score", initializer=one_thread)

    async def submit(self, request: Request) -> Answer:
        """The logged answer. Raises: SolventError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append((request, future))
        return await future

    async def close(self) -> None:
        """Finish what was taken."""
        if self._lane is not None:
            await self._lane
        self._thread.shutdown()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        limit = self._lineup().inline_rows if self._inline else 0
        small = [item for item in waiting if item[0].rows <= limit]
        self._large += [item for item in waiting if item[0].rows > limit]
        if self._large and self._lane is None:
            self._lane = asyncio.get_running_loop().create_task(self._work_off())
        if small:
            _deliver(small, self._score([request for request, _ in small]))

    async def _work_off(self) -> None:
        loop = asyncio.get_running_loop()
        while self._large:
            batch, self._large = self._large, []
            _deliver(batch, await loop.run_in_executor(self._thread, self._score, [request for request, _ in batch]))
        self._lane = None

    def _score(self, requests: list[Request]) -> list[Answer | SolventError]:
        try:
            return self._lineup().score(self._scorer, requests)
        except Exception:  # every caller must be told something
            logger.exception("scoring failed")
            return [Unexpected("the endpoint failed on these rows", next="its log says why") for _ in requests]


def _deliver(batch: list[Waiting], results: list[Answer | SolventError]) -> None:
    for (_, future), result in zip(batch, results, strict=True):
        if future.done():  # its caller has gone
            continue
        if isinstance(result, SolventError):
            future.set_exception(result)
        else:
            future.set_result(result)
