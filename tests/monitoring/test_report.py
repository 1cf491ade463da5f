"""What `monitor report` shows, as data."""

from __future__ import annotations

from model_lives import Life, reference, rows
from solvent.lineage.entities import Alert
from solvent.monitoring.report import summarise


def test_windows_stand_in_order_with_figure_unit_and_interval() -> None:
    life = Life(reference())
    for week in (0, 1):
        life.live(week, rows(1, first=week))
    measurements = [m for found in reversed(life.assessments) for m in found.measurements]
    told = summarise(measurements, [])
    first, second = told["windows"]
    assert first["start"] < second["start"] and first["loss.realised"]["unit"] == "demand"
    assert first["loss.realised"]["lower"] < first["loss.realised"]["value"] < first["loss.realised"]["upper"]
    assert set(first["features"]) == {"temp", "kind", "output"}
    assert told["says"].startswith("nothing is wrong in the last window; its loss is") and "2 windows" in told["says"]


def test_an_alert_of_the_last_window_speaks_first() -> None:
    life = Life(reference())
    found = life.live(0, rows(1).filter(~rows(1)["event_time"].dt.day().is_in([3, 4])))
    (draft,) = [draft for draft in found.alert_drafts if draft.kind == "gap"]
    alert = Alert(
        key="k",
        model="demand",
        number=1,
        kind=draft.kind,
        at=draft.window_end,
        window_start=draft.window_start,
        window_end=draft.window_end,
        title=draft.title,
        cause=draft.cause,
        evidence=draft.evidence,
        effect=draft.effect,
    )
    told = summarise(found.measurements, [alert])
    assert told["says"].startswith("a gap: nothing came between 2024-01-02 23:00 and 2024-01-05 00:00")
    assert told["alerts"][0]["cause"]["kind"] == "gap"


def test_nothing_measured_is_said_so() -> None:
    assert summarise([], []) == {"says": "no window has closed yet", "windows": [], "alerts": []}
