"""What goes wrong in the bicycles' life because people are people. Each accident says that it was injected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from solvent.demo.people import promote, train
from solvent.demo.world import CORRECTED_AFTER, Bikes, World
from solvent.lineage.entities import Action, Decision

if TYPE_CHECKING:
    from solvent.automation.report import ModelTick
    from solvent.automation.tick import Loop
    from solvent.demo.story import Story

HURRIED, SURE = "an engineer in a hurry", "an engineer who is sure"
FORCED_FROM = 30  # weeks into the life: the end of January 2012, when a champion of the new year is in service
QUICK_TREES = 5
QUICK = {"pipelines.bikes.fit": {"trees": QUICK_TREES}}


@dataclass(frozen=True)
class Moment:
    """Just after a week's tick."""

    loop: Loop
    world: World
    week: int
    tick: ModelTick
    story: Story

    @property
    def now(self) -> datetime:
        return self.world.end(self.week)

    def decisions(self, since: int = 0) -> list[Decision]:
        """The model's decisions so far, without the first `since` of them."""
        return self.loop.store.facts.decisions(self.world.model)[since:]


class Accident(Protocol):
    def after(self, moment: Moment) -> int | None:
        """Something may happen now. Returns: the new champion's number, where it moved one."""
        ...


class BrokenWeek:
    """The upstream fault is told, and somebody retrains by hand on what it delivered."""

    def __init__(self, broken: int) -> None:
        self.broken = broken

    def after(self, moment: Moment) -> int | None:
        told = moment.story.injected
        if moment.week == self.broken:
            told("upstream, this week's file and requests came with temp in °F and humidity stuck at 50%")
        if moment.week == self.broken + 1:
            told("last week's losses looked bad: somebody retrains by hand, broken week and all, and promotes it")
            self._retrain(moment)
        if moment.week == self.broken + CORRECTED_AFTER:
            told("upstream, the broken week's file was delivered again, corrected")
        return None

    def _retrain(self, moment: Moment) -> None:
        known, project = len(moment.decisions()), moment.loop.project
        made = train(project, HURRIED, moment.world.model, moment.now, moment.loop.pools.take(1)[0])
        promote(project.root, HURRIED, made.name, moment.now)
        moment.story.decided(moment.decisions(known))


class ForcedVersion:
    """A week after a promotion, somebody forces the quick test run of the same pipeline past the gate."""

    def __init__(self) -> None:
        self.promoted: int | None = None
        self.done = False

    def after(self, moment: Moment) -> int | None:
        actions = {made.decision.action for made in moment.tick.decisions}
        moved = bool(actions & {Action.PROMOTE, Action.ROLL_BACK})
        due = self.promoted == moment.week - 1 and not moved and not self.done
        early = moment.week + 1 < FORCED_FROM
        self.promoted = moment.week if Action.PROMOTE in actions and not early else None
        if not due:
            return None
        self.done = True
        return self._force(moment)

    def _force(self, moment: Moment) -> int:
        moment.story.injected(
            f"somebody is sure that {QUICK_TREES} trees do as well as 60, and forces them past the gate"
        )
        known, project = len(moment.decisions()), moment.loop.project
        made = train(project, SURE, moment.world.model, moment.now, moment.loop.pools.take(1)[0], QUICK)
        promote(project.root, SURE, made.name, moment.now, waive="the small model did well enough in my own test")
        moment.story.decided(moment.decisions(known))
        return made.number


def accidents_of(world: World) -> list[Accident]:
    """What happens in this world's life."""
    if not isinstance(world, Bikes):
        return []
    return [*([BrokenWeek(world.broken)] if world.broken is not None else []), ForcedVersion()]
