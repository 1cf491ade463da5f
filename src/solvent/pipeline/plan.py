"""Which steps are fresh, which are stale, and why. Pure: everything known comes in through `Lookups`.

A step whose inputs are not known yet, because something above it has to run
first, is `unknown`: it is judged again when they are, and an input that came out
with the same content as before leaves it fresh.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from solvent.foundation.clock import iso
from solvent.foundation.errors import SolventError
from solvent.lineage.digests import Digest, canonical, digest_value
from solvent.lineage.entities import Artifact, Recipe, Run
from solvent.pipeline.environment import with_variables
from solvent.pipeline.options import RunOptions
from solvent.pipeline.spec import LoggedSpec, PipelineSpec, Ref, SourceSpec, StepSpec, inputs_of

SOURCE_CODE = digest_value("solvent source 1")
LOGGED_CODE = digest_value("solvent logged rows 1")
Node = StepSpec | SourceSpec | LoggedSpec


class Lookups(Protocol):
    """What planning asks of the world.

    cached: newest finished runs by recipe. last: the newest finished run of a step
    and whether any run of it exists. intact: whether an output's bytes are there.
    source: digest of what a source's location means now; it raises where there is nothing.
    document: what a run's `code` or `environment` tag stands for, where it is kept.
    """

    def cached(self, recipes: Collection[Digest]) -> dict[Digest, Run]: ...
    def last(self, step: str) -> tuple[Run | None, bool]: ...
    def intact(self, artifact: Artifact) -> bool: ...
    def source(self, source: SourceSpec) -> Digest: ...
    def document(self, digest: str) -> dict[str, Any] | None: ...
    @property
    def variables(self) -> Mapping[str, str]: ...


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """inputs: artifacts by parameter; makers: keys of the runs that made them.

    recipe: None where an input is unknown. run: the one that a fresh step reuses.
    """

    name: str
    label: str
    state: Literal["fresh", "stale", "unknown"]
    reason: str
    recipe: Recipe | None = None
    inputs: dict[str, Artifact] = {}
    makers: dict[str, str] = {}
    run: Run | None = None
    error: SolventError | None = None
    notes: list[str] = []

    @property
    def outputs(self) -> dict[str, Artifact]:
        """What a fresh step gives, by output name."""
        return self.run.end.outputs if self.run and self.run.end else {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Steps in order, producers first."""

    steps: list[PlannedStep]

    @property
    def fresh(self) -> bool:
        return all(s.state == "fresh" for s in self.steps)

    def step(self, name: str) -> PlannedStep:
        return next(s for s in self.steps if name in (s.name, s.label))


def plan(spec: PipelineSpec, options: RunOptions, lookups: Lookups) -> Plan:
    """Judge every step that the targets need. Raises: UnknownStep."""
    judged: dict[str, PlannedStep] = {}
    known: dict[Ref, Artifact] = {}
    judge = Judge(spec, options, lookups)
    for name in spec.needed(options.targets):
        refs = inputs_of(spec.nodes[name])
        pending = sorted({judged[r.node].label for r in refs.values() if judged[r.node].state != "fresh"})
        if pending:
            waits = f"waits for {', '.join(pending)}"
            judged[name] = PlannedStep(name=name, label=judge.labels[name], state="unknown", reason=waits)
            continue
        judged[name] = judge(name, {p: known[r] for p, r in refs.items()})
        known.update({Ref(node=name, output=o): a for o, a in judged[name].outputs.items()})
    return Plan(steps=list(judged.values()))


