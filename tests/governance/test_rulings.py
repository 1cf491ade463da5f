from datetime import UTC, datetime

import pytest

from solvent.governance.report.life import Ruling
from solvent.governance.rulings import by_whom, title_of
from solvent.lineage.entities import Action, Actor, NewDecision

NOW = datetime(2012, 10, 29, tzinfo=UTC)
MARA = Actor(kind="person", name="mara")


@pytest.mark.parametrize(
    ("action", "number", "evidence", "title"),
    [
        (Action.PROMOTE, 3, {"move": {"alias": "champion", "to": 3}}, "promoted v3"),
        (Action.PROMOTE, 3, {"move": {"alias": "challenger", "to": 3}}, "made v3 challenger"),
        (Action.ROLL_BACK, 2, {"move": {"alias": "champion", "to": 2}}, "rolled back to v2"),
        (Action.RETRAIN, 3, {"span": "10w"}, "retrained on the last 10 weeks"),
        (Action.RETRAIN, 3, {"span": "all"}, "retrained on all rows"),
        (Action.RETRAIN, 3, {}, "retrained"),
        (Action.REFUSE, 4, {}, "refused v4"),
        (Action.WAIVE, 4, {"move": {"alias": "champion", "to": 4}}, "promoted v4 with a waiver"),
        (Action.WAIVE, 4, {}, "waived"),
        (Action.HOLD, 4, {}, "held"),
    ],
)
def test_a_decision_is_told_in_a_few_words(action: Action, number: int, evidence: dict, title: str) -> None:
    new = NewDecision(action=action, actor=MARA, at=NOW, reason="", model="m", number=number, evidence=evidence)
    assert title_of(new) == title


def test_only_a_move_of_the_champion_crowns() -> None:
    def crowned(action: Action, **evidence: object) -> int | None:
        ruling = Ruling(
            key="k", at=NOW, action=action, title="", by="", reason="", position=0, hash="", number=3, evidence=evidence
        )
        return ruling.crowned

    assert crowned(Action.PROMOTE) == 3
    assert crowned(Action.WAIVE, move={"alias": "champion", "to": 5}) == 5
    assert crowned(Action.WAIVE) is None
    assert crowned(Action.PROMOTE, move={"alias": "challenger", "to": 3}) is None
    assert crowned(Action.ROLL_BACK, move={"alias": "champion", "to": 2}) is None


def test_a_policy_is_named_with_its_version_and_a_person_by_name() -> None:
    assert by_whom(Actor(kind="policy", name="bikes"), "bikes/3") == "policy bikes/3"
    assert by_whom(MARA, None) == "mara"
