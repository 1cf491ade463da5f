"""Logged predictions whose outcome is known extend the features that the next model learns from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from solvent.lineage.entities import NodeKind
from solvent.pipeline import Logged, RunOptions, plan_pipeline
from solvent.pipeline.logged import extension
from solvent.pipeline.spec import ModelSpec, Ref

START = datetime(2012, 1, 1, tzinfo=UTC)
REF = Ref(node="pipeline.features")


def model(**changes) -> ModelSpec:
    facts = {"task": "regression", "target": "count", "metric": "mae", "time": "time", "id": "ride"}
    return ModelSpec(
        name="bikes", variable="bikes", estimator=REF, evaluation=REF, features=REF, file="pipeline.py", line=1,
        **{**facts, **changes},
    )  # fmt: skip


FEATURES = pl.DataFrame(
    {
        "ride": ["a", "b"],
        "time": [datetime(2012, 1, 1), datetime(2012, 1, 2)],
        "temp": pl.Series([1.0, 2.0], dtype=pl.Float32),
        "weather": ["clear", "rain"],
        "extra": [1, 2],
        "count": [10, 20],
    }
)


def predictions(ids: list[str], **columns) -> pl.DataFrame:
    rows = len(ids)
    hours = [START + timedelta(days=10, hours=n) for n in range(rows)]
    return pl.DataFrame(
        {
            "prediction_id": ids,
            "event_time": hours,
            "answered_at": hours,
            "flags": [[]] * rows,
            "f_temp": [float(n) for n in range(rows)],
            "f_weather": ["snow"] * rows,
            **columns,
        },
        schema_overrides={"flags": pl.List(pl.String)},
    )


def outcomes(**labels: float) -> pl.DataFrame:
    return pl.DataFrame({"prediction_id": list(labels), "label": [float(v) for v in labels.values()]})


def test_rows_take_the_shape_of_the_features_table():
    rows = extension(FEATURES, predictions(["c", "d"]), outcomes(d=40, c=30), model(), None)
    assert rows.schema == FEATURES.schema
    assert rows.rows() == [
        ("c", datetime(2012, 1, 11, 0), 0.0, "snow", None, 30),
        ("d", datetime(2012, 1, 11, 1), 1.0, "snow", None, 40),
    ]


def test_known_ids_flagged_rows_repeats_and_rows_without_outcome_stay_out():
    logged = predictions(["a", "c", "c", "d", "e"], flags=[[], [], [], ["range:temp"], []])
    rows = extension(FEATURES, logged, outcomes(a=1, c=2, d=3), model(), None)
    assert rows["ride"].to_list() == ["c"]
    assert rows["temp"].to_list() == [1.0]  # the first answer counts


def test_labels_of_classifiers_are_indices_into_their_classes():
    features = FEATURES.with_columns(count=pl.Series(["early", "late"]))
    rows = extension(features, predictions(["c", "d"]), outcomes(c=1, d=0), model(task="binary"), ["early", "late"])
    assert rows["count"].to_list() == ["late", "early"]
    truth = FEATURES.with_columns(count=pl.Series([True, False]))
    rows = extension(truth, predictions(["c"]), outcomes(c=1), model(task="binary"), [False, True])
    assert rows["count"].to_list() == [True]


@pytest.mark.parametrize(
    "dtype", [pl.Datetime("us", "UTC"), pl.Datetime("ms"), pl.Datetime("us", "America/New_York"), pl.Date]
)
def test_times_are_cast_to_the_tables_own(dtype):
    features = FEATURES.with_columns(
        pl.col("time").cast(pl.Date) if dtype == pl.Date else pl.lit(None, dtype).alias("time")
    )
    rows = extension(features, predictions(["c"]), outcomes(c=1), model(), None)
    assert rows.schema["time"] == dtype
    assert rows["time"][0] is not None


def test_ids_that_are_numbers_or_times_come_back_as_such():
    numbers = FEATURES.with_columns(ride=pl.Series([1, 2]))
    rows = extension(numbers, predictions(["2", "3"]), outcomes(**{"2": 1, "3": 2}), model(), None)
    assert rows["ride"].to_list() == [3]
    times = FEATURES.with_columns(ride=pl.col("time"))
    rows = extension(times, predictions(["2012-01-11T00:00:00"]), outcomes(**{"2012-01-11T00:00:00": 1}), model(), None)
    assert rows["ride"].to_list() == [datetime(2012, 1, 11)]


PIPELINE = """
    import polars as pl
    from solvent import model, source, step

    rides = source("rides.csv", time="time", known_at="time")

    @step
    def features(rides: pl.DataFrame) -> pl.DataFrame:
        return rides

    @step
    def fit(features: pl.DataFrame) -> list[int]:
        return sorted(features["count"].to_list())

    bikes = model(estimator=fit, evaluation=features, features=features, task="regression", target="count",
                  metric="mae", time="time", id="ride")
