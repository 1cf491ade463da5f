"""What a name given by a person means: a version, a run, a column, a file, a single prediction.

The first reading that fits is taken, in this order: `NAME@alias`, `NAME/3`,
`TABLE#column`, a file of the project, a model, a name that a dataset, step or
column bears, the beginning of a digest or key, a prediction id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from solvent.foundation.errors import UsageError, nearest
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Node, NodeKind
from solvent.pages.words import moment

if TYPE_CHECKING:
    from solvent.store import Store

CHAMPION = "champion"
SHORTEST = 4  # digits of a digest or key that are enough to ask for it
CHUNK = 1 << 20
RECENT = 200  # runs in which short names are looked for
_KEY = re.compile(r"[0-9a-f]+")
_VERSION = re.compile(r"(?P<model>.+)/v?(?P<number>\d+)")
_PREFERRED = (NodeKind.ARTIFACT, NodeKind.RUN, NodeKind.COLUMN, NodeKind.DEPLOYMENT)


class UnknownName(UsageError):
    code = "unknown-name"


class AmbiguousName(UsageError):
    code = "ambiguous-name"


class PredictionPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where one prediction is: the log of which model, answered by which version, in which sealed segments."""

    prediction_id: str
    model: str
    version: int
    event_time: datetime
    answered_at: datetime
    output: float | None
    segments: list[str]


