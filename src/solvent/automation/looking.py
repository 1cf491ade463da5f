"""A look without touching: what a tick would measure and warn of now, recorded nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from solvent.automation.report import ModelTick
from solvent.automation.scoring import Scorer
from solvent.automation.state import NAME, LoopState
from solvent.automation.versions import Versions, monitor_settings
from solvent.automation.watching import Watch, alert_of
from solvent.registry.references import CHAMPION, require_model

if TYPE_CHECKING:
    from solvent.project import Project


def look(project: Project, *, now: datetime, models: Sequence[str] | None = None) -> list[ModelTick]:
    """For each model the windows that closed since the last tick, measured, and what is open.

    Alerts: those that a tick would raise now, and those that the last tick raised.
    Raises: UnknownModel.
    """
    for name in models or ():
        require_model(project.store, name)
    return [_look(project, name, now) for name in models or project.store.facts.models()]


def _look(project: Project, name: str, now: datetime) -> ModelTick:
    store, settings = project.store, project.settings.model(name)
    number = store.facts.alias(name, CHAMPION)
    champion = store.facts.version(name, number) if number is not None else None
    monitor = monitor_settings(settings.monitor)
    versions = Versions(store, monitor)
    reference = versions.reference(champion) if champion else None
    if champion is None or reference is None:
        return ModelTick(model=name, champion=number, note="nothing to compare with yet")
    state = LoopState.of(store.facts.state(name, NAME))
    sample = versions.sample(champion)
    watched = Watch(store, champion, reference, sample, state, monitor, settings, Scorer(store), now).run()
    last = store.facts.last_tick(name)
    standing = store.facts.alerts(name, since=last) if last else []
    return ModelTick(
        model=name,
        champion=number,
        windows=[(window.start, window.end) for window in watched.windows],
        measurements=watched.measurements,
        alerts=[*standing, *(alert_of(draft, name, number, now) for draft in watched.drafts)],
    )
