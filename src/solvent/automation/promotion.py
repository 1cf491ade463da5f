"""From a shadow or a registered version through the gate into service, or not, with the reason on record."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from msgspec.structs import replace

from solvent.automation.evidence import answerable, clipped, comparable, day_of, version_losses
from solvent.automation.rows import FEATURE, served_rows
from solvent.automation.scoring import Scorer
from solvent.automation.shadows import shadow_of
from solvent.automation.versions import footprint, footprint_of, read_table
from solvent.foundation.settings import PolicySettings
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Action, Actor, Decision, ModelVersion, NewDecision, NodeKind
from solvent.registry.canary import begin_canary
from solvent.registry.gate import BrokenAncestor, Footprint, GateInput, GateResult, GateSettings, Pairs, judge
from solvent.registry.references import CHAMPION, resolve
from solvent.registry.register import register
from solvent.registry.signature import Signature
from solvent.registry.versions import promote

if TYPE_CHECKING:
    from solvent.automation.state import Shadow
    from solvent.pipeline import PipelineRun
    from solvent.pipeline.spec import ModelSpec
    from solvent.project import Project
    from solvent.store import Store

LEAST_FRESH_ROWS = 50
LARGEST_SLICES = 50


def register_shadow(project: Project, model: ModelSpec, shadow: Shadow, *, actor: Actor, reason: str) -> ModelVersion:
    """The shadow as the model's next numbered version, with all that a gate and a monitor will ask of it."""
    store = project.store
    training, evaluation = read_table(store, shadow.training), read_table(store, shadow.evaluation)
    rows = footprint_of(training, id=model.id, time=model.time)
    return register(
        store,
        model,
        estimator=shadow.estimator,
        run=shadow.run,
        features=training,
        evaluation=evaluation,
        actor=actor,
        at=shadow.made_at,
        made_from={"features": shadow.training, "evaluation": shadow.evaluation},
        hidden=shadow.hidden,
        about={
            "span": shadow.span,
            "reason": reason,
            "training": shadow.training,
            "evaluation": shadow.evaluation,
            "trained_rows": training.height,
            "trained_since": rows.first,
            "trained_until": rows.last,
        },
    )


def judge_version(
    store: Store, version: ModelVersion, policy: PolicySettings, scorer: Scorer, *, now: datetime, unit: str = ""
) -> GateResult:
    """The gate's answer about a version against the champion, on rows that neither has learned from.

    These are the served rows since the version's training data ended; where too few were served, its own
    evaluation rows.
    """
    number = store.facts.alias(version.model, CHAMPION)
    champion = store.facts.version(version.model, number) if number is not None else None
    signature = Signature.of(version.signature)
    training = footprint(store, version.about.get("training"), signature)
    rows = fresh_rows(store, version, signature, training, scorer, now)
    same = champion is None or champion.number == version.number
    settings = GateSettings(margin=policy.margin, slice_margin=policy.slice_margin)
    return judge(
        GateInput(
            challenger=f"v{version.number}",
            champion=None if same or champion is None else f"v{champion.number}",
            evaluation=footprint_of(rows, id="prediction_id" if signature.id else None, time="event_time"),
            challenger_training=training if signature.id else replace(training, ids=None),
            champion_training=_training_of(store, champion),
            pairs=None if same or champion is None else _pairs(rows, version, champion, scorer, policy),
            broken_ancestors=broken_ancestors(store, version),
            size=version.about.get("size_bytes"),
            unit=unit,
        ),
        settings,
    )


def fresh_rows(
    store: Store, version: ModelVersion, signature: Signature, training: Footprint, scorer: Scorer, now: datetime
) -> pl.DataFrame:
    """Labelled rows, in the log's columns, from after the version's training data, that it can be asked about.

    Of few served ones its own evaluation rows stand in. None where it wants a feature that the version in service does
    without and that not all callers give any more: they could not be answered.
    """
    since = training.last or version.created_at
    served = served_rows(store, version.model, since, now, known_by=now)
    served = served.filter(pl.col("label").is_not_null(), pl.col("event_time") > since)
    served = served.filter(pl.col("flags").list.len().fill_null(0) == 0) if "flags" in served.columns else served
    asked = served.filter(pl.Series(answerable(served, version.model, signature, scorer), dtype=pl.Boolean))
    if scorer.hidden_by(version.model, served["version"]) & set(signature.features):
        return asked if asked.height == served.height else served.clear()
    if version.reference is None or asked.height >= LEAST_FRESH_ROWS:
        return asked
    own = read_table(store, version.reference)
    missing = [pl.lit(None, pl.String).alias("prediction_id")] if "prediction_id" not in own.columns else []
    return own.with_columns(pl.lit(version.number, pl.Int32).alias("version"), *missing).filter(
        pl.col("label").is_not_null()
    )


