"""What was live on a date: versions, where they answered, on which data they stood, which warnings were open."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from solvent.governance.rulings import ruling_of
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Action, ArtifactType, NodeKind
from solvent.pages.figures import Figure
from solvent.pages.words import day, listed, moment, plural, with_interval

if TYPE_CHECKING:
    from solvent.lineage.entities import AliasMove, Decision, Measurement
    from solvent.store import Store

ANSWERS = (Action.PROMOTE, Action.ROLL_BACK, Action.HOLD, Action.WAIVE)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset that a version stands on: a root of its lineage."""

    digest: str
    name: str
    rows: int | None
    size: int
    erased: bool


class LiveVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version that an alias pointed at, since when, by which decision, on which data."""

    alias: str
    number: int
    since: datetime
    decided: str
    artifact: str
    run: str | None
    data: list[Standing]


class OpenAlert(msgspec.Struct, frozen=True, kw_only=True):
    """A warning that no decision had answered by then."""

    key: str
    kind: str
    title: str
    at: datetime


class ModelThen(msgspec.Struct, frozen=True, kw_only=True):
    """One model on the date."""

    name: str
    live: list[LiveVersion]
    endpoints: dict[str, int]
    alerts: list[OpenAlert]
    loss: Figure | None = None
    unit: str = ""
    loss_until: datetime | None = None
    last_decision: str = ""
    last_decision_at: datetime | None = None


class AsOf(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the project at `date`, as far as the store knew by `known_by` (None: as it knows today)."""

    date: datetime
    known_by: datetime | None
    models: list[ModelThen]


def as_of(store: Store, date: datetime, known_by: datetime | None = None) -> AsOf:
    """What was live at `date`.

    known_by: leave out what was recorded only after it: 'what did we believe then?'.
    """
    models = [_then(store, name, date, known_by) for name in store.facts.models()]
    return AsOf(date=date, known_by=known_by, models=models)


def _then(store: Store, name: str, date: datetime, known_by: datetime | None) -> ModelThen:
    facts = store.facts
    decided = [d for d in facts.decisions(name) if _stood(d, date, known_by)]
    moves = facts.alias_moves(name, as_of=date, known_by=known_by)
    losses = facts.measurements(name, "loss.realised", until=date, as_of=date, known_by=known_by)
    loss = next((m for m in reversed(losses) if m.value is not None and not m.slice and m.window_end <= date), None)
    last = ruling_of(decided[-1]) if decided else None
    return ModelThen(
        name=name,
        live=[_live(store, move, decided) for move in _current(moves)],
        endpoints={d.endpoint: d.number for d in facts.deployments(name, as_of=date, known_by=known_by)},
        alerts=_open_alerts(store, name, date, known_by, decided),
        loss=_figure(loss),
        unit=loss.unit if loss else "",
        loss_until=loss.window_end if loss else None,
        last_decision=f"{last.title} by {last.by}" if last else "",
        last_decision_at=last.at if last else None,
    )


def _stood(decision: Decision, date: datetime, known_by: datetime | None) -> bool:
    return decision.decision.at <= date and (known_by is None or decision.recorded_at <= known_by)


def _current(moves: list[AliasMove]) -> list[AliasMove]:
    """The last move of each alias that points at something."""
    latest = {move.alias: move for move in moves}
    return [move for move in latest.values() if move.number is not None]


def _live(store: Store, move: AliasMove, decided: list[Decision]) -> LiveVersion:
    number = move.number or 0
    version = store.facts.version(move.model, number)
    by = next((ruling_of(d).by for d in decided if d.key == move.decision), "")
    return LiveVersion(
        alias=move.alias,
        number=number,
        since=move.at,
        decided=by,
        artifact=version.artifact if version else "",
        run=version.run if version else None,
        data=_data(store, f"{move.model}/{number}"),
    )


