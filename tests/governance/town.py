"""A small project as the store knows it: two tables, three steps, two versions, a log, decisions, warnings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from solvent.lineage.digests import Digest, digest_of
from solvent.lineage.entities import (
    Action,
    Actor,
    Alert,
    Artifact,
    ArtifactType,
    Measurement,
    ModelVersion,
    NewDecision,
    NodeKind,
    Recipe,
    RunEnd,
    RunStart,
    RunStatus,
)
from solvent.store import Store

DAY = timedelta(days=1)
START = datetime(2012, 1, 2, tzinfo=UTC)
POLICY = Actor(kind="policy", name="bikes/1")
SIGNATURE = {"task": "regression", "target": "count", "metric": "mae", "features": {"temp": "f64", "hour": "i64"}}


class Town(msgspec.Struct):
    """The store and the keys of what is in it."""

    store: Store
    rides: Digest
    model: Digest
    fit_run: str
    segment: str


def keep(store: Store, data: bytes, name: str, kind: ArtifactType = ArtifactType.DATASET, **about: object) -> Artifact:
    digest = store.objects.put_bytes(data)
    artifact = Artifact(
        digest=digest,
        content=digest_of(b"content" + data),
        type=kind,
        format="parquet",
        size=len(data),
        about={"name": name, **about},
    )
    store.facts.add_artifact(artifact)
    return artifact


def run_step(store: Store, step: str, key: str, inputs: dict[str, Digest], outputs: dict[str, Artifact]) -> None:
    recipe = Recipe(
        digest=digest_of(key.encode()),
        code=digest_of(b"code"),
        environment=digest_of(b"env"),
        parameters={"seed": 7} if step == "fit" else {},
        inputs=inputs,
    )
    store.facts.start_run(RunStart(key=key, step=step, started_at=START, recipe=recipe, inputs=inputs))
    end = RunEnd(key=key, status=RunStatus.DONE, ended_at=START + timedelta(seconds=3), outputs=outputs)
    store.facts.end_run(end)


def decide(store: Store, action: Action, at: datetime, reason: str, number: int | None, **evidence: object) -> None:
    store.facts.decide(
        NewDecision(
            action=action,
            actor=POLICY,
            policy="bikes/1",
            at=at,
            reason=reason,
            model="bikes",
            number=number,
            evidence=dict(evidence),
        )
    )


def promote(store: Store, number: int, at: datetime, action: Action = Action.PROMOTE) -> None:
    store.facts.move_alias(
        "bikes",
        "champion",
        number,
        NewDecision(
            action=action,
            actor=POLICY,
            policy="bikes/1",
            at=at,
            reason=f"beats the champion on 336 rows, v{number}",
            model="bikes",
            number=number,
            evidence={"gain": {"value": 8.1, "lower": 5.9, "upper": 10.2}},
        ),
    )


def week(name: str, value: float, place: int, number: int = 1, unit: str = "", **more: object) -> Measurement:
    begin = START + place * 7 * DAY
    return Measurement(
        model="bikes",
        number=number,
        name=name,
        window_start=begin,
        window_end=begin + 7 * DAY,
        value=value,
        unit=unit or ("rentals/hour" if name.startswith("loss") else ""),
        rows=168,
        measured_at=begin + 8 * DAY,
        **more,  # type: ignore[arg-type]
    )


def log_predictions(store: Store) -> str:
    at = [START + i * timedelta(hours=1) for i in range(4)]
    store.log.append_predictions(
        "bikes",
        {
            "prediction_id": [f"ride-{i}" for i in range(4)],
            "event_time": at,
            "answered_at": at,
            "version": [1, 1, 1, 1],
            "output": [10.0, 20.0, 30.0, 40.0],
            "f_temp": [1.0, 2.0, 3.0, 4.0],
        },
    )
    store.log.close()
    store.log.seal("bikes", "predictions", now=START + DAY)
    return store.facts.segments("bikes", "predictions")[0].digest


def populated(store: Store) -> Town:
    rides = keep(store, b"rides", "rides", rows=17379, columns=["temp", "hour", "count"])
    weather = keep(store, b"weather", "weather", rows=900)
    store.facts.add_columns(rides.digest, ["temp", "hour", "count"])
    clean = keep(store, b"clean", "clean", rows=17000)
    fitted = [keep(store, f"fit{i}".encode(), "fit", ArtifactType.MODEL) for i in (1, 2)]
    scores = keep(store, b"scores", "scores", ArtifactType.METRICS)
    run_step(store, "clean", "0a" * 16, {"rides": rides.digest, "weather": weather.digest}, {"clean": clean})
    run_step(store, "fit", "0b" * 16, {"clean": clean.digest}, {"fit": fitted[0]})
    run_step(store, "fit", "0c" * 16, {"clean": clean.digest}, {"fit": fitted[1]})
    run_step(store, "evaluate", "0d" * 16, {"fit": fitted[1].digest}, {"evaluate": scores})
    store.facts.add_model("bikes", {"task": "regression", "metric": "mae"})
    for artifact, run in zip(fitted, ("0b" * 16, "0c" * 16), strict=True):
        version = ModelVersion(
            model="bikes", number=0, artifact=artifact.digest, run=run, created_at=START, signature=SIGNATURE
        )
        made = store.facts.add_version(version)
        store.facts.add_columns(made.name, ["temp", "hour"])
    promote(store, 1, START)
    segment = log_predictions(store)
    store.facts.add_measurements(
        [week("loss.realised", 40.0 + i, i, lower=35.0 + i, upper=45.0 + i, level=0.95) for i in range(6)]
        + [week("loss.estimated", 41.0 + i, i, lower=33.0, upper=50.0, level=0.9) for i in range(6)]
        + [week("counterfactual.never", 50.0 + i, i) for i in range(6)]
        + [week("volume", 168.0, i) for i in range(6)]
        + [week("drift.temp", 0.5, 5, about={"weight": 0.7}), week("drift.hour", 0.1, 5, about={"weight": 0.3})]
        + [week("cost.never", 300.0, 5), week("cost.solvent", 250.0, 5, about={"retrained": 1, "error": 42.0})]
    )
    store.facts.add_alert(
        Alert(
            key="1f" * 16,
            model="bikes",
            number=1,
            kind="drift",
            at=START + 20 * DAY,
            window_start=START + 14 * DAY,
            window_end=START + 21 * DAY,
            title="temp moved",
            cause={"column": "temp"},
            evidence={"test": "e-detector", "false_alarms_per_year": 1.0},
            effect="drift/2",
        )
    )
    decide(store, Action.RETRAIN, START + 28 * DAY, "keeping v1 costs more than a retraining", 1, span="10w")
    promote(store, 2, START + 28 * DAY)
    store.facts.deploy("http://127.0.0.1:8080", "bikes", 1, START)
    store.facts.deploy("http://127.0.0.1:8080", "bikes", 2, START + 28 * DAY)
    assert store.facts.node(NodeKind.VERSION, "bikes/2") is not None
    return Town(store=store, rides=rides.digest, model=fitted[1].digest, fit_run="0c" * 16, segment=segment)
