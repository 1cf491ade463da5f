"""Measuring one model: a question that any process can answer from the store, and who answers it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from solvent.automation.scoring import Scorer
from solvent.automation.state import LoopState
from solvent.automation.versions import Versions, monitor_settings
from solvent.automation.watching import Watch, Watched
from solvent.foundation.settings import ModelSettings, MonitorSettings
from solvent.lineage.entities import ModelVersion

if TYPE_CHECKING:
    from solvent.store import Store


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is new of a champion by `now`? before: the version that a rollback would restore, while that is open."""

    champion: ModelVersion
    before: ModelVersion | None
    state: LoopState
    settings: ModelSettings
    now: datetime


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The answer and the state after it. watched: None where the version has no evaluation rows."""

    state: LoopState
    watched: Watched | None


class Measurer:
    """Answers questions, and keeps what it has read of versions; it changes nothing in the store."""

    def __init__(self, store: Store, scorer: Scorer) -> None:
        self._store = store
        self._scorer = scorer
        self._versions: dict[str, Versions] = {}

    def versions(self, model: str, settings: MonitorSettings) -> Versions:
        """References and training tables of a model's versions."""
        return self._versions.setdefault(model, Versions(self._store, monitor_settings(settings)))

    def __call__(self, question: Question) -> Measured:
        """Raises: Corrupt, Missing, CorruptFrame, NewerLog."""
        champion, user, state = question.champion, question.settings, question.state
        known = self.versions(champion.model, user.monitor)
        reference = known.reference(champion)
        if reference is None:
            return Measured(state=state, watched=None)
        sample, settings = known.sample(champion), monitor_settings(user.monitor)
        watch = Watch(self._store, champion, reference, sample, state, settings, user, self._scorer, question.now)
        return Measured(state=state, watched=watch.run([question.before] if question.before else []))
