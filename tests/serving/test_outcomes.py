"""Outcomes: kept, told apart, corrected, reported."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from solvent.registry.signature import Signature
from solvent.serving.outcomes import BadOutcome, log_outcomes, outcomes_in_table, read_outcomes
from solvent.serving.protocol import OutcomeRow
from solvent.serving.rows import EventClock

from .conftest import NOW

COUNT = Signature(task="regression", target="count", metric="mae", features={"temp": "Float64"}, id="ride")
BUSY = Signature(task="binary", target="busy", metric="auc", features={}, classes=["calm", "busy"], positive=1)


@pytest.fixture
def model(store):
    """A model with two logged predictions, `a` and `b`."""
    store.facts.add_model("bike-demand", {})
    rows = {"prediction_id": ["a", "b"], "event_time": [NOW] * 2, "answered_at": [NOW] * 2, "version": [1] * 2}
    store.log.append_predictions("bike-demand", {**rows, "output": [1.0, 2.0], "f_temp": [20.0, 21.0]})
    return "bike-demand"


@pytest.fixture
def tell(store, model):
    def told(*rows, signature=COUNT, replay=False, now=NOW):
        given = [
            OutcomeRow(prediction_id=row[0], label=row[1], known_at=row[2] if len(row) > 2 else None) for row in rows
        ]
        return log_outcomes(store, model, signature, given, EventClock(replay=replay), now=now)

    return told


def test_outcomes_of_unknown_predictions_are_kept_and_reported(store, model, tell):
    report = tell(("a", 11), ("z", 5), ("y", 6))
    assert (report.new, report.unknown, report.unknown_ids) == (3, 2, ["z", "y"])
    assert set(store.log.scan_outcomes(model).collect()["prediction_id"]) == {"a", "y", "z"}


def test_a_corrected_outcome_is_a_further_revision_and_a_repeated_one_is_none(store, model, tell):
    tell(("a", 11), now=NOW)
    report = tell(("a", 11), now=NOW + timedelta(days=1))
    assert (report.new, report.corrected, report.repeated) == (0, 0, 1)
    report = tell(("a", 12), ("b", 3), now=NOW + timedelta(days=2))
    assert (report.new, report.corrected, report.repeated) == (1, 1, 0)
    rows = store.log.scan_outcomes(model).filter(pl.col("prediction_id") == "a").collect()
    assert rows.select("label", "revision").rows() == [(11.0, 0), (12.0, 1)]
    latest = store.log.latest_outcomes(model, known_by=NOW + timedelta(days=1)).collect()
    assert latest["label"].to_list() == [11.0]


def test_a_label_corrected_within_one_batch_counts_in_order_of_becoming_known(store, model, tell):
    report = tell(("a", 12, "2012-04-03"), ("a", 11, "2012-04-02"), ("a", 12, "2012-04-04"))
    assert (report.new, report.corrected, report.repeated) == (1, 1, 1)
    assert store.log.latest_outcomes(model).collect().select("label", "first_label").row(0) == (12.0, 11.0)


def test_nothing_is_known_in_the_future_unless_a_past_is_replayed(store, model, tell):
    report = tell(("a", 11, "2012-06-01T00:00:00Z"))
    assert report.bounded == 1
    assert store.log.scan_outcomes(model).collect()["known_at"].to_list() == [NOW]
    report = tell(("b", 11, "2012-06-01T00:00:00Z"), replay=True)
    assert report.bounded == 0
    assert store.log.scan_outcomes(model).collect()["known_at"].dt.month().to_list() == [5, 6]


def test_a_bad_outcome_is_named_by_row_and_nothing_of_the_batch_is_logged(store, model, tell):
    with pytest.raises(BadOutcome, match="outcome 1: label 'many' is no finite number"):
        tell(("a", 1), ("b", "many"))
    with pytest.raises(BadOutcome, match="outcome 0: `soon` is no date or time"):
        tell(("a", 1, "soon"))
    with pytest.raises(BadOutcome, match=r"outcome 0: label 'bsy' is no class.*'calm', 'busy'"):
        tell(("a", "bsy"), signature=BUSY)
    assert store.log.scan_outcomes(model).collect().is_empty()


def test_classes_are_logged_by_index(store, model, tell):
    tell(("a", "busy"), ("b", "calm"), signature=BUSY)
    assert sorted(store.log.scan_outcomes(model).collect()["label"]) == [0.0, 1.0]


def test_a_file_names_its_columns_as_we_do_or_as_the_model_does(tmp_path):
    ours = pl.DataFrame({"prediction_id": ["a", "b"], "label": [1.0, None], "known_at": [NOW, NOW]})
    assert outcomes_in_table(ours, COUNT, "f") == [
        OutcomeRow(prediction_id="a", label=1.0, known_at="2012-05-01T00:00:00Z")
    ]
    path = tmp_path / "labels.csv"
    path.write_text("ride,count\n007,11\n8,12\n")
    assert [(row.prediction_id, row.label) for row in read_outcomes(path, COUNT)] == [("007", 11), ("8", 12)]
    with pytest.raises(BadOutcome, match="no column of labels: did you mean `lable`"):
        outcomes_in_table(ours.rename({"label": "lable"}), COUNT, "f")


def test_over_http_the_report_comes_back(endpoint, shared):
    endpoint.ask([{"temp": 20.0, "hour": 8, "station": "north", "ride": 77}])
    outcomes = [{"prediction_id": 77, "label": 30.5, "known_at": "2012-05-02T00:00:00Z"}]
    for body in (outcomes, {"outcomes": outcomes}):
        response = endpoint.client.post("/outcomes", json=body)
        assert response.status_code == 200
    assert response.json() == {
        "new": 0,
        "corrected": 0,
        "repeated": 1,
        "unknown": 0,
        "bounded": 0,
        "unknown_ids": [],
    }
    bad = endpoint.client.post("/outcomes", json=[{"prediction_id": 77}])
    assert (bad.status_code, "label" in bad.json()["error"]["what"]) == (400, True)
    bad = endpoint.client.post("/outcomes", json=[{"prediction_id": 77, "label": "many"}])
    assert (bad.status_code, bad.json()["error"]["where"]) == (400, "outcome 0")