class Judge:
    """Judges one step at a time, given its inputs."""

    def __init__(self, spec: PipelineSpec, options: RunOptions, lookups: Lookups) -> None:
        self.spec = spec
        self.nodes = spec.nodes
        self.labels = spec.labels
        self.options = options
        self.lookups = lookups

    def __call__(self, name: str, inputs: dict[str, Artifact]) -> PlannedStep:
        """Fresh, with the run whose outputs serve, or stale with the reason."""
        node, label = self.nodes[name], self.labels[name]
        try:
            recipe = self.recipe(node, inputs)
        except SolventError as error:
            return PlannedStep(name=name, label=label, state="stale", reason=error.what, error=error)
        base = PlannedStep(name=name, label=label, state="stale", reason="", recipe=recipe, inputs=inputs)
        if isinstance(node, LoggedSpec):
            return msgspec.structs.replace(base, reason="reads the prediction log")
        if self.options.force:
            return msgspec.structs.replace(base, reason="forced")
        run = self.lookups.cached([recipe.digest]).get(recipe.digest)
        if run is None:
            return msgspec.structs.replace(base, reason=self.why_stale(node, recipe))
        if isinstance(node, SourceSpec) and not only_as_file(node, self.spec):
            run = _as_table(run)
        damaged = [o for o, a in (run.end.outputs if run.end else {}).items() if not self.lookups.intact(a)]
        if damaged:
            shown = "its output" if damaged == ["result"] else f"output {', '.join(damaged)}"
            return msgspec.structs.replace(base, reason=f"{shown} is missing from the store")
        return msgspec.structs.replace(base, state="fresh", reason="nothing changed", run=run)

    def recipe(self, node: Node, inputs: dict[str, Artifact]) -> Recipe:
        """What would be computed. Raises: BadSource where a source's files are not there."""
        if isinstance(node, SourceSpec):
            contents = {"files": self.lookups.source(node)}
            return make_recipe(
                SOURCE_CODE, self.spec.environment, source_parameters(node, self.spec, self.options), contents
            )
        contents = {parameter: artifact.content for parameter, artifact in inputs.items()}
        if isinstance(node, LoggedSpec):
            return make_recipe(LOGGED_CODE, self.spec.environment, {"model": node.model}, contents)
        environment = with_variables(self.spec.environment, node.env, self.lookups.variables)
        return make_recipe(node.code, environment, node.parameters, contents)

    def why_stale(self, node: Node, recipe: Recipe) -> str:
        """What differs from the last finished run of the step of this name."""
        last, any_run = self.lookups.last(node.name)
        if last is None or last.start.recipe is None:
            return "never finished" if any_run else "never run"
        before = last.start.recipe
        reasons = [
            *self._code(node, recipe, last),
            *_parameters(before.parameters, recipe.parameters),
            *_inputs(node, before.inputs, recipe.inputs),
            *self._environment(node, recipe, last),
        ]
        return "; ".join(reasons) or "its outputs were erased"

    def _code(self, node: Node, recipe: Recipe, last: Run) -> list[str]:
        if last.start.recipe is None or recipe.code == last.start.recipe.code:
            return []
        if not isinstance(node, StepSpec):
            return ["this version of Solvent reads sources in another way"]
        document = self.lookups.document(last.start.tags.get("code", "")) or {}
        now, before = node.files, document.get("files", {})
        changed = [
            f"code of {f} changed" if f.endswith(".py") else f"{f} changed"
            for f in now
            if before.get(f, now[f]) != now[f]
        ]
        added = [f"{f} is new to it" for f in now if f not in before]
        removed = [f"it no longer reaches {f}" for f in before if f not in now]
        return changed + added + removed or [f"code of {node.file} changed"]

    def _environment(self, node: Node, recipe: Recipe, last: Run) -> list[str]:
        if last.start.recipe is None or recipe.environment == last.start.recipe.environment:
            return []
        tag = last.start.tags.get("environment", "")
        if tag == self.spec.environment and isinstance(node, StepSpec):
            return [f"environment variable {' or '.join(node.env)} changed"]
        document = self.lookups.document(tag)
        if document is None:
            return ["the environment changed"]
        return _distributions(document["distributions"], list(self.spec.distributions)) or ["the interpreter changed"]


def _as_table(run: Run) -> Run:
    """A run of a source whose table is its one Parquet file as it stands.

    The store may know those bytes as a plain file already, from a run that took it for one of several.
    """
    if run.end is None:
        return run
    outputs = {
        name: msgspec.structs.replace(artifact, format="parquet") if artifact.format == "file" else artifact
        for name, artifact in run.end.outputs.items()
    }
    return msgspec.structs.replace(run, end=msgspec.structs.replace(run.end, outputs=outputs))


def make_recipe(code: Digest, environment: Digest, parameters: dict[str, Any], inputs: dict[str, Digest]) -> Recipe:
    """A recipe with its digest; the step's name is no part of it."""
    digest = digest_value([code, environment, parameters, inputs])
    return Recipe(digest=digest, code=code, environment=environment, parameters=parameters, inputs=inputs)


def source_parameters(source: SourceSpec, spec: PipelineSpec, options: RunOptions) -> dict[str, Any]:
    """What decides which rows of its files a source gives. The cuts stand only where it can be cut."""
    return {
        "time": source.time,
        "known_at": source.known_at,
        "as_of": _instant(options.as_of) if source.cut_column else None,
        "since": _instant(options.since) if source.time else None,
        "as_file": only_as_file(source, spec),
    }


def only_as_file(source: SourceSpec, spec: PipelineSpec) -> bool:
    """Whether all that consume a source want its files as they are."""
    wanted = [i.annotation for s in spec.steps for i in s.inputs if i.producer.node == source.name]
    return bool(wanted) and all(w == "pathlib.Path" for w in wanted)


def code_document(step: StepSpec) -> bytes:
    """The artifact that a run's `code` tag stands for: the files that its code reached, with their digests."""
    return canonical({"files": step.files})


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)


def _parameters(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [
        f"parameter {name} {_shown(before.get(name))} → {_shown(now.get(name))}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


def _inputs(node: Node, before: dict[str, Digest], now: dict[str, Digest]) -> list[str]:
    if isinstance(node, SourceSpec):
        return [] if before == now else [f"{node.location} changed"]
    changed = [f"input {name} changed" for name in now if name in before and before[name] != now[name]]
    added = [f"input {name} is new" for name in now if name not in before]
    return changed + added + [f"input {name} is gone" for name in before if name not in now]


def _distributions(before: list[str], now: list[str]) -> list[str]:
    old, new = (dict(d.split("==", 1) for d in ds) for ds in (before, now))
    changed = [f"{n} {old[n]} → {new[n]}" for n in sorted(old.keys() & new.keys()) if old[n] != new[n]]
    added = [f"{n} {new[n]} was installed" for n in sorted(new.keys() - old.keys())]
    removed = [f"{n} was removed" for n in sorted(old.keys() - new.keys())]
    found = changed + added + removed
    return [*found[:3], f"and {len(found) - 3} more distributions"] if len(found) > 3 else found
