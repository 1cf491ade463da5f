"""What `models list`, `models show` and `models compare` tell, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from solvent.lineage.entities import AliasMove, Decision, ModelVersion, Run
from solvent.registry.references import CHAMPION, require_model, resolve

if TYPE_CHECKING:
    from solvent.store import Store


class ModelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `models list`. aliases: alias → number, as they point now."""

    name: str
    task: str
    target: str
    versions: int
    aliases: dict[str, int]


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a model's history: the move of an alias and the decision behind it."""

    move: AliasMove
    decision: Decision | None


class ModelDetail(msgspec.Struct, frozen=True, kw_only=True):
    """All of one model: newest version first, history oldest first."""

    summary: ModelSummary
    versions: list[ModelVersion]
    history: list[Move]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of two versions; `change` is right − left where both are numbers that differ."""

    name: str
    left: Any
    right: Any
    change: float | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions side by side, what they share included."""

    left: str
    right: str
    rows: list[Row]

    @property
    def different(self) -> list[Row]:
        return [row for row in self.rows if row.left != row.right]


def summarise(store: Store, model: str) -> ModelSummary:
    """Raises: UnknownModel."""
    require_model(store, model)
    versions = store.facts.versions(model)
    newest = versions[-1].signature if versions else (store.facts.model(model) or {})
    names = {CHAMPION, *(move.alias for move in store.facts.alias_moves(model))}
    pointed = {alias: store.facts.alias(model, alias) for alias in sorted(names)}
    return ModelSummary(
        name=model,
        task=str(newest.get("task", "")),
        target=str(newest.get("target", "")),
        versions=len(versions),
        aliases={alias: number for alias, number in pointed.items() if number is not None},
    )


def list_models(store: Store) -> list[ModelSummary]:
    """All models, by name."""
    return [summarise(store, model) for model in sorted(store.facts.models())]


def describe_model(store: Store, model: str) -> ModelDetail:
    """One model with its versions and the history of its aliases. Raises: UnknownModel."""
    moves = store.facts.alias_moves(model)
    return ModelDetail(
        summary=summarise(store, model),
        versions=sorted(store.facts.versions(model), key=lambda version: -version.number),
        history=[Move(move=move, decision=store.facts.decision(move.decision)) for move in moves],
    )


def compare_versions(store: Store, left: str, right: str) -> Comparison:
    """What two versions share and where they differ: data, code, parameters, inputs, metrics, figures.

    left, right: references. Raises: what `resolve` raises.
    """
    a, b = resolve(store, left), resolve(store, right)
    mine, theirs = _facts_of(store, a), _facts_of(store, b)
    rows = [
        Row(name=name, left=mine.get(name), right=theirs.get(name), change=_change(mine.get(name), theirs.get(name)))
        for name in dict.fromkeys([*mine, *theirs])
    ]
    return Comparison(left=a.name, right=b.name, rows=rows)


def _facts_of(store: Store, version: ModelVersion) -> dict[str, Any]:
    """Dotted fields of a version, its signature and its run, flat, so that any two can be compared."""
    facts: dict[str, Any] = {"model": version.model, "created_at": version.created_at, "artifact": version.artifact}
    _flatten("", version.about, facts)
    _flatten("signature", version.signature, facts)
    run = store.facts.run(version.run) if version.run else None
    return {**facts, **(_run_facts(run) if run else {})}


def _run_facts(run: Run) -> dict[str, Any]:
    facts: dict[str, Any] = {"run.step": run.start.step, "run.git_commit": run.start.git_commit}
    recipe = run.start.recipe
    if recipe:
        facts |= {"run.code": recipe.code, "run.environment": recipe.environment}
        _flatten("run.parameters", recipe.parameters, facts)
        _flatten("run.inputs", recipe.inputs, facts)
    return facts


def _flatten(prefix: str, value: Any, into: dict[str, Any]) -> None:
    if not isinstance(value, dict):
        into[prefix] = value
        return
    for key, inner in value.items():
        _flatten(f"{prefix}.{key}" if prefix else str(key), inner, into)


def _change(a: Any, b: Any) -> float | None:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (a, b))
    return float(b - a) if numbers and a != b else None