def broken_ancestors(store: Store, version: ModelVersion) -> list[BrokenAncestor]:
    """Data from which the version came and that broke its contract when it was last checked."""
    above = store.facts.ancestors(NodeKind.VERSION, version.name)
    names = {Digest(node.key): node.name for node in above.nodes if node.kind is NodeKind.ARTIFACT}
    found: list[BrokenAncestor] = []
    for digest, checks in store.facts.contract_checks(list(names)).items():
        latest = max(checks, key=lambda check: check.at)
        name = names[digest] or digest[:12]
        found += [
            BrokenAncestor(artifact=name, column=str(broken.get("column", "")), cause=str(broken.get("cause", "")))
            for broken in latest.violations
            if not latest.ok
        ]
    return found


def promote_by_person(
    project: Project,
    reference: str,
    *,
    at: datetime,
    actor: Actor,
    waiver: str | None = None,
    canary: float | None = None,
) -> Decision:
    """What a person asks for: through the gate, or past it by a written waiver.

    canary: the share of requests that it answers beside the champion; None to replace the champion.
    Raises: ClosedGate where it stays closed; the refusal is a decision on record by then. BadShare.
    """
    store = project.store
    version = resolve(store, reference)
    settings = project.settings.model(version.model)
    gate = judge_version(store, version, settings.policy, Scorer(store), now=at, unit=settings.monitor.unit)
    if not gate.passed and waiver is None:
        refuse(store, version, gate, actor=actor, at=at, policy=None, effect=None)
    if canary is not None:
        return begin_canary(store, version, canary, actor=actor, at=at, gate=gate, waiver=waiver)
    return promote(store, version.model, version.number, actor=actor, at=at, gate=gate, waiver=waiver)


def refuse(
    store: Store,
    version: ModelVersion,
    gate: GateResult,
    *,
    actor: Actor,
    at: datetime,
    policy: str | None,
    effect: str | None,
) -> Decision:
    """Record that the gate did not let a version pass, and why."""
    return store.facts.decide(
        NewDecision(
            action=Action.REFUSE,
            actor=actor,
            at=at,
            reason=gate.reason,
            model=version.model,
            number=version.number,
            policy=policy,
            evidence=gate.as_evidence(),
            rests_on=[(NodeKind.VERSION, version.name)],
            effect=effect,
        )
    )


def register_run(project: Project, run: PipelineRun, *, at: datetime, actor: Actor) -> list[ModelVersion]:
    """Register the models of a pipeline run whose parts are all there.

    A model's first version becomes its champion; an estimator that is a version already stays that version.
    """
    registered = []
    done = {step.name for step in run.steps if step.state in ("ran", "cached")}
    for model in project.spec.models:
        if {model.estimator.node, model.evaluation.node} <= done:
            shadow = shadow_of(project.store, model, run, "all", at)
            registered.append(register_shadow(project, model, shadow, actor=actor, reason="fitted by `solvent run`"))
    return registered


def _training_of(store: Store, champion: ModelVersion | None) -> Footprint:
    if champion is None:
        return Footprint()
    signature = Signature.of(champion.signature)
    found = footprint(store, champion.about.get("training"), signature)
    return found if signature.id else replace(found, ids=None)


def _pairs(
    rows: pl.DataFrame, challenger: ModelVersion, champion: ModelVersion, scorer: Scorer, policy: PolicySettings
) -> Pairs | None:
    """Both versions on the same rows; None where the log lacks a feature of one of them."""
    ours, theirs = Signature.of(challenger.signature), Signature.of(champion.signature)
    if rows.is_empty() or not comparable(rows, ours) or not comparable(rows, theirs):
        return None
    if (rows["version"] != champion.number).any():
        rows = rows.filter(pl.Series(answerable(rows, champion.model, theirs, scorer), dtype=pl.Boolean))
    binary = ours.task == "binary"
    output = scorer.outputs(challenger.artifact, ours, rows)
    return Pairs(
        challenger=clipped(rows, ours, output, np.inf),
        champion=version_losses(rows, champion, scorer, np.inf),
        blocks=day_of(rows),
        slices=_slices(rows, policy.slices),
        label=rows["label"].to_numpy() > 0 if binary else None,
        challenger_probability=output if binary else None,
        champion_probability=scorer.outputs(champion.artifact, theirs, rows) if binary else None,
    )


def _slices(rows: pl.DataFrame, columns: list[str]) -> dict[str, np.ndarray]:
    found = {}
    for column in columns:
        name = f"{FEATURE}{column}"
        if name in rows.columns:
            values = rows[name].cast(pl.String)
            for value in values.drop_nulls().unique().sort().to_list()[:LARGEST_SLICES]:
                found[f"{column}={value}"] = (values == value).fill_null(False).to_numpy()
    return found
