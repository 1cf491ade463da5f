from datetime import timedelta

from governance.town import DAY, START, Town, week
from solvent.foundation.settings import parse_settings
from solvent.governance.report.gather import joint_of, life_report, moved_of, stretches_of, windows_of
from solvent.governance.report.html import render_html
from solvent.lineage.entities import Action, AliasMove

SETTINGS = parse_settings({"monitor": {"threshold": 60.0, "unit": "rentals/hour"}}, "solvent.toml")


def test_the_report_of_a_store_holds_its_curves_decisions_and_costs(town: Town) -> None:
    report = life_report(town.store, SETTINGS)
    (life,) = report.models
    assert (life.name, life.metric, life.unit, life.threshold) == ("bikes", "mae", "rentals/hour", 60.0)
    assert (life.champion, life.live_since) == (2, START + 28 * DAY)
    assert [w.realised.value for w in life.windows if w.realised] == [40.0, 41.0, 42.0, 43.0, 44.0, 45.0]
    assert life.windows[0].never == 50.0 and life.windows[0].rows == 168
    assert [r.title for r in life.rulings] == ["promoted v1", "retrained on the last 10 weeks", "promoted v2"]
    assert [(b.policy, b.retrained) for b in life.bills] == [("never", None), ("solvent", 1)]
    assert [w.title for w in life.warnings] == ["temp moved"]
    assert report.chain.length == 3 and not report.chain.problems
    assert report.chain.head == town.store.facts.decisions()[-1].hash
    assert "bikes is healthy: one retraining cut its error from 52 to 42 rentals/hour" in render_html(report)


def test_an_empty_store_makes_an_empty_report(town: Town) -> None:
    assert life_report(town.store, SETTINGS, models=[]).models == []


def test_versions_in_one_window_are_pooled_by_their_rows() -> None:
    late = week("loss.realised", 20.0, 0, number=2, lower=10.0, upper=30.0)
    early = week("loss.realised", 40.0, 0, number=1, lower=30.0, upper=50.0)
    (window,) = windows_of([early, late], [])
    assert window.realised is not None
    assert (window.realised.value, window.realised.lower, window.realised.upper) == (30.0, 20.0, 40.0)


def test_an_interval_that_one_version_lacks_is_not_made_up() -> None:
    (window,) = windows_of([week("loss.realised", 40.0, 0, lower=30.0), week("loss.realised", 20.0, 0, number=2)], [])
    assert window.realised is not None and window.realised.lower is None


def test_stretches_follow_the_alias_and_a_removed_alias_ends_the_last() -> None:
    def move(number: int | None, days: int) -> AliasMove:
        return AliasMove(model="m", alias="champion", number=number, at=START + timedelta(days=days), decision="d")

    told = stretches_of([move(1, 0), move(1, 1), move(2, 5), move(None, 9)])
    assert [(s.number, s.end is None) for s in told] == [(1, False), (2, False)]
    assert told[0].end == told[1].start == START + 5 * DAY


def test_the_newest_joint_drift_names_the_columns_that_carry_half_of_it() -> None:
    shares = {"month": 0.4, "temp": 0.3, "wind": 0.2, "hour": 0.1}
    joint = joint_of([week("joint-drift", auc, at, about={"importance": shares}) for at, auc in ((5, 0.93), (4, 0.7))])
    assert joint is not None and (joint.auc, joint.columns) == (0.93, ["month", "temp"])
    assert joint_of([]) is None


def test_a_column_that_the_model_hardly_uses_or_that_always_varies_is_grey() -> None:
    drift = [
        week("drift.temp", 0.5, 5, unit="sd", about={"weight": 0.6, "p": 0.001}),
        week("drift.wind", 0.5, 5, unit="sd", about={"weight": 0.17, "p": 0.001}),
        week("drift.hour", 0.5, 5, unit="sd", about={"weight": 0.23, "p": 0.6}),
        week("drift.temp", 0.1, 4, unit="sd"),
    ]
    at, moved = moved_of(drift, floor=0.25)
    assert at == START + 42 * DAY
    assert {m.column: m.matters for m in moved} == {"temp": True, "wind": False, "hour": False}


def test_counts_come_from_the_decisions(town: Town) -> None:
    (life,) = life_report(town.store, SETTINGS).models
    assert (life.count(Action.PROMOTE), life.count(Action.RETRAIN), life.count(Action.HOLD)) == (2, 1, 0)
