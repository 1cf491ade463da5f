"""Which versions answer: the one that an alias names now, and its canary, followed while the endpoint runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from solvent.foundation.clock import wall_clock
from solvent.lineage.entities import ModelVersion
from solvent.registry.canary import running_canary, share_of
from solvent.registry.package import load_version
from solvent.registry.references import CANARY, CHAMPION, LATEST, resolve, split_reference
from solvent.serving.example import example_row
from solvent.serving.lineup import Lineup
from solvent.serving.metrics import Metrics
from solvent.serving.served import ServedModel, one_thread

if TYPE_CHECKING:
    from solvent.store import Store

logger = logging.getLogger("solvent.serving")
POLL_SECONDS = 0.25
RETRY_SECONDS = 5.0


class Following:
    """Holds the version that answers; `follow` replaces it when the alias moves.

    The new version is read, verified, loaded and warmed in a thread while the old one
    answers; then one assignment swaps them. A version that does not load is left alone,
    logged and counted, and the old one goes on. Where the champion is followed, so is the
    canary beside it, in the same way.
    """

    def __init__(self, store: Store, reference: str, metrics: Metrics, *, say: Callable[[str], None]) -> None:
        self.store = store
        self.reference = reference
        self.metrics = metrics
        self.since: datetime = wall_clock()
        self._say = say
        model, alias, number = split_reference(reference)
        self.alias = None if number is not None else alias or CHAMPION
        self._model = model
        self._lineup = Lineup(self._load(resolve(store, reference)))
        self._trial = ""  # the decision that began it

    def current(self) -> ServedModel:
        return self._lineup.champion

    def lineup(self) -> Lineup:
        return self._lineup

    async def follow(self) -> None:
        """Poll the alias until cancelled. A fixed version is never polled."""
        if self.alias is None:
            return
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "solvent-follow") as thread:
            while True:
                await asyncio.sleep(await loop.run_in_executor(thread, self._look))

    def _look(self) -> float:
        """Take a moved alias. Returns: seconds until the next look."""
        try:
            number = self._number()
            if number is not None and number != self.current().model.version.number:
                self._take(number)
            if self.alias == CHAMPION:
                self._follow_canary()
        except Exception:  # the endpoint outlives a store that is away and a version that is broken
            self.metrics.failed_swaps += 1
            logger.exception("`%s` could not be followed; %s goes on answering", self.reference, self.current().name)
            return RETRY_SECONDS
        return POLL_SECONDS

    def _number(self) -> int | None:
        if self.alias == LATEST:
            return resolve(self.store, self.reference).number
        return self.store.facts.alias(self._model, str(self.alias))

    def _take(self, number: int) -> None:
        version = self.store.facts.version(self._model, number)
        if version is None:
            return
        old, new = self.current().name, self._load(version)
        self._lineup, self._trial, self.since = Lineup(new), "", wall_clock()
        self.metrics.swaps += 1
        self._say(f"{new.name} answers now, after {old}")

    def _follow_canary(self) -> None:
        """Take a canary that began, drop one that ended; one that answers nothing is not loaded."""
        move = running_canary(self.store.facts.alias_moves(self._model, CANARY))
        trial = move.decision if move else ""
        if trial == self._trial:
            return
        self._lineup = Lineup(self.current())
        share = share_of(self.store, move) if move else 0.0
        version = self.store.facts.version(self._model, move.number) if move and move.number and share else None
        if version is not None:
            canary = self._load(version)
            self._lineup = Lineup(self.current(), canary, share)
            self._say(f"{canary.name} answers {share:.0%} of the requests, on trial")
        self._trial = trial

    def _load(self, version: ModelVersion) -> ServedModel:
        """A version, verified, loaded and warm."""
        served = load(self.store, version)
        one_thread()
        served.warm(example_row(self.store, version))
        return served


def load(store: Store, version: ModelVersion) -> ServedModel:
    """A version, verified and loaded."""
    return ServedModel(load_version(store, version))
