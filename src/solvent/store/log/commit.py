"""Appends of many coroutines, so that those who wait at the same time share one write and one sync."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from solvent.store.log.columns import OUTCOMES, PREDICTIONS, Batch, encode
from solvent.store.log.prediction_log import PredictionLog


@dataclass
class _Round:
    """The next write of one kind and model: what joins before it begins goes along."""

    payloads: list[bytes] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class AsyncLog:
    """A prediction log for one event loop.

    With `durability="process"` a write takes microseconds and runs in the loop, one for
    all rows that the loop's turn brought; with "full" a thread waits for the disk and
    the rows that come meanwhile form the next write.
    """

    def __init__(self, log: PredictionLog) -> None:
        self.log = log
        self._next: dict[tuple[str, str], _Round] = {}
        self._busy: dict[tuple[str, str], asyncio.Lock] = {}

    async def append_predictions(self, model: str, batch: Batch) -> int:
        """As `PredictionLog.append_predictions`."""
        return await self._append(PREDICTIONS, model, batch)

    async def append_outcomes(self, model: str, batch: Batch) -> int:
        """As `PredictionLog.append_outcomes`."""
        return await self._append(OUTCOMES, model, self.log.outcomes_recorded(batch))

    async def _append(self, kind: str, model: str, batch: Batch) -> int:
        rows, payload = encode(kind, batch)
        if rows:
            coming = self._next.setdefault((kind, model), _Round())
            coming.payloads.append(payload)
            if coming.task is None:
                coming.task = asyncio.create_task(self._write(kind, model))
            await asyncio.shield(coming.task)  # a caller that is cancelled does not take the others' rows along
        return rows

    async def _write(self, kind: str, model: str) -> None:
        async with self._busy.setdefault((kind, model), asyncio.Lock()):
            payloads = self._next.pop((kind, model)).payloads
            if self.log.durability == "full":
                await asyncio.to_thread(self.log.append_payloads, kind, model, payloads)
            else:
                self.log.append_payloads(kind, model, payloads)
