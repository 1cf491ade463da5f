"""When the accidents of the story happen, and to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from solvent.demo import accidents
from solvent.demo.accidents import FORCED_FROM, BrokenWeek, ForcedVersion, accidents_of
from solvent.demo.world import Bikes, Flights
from solvent.lineage.entities import Action


@dataclass
class Stage:
    """A stand-in for a week's surroundings that writes down what happens."""

    told: list[str] = field(default_factory=list)
    trained: list[dict[str, Any]] = field(default_factory=list)
    promoted: list[str | None] = field(default_factory=list)

    def moment(self, week: int, *actions: Action) -> Any:
        decisions = [SimpleNamespace(decision=SimpleNamespace(action=action)) for action in actions]
        story = SimpleNamespace(injected=self.told.append, decided=lambda _: None)
        loop = SimpleNamespace(project=SimpleNamespace(root=None), pools=SimpleNamespace(take=lambda _: [None]))
        return SimpleNamespace(
            week=week, tick=SimpleNamespace(decisions=decisions), story=story, loop=loop, now=None,
            world=SimpleNamespace(model="m"), decisions=lambda since=0: [],
        )  # fmt: skip


@pytest.fixture
def stage(monkeypatch):
    stage = Stage()

    def train(_project, _actor, _model, _now, _pool, parameters=None):
        stage.trained.append(parameters or {})
        return SimpleNamespace(number=7, name="m/7")

    monkeypatch.setattr(accidents, "train", train)
    monkeypatch.setattr(accidents, "promote", lambda *_, waive=None: stage.promoted.append(waive))
    return stage


def lived(accident, stage, actions_by_week):
    return [week for week, actions in actions_by_week.items() if accident.after(stage.moment(week, *actions))]


def test_a_bad_version_is_forced_once_a_quiet_week_after_a_promotion(stage):
    first = FORCED_FROM
    weeks = {
        first: [Action.RETRAIN, Action.PROMOTE],
        first + 1: [Action.HOLD],
        first + 2: [Action.PROMOTE],
        first + 3: [],
    }
    assert lived(ForcedVersion(), stage, weeks) == [first + 1]
    assert stage.trained == [accidents.QUICK] and stage.promoted[0] is not None
    assert len(stage.told) == 1


def test_nothing_is_forced_while_the_champion_is_old_or_has_just_moved_again(stage):
    early = {3: [Action.PROMOTE], 4: [Action.HOLD]}
    moving = {FORCED_FROM: [Action.PROMOTE], FORCED_FROM + 1: [Action.ROLL_BACK]}
    assert lived(ForcedVersion(), stage, early | moving) == []
    assert stage.told == []


def test_the_broken_week_is_told_retrained_on_by_hand_and_corrected_without_a_waiver(stage):
    assert lived(BrokenWeek(10), stage, {week: [] for week in range(9, 14)}) == []
    assert [text.split(",")[0].split(":")[0] for text in stage.told] == [
        "upstream",
        "last week's losses looked bad",
        "upstream",
    ]
    assert stage.promoted == [None]


def test_accidents_happen_to_the_bicycles_alone():
    assert [type(a).__name__ for a in accidents_of(Bikes.load(broken=45))] == ["BrokenWeek", "ForcedVersion"]
    assert [type(a).__name__ for a in accidents_of(Bikes.load())] == ["ForcedVersion"]
    assert accidents_of(Flights.load(weeks=1)) == []
