"""Invented facts that tests of several rooms record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from solvent.foundation.ids import uuid7
from solvent.lineage.digests import digest_of, digest_value
from solvent.lineage.entities import (
    Action,
    Actor,
    Alert,
    Artifact,
    ArtifactType,
    ModelVersion,
    NewDecision,
    Recipe,
    RunEnd,
    RunStart,
    RunStatus,
)
from solvent.store.facts import Facts

ANN = Actor(kind="person", name="ann")
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
START = datetime(2012, 1, 1, tzinfo=UTC)


def artifact(name: str, **fields) -> Artifact:
    """An artifact of invented bytes."""
    made = {
        "digest": digest_of(name.encode()),
        "content": digest_of(b"content of " + name.encode()),
        "type": ArtifactType.DATASET,
        "format": "parquet",
        "size": len(name),
        "about": {"name": name},
    }
    return Artifact(**{**made, **fields})


def recipe(name: str) -> Recipe:
    return Recipe(
        digest=digest_value(["recipe", name]),
        code=digest_of(b"code"),
        environment=digest_of(b"environment"),
        parameters={"seed": 7},
        inputs={"table": digest_of(name.encode())},
    )


def run_step(
    facts: Facts,
    step: str,
    *,
    inputs: tuple[str, ...] = (),
    outputs: tuple[str, ...] = (),
    status: RunStatus = RunStatus.DONE,
    **start,
) -> str:
    """Run a step whose inputs and outputs are named artifacts; the run's key."""
    key = uuid7()
    facts.add_artifacts([artifact(name) for name in inputs])
    used = {name: artifact(name).digest for name in inputs}
    facts.start_run(RunStart(key=key, step=step, started_at=START, inputs=used, **start))
    made = {name: artifact(name) for name in outputs}
    if status is not RunStatus.RUNNING:
        facts.end_run(RunEnd(key=key, status=status, ended_at=START + timedelta(seconds=2), outputs=made))
    return key


def add_version(facts: Facts, model: str = "bikes", name: str = "forest") -> ModelVersion:
    """A version of a model, with the model where there is none yet."""
    facts.add_model(model, {"task": "regression"})
    run = run_step(facts, "bikes.fit", inputs=("rides",), outputs=(name,))
    new = ModelVersion(
        model=model,
        number=0,
        artifact=artifact(name).digest,
        run=run,
        created_at=START,
        signature={"task": "regression", "features": {"temp": "f64"}},
    )
    return facts.add_version(new)


def decision(action: Action = Action.HOLD, **fields) -> NewDecision:
    made = {"action": action, "actor": ANN, "at": START, "reason": "it seemed right"}
    return NewDecision(**{**made, **fields})


def alarm(effect: str = "drift w1", at: datetime = START, **fields) -> Alert:
    made = {"key": uuid7(), "model": "bikes", "number": 1, "kind": "drift", "at": at, "window_start": at - WEEK}
    made |= {"window_end": at, "title": "temp drifts", "cause": {"column": "temp"}, "evidence": {"psi": 0.3}}
    return Alert(**{**made, "effect": effect, **fields})