"""


@pytest.fixture
def bikes(project):
    project.write("pipeline.py", PIPELINE)
    project.write("rides.csv", "ride,time,temp,count\na,2012-01-01 00:00:00,1.5,10\nb,2012-01-02 00:00:00,2.5,20\n")
    project.store.facts.add_model("bikes", {})
    log = project.store.log
    at = START + timedelta(days=10)
    log.append_predictions(
        "bikes",
        {
            "prediction_id": ["a", "c", "d"], "request_id": ["r"] * 3, "event_time": [at] * 3, "answered_at": [at] * 3,
            "version": [1] * 3, "output": [1.0] * 3, "flags": [[], [], []], "f_temp": [3.5] * 3,
        },
    )  # fmt: skip
    for ids, days in ((["a", "c"], 12), (["d"], 20)):
        known = START + timedelta(days=days)
        log.append_outcomes(
            "bikes",
            {
                "prediction_id": ids, "label": [30.0] * len(ids), "happened_at": [at] * len(ids),
                "known_at": [known] * len(ids), "recorded_at": [known] * len(ids),
            },
        )  # fmt: skip
    return project


def run(bikes, day: int):
    as_of = START + timedelta(days=day)
    return bikes.run(targets=("bikes",), as_of=as_of, logged=Logged(model="bikes"))


def test_a_run_with_logged_rows_trains_on_what_was_known_by_then(bikes):
    assert bikes.value(bikes.run(as_of=START + timedelta(days=9)), "fit") == [10, 20]
    assert bikes.value(run(bikes, 9), "fit") == [10, 20]
    assert bikes.value(run(bikes, 15), "fit") == [10, 20, 30]
    assert bikes.value(run(bikes, 25), "fit") == [10, 20, 30, 30]
    last = run(bikes, 25)
    assert last.step("bikes_logged_rows").reason == "2 rows from the prediction log"
    assert last.step("fit").state == "cached"


def test_the_model_hangs_below_the_logs_segments(bikes):
    sealed = bikes.store.log.seal("bikes", "predictions", now=START + timedelta(days=21))
    bikes.store.log.seal("bikes", "outcomes", now=START + timedelta(days=21))
    assert sealed.rows == 3
    fitted = run(bikes, 25).output("fit")
    above = {n.key for n in bikes.store.facts.ancestors(NodeKind.ARTIFACT, fitted.digest).nodes}
    segments = [s.digest for kind in ("predictions", "outcomes") for s in bikes.store.facts.segments("bikes", kind)]
    assert segments and above.issuperset(segments)


def test_without_logged_rows_nothing_hangs_below_the_log(bikes):
    assert run(bikes, 9).output("bikes_logged_rows").digest == run(bikes, 9).output("features").digest


def test_planning_says_that_the_log_has_to_be_read(bikes):
    run(bikes, 15)
    options = RunOptions(targets=("bikes",), as_of=START + timedelta(days=15), logged=Logged(model="bikes"))
    plan = plan_pipeline(bikes.root, bikes.spec, bikes.store, options)
    assert plan.step("bikes_logged_rows").reason == "reads the prediction log"
    assert plan.step("fit").reason == "waits for bikes_logged_rows"


def test_a_features_table_without_the_declared_columns_is_an_error(bikes):
    bikes.edit("pipeline.py", 'id="ride"', 'id="rid"')
    error = run(bikes, 15).step("bikes_logged_rows").error
    assert error["what"] == "the features of `bikes` have no column `rid`, its id"
    assert error["next"] == "did you mean `ride`?"
