"""What people are told: each cause once, silences kept, holds never."""

from datetime import UTC, datetime, timedelta

from solvent.automation.telling import told
from solvent.foundation.settings import Silence
from solvent.lineage.entities import Action, Actor, Alert, Decision, NewDecision

START = datetime(2026, 5, 1, tzinfo=UTC)
QUIET = timedelta(weeks=4)


def alert(day, kind="drift", features=("temp",), severity="alert", number=1):
    at = START + timedelta(days=day)
    return Alert(
        key=f"{day}{kind}", model="bikes", number=number, kind=kind, at=at, window_start=at, window_end=at, title=kind,
        cause={"features": list(features)}, evidence={"severity": severity}, effect=f"{day}{kind}{features}",
    )  # fmt: skip


def decision(action):
    new = NewDecision(
        action=action, actor=Actor(kind="policy", name="p"), at=START, model="bikes", reason="", effect=action
    )
    return Decision(key=action, position=1, previous="", hash="", salt="", recorded_at=START, decision=new)


def effects(alerts, before=(), **more):
    return [message["effect"] for message in told(alerts, [], before, quiet=QUIET, **more)]


def test_one_cause_is_told_once_within_the_quiet_time():
    first, again, late = alert(0), alert(14), alert(40)
    assert effects([first]) == [first.effect]
    assert effects([again], [first, again]) == []
    assert effects([late], [first, late]) == [late.effect]


def test_two_alerts_of_one_cause_in_one_tick_are_one_message():
    one, other = alert(0), alert(7)
    assert effects([one, other]) == [one.effect]


def test_a_tick_that_is_repeated_tells_again():
    """Delivery is at least once: its own alerts are on record already."""
    first = alert(0)
    assert effects([first], [first]) == [first.effect]


def test_another_cause_version_or_a_note_before_keeps_nobody_silent():
    now = alert(14)
    for before in (
        alert(0, kind="performance"),
        alert(0, features=("hum",)),
        alert(0, number=2),
        alert(0, severity="note"),
    ):
        assert effects([now], [before]) == [now.effect]


def test_notes_and_holds_are_told_to_nobody():
    assert told([alert(0, severity="note")], [decision(Action.HOLD)], [], quiet=QUIET) == []
    assert [m["action"] for m in told([], [decision(Action.RETRAIN)], [], quiet=QUIET)] == ["retrain"]


def test_silences_match_models_and_kinds_until_their_day():
    quiet = Silence(model="bik*", kind="drift", until="2026-05-10", reason="a sensor is exchanged")
    assert effects([alert(0)], silences=[quiet]) == []
    assert effects([alert(9)], silences=[quiet]) == [alert(9).effect]
    assert effects([alert(0, kind="shock")], silences=[quiet]) == [alert(0, kind="shock").effect]
    assert effects([alert(0)], silences=[Silence(model="flights", reason="")]) == [alert(0).effect]
