"""What differs between sides: pure, values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from solvent.data.compare.model import TableDiff
from solvent.governance.comparison.sides import Side, StepSide
from solvent.pipeline.changes import Change, changed_code, reasons_of

ABOUT = ("version", "run", "status", "started", "committed", "made", "seconds", "git", "author", "host", "who")


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all values here."""


class Row(Value, frozen=True, kw_only=True):
    """One fact on every side; None where a side has none. change: last less first, where both are numbers."""

    name: str
    values: list[Any]
    change: float | None = None

    @property
    def differs(self) -> bool:
        return any(value != self.values[0] for value in self.values[1:])


class Group(Value, frozen=True, kw_only=True):
    """Facts of one kind. rows: those to show; same: how many more are the same on all sides."""

    name: str
    rows: list[Row]
    same: int


class StepChange(Value, frozen=True, kw_only=True):
    """One step, first side against another.

    causes: of code, parameters, environment, inputs, declaration, or `only here`, `only there`.
    through: steps above it that changed, in a revision. result: equal, differs, or None where one is unknown.
    """

    step: str
    causes: list[str]
    through: list[str] = []
    result: str | None = None


class PartChange(Value, frozen=True, kw_only=True):
    """A symbol or file of the code. how: changed, new or gone; steps: that reach it; said: what changed, in a
    clause; diff: of its normalised source, as unified diff lines."""

    part: str
    how: str
    steps: list[str]
    said: str
    diff: list[str] = []


class VersionChange(Value, frozen=True, kw_only=True):
    """A distribution; None where it is not installed."""

    distribution: str
    left: str | None
    right: str | None


class Pair(Value, frozen=True, kw_only=True):
    """The first side against another."""

    left: str
    right: str
    steps: list[StepChange]
    code: list[PartChange]
    environment: list[VersionChange]
    interpreter: tuple[str, str] | None = None
    unknown: list[str] = []  # what a side does not say, so that it is not compared


class Head(Value, frozen=True, kw_only=True):
    name: str
    said: str
    kind: str
    about: dict[str, Any]


class Comparison(Value, frozen=True, kw_only=True):
    """Two or more sides. series: metrics with several points, by name, then by side. tables: input tables that
    differ, of two sides, by the name of their source."""

    sides: list[Head]
    equal: bool
    groups: list[Group]
    pairs: list[Pair]
    series: dict[str, dict[str, list[tuple[int, float]]]]
    tables: dict[str, TableDiff] = {}

    def group(self, name: str) -> Group:
        return next(group for group in self.groups if group.name == name)


def compare_sides(sides: Sequence[Side]) -> Comparison:
    """Compare every side with the first; two at least."""
    alike = len({side.kind == "revision" for side in sides}) == 1
    data = [_data(side) for side in sides]
    settings = all(side.kind == "revision" for side in sides)
    groups = [
        _group("metrics", [_metrics(side, _several(sides)) for side in sides], everything=True),
        _group("parameters", [_parameters(side, sources=alike) for side in sides]),
        _group("data", data if all(data) else []),
        _group("settings", [side.settings for side in sides] if settings else []),
    ]
    pairs = [_pair(sides[0], other) for other in sides[1:]]
    differs = any(row.differs for group in groups for row in group.rows)
    changed = any(pair.steps or pair.code or pair.environment or pair.interpreter for pair in pairs)
    about = [{key: side.about.get(key) for key in ABOUT} for side in sides]
    names = dict.fromkeys(name for side in sides for name in side.series)
    return Comparison(
        sides=[Head(name=side.name, said=side.said, kind=side.kind, about=side.about) for side in sides],
        equal=not differs and not changed,
        groups=[*groups, _group("about", about)],
        pairs=pairs,
        series={name: {s.name: s.series[name] for s in sides if name in s.series} for name in names},
    )


def short(step: str) -> str:
    """A step's name without its module."""
    return step.rpartition(".")[2]


def _several(sides: Sequence[Side]) -> bool:
    return len({step.step for side in sides for step in side.steps.values() if step.metrics}) > 1


def _metrics(side: Side, several: bool) -> dict[str, Any]:
    found: dict[str, Any] = dict(side.metrics)
    for step in side.steps.values():
        found |= {f"{short(step.step)}.{name}" if several else name: value for name, value in step.metrics.items()}
    return found


def _parameters(side: Side, *, sources: bool) -> dict[str, Any]:
    return {
        f"{short(step.step)}.{name}": value
        for step in side.steps.values()
        for name, value in step.parameters.items()
        if not step.source or (sources and value is not None)
    }


def _data(side: Side) -> dict[str, Any]:
    """Sources and datasets by content digest, with their rows where they are known."""
    found: dict[str, Any] = dict(side.files)
    for step in side.steps.values():
        if step.source:
            for artifact in step.artifacts.values():
                found[short(step.step)] = artifact.content
                if "rows" in artifact.about:
                    found[f"{short(step.step)} rows"] = artifact.about["rows"]
    if not any(step.source for step in side.steps.values()) and side.kind != "revision":
        found |= {f"{short(s.step)}.{name}": d for s in side.steps.values() for name, d in s.inputs.items()}
    return found