class Meant(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes that a name stands for, and how it was read. Several nodes: one column in several tables."""

    what: str
    said: str
    nodes: list[Node]
    prediction: PredictionPlace | None = None


def meaning(store: Store, what: str) -> Meant:
    """The nodes that `what` stands for.

    Raises: UnknownName (with the nearest known name), AmbiguousName (the beginning of several keys).
    """
    readings = (_alias, _version, _column, _file, _model, _named, _key, _prediction)
    for reading in readings:
        meant = reading(store, what)
        if meant is not None:
            return meant
    known = _known_names(store)
    hint = nearest(what, known, "`solvent models list` and `solvent runs list` show what there is")
    raise UnknownName(f"nothing here is called `{what}`", next=hint)


def need(store: Store, kind: NodeKind, key: str) -> Node:
    """A node that must exist. Raises: UnknownName."""
    node = store.facts.node(kind, key)
    if node is None:
        raise UnknownName(f"the store has no {kind.value} `{key}`", next="`solvent verify` looks for what is missing")
    return node


def _alias(store: Store, what: str) -> Meant | None:
    name, at, alias = what.partition("@")
    if not at:
        return None
    _known_model(store, name)
    number = store.facts.alias(name, alias)
    if number is None:
        aliases = sorted({move.alias for move in store.facts.alias_moves(name)})
        hint = nearest(alias, aliases, f"aliases of {name}: {', '.join(aliases) or 'none yet'}")
        raise UnknownName(f"`{name}` has no alias `{alias}`", next=hint)
    node = need(store, NodeKind.VERSION, f"{name}/{number}")
    return Meant(what=what, said=f"{what} is version {number}", nodes=[node])


def _known_model(store: Store, name: str) -> None:
    known = store.facts.models()
    if name not in known:
        hint = nearest(name, known, "`solvent models list` lists the models")
        raise UnknownName(f"no model `{name}` in this project", next=hint)


def _version(store: Store, what: str) -> Meant | None:
    match = _VERSION.fullmatch(what)
    if match is None or match["model"] not in store.facts.models():
        return None
    model, number = match["model"], int(match["number"])
    if store.facts.version(model, number) is None:
        numbers = [str(version.number) for version in store.facts.versions(model)]
        there = f"it has {numbers[0]} to {numbers[-1]}" if numbers else "it has none yet"
        raise UnknownName(f"`{model}` has no version {number}", next=there)
    node = need(store, NodeKind.VERSION, f"{model}/{number}")
    return Meant(what=what, said=f"version {number} of {model}", nodes=[node])


def _column(store: Store, what: str) -> Meant | None:
    owner, hash_sign, column = what.rpartition("#")
    if not hash_sign or not owner:
        return None
    owners = [what] if store.facts.node(NodeKind.COLUMN, what) else []
    owners = owners or [f"{node.key}#{column}" for node in _bearing(store, owner)]
    found = [node for key in owners if (node := store.facts.node(NodeKind.COLUMN, key)) is not None]
    if not found:
        there = sorted({name for node in _bearing(store, owner) for name in _columns(store, node)})
        hint = nearest(column, there, f"columns: {', '.join(there)}" if there else "its columns are not known")
        raise UnknownName(f"no column `{column}` in `{owner}`", next=hint)
    return Meant(what=what, said=f"column {column} of {owner}", nodes=found)


def _bearing(store: Store, owner: str) -> list[Node]:
    """Artifacts and versions that an owner of a column may mean."""
    if "@" in owner or _VERSION.fullmatch(owner):
        return meaning(store, owner).nodes
    return [node for node in store.facts.find(owner) if node.kind in (NodeKind.ARTIFACT, NodeKind.VERSION)]


def _columns(store: Store, owner: Node) -> list[str]:
    """Names of the known columns of a table or version."""
    above = store.facts.ancestors(owner.kind, owner.key)
    return [node.name for node in above.nodes if node.key.startswith(f"{owner.key}#")]


def _file(store: Store, what: str) -> Meant | None:
    for path in (Path(what), store.root.parent / what):
        if not path.is_file():
            continue
        digest = _digest(path)
        node = store.facts.node(NodeKind.ARTIFACT, digest)
        if node is not None:
            return Meant(what=what, said=f"the file {what} as it is now, {digest[:10]}", nodes=[node])
    return None


def _digest(path: Path) -> str:
    from blake3 import blake3

    hasher = blake3()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


def _model(store: Store, what: str) -> Meant | None:
    if what not in store.facts.models():
        return None
    number = store.facts.alias(what, CHAMPION)
    if number is not None:
        return Meant(
            what=what, said=f"the champion of {what}", nodes=[need(store, NodeKind.VERSION, f"{what}/{number}")]
        )
    versions = store.facts.versions(what)
    if versions:
        newest = need(store, NodeKind.VERSION, versions[-1].name)
        return Meant(what=what, said=f"the newest version of {what}, which has no champion", nodes=[newest])
    return Meant(what=what, said=f"model {what}, without a version", nodes=[need(store, NodeKind.MODEL, what)])


def _named(store: Store, what: str) -> Meant | None:
    """A name that something bears: the newest of the preferred kind; all of them where it is a column.

    The module of a step or source may be left out: `fit` for `pipeline.fit`.
    """
    bearers = _bearers(store, what)
    if not bearers:
        full = {run.start.step for run in store.facts.runs(limit=RECENT) if run.start.step.endswith(f".{what}")}
        bearers = [node for name in sorted(full) for node in _bearers(store, name)]
    if not bearers:
        return None
    kind = min((node.kind for node in bearers), key=_PREFERRED.index)
    same = [node for node in bearers if node.kind is kind]
    if kind is NodeKind.COLUMN:
        return Meant(what=what, said=f"column {what}, wherever it is known", nodes=same)
    newest = max(same, key=lambda node: (node.happened_at, node.id))
    which = f"the newest of {len(same)}" if len(same) > 1 else "the only one"
    return Meant(
        what=what, said=f"{_noun(store, newest)} {what}, {which}, {moment(newest.happened_at)}", nodes=[newest]
    )


def _bearers(store: Store, name: str) -> list[Node]:
    return [node for node in store.facts.find(name) if node.name == name and node.kind in _PREFERRED]


def _noun(store: Store, node: Node) -> str:
    artifact = store.facts.artifact(Digest(node.key)) if node.kind is NodeKind.ARTIFACT else None
    if artifact is not None:
        return {"model": "fitted model", "any": "value"}.get(artifact.type.value, artifact.type.value)
    return "step" if node.kind is NodeKind.RUN else node.kind.value


def _key(store: Store, what: str) -> Meant | None:
    if len(what) < SHORTEST or not _KEY.fullmatch(what):
        return None
    found = [node for node in store.facts.find(what) if node.key.startswith(what) and node.kind is not NodeKind.COLUMN]
    keys = sorted({node.key for node in found})
    if not keys:
        return None
    if len(keys) > 1:
        shown = ", ".join(f"{_kind_of(found, key)} {key[:16]}" for key in keys[:4])
        more = f" and {len(keys) - 4} more" if len(keys) > 4 else ""
        raise AmbiguousName(f"`{what}` begins {len(keys)} keys: {shown}{more}", next="give more of its digits")
    return Meant(what=what, said=f"{found[0].kind.value} {keys[0][:16]}", nodes=found[:1])


def _kind_of(nodes: Iterable[Node], key: str) -> str:
    return next(node.kind.value for node in nodes if node.key == key)


def _prediction(store: Store, what: str) -> Meant | None:
    for model in store.facts.models():
        place = find_prediction(store, model, what)
        if place is not None:
            node = need(store, NodeKind.VERSION, f"{model}/{place.version}")
            said = f"a prediction of {model}, answered by version {place.version}"
            return Meant(what=what, said=said, nodes=[node], prediction=place)
    return None


def find_prediction(store: Store, model: str, prediction_id: str) -> PredictionPlace | None:
    """The first answer to a prediction id in a model's log; None where there is none."""
    import polars as pl

    rows = (
        store.log.scan_predictions(model, None, None)
        .filter(pl.col("prediction_id") == prediction_id)
        .select("event_time", "answered_at", "version", "output")
        .head(1)
        .collect()
    )
    if rows.is_empty():
        return None
    event_time, answered_at, version, output = rows.row(0)
    return PredictionPlace(
        prediction_id=prediction_id,
        model=model,
        version=version,
        event_time=event_time,
        answered_at=answered_at,
        output=output,
        segments=_segments(store, model, event_time, prediction_id),
    )


def _segments(store: Store, model: str, at: datetime, wanted: str) -> list[str]:
    import polars as pl

    return [
        segment.digest
        for segment in store.facts.segments(model, "predictions", at, at)
        if pl.scan_parquet(store.objects.path(segment.digest))
        .filter(pl.col("prediction_id") == wanted)
        .head(1)
        .collect()
        .height
    ]


def _known_names(store: Store) -> Sequence[str]:
    """Names to compare an unknown one with: models, steps, datasets of the newest runs."""
    names = set(store.facts.models())
    names |= {f"{name}@{move.alias}" for name in names for move in store.facts.alias_moves(name)}
    for run in store.facts.runs(limit=RECENT):
        names.add(run.start.step)
        names.update(run.start.inputs)
        names.update(run.end.outputs if run.end else ())
    return sorted(names)
