"""Reads a project's store into a `LifeReport`: the only module of the report that touches the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import solvent
from solvent.governance.report.life import (
    Bill,
    ChainState,
    Joint,
    LifeReport,
    ModelLife,
    Moved,
    Stretch,
    Warn,
    Window,
)
from solvent.governance.report.tables import flat
from solvent.governance.rulings import ruling_of
from solvent.lineage.entities import Alert, AliasMove, Measurement, ModelVersion
from solvent.monitoring.settings import MonitorSettings
from solvent.pages.figures import Figure

if TYPE_CHECKING:
    from solvent.foundation.settings import ModelSettings, Settings
    from solvent.store import Store

CHAMPION = "champion"
CURVES = ("loss.realised", "loss.estimated", "volume", "labelled", "counterfactual.*", "cost.*")
NOTES = ("unseen-season", "recovered", "estimator")  # kinds of alerts that tell and do not warn
HARDLY_USED = 0.02  # share of the model's reliance below which a column's drift is drawn grey
HALF = 0.5  # of a joint drift: the columns that carry as much are named
RARE = 0.05  # a distance that is no rarer than this is what windows differ by anyway


def life_report(
    store: Store, settings: Settings, *, models: Collection[str] | None = None, about: str = ""
) -> LifeReport:
    """The lives of the project's models, as far as the store knows them.

    models: names to tell of (None: all). about: a sentence that is added for the reader.
    Raises: UnknownModel.
    """
    names = sorted(store.facts.models() if models is None else models)
    lives = [model_life(store, settings.model(name), name) for name in names]
    decisions = store.facts.decisions(limit=1)
    newest = decisions[-1] if decisions else None
    chain = ChainState(
        length=newest.position + 1 if newest else 0,
        head=newest.hash if newest else "",
        problems=store.facts.verify_chain(),
    )
    return LifeReport(
        project=store.facts.project,
        models=lives,
        chain=chain,
        until=_until(lives),
        made_by=solvent.__version__,
        about=about,
    )


def model_life(store: Store, settings: ModelSettings, name: str) -> ModelLife:
    """The life of one model. Raises: UnknownModel."""
    facts = store.facts
    declared, versions = facts.model(name) or {}, facts.versions(name)
    signature = {**declared, **(versions[-1].signature if versions else {})}
    curves = [m for m in facts.measurements(name, CURVES) if not m.slice]
    stretches = stretches_of(facts.alias_moves(name, CHAMPION))
    live = stretches[-1] if stretches and stretches[-1].end is None else None
    joint = joint_of(facts.measurements(name, ["joint-drift"]))
    moved_at, moved = moved_of(facts.measurements(name, "drift.*"), settings.monitor.effect_floor)
    losses = [m.unit for m in curves if m.name == "loss.realised" and m.unit]
    return ModelLife(
        name=name,
        metric=str(signature.get("metric", "loss")),
        unit=settings.monitor.unit or str(signature.get("unit", "")) or (losses[-1] if losses else ""),
        task=str(signature.get("task", "")),
        champion=live.number if live else None,
        live_since=live.start if live else None,
        threshold=settings.monitor.threshold,
        windows=windows_of(curves, stretches),
        stretches=stretches,
        rulings=[ruling_of(decision) for decision in facts.decisions(name)],
        warnings=[_warning(alert) for alert in facts.alerts(name)],
        moved=moved,
        moved_at=moved_at,
        joint=joint,
        bills=bills_of(curves),
        false_alarms_per_year=settings.monitor.false_alarms_per_year,
        first_version=_first(versions),
    )


def _first(versions: Sequence[ModelVersion]) -> int:
    return versions[0].number if versions else 1


def stretches_of(moves: Iterable[AliasMove]) -> list[Stretch]:
    """Which version an alias pointed at, and when: one interval per move that changed it."""
    stretches: list[Stretch] = []
    for move in moves:
        if stretches and stretches[-1].end is None:
            last = stretches.pop()
            if last.number == move.number:
                stretches.append(last)
                continue
            if move.at > last.start:
                stretches.append(Stretch(number=last.number, start=last.start, end=move.at))
        if move.number is not None:
            stretches.append(Stretch(number=move.number, start=move.at))
    return stretches


def windows_of(curves: Iterable[Measurement], stretches: Sequence[Stretch]) -> list[Window]:
    """Measurements by window, in time order; several versions in one window are pooled by their rows."""
    by_window: dict[tuple[datetime, datetime], dict[str, list[Measurement]]] = defaultdict(lambda: defaultdict(list))
    for measurement in curves:
        if not measurement.name.startswith("cost."):
            by_window[measurement.window_start, measurement.window_end][measurement.name].append(measurement)
    return [_window(*span, named, stretches) for span, named in sorted(by_window.items(), key=lambda item: item[0])]


def _window(
    start: datetime, end: datetime, named: dict[str, list[Measurement]], stretches: Sequence[Stretch]
) -> Window:
    realised = named["loss.realised"]
    volume = [m.value for m in named["volume"] if m.value is not None]
    labelled = _pooled(named["labelled"])
    rows = round(sum(volume)) if volume else sum(m.rows for m in realised or named["loss.estimated"])
    busiest = max((m for m in [*realised, *named["volume"]] if m.number), key=lambda m: m.rows, default=None)
    live = next((s.number for s in stretches if s.start < end and (s.end is None or s.end >= end)), None)
    never, monthly = _pooled(named["counterfactual.never"]), _pooled(named["counterfactual.monthly"])
    return Window(
        start=start,
        end=end,
        rows=rows,
        labelled=labelled.value if labelled else min(sum(m.rows for m in realised) / rows, 1.0) if rows else None,
        realised=_pooled(realised),
        estimated=_pooled(named["loss.estimated"]),
        never=never.value if never else None,
        monthly=monthly.value if monthly else None,
        version=busiest.number if busiest else live,
    )


def _pooled(measurements: Sequence[Measurement]) -> Figure | None:
    """One figure of several versions' in a window, weighted by rows; None where none has a value."""
    known = [(m, max(m.rows, 1)) for m in measurements if m.value is not None]
    total = sum(weight for _, weight in known)

    def mean(pick: Callable[[Measurement], float | None]) -> float | None:
        values = [(value, weight) for m, weight in known if (value := pick(m)) is not None]
        return sum(v * n for v, n in values) / total if known and len(values) == len(known) else None

    value = mean(lambda m: m.value)
    if value is None:
        return None
    return Figure(value=value, lower=mean(lambda m: m.lower), upper=mean(lambda m: m.upper), level=known[-1][0].level)