def _group(name: str, facts: Sequence[dict[str, Any]], *, everything: bool = False) -> Group:
    """Rows in the order of first mention; those that are the same are counted, or shown with `everything`."""
    names = dict.fromkeys(key for side in facts for key in side)
    rows = [_row(key, [side.get(key) for side in facts]) for key in names]
    shown = [row for row in rows if everything or row.differs]
    return Group(name=name, rows=shown, same=len(rows) - len(shown))


def _row(name: str, values: list[Any]) -> Row:
    first, last = values[0], values[-1]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (first, last))
    return Row(name=name, values=values, change=float(last - first) if numbers and first != last else None)


def _pair(left: Side, right: Side) -> Pair:
    names = [*left.steps, *(name for name in right.steps if name not in left.steps)]
    steps = [change for name in names if (change := _step(left.steps.get(name), right.steps.get(name)))]
    steps += _through(steps, left, right)
    shared = [(left.steps[n], right.steps[n]) for n in names if n in left.steps and n in right.steps]
    return Pair(
        left=left.name,
        right=right.name,
        steps=steps,
        code=_code(shared),
        environment=_environment(shared),
        interpreter=_interpreter(shared),
        unknown=[*_unknown(shared), *(["data"] if bool(_data(left)) != bool(_data(right)) else [])],
    )


def _step(left: StepSide | None, right: StepSide | None) -> StepChange | None:
    if left is None or right is None:
        only = "only there" if left is None else "only here"
        return StepChange(step=(left or right or StepSide(step="")).step, causes=[only])
    causes = []
    if left.code and right.code and left.code != right.code:
        causes.append("code")
    if left.parameters != right.parameters and not (left.source and bool(left.run) != bool(right.run)):
        causes.append("declaration" if left.source and not left.run else "parameters")
    if left.environment and right.environment and left.environment != right.environment:
        causes.append("environment")
    if left.run and right.run and left.inputs != right.inputs:
        causes.append("inputs")
    known = bool(left.artifacts and right.artifacts)
    result = ("equal" if left.outputs == right.outputs else "differs") if known else None
    if not causes and result != "differs":
        return None
    return StepChange(step=left.step, causes=causes, result=result)


def _through(changed: Iterable[StepChange], left: Side, right: Side) -> list[StepChange]:
    """Steps of a revision whose own recipe is the same, but whose inputs' recipes are not."""
    touched = {change.step: change.step for change in changed if "only here" not in change.causes}
    found: list[StepChange] = []
    for name, step in right.steps.items():
        above = sorted({touched[up] for up in step.upstream if up in touched})
        if above and name not in touched and name in left.steps:
            touched[name] = above[0]
            found.append(StepChange(step=name, causes=["inputs"], through=above))
    return found


def _code(shared: Sequence[tuple[StepSide, StepSide]]) -> list[PartChange]:
    found: dict[tuple[str, str, str], Change] = {}
    steps: dict[tuple[str, str, str], list[str]] = {}
    for left, right in shared:
        if not left.document or not right.document or left.code == right.code:
            continue
        for change in changed_code(left.document, left.step, right.document, right.step):
            key = (change.what, change.how, "\n".join(change.diff()))
            found.setdefault(key, change)
            steps.setdefault(key, []).append(short(left.step))
    return [
        PartChange(part=c.what, how=c.how, steps=steps[key], said=reasons_of([c])[0], diff=c.diff())
        for key, c in found.items()
    ]


def _environment(shared: Sequence[tuple[StepSide, StepSide]]) -> list[VersionChange]:
    found: dict[str, VersionChange] = {}
    for left, right in shared:
        if not left.distributions or not right.distributions or left.distributions == right.distributions:
            continue
        for name in sorted(left.distributions.keys() | right.distributions.keys()):
            before, after = left.distributions.get(name), right.distributions.get(name)
            if before != after:
                found[name] = VersionChange(distribution=name, left=before, right=after)
    return list(found.values())


def _interpreter(shared: Sequence[tuple[StepSide, StepSide]]) -> tuple[str, str] | None:
    pairs = [(a.interpreter, b.interpreter) for a, b in shared if a.interpreter and b.interpreter]
    return next((pair for pair in pairs if pair[0] != pair[1]), None)


def _unknown(shared: Sequence[tuple[StepSide, StepSide]]) -> list[str]:
    """What is not compared, because a side does not say it."""
    unknown = []
    if any(bool(a.environment) != bool(b.environment) for a, b in shared):
        unknown.append("environment")
    if any(bool(a.artifacts) != bool(b.artifacts) for a, b in shared):
        unknown.append("results")
    return unknown