def _data(store: Store, version: str) -> list[Standing]:
    """Datasets above a version that nothing made: the sources, and segments of its own log."""
    above = store.facts.ancestors(NodeKind.VERSION, version)
    runs = {node.id for node in above.nodes if node.kind is NodeKind.RUN}
    made = {edge.target for edge in above.edges if edge.source in runs}
    roots = [node for node in above.nodes if node.kind is NodeKind.ARTIFACT and node.id not in made]
    artifacts = store.facts.artifacts([Digest(node.key) for node in roots])
    kinds = (ArtifactType.DATASET, ArtifactType.PREDICTIONS, ArtifactType.OUTCOMES, ArtifactType.ANY)
    return [
        Standing(
            digest=node.key,
            name=node.name,
            rows=artifact.about.get("rows"),
            size=artifact.size,
            erased=artifact.erased_at is not None,
        )
        for node in roots
        if (artifact := artifacts.get(Digest(node.key))) is not None and artifact.type in kinds
    ]


def _open_alerts(
    store: Store, name: str, date: datetime, known_by: datetime | None, decided: list[Decision]
) -> list[OpenAlert]:
    """Alerts raised by `date` that no decision which could answer them has followed."""
    answered = max((d.decision.at for d in decided if d.decision.action in ANSWERS), default=None)
    return [
        OpenAlert(key=alert.key, kind=alert.kind, title=alert.title, at=alert.at)
        for alert in store.facts.alerts(name)
        if alert.at <= date and (answered is None or alert.at > answered) and _was_known(store, alert.key, known_by)
    ]


def _was_known(store: Store, key: str, known_by: datetime | None) -> bool:
    """Whether an alert was recorded by then."""
    if known_by is None:
        return True
    node = store.facts.node(NodeKind.ALERT, key)
    return node is not None and node.recorded_at <= known_by


def _figure(measurement: Measurement | None) -> Figure | None:
    if measurement is None or measurement.value is None:
        return None
    return Figure(value=measurement.value, lower=measurement.lower, upper=measurement.upper, level=measurement.level)


def render_as_of(answer: AsOf) -> list[str]:
    """The answer for a terminal."""
    live = [f"{m.name} v{v.number}" for m in answer.models for v in m.live if v.alias == "champion"]
    known = f", as the store knew by {moment(answer.known_by)}" if answer.known_by else ""
    if not answer.models:
        return ["There is no model in this project yet.", "", "Next: solvent run"]
    said = f"{listed(live)} {'was' if len(live) == 1 else 'were'} live" if live else "No model was live"
    lines = [f"{said} on {moment(answer.date)}{known}.", ""]
    for model in answer.models:
        lines += [*_model_lines(model), ""]
    return [*lines, "Next: solvent lineage NAME/VERSION · solvent decisions --model NAME"]


def _model_lines(model: ModelThen) -> list[str]:
    lines = [f"  {model.name}"]
    for version in model.live:
        by = f", by {version.decided}" if version.decided else ""
        lines.append(f"    {version.alias:<12} v{version.number} since {day(version.since)}{by}")
        lines += [f"    {'stands on':<12} {_standing(data)}" for data in version.data[:6]]
        if len(version.data) > 6:
            lines.append(f"    {'':<12} and {plural(len(version.data) - 6, 'more dataset')}")
    if not model.live:
        lines.append("    no version was live")
    lines += [f"    {'answered at':<12} {endpoint} with v{number}" for endpoint, number in model.endpoints.items()]
    if model.loss and model.loss_until:
        figure = f"{with_interval(model.loss)} {model.unit}".rstrip()
        lines.append(f"    {'loss':<12} {figure}, until {day(model.loss_until)}")
    if model.last_decision_at:
        lines.append(f"    {'decided':<12} {model.last_decision}, {day(model.last_decision_at)}")
    lines += [f"    {'open warning':<12} {alert.title}, {day(alert.at)}"[:80] for alert in model.alerts[:5]]
    if len(model.alerts) > 5:
        lines.append(f"    {'':<12} and {plural(len(model.alerts) - 5, 'more warning')}")
    return lines


def _standing(data: Standing) -> str:
    rows = f", {plural(data.rows, 'row')}" if data.rows is not None else ""
    gone = ", erased since" if data.erased else ""
    return f"{data.name or 'dataset'} {data.digest[:10]}{rows}{gone}"