def bills_of(curves: Iterable[Measurement]) -> list[Bill]:
    """The newest bill of each policy: `cost.NAME`, with `retrained`, `error` and `note` beside it."""
    newest = {m.name: m for m in sorted(curves, key=lambda m: m.window_end) if m.name.startswith("cost.")}
    return [
        Bill(
            policy=name.removeprefix("cost."),
            cost=Figure(value=m.value, lower=m.lower, upper=m.upper, level=m.level),
            unit=m.unit,
            error=m.about.get("error"),
            retrained=m.about.get("retrained"),
            note=str(m.about.get("note", "")),
        )
        for name, m in newest.items()
        if m.value is not None
    ]


def moved_of(drift: Sequence[Measurement], floor: float) -> tuple[datetime | None, list[Moved]]:
    """(end of the last judged window, how far each column moved in it).

    floor: of numeric columns, in reference standard deviations; categories have the monitor's own.
    """
    judged = [m for m in drift if m.value is not None and not m.slice]
    if not judged:
        return None, []
    last = max(m.window_end for m in judged)
    newest = [m for m in judged if m.window_end == last]
    return last, [_move(m, m.value or 0.0, floor, len(newest)) for m in newest]


def joint_of(measured: Sequence[Measurement]) -> Joint | None:
    """The newest joint drift, with the columns that carry half of it."""
    last = max((m for m in measured if m.value is not None), key=lambda m: m.window_end, default=None)
    if last is None or last.value is None:
        return None
    columns: list[str] = []
    carried = 0.0
    for column, share in sorted(last.about["importance"].items(), key=lambda item: -item[1]):
        if carried >= HALF:
            break
        columns.append(column)
        carried += share
    return Joint(auc=last.value, columns=columns)


def _move(measurement: Measurement, effect: float, floor: float, columns: int) -> Moved:
    about = measurement.about
    least = floor if measurement.unit == "sd" else MonitorSettings().drift_floor_category
    weight, p = about.get("weight"), about.get("p")
    reliance = None if weight is None else 2 * (weight - 0.5 / columns)  # the monitor's weights are half even
    unusual = p is None or p <= RARE
    used = reliance is None or reliance >= HARDLY_USED
    return Moved(
        column=measurement.name.removeprefix("drift."),
        effect=effect,
        unit=measurement.unit,
        floors=effect / least if least else effect,
        matters=effect >= least and unusual and used,
        reliance=reliance,
    )


def _warning(alert: Alert) -> Warn:
    return Warn(
        key=alert.key,
        at=alert.at,
        window_start=alert.window_start,
        window_end=alert.window_end,
        kind=alert.kind,
        title=alert.title,
        number=alert.number,
        note=alert.kind in NOTES or "note" in (alert.cause.get("severity"), alert.evidence.get("severity")),
        cause=_pairs({k: v for k, v in alert.cause.items() if k != "kind" and v != alert.title}),
        held_to=_pairs({k: v for k, v in alert.evidence.items() if k != "severity"}),
    )


def _pairs(facts: dict[str, Any]) -> list[tuple[str, str]]:
    return list(flat(facts))


def _until(lives: Iterable[ModelLife]) -> datetime | None:
    instants = [
        instant
        for life in lives
        for instant in (
            *(window.end for window in life.windows[-1:]),
            *(ruling.at for ruling in life.rulings),
            *(warning.at for warning in life.warnings),
        )
    ]
    return max(instants, default=None)
